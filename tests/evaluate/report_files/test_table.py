"""The table: figures, intervals, and what is marked as best."""

from dataclasses import replace

import numpy as np

from limner.evaluate.metric_registry import DETAIL_RATIO, PSNR
from limner.evaluate.report_files.table import best_row, table_of


def cells(evaluation):
    keys = [column.key for column in evaluation.columns]
    return {row.name: dict(zip(keys, row.cells, strict=True)) for row in table_of(evaluation)}


def test_the_best_is_marked_where_its_lead_is_real(evaluated):
    found = cells(evaluated)
    assert found["difface"]["psnr"].best and not found["input"]["psnr"].best
    assert not found["difface"]["ssim"].best and not found["input"]["ssim"].best
    assert found["difface"]["frechet"].best, "smaller is better, and the intervals lie apart"
    assert not any(row["seconds"].best for row in found.values())
    assert found["difface"]["frechet"].interval == "35.0 to 45.0"


def test_a_row_that_saw_the_truth_is_never_best(evaluated):
    assert not cells(replace(evaluated, bounds=frozenset({"difface"})))["difface"]["psnr"].best


def test_of_a_ratio_the_best_is_nearest_to_one(summed):
    rows = [summed(name, "abcdef", detail=np.full(6, value)) for name, value in (("a", 1.4), ("b", 0.9), ("c", 0.5))]
    assert best_row(DETAIL_RATIO, rows) == "b"


def test_nothing_is_best_among_one_or_what_is_no_number(summed):
    a, b = summed("a", "abcdef", psnr=range(6)), summed("b", "abcdef", psnr=[*range(5), np.nan])
    assert best_row(PSNR, [a]) is None and best_row(PSNR, [a, b]) is None and best_row(PSNR, []) is None
    endless = summed("c", "abcdef", psnr=[np.inf] * 6)
    assert best_row(PSNR, [a, endless]) is None, "the best one's lead can't be told"


def test_a_dash_stands_where_there_is_no_figure(evaluated, summed):
    tiny = summed("tiny", "abc", psnr=[20, 21, 22], ssim=[0.5, np.nan, 0.5])
    found = cells(replace(evaluated, summaries=[*evaluated.summaries, tiny]))["tiny"]
    assert (found["psnr"].figure, found["psnr"].interval) == ("21.00", "-")
    assert (found["ssim"].figure, found["ssim"].interval) == ("-", "-")
    assert (found["frechet"].figure, found["frechet"].interval) == ("-", "")
