"""A replica that hangs or lags: another one is asked too, and the first answer counts."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from shards import assert_same, drawn, pid_of, single

ray = pytest.importorskip("ray")
from fastfunnel.distributed import ShardedIndex
from fastfunnel.distributed.latencies import Latencies

KNOWN = 20  # searches before which none is late


@contextmanager
def stopped(process: int) -> Iterator[None]:
    """Let a process hang within the block."""
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory, cluster: Any) -> Any:
    """The rows in two shards with two replicas each, which come back."""
    path = tmp_path_factory.mktemp("hedged") / "sharded"
    with ShardedIndex.create(path, dim=48, shards=2, replication=2) as index:
        index.add(drawn(3000))
        yield index


def test_a_replica_that_hangs_costs_no_answer(
    index: Any, rows: np.ndarray, queries: np.ndarray
) -> None:
    one = single(rows)
    for _ in range(KNOWN):
        assert_same(index, one, queries)

    with stopped(pid_of(index, 1, replica=0)):
        before = index._cluster.latencies.hedged
        for _ in range(6):  # each other one asks the replica that hangs first, and waits for ever
            assert_same(index, one, queries)
        assert index._cluster.latencies.hedged >= before + 3
        options = {"exact": True, "hedge": None, "deadline_s": 0.5, "partial": True}
        missing = [index.search(queries, **options).missing for _ in range(2)]
        assert any(1 in shards for shards in missing)  # one of the two asked it, and no other

    assert index.wait_until_in_step(300)
    assert_same(index, one, queries)
    assert index.info()["hedged"] == index._cluster.latencies.hedged


def test_calls_whose_answers_came_too_late_hold_nothing_up(index: Any, queries: np.ndarray) -> None:
    for _ in range(KNOWN):
        index.search(queries[:1], exact=True)
    before = index._cluster.latencies.hedged

    for _ in range(60):
        index.search(queries[:1], exact=True, hedge=0.01)  # nearly every call is late

    assert index._cluster.latencies.hedged > before + 20
    for shard in index._cluster.shards:  # calls to an actor that is held up raise after a while
        ray.get([replica.call("ping") for replica in shard.replicas])
    assert index.wait_until_in_step(0)


def test_the_other_replica_may_die_meanwhile(
    index: Any, rows: np.ndarray, queries: np.ndarray
) -> None:
    one = single(rows)
    for _ in range(KNOWN):
        assert_same(index, one, queries)

    first, second = (pid_of(index, 0, replica) for replica in (0, 1))
    with stopped(second):
        os.kill(first, signal.SIGKILL)
        for _ in range(4):  # the killed one is back after a while, and answers
            assert_same(index, one, queries)


def test_one_replica_that_hangs_and_no_other_is_waited_for(
    path: Path, rows: np.ndarray, queries: np.ndarray
) -> None:
    with ShardedIndex.create(path, dim=48, shards=2) as index:
        index.add(rows)
        for _ in range(KNOWN):
            index.search(queries, exact=True)
        with (
            stopped(pid_of(index, 0)),
            pytest.raises(TimeoutError, match=r"shards \[0\] did not answer"),
        ):
            index.search(queries, exact=True, deadline_s=0.5)
        assert index.info()["hedged"] == 0
        for hedge in (0, 1, -0.5, float("nan")):
            with pytest.raises(ValueError, match="hedge must be None or between 0 and 1, got"):
                index.search(queries, hedge=hedge)


def test_what_is_late_is_known_by_kind_and_from_the_last_searches() -> None:
    latencies = Latencies()

    for milliseconds in range(1, KNOWN):
        latencies.of("single", 0.9).took(milliseconds)
    assert latencies.of("single", 0.9).late_s is None  # too few are known
    latencies.of("single", None).took(KNOWN)
    assert latencies.of("single", 0.9).late_s == 19
    assert latencies.of("single", 0.5).late_s == 11
    assert latencies.of("single", None).late_s is None
    assert latencies.of("batch", 0.9).late_s is None

    for _ in range(200):
        latencies.of("single", 0.9).took(1000)
    assert latencies.of("single", 0.01).late_s == 1000
    for kind in range(64):
        latencies.of(kind, 0.9)
    assert latencies.of("single", 0.5).late_s is None  # as if new
