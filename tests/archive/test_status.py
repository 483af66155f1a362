from limner.archive.claims import Claims
from limner.archive.manifest import FAILED
from limner.archive.status import status_of

from .conftest import ASKED


def test_counts_rate_failures_and_who_is_at_work(archive, manifest):
    with Claims(manifest, ASKED) as claims:
        planned = archive.plan(manifest)
        claims.prepare(planned)
        each = claims.each([place for place, _ in planned.todo])
        for state in ("done", "done", FAILED):
            number, photo = next(each)
            archive.finish(claims, planned.todo[number][1], photo, state)
        with manifest.change() as rows:
            rows.execute("UPDATE photos SET sentence = 'It is broken.' WHERE state = ?", (FAILED,))
        found = status_of(manifest)
        assert (found.counts["done"], found.counts["claimed"], found.counts["waiting"]) == (2, 1, 2)
        assert found.left == 3 and found.faces == 2 and found.seconds == 1
        assert found.per_hour and found.per_hour > 1000 and found.hours_left == 3 / found.per_hour
        (failed,) = found.failed
        assert (str(failed.photo), failed.sentence, failed.tries) == ("../photos/0/4.jpg", "It is broken.", 1)
        assert [one.at_work for one in found.workers] == [True]
    assert status_of(manifest).workers == []


def test_of_an_archive_that_has_not_begun(manifest):
    found = status_of(manifest)
    assert (found.left, found.per_hour, found.hours_left, found.seconds) == (0, None, None, None)
