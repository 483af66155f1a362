"""Ray, which is imported here alone, and told what must stand before it is."""

import logging
import os

from limner.extras import needed

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is told to anybody
os.environ.setdefault("RAY_worker_niceness", "0")  # by default its workers give way to all others, as no process does
with needed("ray", "--engine ray"):
    import ray
    from ray import exceptions

logging.getLogger("ray").setLevel(logging.ERROR)  # it tells of tokens, which the documentation does

__all__ = ["exceptions", "ray"]
