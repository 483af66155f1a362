"""The protocols of `limner benchmark`: measurements with a fixed procedure, so that two runs and two methods can be
compared.

Each is declared once, here, and lives in a file of its own with a function `run`; torch, which takes seconds to import,
is loaded only then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Literal

from limner.errors import LimnerError
from limner.evaluate.published_sets import PUBLISHED_SETS

if TYPE_CHECKING:
    from limner.data.faces import FaceSet, Split
    from limner.evaluate.report import Report
    from limner.evaluate.shared_out import Elsewhere
    from limner.restorer import Restorer


@dataclass(frozen=True)
class Request:
    """What is to be measured.

    Attributes:
        data: folder of aligned faces with its tables.
        preset: degradation, see `limner.degrade.degrade.preset_names`; for the protocols that spoil faces with one.
        splits: whose faces are taken. `test` is for reporting, `val` for choosing settings.
        limit: the first so many faces only.
        seed: of what the protocol itself draws; the methods' noise is seeded by their settings.
        real: folder of photographs that are not the truths, against which distributions are held; of the protocols that
            measure sets.
        nets: of the user's, see `limner.evaluate.definitions.given_nets`; likewise.
        judge: folder or file (also dlib's .dat) of a recogniser that took no part in the guidance or in any training;
            for `guidance`.
        progress: called with (faces done, of how many).
        output: folder for pictures and figures, of the protocols that keep any; None keeps nothing.
        elsewhere: other processes that restore and measure, see `limner.evaluate.shared_out`; of the protocols whose
            faces can be shared out.

    Raises:
        LimnerError: if no face would be measured.
    """

    data: Path
    preset: str = "ffhq-ref-severe"
    splits: tuple[Split, ...] = ("test",)
    limit: int | None = None
    seed: int = 0
    judge: Path | None = None
    progress: Callable[[int, int], None] | None = None
    output: Path | None = None
    real: Path | None = None
    nets: tuple[str, ...] = ()
    elsewhere: Elsewhere | None = None

    def __post_init__(self) -> None:
        if self.limit is not None and self.limit < 1:
            raise LimnerError(f"--limit is {self.limit}: measure at least 1 face.")

    def faces(self) -> FaceSet:
        """All faces of the splits.

        Raises:
            LimnerError: if the folder lacks its tables or the splits are empty.
        """
        from limner.data.faces import FaceSet

        return FaceSet.open(self.data, *self.splits)

    def first_faces(self) -> FaceSet:
        """The faces of the splits, as many as the limit leaves.

        Raises:
            LimnerError: if the folder lacks its tables or the splits are empty.
        """
        faces = self.faces()
        return faces if self.limit is None else faces.first(self.limit)

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """Where pictures and figures go: the output, or a folder that is gone at the end."""
        if self.output is not None:
            self.output.mkdir(parents=True, exist_ok=True)
            yield self.output
            return
        with TemporaryDirectory() as folder:
            yield Path(folder)

    def done(self, count: int, total: int) -> None:
        """Reports progress to whoever asked for it: `count` of `total` faces are done."""
        if self.progress:
            self.progress(count, total)


Run = Callable[[Request, "Mapping[str, Restorer]"], "Report"]
"""What a protocol does: measures restorers, by the names of their rows, and reports."""


def run_of(module: str, *first: object) -> Run:
    """The function `run` of a module of this package; the module is imported when the function is called.

    Args:
        module: its name within `limner.evaluate`.
        first: arguments that go before the request.
    """

    def run(request: Request, restorers: Mapping[str, Restorer]) -> Report:
        return import_module(f"limner.evaluate.{module}").run(*first, request, restorers)

    return run


@dataclass(frozen=True)
class Protocol:
    """A measurement with a fixed procedure.

    Attributes:
        name: as given to `--protocol`.
        help: what it measures, in a few words.
        splits: those that it takes, by what `--split` calls them.
        purpose: what it takes them for, as its refusal of others says.
        methods: how many methods it measures at once.
        run: measures and reports.
        aligned: whether its restorers take whole photographs that are aligned crops.
        shared: whether its faces can be shared out among processes.
    """

    name: str
    help: str
    splits: Mapping[str, tuple[Split, ...]]
    purpose: str
    methods: Literal["none", "one", "several"]
    run: Run
    aligned: bool = False
    shared: bool = False

    def splits_called(self, name: str) -> tuple[Split, ...]:
        """The splits that a value of `--split` asks for.

        Args:
            name: the value.

        Raises:
            LimnerError: if the protocol doesn't take them.
        """
        if name not in self.splits:
            *others, last = self.splits
            several = f"{', '.join(others)} or {last}" if others else last
            raise LimnerError(f"There is no split '{name}' {self.purpose}: choose {several}.")
        return self.splits[name]

    def check(self, count: int, shared: bool = False) -> None:
        """Makes sure that it can be measured as it is asked for.

        Args:
            count: of the methods.
            shared: whether its faces are to be shared out.

        Raises:
            LimnerError: if it measures one method at a time, and there are several; or its faces can't be shared out.
        """
        if self.methods == "one" and count > 1:
            raise LimnerError(f"The protocol {self.name} measures one method at a time, not {count}.")
        if shared and not self.shared:
            able = ", ".join(one.name for one in PROTOCOLS.values() if one.shared)
            raise LimnerError(f"One process measures the protocol {self.name}: leave out --engine, or take {able}.")


TEST_OR_VAL: Mapping[str, tuple[Split, ...]] = {"test": ("test",), "val": ("val",)}
WHOLE: Mapping[str, tuple[Split, ...]] = {"test": ("test",)}
TEST_OR_HELD_OUT: Mapping[str, tuple[Split, ...]] = {"test": ("test",), "held-out": ("held-out",)}

PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        Protocol(
            "limner-test", "restoration", TEST_OR_VAL, "to measure", "several", run_of("limner_test"), shared=True
        ),
        Protocol(
            "references",
            "identity with the right, no and wrong references",
            {**TEST_OR_HELD_OUT, "test+held-out": ("test", "held-out")},
            "with pairs",
            "one",
            run_of("references"),
        ),
        Protocol(
            "album",
            "who is told by an album, and what its references are worth",
            {
                **TEST_OR_HELD_OUT,
                "test+held-out": ("test", "held-out"),
                "train+val": ("train", "val"),
                "all": ("train", "val", "test", "held-out"),
            },
            "with pairs",
            "one",
            run_of("album"),
        ),
        Protocol("landmarks", "the finder", TEST_OR_VAL, "to measure", "none", run_of("landmarks")),
        Protocol(
            "verification",
            "the recognisers",
            {**TEST_OR_HELD_OUT, "test+held-out": ("test", "held-out")},
            "to verify on",
            "none",
            run_of("identity"),
        ),
        Protocol(
            "guidance",
            "what CLR-Face's mask is worth, over growing guidance",
            TEST_OR_VAL,
            "to measure",
            "one",
            run_of("guidance"),
        ),
        Protocol(
            "steps",
            "what each number of steps gives, by each solver",
            TEST_OR_VAL,
            "to measure",
            "several",
            run_of("steps"),
            shared=True,
        ),
        Protocol(
            "harm",
            "what becomes of sharp faces that are hardly damaged",
            TEST_OR_VAL,
            "to measure",
            "several",
            run_of("harm"),
            aligned=True,
        ),
        *(
            Protocol(one.name, one.help, WHOLE, f"of {one.name}", "several", run_of("published", one), True, True)
            for one in PUBLISHED_SETS
        ),
    )
}
"""All protocols by their names."""


def find_protocol(name: str) -> Protocol:
    """The protocol of that name.

    Raises:
        LimnerError: if there is none.
    """
    if name not in PROTOCOLS:
        raise LimnerError(f"There is no protocol '{name}': choose one of {', '.join(PROTOCOLS)}.")
    return PROTOCOLS[name]
