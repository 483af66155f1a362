"""Ray is told what must stand before it is imported."""

import os
import subprocess
import sys


def test_ray_tells_nobody_and_its_workers_are_processes_like_others():
    code = "import os; import limner.cluster.ray_package as p; print(p.ray.__name__, p.exceptions.RayError.__name__);"
    code += "print(*(os.environ[name] for name in ('RAY_USAGE_STATS_ENABLED', 'RAY_worker_niceness')))"
    free = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    told = subprocess.run([sys.executable, "-c", code], env=free, capture_output=True, text=True, check=True).stdout
    assert told.split() == ["ray", "RayError", "0", "0"]
