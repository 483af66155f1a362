"""A job is any dataclass with its two functions."""

from limner.cluster.job import Begun, Job
from limner.folder.in_order import Stop

from .jobs import Squares


def test_a_job_begins_and_works(tmp_path):
    job: Job[int, int] = Squares(tmp_path)
    begun = job.begin()
    assert isinstance(begun, Begun) and begun.work(3, Stop()) == 9
    assert begun.like == {"the number": "1"} and begun.told == "squares" and job.lost(3, 2) == 1002
