"""What the tests of sharded indexes share."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

import numpy as np

import fastfunnel as ff


def drawn(n: int) -> np.ndarray:
    """The same n random vectors of 48 dims every time."""
    return np.random.default_rng(n).standard_normal((n, 48), dtype=np.float32)


def pid_of(index: Any, shard: int, replica: int = 0) -> int:
    """The process of a replica, as soon as it has one."""
    for _ in range(3000):
        state = index.info()["shards"][shard]["replicas"][replica]
        if "pid" in state:
            return int(state["pid"])
        time.sleep(0.1)
    raise TimeoutError(f"replica {replica} of shard {shard} does not come back")


def kill(index: Any, shard: int, replica: int = 0) -> None:
    os.kill(pid_of(index, shard, replica), signal.SIGKILL)


def single(rows: np.ndarray, ids: np.ndarray | None = None, **options: Any) -> ff.Index:
    """One index with all the rows."""
    index = ff.Index(rows.shape[1], **options)
    index.add(rows, ids)
    return index


def assert_same(sharded: Any, one: ff.Index, queries: np.ndarray, k: int = 10) -> None:
    """Exact answers are those of one index, to the bit."""
    ours = sharded.search(queries, k, exact=True)
    theirs = one.search(queries, k, exact=True)
    np.testing.assert_array_equal(ours.ids, theirs.ids)
    np.testing.assert_array_equal(ours.scores, theirs.scores)
    assert ours.complete
    assert len(sharded) == len(one)


def assert_replicas_are_alike(index: Any) -> None:
    """Every replica of a shard holds the same rows, to the bit, when none is out of step."""
    import ray

    assert index.wait_until_in_step(300)
    for shard in index._cluster.shards:
        told = ray.get([replica.call("digests") for replica in shard.replicas])
        for ids, digests in told[1:]:
            np.testing.assert_array_equal(ids, told[0][0])
            np.testing.assert_array_equal(digests, told[0][1])
