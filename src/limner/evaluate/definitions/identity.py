"""Whom a restored picture shows, by each recogniser: beside the truth, all truths, the input and the person's other
photographs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from limner.evaluate.definitions.common import ALL, ANYBODYS, COSINE, DLIB, GALLERY, INPUT, REFERENCES, SETS, TRUTH
from limner.evaluate.metric import Metric, degrees, input_likeness, likeness, person_likeness, rank1

EMBEDDED = "mini/identity, at 256 px at most"


@dataclass(frozen=True)
class Recognised:
    """A recogniser whose view is measured.

    Attributes:
        extractor: its name, which begins the metrics' keys.
        heading: what tables call it.
        by: what definitions call it.
        variant, licence, package: see `Defined`.
    """

    extractor: str
    heading: str
    by: str
    variant: str
    licence: str
    package: str = ""

    def cosine(self, protocols: Sequence[str]) -> Metric:
        """Likeness to the truth."""
        return self._through(
            Metric(
                key=self.extractor,
                heading=self.heading,
                form=".3f",
                definition=f"cosine similarity to the truth by {self.by}",
                range=COSINE,
                larger_is_better=True,
                of=likeness(self.extractor),
                needs=TRUTH,
                protocols=tuple(protocols),
            )
        )

    def angle(self) -> Metric:
        """The same as an angle."""
        return self._through(
            Metric(
                key=f"{self.extractor}_degrees",
                heading=f"{self.heading}, degrees",
                form=".1f",
                definition=f"angle to the truth by {self.by}, in degrees; in radians times 0.01745",
                range="0 to 180",
                larger_is_better=False,
                of=degrees(self.extractor),
                needs=TRUTH,
                protocols=SETS,
                brief=False,
            )
        )

    def rank1(self, key: str, heading: str) -> Metric:
        """Whether the nearest of all truths is its own."""
        return self._through(
            Metric(
                key=key,
                heading=heading,
                form=".1%",
                definition=f"share of faces whose nearest truth by {self.by}, of all truths, is their own",
                range="0 to 1",
                larger_is_better=True,
                of=rank1(self.extractor),
                needs=GALLERY,
                protocols=SETS,
            )
        )

    def to_input(self) -> Metric:
        """Likeness to the input, for want of a truth."""
        return self._through(
            Metric(
                key=f"{self.extractor}_input",
                heading=f"{self.heading} to input",
                form=".3f",
                definition=f"cosine similarity to the input by {self.by}; 1 of what leaves the input alone",
                range=COSINE,
                larger_is_better=None,
                of=input_likeness(self.extractor),
                needs=INPUT,
                protocols=(ANYBODYS,),
                brief=False,
            )
        )

    def to_person(self) -> Metric:
        """Likeness to the person's other photographs."""
        return self._through(
            Metric(
                key=f"{self.extractor}_person",
                heading=f"{self.heading} to person",
                form=".3f",
                definition=f"mean cosine similarity to the person's other photographs by {self.by}",
                range=COSINE,
                larger_is_better=True,
                of=person_likeness(self.extractor),
                needs=REFERENCES,
                protocols=(ANYBODYS,),
                brief=False,
            )
        )

    def _through(self, metric: Metric) -> Metric:
        """A metric that looks through this recogniser."""
        return replace(
            metric,
            extractor=self.extractor,
            variant=self.variant,
            licence=self.licence,
            package=self.package,
        )

    def metrics(self) -> tuple[Metric, ...]:
        """All of them, of a recogniser that nothing else is known of."""
        return (
            self.cosine(SETS),
            self.angle(),
            self.rank1(f"{self.extractor}_rank1", f"{self.heading} rank 1"),
            self.to_input(),
            self.to_person(),
        )


_EMBEDDED = Recognised(
    "identity",
    "identity",
    "the embedded recogniser, which some methods were trained with",
    EMBEDDED,
    "Apache-2.0",
)
_HOG = Recognised(
    "hog", "HOG", "histograms of gradients between brow and chin, trained on nothing", "at 256 px at most", ""
)
_DLIB = Recognised(
    "dlib",
    "dlib",
    "dlib's recogniser, which nothing here was trained with",
    "dlib_face_recognition_resnet_model_v1, less its mean over training faces, at 256 px at most",
    "CC0-1.0",
    DLIB,
)

IDENTITY = _EMBEDDED.cosine(ALL)
HOG, HOG_RANK1 = _HOG.cosine(ALL), _HOG.rank1("hog_rank1", "HOG rank 1")
JUDGE = Metric(
    key="judge",
    heading="judge",
    form=".3f",
    definition="cosine similarity to the truth by a recogniser of the user's",
    range=COSINE,
    larger_is_better=True,
    of=likeness("judge"),
    needs=frozenset({"truth", "judge"}),
)

RECOGNISED: Sequence[Metric] = (
    IDENTITY,
    _EMBEDDED.angle(),
    _EMBEDDED.rank1("rank1", "rank 1"),
    _EMBEDDED.to_input(),
    _EMBEDDED.to_person(),
    HOG,
    HOG_RANK1,
    _DLIB.cosine(ALL),
    *_DLIB.metrics()[1:],
    JUDGE,
)
