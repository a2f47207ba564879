"""Processes of shards killed by SIGKILL in the middle of their work."""

from __future__ import annotations

import itertools
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from shards import assert_replicas_are_alike, assert_same, kill, pid_of, single

pytest.importorskip("ray")
from fastfunnel.distributed import ShardedIndex, ShardUnavailableError
from fastfunnel.distributed.catalog import read_catalog, replica_path


def while_killing(work: Callable[[], None], index: Any) -> None:
    """Repeat work until every process of the shards was killed in the midst of it, once."""
    steps, over, errors = threading.Semaphore(0), threading.Event(), []

    def repeat() -> None:
        try:
            while not over.is_set():
                work()
                steps.release()
        except BaseException as error:  # noqa: BLE001 - it is raised below
            errors.append(error)
            steps.release(10**6)

    worker = threading.Thread(target=repeat)
    worker.start()
    try:
        n_shards, replication = index.n_shards, index.info()["replication"]
        for replica, shard in itertools.product(range(replication), range(n_shards)):
            for _ in range(2):
                steps.acquire()
            if not errors:
                kill(index, shard, replica)
        steps.acquire()
    finally:
        over.set()
        worker.join()
    if errors:
        raise errors[0]


def test_a_replica_that_is_given_up_when_it_is_asked_costs_no_answer(
    path: Path, rows: np.ndarray, queries: np.ndarray
) -> None:
    """As if its node was replaced after it was chosen to answer."""
    with ShardedIndex.create(path, dim=48, shards=2, replication=2) as index:
        index.add(rows)
        expected = single(rows).search(queries, 10, exact=True)
        given_up = index._cluster.shards[1].replicas[0]
        given_up.end()
        given_up._actor = given_up._placed_on = None

        for _ in range(2):  # replicas take turns
            found = index.search(queries, 10, exact=True)
            np.testing.assert_array_equal(found.ids, expected.ids)
        assert index.wait_until_in_step(60)
        assert_replicas_are_alike(index)


@pytest.mark.parametrize("replication", [1, 2])
def test_a_kill_in_the_middle_of_searches_costs_no_answer(
    path: Path, rows: np.ndarray, queries: np.ndarray, replication: int
) -> None:
    with ShardedIndex.create(path, dim=48, shards=2, replication=replication) as index:
        index.add(rows)
        expected = single(rows).search(queries, 10, exact=True)

        def search() -> None:
            found = index.search(queries, 10, exact=True)
            np.testing.assert_array_equal(found.ids, expected.ids)
            np.testing.assert_array_equal(found.scores, expected.scores)
            assert found.complete

        before = pid_of(index, 0)
        while_killing(search, index)
        assert index.wait_until_in_step(300)
        assert pid_of(index, 0) != before


@pytest.mark.parametrize("replication", [1, 2])
def test_a_kill_in_the_middle_of_adds_loses_nothing(
    path: Path, rng: np.random.Generator, queries: np.ndarray, replication: int
) -> None:
    acknowledged: list[tuple[np.ndarray, np.ndarray]] = []
    with ShardedIndex.create(path, dim=48, shards=2, replication=replication) as index:

        def add() -> None:
            some = rng.standard_normal((500, 48), dtype=np.float32)
            acknowledged.append((index.add(some), some))

        while_killing(add, index)
        ids = np.concatenate([ids for ids, _ in acknowledged])
        rows = np.concatenate([some for _, some in acknowledged])
        assert ids.tolist() == list(range(len(ids)))
        one = single(rows, ids)
        assert_same(index, one, queries)
        np.testing.assert_array_equal(index.get(ids), rows)
        assert index.wait_until_in_step(300)
        assert_replicas_are_alike(index)
        assert_same(index, one, queries)
    with ShardedIndex.open(path) as index:
        assert_same(index, one, queries)


def test_changes_while_a_replica_is_away_reach_it(
    path: Path, rows: np.ndarray, queries: np.ndarray
) -> None:
    one = single(rows)
    index = ShardedIndex.create(path, dim=48, shards=1, replication=2)
    index.add(rows)
    manifest = replica_path(path, 0, 1) / "manifest.json"
    content = manifest.read_bytes()
    manifest.write_bytes(b"not yet")  # it comes back, but cannot open its files
    kill(index, 0, replica=1)
    for changed in (index, one):
        changed.upsert(-rows[:700], np.arange(700))
        changed.remove(np.arange(1000, 1200))
        changed.add(2 * rows[:300] + 1)

    assert_same(index, one, queries)
    assert not index.wait_until_in_step(timeout_s=2.5)
    assert read_catalog(path).in_step == ((True, False),)
    index.close()

    index = ShardedIndex.open(path)  # remembers who is out of step
    for _ in range(4):
        assert_same(index, one, queries)
    assert not index.info()["shards"][0]["replicas"][1]["in_step"]
    manifest.write_bytes(content)
    assert index.wait_until_in_step(300)
    assert read_catalog(path).in_step == ((True, True),)
    assert_replicas_are_alike(index)
    kill(index, 0, replica=0)  # so that the other one answers
    assert_same(index, one, queries)
    index.close()


def test_an_interrupted_change_leaves_replicas_alike(
    path: Path, rows: np.ndarray, queries: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ShardedIndex.create(path, dim=48, shards=1, replication=2) as index:
        index.add(rows[:2000])
        second = index._cluster.shards[0].replicas[1]
        call = second.call

        def interrupted(method: str, *arguments: Any) -> Any:
            if method == "add":  # the first replica has it by now
                raise KeyboardInterrupt
            return call(method, *arguments)

        monkeypatch.setattr(second, "call", interrupted)
        with pytest.raises(KeyboardInterrupt):
            index.add(rows[2000:])
        monkeypatch.undo()
        assert read_catalog(path).in_step == ((True, False),)
        assert index.wait_until_in_step(300)
        assert_replicas_are_alike(index)
        assert index.remove([0]) == 1
        one = single(rows)
        one.remove([0])
        for _ in range(2):
            assert_same(index, one, queries)


def test_without_any_replica_the_error_names_the_shard(
    path: Path, rows: np.ndarray, queries: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = ShardedIndex.create(path, dim=48, shards=2, patience_s=2.0)
    index.add(rows)
    replica = index._cluster.shards[1].replicas[0]
    monkeypatch.setattr(replica, "start", lambda: None)  # as when its machine is lost
    replica.end()

    with pytest.raises(ShardUnavailableError, match="no replica of shard 1 answered within 2 sec"):
        index.search(queries)
    with pytest.raises(ShardUnavailableError, match="shard 1"):
        index.add(rows)
    found = index.search(queries, deadline_s=1.0, partial=True)
    assert found.missing == (1,)
    index.close()
    with ShardedIndex.open(path) as index:
        assert_same(index, single(rows), queries)
        index._cluster.shards[1].replicas[0].end()  # with its machine, which is back at once
        assert_same(index, single(rows), queries)
    (replica_path(path, 1, 0) / "manifest.json").write_bytes(b"{}")
    with pytest.raises(OSError, match=r"shard-0001-0/manifest\.json must be the manifest"):
        ShardedIndex.open(path)


DRIVER = """
import os, sys
import numpy as np
import ray
from fastfunnel.distributed import ShardedIndex
ray.init(address=sys.argv[2], log_to_driver=False, logging_level="error")
rng = np.random.default_rng(7)
index = ShardedIndex.create(sys.argv[1], dim=8, shards=2, replication=2)
while True:
    ids = index.add(rng.standard_normal((300, 8), dtype=np.float32))
    os.write(1, f"{ids[-1] + 1}\\n".encode())
"""


def test_a_killed_driver_loses_nothing_that_was_acknowledged(path: Path, cluster: Any) -> None:
    address = cluster.get_runtime_context().gcs_address
    driver = subprocess.Popen(
        [sys.executable, "-c", DRIVER, str(path), address], stdout=subprocess.PIPE, text=True
    )
    assert driver.stdout is not None
    with driver.stdout:
        told = [driver.stdout.readline() for _ in range(5)]
        driver.kill()
        told += driver.stdout.readlines()
    driver.wait()
    n = int(told[-1])
    rows = np.random.default_rng(7).standard_normal((n + 300, 8), dtype=np.float32)

    with ShardedIndex.open(path) as index:
        assert n <= len(index) <= n + 300
        np.testing.assert_array_equal(index.get(np.arange(n)), rows[:n])
        assert index.wait_until_in_step(300)
        assert_replicas_are_alike(index)
        one = single(index.get(there := [i for i in range(n + 300) if i in index]), np.array(there))
        assert_same(index, one, rows[:20])
