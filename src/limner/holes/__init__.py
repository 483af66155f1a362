"""Holes in a photograph: which pixels they are (`mask.py`), and what they are filled with (`fill.py`), before its faces
are restored. Elsewhere the photograph stays as it is, bit for bit."""
