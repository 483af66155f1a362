"""The version of limner, which restored photographs name."""

__version__ = "0.1.0"
