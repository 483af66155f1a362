"""Ray, which is imported here alone, and told what must stand before it is."""

import os

from limner.extras import needed

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is told to anybody
os.environ.setdefault("RAY_AUTH_MODE", "token")  # its ports are open to the net, and it runs whatever it is given
with needed("ray", "--engine ray"):
    import ray

__all__ = ["ray"]
