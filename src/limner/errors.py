"""What limner raises when the input, not the program, is at fault: one clear sentence each; and what ends a restoration
that nobody wants any more."""


class LimnerError(Exception):
    """Something the user can put right. The message is one sentence: what, which file, what to do."""


def unexpected(error: Exception) -> str:
    """An error that is no `LimnerError`, in words: its type, and what it says."""
    return f"unexpected {type(error).__name__}: {error}"


class PhotoError(LimnerError):
    """A photograph that can't be read or written."""


class WeightsError(LimnerError):
    """Weights that are missing, damaged or of another shape than the net that should hold them."""


class Cancelled(Exception):
    """A restoration that was called off: for a `progress` callback to raise, see `limner.Restorer.restore`."""
