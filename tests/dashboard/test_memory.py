"""However many threads a page has had, memory is taken from few places."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from dashboard.memory import ARENAS

ROOT = Path(__file__).parents[2]
SCRIPT = """
import sys, threading
from pathlib import Path
from dashboard.memory import few_arenas
assert sys.argv[1] != "few" or few_arenas()
ready, done = threading.Barrier(13), threading.Event()
def take():
    kept = [bytes(5_000) for _ in range(50)]
    ready.wait()
    done.wait()
threads = [threading.Thread(target=take) for _ in range(12)]
for thread in threads:
    thread.start()
ready.wait()
sizes = []
for line in Path("/proc/self/maps").read_text().splitlines():
    ends, rights = line.split()[:2]
    first, last = (int(end, 16) for end in ends.split("-"))
    sizes += [last - first] if rights.startswith("---") else []
print(sum(50_000_000 < size < 2**26 for size in sizes))
done.set()
"""


def places(how: str) -> int:
    """Rooms of 64 MB that the C library has set aside beside the first."""
    command = [sys.executable, "-c", SCRIPT, how]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    return int(told.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_threads_share_the_places_that_memory_comes_from() -> None:
    assert places("few") <= ARENAS - 1
    assert places("many") > ARENAS


HOLES = """
import psutil
from dashboard.memory import give_back
here = lambda: psutil.Process().memory_info().rss / 1e6
kept = [bytes(20_000) for _ in range(5_000)]
full = here()
del kept[:-1]
freed = here()
assert give_back()
print(full - freed, full - here())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_memory_between_what_is_still_used_is_handed_back() -> None:
    command = [sys.executable, "-c", HOLES]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    kept, handed_back = map(float, told.stdout.split())
    assert kept < 10
    assert handed_back > 80
