"""How much detail a restored picture has, by octave, and whether it is the truth's."""

from __future__ import annotations

from collections.abc import Sequence

from limner.evaluate.definitions.common import ALL, CURVES, RATIO, SETS, TRUTH
from limner.evaluate.metric import Figures, Metric, each
from limner.evaluate.metrics.detail import detail_by_band, detail_of_top_octaves, detail_ratio
from limner.evaluate.metrics.edges import edge_sharpness
from limner.evaluate.metrics.lattice import lattice_ratio

DETAIL_RATIO = Metric(
    key="detail",
    heading="detail ratio",
    form=".2f",
    definition="variance of the Laplacian over the truth's; grain counts as detail",
    range=RATIO,
    larger_is_better=None,
    of=each(detail_ratio),
    needs=TRUTH,
    protocols=SETS,
)


def band(number: int) -> Figures:
    """The metric of detail in one octave, 0 the finest; see `detail_by_band`."""
    return each(lambda a, b: detail_by_band(a, b)[number])


OCTAVES = tuple(
    Metric(
        key=f"octave_{number + 1}",
        heading=f"octave {number + 1}",
        form=".2f",
        definition=f"variance of the luma's octave number {number + 1}, 1 the finest, over the truth's",
        range=RATIO,
        larger_is_better=None,
        of=band(number),
        needs=TRUTH,
        protocols=CURVES if number < 2 else SETS,
        brief=number < 2,
    )
    for number in range(4)
)
LATTICES = tuple(
    Metric(
        key=f"lattice_{pixels}",
        heading=f"lattice {pixels}",
        form=".2f",
        definition=f"how far the {pixels}-px lines of the spectrum stand out from their neighbours, over the truth's",
        range=RATIO,
        larger_is_better=None,
        of=each(lambda a, b, place=place: lattice_ratio(a, b)[place]),
        needs=TRUTH,
        protocols=SETS,
        brief=False,
    )
    for place, pixels in enumerate((4, 8))
)
EDGES = Metric(
    key="edges",
    heading="edges",
    form=".2f",
    definition="slope across the truth's edges over the truth's",
    range=RATIO,
    larger_is_better=None,
    of=each(edge_sharpness),
    needs=TRUTH,
    protocols=SETS,
    brief=False,
)
TOP_OCTAVES = Metric(
    key="detail",
    heading="detail",
    form=".2f",
    definition="variance of the two finest octaves over the truth's",
    range=RATIO,
    larger_is_better=None,
    of=each(lambda a, b: detail_of_top_octaves(a, b)[0]),
    needs=TRUTH,
    protocols=("harm",),
)
TRUE_DETAIL = Metric(
    key="true_detail",
    heading="true detail",
    form=".2f",
    definition="variance of the two finest octaves over the truth's, of that part alone which agrees with the truth",
    range=RATIO,
    larger_is_better=True,
    of=each(lambda a, b: detail_of_top_octaves(a, b)[1]),
    needs=TRUTH,
    protocols=ALL,
    brief=False,
)

DETAIL: Sequence[Metric] = (DETAIL_RATIO, *OCTAVES, *LATTICES, EDGES)
