"""From a photograph to its faces and back: finding, aligning, pasting."""
