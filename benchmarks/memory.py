"""Peak memory and time of a whole program, as the operating system counts them.

    python benchmarks/memory.py limner restore photo.jpg --output restored.jpg

Everything after the script's name is the command. It is run once; its peak resident memory covers the
interpreter, the libraries, the weights and the work.
"""

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
    print(
        f"peak memory {used.ru_maxrss * unit / 1e6:.0f} MB, {seconds:.1f} s by the clock, "
        f"{used.ru_utime + used.ru_stime:.1f} s of processor time, exit status {code}"
    )
    sys.exit(code)


if __name__ == "__main__":
    main()
