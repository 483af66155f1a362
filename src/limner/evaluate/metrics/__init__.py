"""Formulas of what is measured on restored faces, one idea a file; `../metric_registry.py` says which protocol shows
which. Pictures are (H, W, 3) uint8 RGB, and `pictures.py` refuses others."""
