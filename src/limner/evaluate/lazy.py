"""Sequences whose things are made when they are asked for, so that memory doesn't grow with their count."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar, overload

Thing = TypeVar("Thing")


class Lazy(Sequence[Thing]):
    """Things that are made anew each time.

    Args:
        count: how many there are.
        make: from a place, 0 to count - 1, to the thing.
    """

    def __init__(self, count: int, make: Callable[[int], Thing]):
        self.length, self.make = count, make

    def __len__(self) -> int:
        return self.length

    @overload
    def __getitem__(self, place: int) -> Thing: ...
    @overload
    def __getitem__(self, place: slice) -> Lazy[Thing]: ...
    def __getitem__(self, place: int | slice) -> Thing | Lazy[Thing]:
        places = range(self.length)[place]
        if isinstance(places, int):
            return self.make(places)
        return Lazy(len(places), lambda one: self.make(places[one]))
