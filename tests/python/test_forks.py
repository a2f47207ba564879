"""Processes that fork while their threads search and change an index."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")

FORK = """
import os
import numpy as np
import fastfunnel as ff

base = np.random.default_rng(0).standard_normal((70_000, 16)).astype(np.float32)
funnel = ff.Funnel.parse("b1@16>900 f32@16")
index = ff.Index(dim=16)
index.add(base)

def answers():
    found = index.search(base[:2], funnel=funnel, threads=4), ff.exact_search(base, base[:200], threads=4)
    return [result.ids.tolist() for result in found]

expected = answers()  # the threads of the pool are there now
children = []
for _ in range(3):
    child = os.fork()
    if child == 0:
        index.add(base[:5])
        os._exit(0 if answers()[1] == expected[1] and len(index) == 70_005 else 1)
    children.append(child)
    assert answers() == expected
for child in children:
    _, status = os.waitpid(child, 0)
    print(os.waitstatus_to_exitcode(status))
"""


# Forks while other threads search and change the index all the time.
FORK_IN_THE_MIDDLE = """
import os
import threading
import numpy as np
import fastfunnel as ff

base = np.random.default_rng(0).standard_normal((40_000, 16)).astype(np.float32)
index = ff.Index(dim=16)
index.add(base)
expected = index.search(base[:20], 1, exact=True).ids
done = False

def search():
    while not done:
        index.search(base[:200], exact=True, threads=2)

def change():
    while not done:
        ids = index.add(-base[:1000])
        index.remove(ids)
        index.compact()

threads = [threading.Thread(target=work) for work in (search, search, change)]
for thread in threads:
    thread.start()
for _ in range(20):
    child = os.fork()
    if child == 0:
        try:
            found = index.search(base[:20], 1, exact=True, threads=2).ids
            index.upsert(base[:5], range(5))
            os._exit(0 if (found == expected).all() else 1)
        except RuntimeError as error:
            # Right only if the other thread was in the middle of a change.
            os._exit(0 if "was being changed" in str(error) else 2)
        finally:
            os._exit(3)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
done = True
for thread in threads:
    thread.join()
"""


def run(script: str) -> tuple[list[str], str, int]:
    """Return what a process of its own printed, what it said of errors, and its status."""
    ended = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", script],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    return ended.stdout.split(), ended.stderr, ended.returncode


def test_a_process_forked_in_the_middle_of_searches_and_changes() -> None:
    assert run(FORK_IN_THE_MIDDLE) == (["0"] * 20, "", 0)


def test_a_forked_process_searches_with_threads_of_its_own() -> None:
    assert run(FORK) == (["0", "0", "0"], "", 0)
