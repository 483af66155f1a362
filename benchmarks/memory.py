"""Peak memory and time of a whole program, as the operating system counts them, as one line of JSON.

    python benchmarks/memory.py limner restore photo.jpg --output restored.jpg

Everything after the script's name is the command. It is run once; its peak resident memory covers the interpreter, the
libraries, the weights and the work. `run.py` asks here too: a program that torch's own process starts would be told
that one's memory, and this one is small.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time


def main() -> None:
    command = sys.argv[1:]
    if not command:
        sys.exit(__doc__)
    start = time.perf_counter()
    code = subprocess.run(command, check=False).returncode
    seconds = time.perf_counter() - start
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    unit = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes, Linux KiB
    told = {
        "peak_mb": used.ru_maxrss * unit / 1e6,
        "seconds": seconds,
        "processor_seconds": used.ru_utime + used.ru_stime,
        "exit_status": code,
    }
    print(json.dumps({name: round(value, 3) for name, value in told.items()}))
    sys.exit(code)


if __name__ == "__main__":
    main()
