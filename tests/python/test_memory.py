"""An addition that runs out of memory adds nothing and loses nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest

CHILD = """
import resource
import numpy as np
import fastfunnel as ff

def limit(more):
    with open("/proc/self/statm") as file:
        now = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + more, resource.RLIM_INFINITY))

rng = np.random.default_rng(0)
funnel = ff.Funnel.parse("b1@64>500 b1@256>300 i8@256>100 f32@256")
rows = rng.standard_normal((3000, 256), dtype=np.float32)
queries = rows[:5].copy()
index = ff.Index(256)
failures = 0
for more in range(0, 12_000_000, 400_000):
    index.add(rows[:1000])
    expected = index.search(queries, 9, funnel=funnel, threads=1)  # planes grow with the rows
    before = list(index)
    try:
        limit(more)
        index.add(rows, np.random.default_rng(more).permutation(3000) + 10_000_000 + 3000 * more)
        added = 3000
    except MemoryError:
        failures += 1
        added = 0
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert len(index) == len(before) + added
    if added == 0:
        found = index.search(queries, 9, funnel=funnel, threads=1)
        assert (found.ids == expected.ids).all() and (found.scores == expected.scores).all()
        assert list(index) == before
print(failures)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits the address space as Linux does")
def test_an_addition_that_runs_out_of_memory_changes_nothing() -> None:
    run = subprocess.run(
        [sys.executable, "-c", CHILD], capture_output=True, text=True, timeout=120, check=False
    )
    assert (run.stderr, run.returncode) == ("", 0)
    assert int(run.stdout) > 3  # at different places on its way
