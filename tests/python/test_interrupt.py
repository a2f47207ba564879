"""Ctrl-C in the middle of a long call: a real SIGINT to a real process, and what it leaves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from fastfunnel.interruptible import interruptibly

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="reads the CPU time of a process from /proc"
)

# Each would take minutes or more. Rows that repeat one row in memory cost none.
LONG_CALLS = {
    "many queries, one thread": "index.search(queries, 10, exact=True, threads=1, isa='scalar')",
    "many queries, two threads": "index.search(queries, 10, exact=True, threads=2, isa='scalar')",
    "a funnel": "index.search(queries, 10, funnel=ff.Funnel.two_stage(64, 32, 10000), threads=1)",
    "one long task": "ff.funnel_search(endless, query, 5, scan, threads=1, isa='scalar')",
    "parts of one query": "ff.funnel_search(endless, query, 5, scan, threads=2, isa='scalar')",
    "planes of an array": "ff.exact_search(endless, query, 5, isa='scalar')",
    "codes, row by row": "ff.hamming_search(codes, codes[:1], 5, threads=1, isa='scalar')",
    "codes, by tables": "ff.hamming_search(codes, codes[:9], 5, threads=1, isa='scalar')",
    "adding rows": "ff.Index(dim=64).add(endless)",
    "tuning": "index.tune(queries[:4000], budget_s=3600, progress=False)",
}

CHILD = """
import sys
import numpy as np
import fastfunnel as ff

rng = np.random.default_rng(0)
index = ff.Index(dim=64)
index.add(rng.standard_normal((60_000, 64), dtype=np.float32))
queries = np.broadcast_to(rng.standard_normal((1, 64), dtype=np.float32), (200_000, 64))
queries = queries + rng.standard_normal((200_000, 1), dtype=np.float32)
query = queries[0]
endless = np.broadcast_to(query, (1 << 27, 64))
codes = np.broadcast_to(rng.integers(0, 256, (1, 1024), dtype=np.uint8), (1 << 30, 1024))
scan = ff.Funnel([ff.Stage(64, "f32")])
before = index.search(queries[:5], 10, exact=True)
print("ready", flush=True)
try:
    CALL
except KeyboardInterrupt:
    after = index.search(queries[:5], 10, exact=True)
    assert (before.ids == after.ids).all() and (before.scores == after.scores).all()
    index.add(queries[:3])
    assert len(index) == 60_003
    print("interrupted", flush=True)
"""


def cpu_seconds(pid: int) -> float:
    user, system = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize("call", LONG_CALLS.values(), ids=LONG_CALLS.keys())
def test_ctrl_c_ends_a_long_call_and_leaves_the_index_usable(call: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", CHILD.replace("CALL", call)], stdout=subprocess.PIPE, text=True
    ) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
            begun = cpu_seconds(child.pid)
            while cpu_seconds(child.pid) < begun + 0.2:  # it is in the call
                assert child.poll() is None
                time.sleep(0.01)
            child.send_signal(signal.SIGINT)
            output, _ = child.communicate(timeout=30)
        finally:
            child.kill()
    assert output == "interrupted\n"


FIRST_EXACT_BATCH = """
import numpy as np
import fastfunnel as ff

rng = np.random.default_rng(0)
spread = (1 / np.sqrt(1 + np.arange(1024))).astype(np.float32)
rows = rng.standard_normal((20_000, 1024), dtype=np.float32) * spread
index = ff.Index(dim=1024)
index.add(rows)
expected = index.search(rows[:20], 5, exact=True, threads=1).ids
before = index._core.sizes()[1]
print("ready", flush=True)
try:
    while index._core.sizes()[1] == before:  # the batch that finds directions
        index.search(rows[:300], 5, exact=True, threads=1)
except KeyboardInterrupt:
    index.search(rows[:300], 5, exact=True, threads=1)
    assert index._core.sizes()[1] > before  # found by the next batch
    assert (index.search(rows[:20], 5, exact=True, threads=1).ids == expected).all()
    print("interrupted", flush=True)
"""


def test_directions_that_were_interrupted_are_found_by_the_next_batch() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", FIRST_EXACT_BATCH], stdout=subprocess.PIPE, text=True
    ) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
            begun = cpu_seconds(child.pid)
            while cpu_seconds(child.pid) < begun + 0.2:
                assert child.poll() is None
                time.sleep(0.01)
            child.send_signal(signal.SIGINT)
            output, _ = child.communicate(timeout=60)
        finally:
            child.kill()
    assert output == "interrupted\n"


def test_work_of_numpy_is_left_at_once() -> None:
    left, ended = threading.Event(), threading.Event()

    def work() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        left.wait(60)
        ended.set()

    with pytest.raises(KeyboardInterrupt):
        interruptibly(work)
    assert not ended.is_set()
    left.set()
    assert ended.wait(60)


def test_what_work_returns_and_raises_is_passed_on() -> None:
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError):
        interruptibly(lambda: np.ones(1) / np.zeros(1))
    assert interruptibly(threading.current_thread) is not threading.main_thread()
    with ThreadPoolExecutor(1) as pool:  # no other thread is interrupted, so none needs another
        elsewhere = pool.submit(lambda: interruptibly(threading.current_thread))
        assert elsewhere.result() is pool.submit(threading.current_thread).result()


HANDLER = """
import signal
import numpy as np
import fastfunnel as ff

index = ff.Index(dim=64)
index.add(np.eye(64, dtype=np.float32))
refused = []

def handle(number, frame):
    try:
        index.search(np.ones(64, np.float32))
    except RuntimeError as error:
        refused.append(str(error))
        raise KeyboardInterrupt from None

signal.signal(signal.SIGALRM, handle)
signal.setitimer(signal.ITIMER_REAL, 0.2)
endless = np.broadcast_to(np.ones(64, np.float32), (1 << 27, 64))
try:
    ff.exact_search(endless, endless[0], 5, threads=1, isa='scalar')
except KeyboardInterrupt:
    print(refused, index.search(np.ones(64, np.float32)).ids.shape)
"""


def test_a_signal_handler_that_searches_is_refused() -> None:
    child = subprocess.run(
        [sys.executable, "-c", HANDLER], capture_output=True, text=True, timeout=60, check=True
    )
    assert child.stdout == (
        "['a signal handler that interrupts a search must not use fastfunnel itself'] (1, 10)\n"
    )
