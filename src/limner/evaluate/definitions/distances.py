"""How far a set of restored pictures lies from a set of photographs: its truths, or others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from limner.evaluate.definitions.common import CURVES, EFFICIENTNET, LITE0, PHOTOGRAPHS, SETS, TRUTH, UPWARDS
from limner.evaluate.metric import SetMetric
from limner.evaluate.set_distances import (
    frechet_interval,
    frechet_to_photographs,
    kernel_interval,
    kernel_to_photographs,
)

BIASED = "biased upwards below some 2,000 pictures"


@dataclass(frozen=True)
class Distances:
    """The distances over one net's features.

    Attributes:
        extractor: its name.
        keys, headings: of the Fréchet and of the kernel distance.
        variants: of both.
        licence, package: see `Defined`.
    """

    extractor: str
    keys: tuple[str, str]
    headings: tuple[str, str]
    variants: tuple[str, str]
    licence: str
    package: str = ""

    def metrics(self) -> tuple[SetMetric, ...]:
        """Both, to the truths and to photographs that are not the truths."""
        frechet, kernel = self._frechet(), self._kernel()
        return (
            frechet,
            kernel,
            replace(
                frechet,
                key=f"{frechet.key}_real",
                heading=f"{frechet.heading} to real",
                definition=f"Fréchet distance of the features' Gaussians to those of other photographs; {BIASED}",
                of=frechet_to_photographs,
                needs=PHOTOGRAPHS,
            ),
            replace(
                kernel,
                key=f"{kernel.key}_real",
                heading=f"{kernel.heading} to real",
                definition="1,000 times the unbiased kernel distance of the features to those of other photographs",
                of=kernel_to_photographs,
                needs=PHOTOGRAPHS,
            ),
        )

    def _frechet(self) -> SetMetric:
        return SetMetric(
            key=self.keys[0],
            heading=self.headings[0],
            form=".1f",
            definition=f"Fréchet distance of the features' Gaussians; {BIASED}",
            range=UPWARDS,
            larger_is_better=False,
            variant=self.variants[0],
            licence=self.licence,
            package=self.package,
            extractor=self.extractor,
            of=frechet_interval,
            needs=TRUTH,
            protocols=SETS,
        )

    def _kernel(self) -> SetMetric:
        return SetMetric(
            key=self.keys[1],
            heading=self.headings[1],
            form=".1f",
            definition="1,000 times the unbiased kernel distance of the features; pairs of a picture and its "
            "truth left out",
            range="about 0 upwards",
            larger_is_better=False,
            variant=self.variants[1],
            licence=self.licence,
            package=self.package,
            extractor=self.extractor,
            of=kernel_interval,
            needs=TRUTH,
            protocols=CURVES,
        )


SET_DISTANCES: Sequence[SetMetric] = Distances(
    "efficientnet-lite0",
    ("frechet", "kernel"),
    ("Fréchet", "kernel"),
    (
        f"{LITE0}, 1,280 features; not FID, which is over Inception's",
        f"{LITE0}, 1,280 features; not KID, which is over Inception's",
    ),
    "Apache-2.0",
    EFFICIENTNET,
).metrics()
