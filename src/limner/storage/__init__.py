"""Where photographs and results lie: on this machine, or as objects in a store of which they have a mirror here."""
