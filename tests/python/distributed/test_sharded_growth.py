"""A shard more, while others search and change, and if the process dies meanwhile."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from shards import assert_replicas_are_alike, assert_same, kill, single

pytest.importorskip("ray")
from fastfunnel.distributed import ShardedIndex, moving
from fastfunnel.distributed.routing import homes


@pytest.fixture
def few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moving, "_ROWS", 50)


def test_rows_move_while_searches_and_changes_go_on(
    path: Path, rows: np.ndarray, queries: np.ndarray, few_at_a_time: None
) -> None:
    one = single(rows)
    expected = one.search(queries, 10, exact=True).ids
    extra = np.arange(10**6, 10**6 + 400)
    with ShardedIndex.create(path, dim=48, shards=2, replication=2) as index:
        index.add(rows)
        over, searched, errors = threading.Event(), [], []

        def search() -> None:
            try:
                while not over.is_set():
                    found = index.search(queries, 10, exact=True)
                    np.testing.assert_array_equal(found.ids, expected)
                    searched.append(found)
            except BaseException as error:  # noqa: BLE001 - it is raised below
                errors.append(error)

        def change() -> None:
            try:
                for n in range(0, 400, 10):
                    some = extra[n : n + 10]
                    assert index.upsert(-queries[:1].repeat(10, 0), some) == 0
                    assert index.upsert(-queries[1:2].repeat(10, 0), some) == 10
                    index.upsert(rows[n : n + 10], np.arange(n, n + 10))  # as they were
                    if n % 20 == 0:
                        assert index.remove(some) == 10
            except BaseException as error:  # noqa: BLE001 - it is raised below
                errors.append(error)

        threads = [threading.Thread(target=search), threading.Thread(target=change)]
        for thread in threads:
            thread.start()
        moved = index.add_shard()
        threads[1].join()
        over.set()
        threads[0].join()
        assert not errors, errors
        assert searched

        left = extra.reshape(-1, 10)[1::2].ravel()
        one.add(-queries[1:2].repeat(len(left), 0), left)
        assert_same(index, one, queries, k=30)
        assert_same(index, one, -queries[:3], k=300)
        assert index.n_shards == 3
        assert_replicas_are_alike(index)
        assert moved >= (homes(np.arange(len(rows)), 3) == 2).sum() - 400
        ids = np.array(list(one))
        sizes = [shard["replicas"][0]["rows"] for shard in index.info()["shards"]]
        assert sizes == np.bincount(homes(ids, 3), minlength=3).tolist()


@pytest.mark.parametrize("stop", ["take", "remove"])
def test_a_move_that_was_cut_off_is_finished_by_open(
    path: Path,
    rows: np.ndarray,
    queries: np.ndarray,
    few_at_a_time: None,
    monkeypatch: pytest.MonkeyPatch,
    stop: str,
) -> None:
    one = single(rows)
    index = ShardedIndex.create(path, dim=48, shards=2)
    index.add(rows)
    change, calls = index._cluster.change, []

    def cut_off(method: str, arguments: Any) -> Any:
        calls.append(method)
        if calls.count(stop) == 4:  # rows of this step are at both homes, or still at the old one
            raise KeyboardInterrupt
        return change(method, arguments)

    monkeypatch.setattr(index._cluster, "change", cut_off)
    with pytest.raises(KeyboardInterrupt):
        index.add_shard()
    monkeypatch.undo()
    assert index._cluster.catalog.is_moving
    found = index.search(queries, 50, exact=True)
    np.testing.assert_array_equal(found.ids, one.search(queries, 50, exact=True).ids)
    np.testing.assert_array_equal(index.get(np.arange(len(rows))), rows)
    with pytest.raises(ValueError, match="7 is in the index"):
        index.add(rows[:1], [7])
    for replica in range(3):  # as if the process was killed: nothing is closed
        kill(index, replica)
    index._cluster.end()

    with ShardedIndex.open(path) as index:
        assert not index._cluster.catalog.is_moving
        assert_same(index, one, queries, k=50)
        sizes = [shard["replicas"][0]["rows"] for shard in index.info()["shards"]]
        assert sizes == np.bincount(homes(np.arange(len(rows)), 3)).tolist()
