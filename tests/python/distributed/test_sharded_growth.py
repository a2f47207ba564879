"""A shard more or less, while others search and change, and if the process dies meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from shards import assert_replicas_are_alike, assert_same, drawn, kill, single

import fastfunnel as ff

pytest.importorskip("ray")
from fastfunnel.distributed import ShardedIndex, moving
from fastfunnel.distributed.catalog import read_catalog, replica_path
from fastfunnel.distributed.routing import homes

AFTER = {"add_shard": 3, "remove_shard": 2}  # shards, of 2 and of 3
BEFORE = {"add_shard": 2, "remove_shard": 3}


@pytest.fixture
def few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moving, "_ROWS", 100)


def assert_sizes(index: Any, ids: np.ndarray, shards: int) -> None:
    assert index.wait_until_in_step(300)  # who was lost meanwhile tells no size
    sizes = [shard["replicas"][0]["rows"] for shard in index.info()["shards"]]
    assert sizes == np.bincount(homes(ids, shards), minlength=shards).tolist()


def while_others_work(index: Any, one: ff.Index, rows: np.ndarray, new: int, resize: str) -> None:
    """Resize while threads search and change rows, and as long as that takes.

    One index gets what the changes leave there, under ids from `new` on.
    """
    queries = drawn(15)
    expected = one.search(queries, 10, exact=True).ids
    over, searched, changed, errors = threading.Event(), [], [], []

    def search() -> None:
        try:
            while not over.is_set():
                found = index.search(queries, 10, exact=True)
                np.testing.assert_array_equal(found.ids, expected)
                np.testing.assert_array_equal(index.get([5, 2999, 17]), rows[[5, 2999, 17]])
                searched.append(found)
        except BaseException as error:  # noqa: BLE001 - it is raised below
            errors.append(error)

    def change() -> None:
        try:
            while not over.is_set() or len(changed) < 2:
                n = 10 * len(changed)
                some = np.arange(new + n, new + n + 10)
                assert index.upsert(-queries[:1].repeat(10, 0), some) == 0
                assert index.upsert(-queries[1:2].repeat(10, 0), some) == 10
                index.upsert(rows[n : n + 10], np.arange(n, n + 10))  # as they were
                if len(changed) % 2 == 0:
                    assert index.remove(some) == 10
                changed.append(some)
        except BaseException as error:  # noqa: BLE001 - it is raised below
            errors.append(error)

    threads = [threading.Thread(target=search), threading.Thread(target=change)]
    for thread in threads:
        thread.start()
    moved = getattr(index, resize)()
    over.set()
    for thread in threads:
        thread.join()
    assert not errors, errors
    assert searched
    left = np.concatenate(changed[1::2])
    one.add(-queries[1:2].repeat(len(left), 0), left)
    of_last = int((homes(np.arange(len(rows)), 3) == 2).sum())
    assert moved >= of_last - 10 * len(changed)  # those that were replaced went home at once


def test_rows_move_while_searches_and_changes_go_on(
    path: Path, rows: np.ndarray, queries: np.ndarray, few_at_a_time: None
) -> None:
    one = single(rows)
    with ShardedIndex.create(path, dim=48, shards=2, replication=2) as index:
        index.add(rows)
        for new, resize in ((10**6, "add_shard"), (10**7, "remove_shard")):
            while_others_work(index, one, rows, new, resize)

            assert index.n_shards == AFTER[resize]
            assert_same(index, one, queries, k=30)
            assert_same(index, one, -queries[:3], k=300)
            assert_sizes(index, np.array(list(one)), AFTER[resize])
            assert_replicas_are_alike(index)


@pytest.mark.parametrize(
    ("resize", "stop"),
    [("add_shard", "take"), ("add_shard", "remove"), ("remove_shard", "remove")],
)
def test_a_move_that_was_cut_off_is_finished_by_open(
    path: Path,
    rows: np.ndarray,
    queries: np.ndarray,
    few_at_a_time: None,
    monkeypatch: pytest.MonkeyPatch,
    resize: str,
    stop: str,
) -> None:
    one = single(rows)
    index = ShardedIndex.create(path, dim=48, shards=BEFORE[resize])
    index.add(rows)
    change, calls = index._cluster.change, []

    def cut_off(method: str, arguments: Any) -> Any:
        calls.append(method)
        if calls.count(stop) == 4:  # rows of this step are at both homes, or still at the old one
            raise KeyboardInterrupt
        return change(method, arguments)

    monkeypatch.setattr(index._cluster, "change", cut_off)
    with pytest.raises(KeyboardInterrupt):
        getattr(index, resize)()
    monkeypatch.undo()
    assert index._cluster.catalog.is_moving
    found = index.search(queries, 50, exact=True)
    np.testing.assert_array_equal(found.ids, one.search(queries, 50, exact=True).ids)
    np.testing.assert_array_equal(index.get(np.arange(len(rows))), rows)
    for again in (index.add_shard, index.remove_shard):
        with pytest.raises(ValueError, match="a shard is being added or removed already"):
            again()
    with pytest.raises(ValueError, match="7 is in the index"):
        index.add(rows[:1], [7])
    for shard in range(3):  # as if the process was killed: nothing is closed
        kill(index, shard)
    index._cluster.end()

    with ShardedIndex.open(path) as index:
        assert not index._cluster.catalog.is_moving
        assert_same(index, one, queries, k=50)
        assert_sizes(index, np.arange(len(rows)), AFTER[resize])


def test_a_shard_that_was_removed_leaves_nothing_behind(
    path: Path, rows: np.ndarray, queries: np.ndarray
) -> None:
    one = single(rows)
    with ShardedIndex.create(path, dim=48, shards=2, replication=2) as index:
        index.add(rows)
        manifest = replica_path(path, 1, 1) / "manifest.json"
        content = manifest.read_bytes()
        manifest.write_bytes(b"not yet")  # it comes back, but cannot open its files
        kill(index, 1, replica=1)
        for changed in (index, one):
            changed.remove([2999, 2998])
        funnel = ff.Funnel.parse("b1@48>60 f32@48")

        index.tune(queries, k=3, recall=0.9, budget_s=2, progress=False)
        front = index._tuned.fronts[3]
        moved = index.remove_shard()

        assert moved == (homes(np.arange(2998), 2) == 1).sum()
        assert index._tuned.fronts[3].n_rows == front.n_rows // 2
        assert read_catalog(path).n_shards == index.n_shards == 1
        assert not replica_path(path, 1, 0).exists()
        assert_same(index, one, queries)
        with pytest.raises(ValueError, match="the only shard cannot be removed"):
            index.remove_shard()
    manifest.write_bytes(content)  # rows of the replica that was away

    with ShardedIndex.open(path) as index:
        assert index.add(rows[:1]).tolist() == [3000]  # ids of removed rows are not given again
        one.add(rows[:1], [3000])
        index.add_shard()
        assert_same(index, one, queries)
        assert_replicas_are_alike(index)
        assert (index.search(queries, 10, funnel=funnel).ids >= 0).all()


def test_shards_neither_come_nor_go_while_keeps_for_them_are_tuned(
    path: Path, rows: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ShardedIndex.create(path, dim=48, shards=2) as index:
        index.add(rows)
        tune = partial(index.tune, None, k=3, recall=0.9, budget_s=1, progress=False)
        refused = []

        def refuse(calls: list[Callable[[], object]], message: str, method: str, step: str) -> None:
            """Expect the calls to raise in the midst of something that takes this step."""
            original = getattr(index._cluster, method)

            def stepping(name: str, *arguments: Any) -> Any:
                if name == step:
                    for call in calls:
                        with pytest.raises(ValueError, match=message):
                            call()
                        refused.append(call)
                    calls.clear()
                return original(name, *arguments)

            monkeypatch.setattr(index._cluster, method, stepping)

        moves = [index.add_shard, index.remove_shard]
        refuse([tune], "a shard is being added or removed; tune when that is", "change", "take")
        refuse(moves, "the index is being tuned; add or remove a shard when that", "ask", "ranks")
        index.remove_shard()
        tune()
        assert len(refused) == 3
        index.add_shard()
        assert_sizes(index, np.arange(len(rows)), 2)
