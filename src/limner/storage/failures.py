"""What went wrong between this machine and a store, as one sentence."""

from __future__ import annotations

from limner.errors import LimnerError


def failure(error: Exception, path: object) -> LimnerError:
    """The sentence for an error of fsspec's, of a store's client or of the network.

    Args:
        error: as it came.
        path: what was asked for.
    """
    kind, said = type(error).__name__, " ".join(str(error).split()).rstrip(".") or type(error).__name__
    if isinstance(error, NotADirectoryError | IsADirectoryError | FileExistsError):
        return LimnerError(f"{path} can't be fetched: its name is also the beginning of another's, as of a folder.")
    if isinstance(error, FileNotFoundError):
        return LimnerError(f"There is no {path}: check the address, and that its bucket exists.")
    if "Credentials" in kind:
        return LimnerError(
            f"{path} needs credentials ({said}): give them as the store's own programs take them, such as "
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile."
        )
    if isinstance(error, PermissionError):
        return LimnerError(f"{path} is refused ({said}): check the credentials, and what they may do in this bucket.")
    return LimnerError(f"{path} can't be reached ({said}): check the network and the store's address, then run again.")
