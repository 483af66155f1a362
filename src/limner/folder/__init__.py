"""Many photographs: which files, where to, one after another, and what became of each."""
