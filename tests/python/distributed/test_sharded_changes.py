"""Adding, replacing, removing, closing and opening, against one index."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from shards import assert_replicas_are_alike, assert_same, single

pytest.importorskip("ray")
from fastfunnel.distributed import ShardedIndex
from fastfunnel.distributed.catalog import Catalog, _checksum, read_catalog, write_catalog
from fastfunnel.distributed.shard import Shard


def test_a_life_of_changes_is_that_of_one_index(
    path: Path, rng: np.random.Generator, queries: np.ndarray
) -> None:
    one = single(queries, np.arange(5000, 5000 + len(queries)))
    index = ShardedIndex.create(path, dim=48, shards=2, replication=2, model="a-model")
    index.add(queries, np.arange(5000, 5000 + len(queries)))
    for step in range(30):
        n = int(rng.choice([1, 5, 200]))
        ids = rng.choice(2000, n, replace=False)
        rows = rng.standard_normal((n, 48), dtype=np.float32)
        kind = rng.choice(["add", "upsert", "remove", "compact"], p=[0.35, 0.35, 0.2, 0.1])
        if kind == "add":
            assert index.add(rows).tolist() == one.add(rows).tolist()
        elif kind == "upsert":
            assert index.upsert(rows, ids) == one.upsert(rows, ids)
        elif kind == "remove":
            assert index.remove(ids) == one.remove(ids)
        elif kind == "compact":
            assert index.compact() == one.compact()
        assert len(index) == len(one)
        if step % 5 == 0:
            assert_same(index, one, queries)
    assert_same(index, one, queries, k=50)
    assert_replicas_are_alike(index)
    there = np.array(list(one))[::3]
    np.testing.assert_array_equal(index.get(there), one.get(there))
    assert index.get([]).shape == (0, 48)
    with pytest.raises(IndexError, match="id 999999 is not in the index"):
        index.get([int(there[0]), 999_999])
    assert int(there[0]) in index
    assert 999_999 not in index
    assert "x" not in index
    index.close()
    with ShardedIndex.open(path) as index:
        assert_same(index, one, queries, k=50)
        assert index.add(queries).tolist() == one.add(queries).tolist()


def test_what_is_refused_changes_nothing(path: Path, rows: np.ndarray, queries: np.ndarray) -> None:
    one = single(rows)
    bad = rows[:50].copy()
    bad[49, 3] = np.nan
    with ShardedIndex.create(path, dim=48, shards=2) as index:
        index.add(rows)
        for call, message in (
            (lambda: index.add(rows[:2], [10**6, 7]), "7"),
            (lambda: index.add(rows[:2], [10**6, 10**6]), "1000000"),
            (lambda: index.add(bad), "nan"),
            (lambda: index.upsert(bad, np.arange(50)), "nan"),
            (lambda: index.add(rows[:, :5]), "vectors must have 48 dims, got 5"),
            (lambda: index.upsert(rows[:2], [1]), "ids must be a 1-D array of 2"),
            (lambda: index.add(rows[:1], [-1]), "ids must lie in 0"),
            (lambda: index.add(rows[:1], [2**63 - 1]) and index.add(rows[:1]), "ids must be given"),
        ):
            with pytest.raises(ValueError, match=message) as caught:
                call()
            assert "\n" not in str(caught.value)
        index.remove([2**63 - 1])
        assert_same(index, one, queries)
    with pytest.raises(ValueError, match="the index is closed"):
        index.add(rows)


def test_one_process_has_it_open(path: Path, rows: np.ndarray) -> None:
    with ShardedIndex.create(path, dim=48, shards=1):
        with pytest.raises(BlockingIOError, match="open for writing elsewhere"):
            ShardedIndex.open(path)
        with pytest.raises(FileExistsError, match=r"use ShardedIndex\.open"):
            ShardedIndex.create(path, dim=48, shards=1)
    ShardedIndex.open(path).close()


def test_bad_paths_and_arguments(tmp_path: Path, cluster: Any) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("dear")
    with pytest.raises(ValueError, match="path must be new or empty"):
        ShardedIndex.create(tmp_path / "full", dim=4, shards=1)
    with pytest.raises(FileNotFoundError, match="no sharded index at"):
        ShardedIndex.open(tmp_path / "full")
    with pytest.raises(ValueError, match="shards must be at least 1, got 0"):
        ShardedIndex.create(tmp_path / "new", dim=4, shards=0)
    with pytest.raises(ValueError, match="metric must be"):
        ShardedIndex.create(tmp_path / "new", dim=4, shards=1, metric="hamming")  # type: ignore
    assert not (tmp_path / "new").exists()


def test_every_flipped_byte_of_the_catalog_is_found(tmp_path: Path) -> None:
    catalog = Catalog(
        dim=4,
        metric="cosine",
        n_shards=2,
        replication=2,
        in_step=((True, False), (True, True)),
        nodes=(("10.0.0.1", "10.0.0.2"), ("10.0.0.2", "10.0.0.1")),
        is_open=False,
        is_moving=False,
        tuned={"fronts": []},
    )
    write_catalog(tmp_path, catalog)
    file = tmp_path / "shards.json"
    content = file.read_bytes()
    assert read_catalog(tmp_path) == Catalog.from_json(content, file) == catalog
    for place in range(len(content)):
        flipped = bytearray(content)
        flipped[place] ^= 1
        found = None
        with suppress(ValueError):
            found = Catalog.from_json(bytes(flipped), file)
        assert found in (None, catalog)  # spaces between values mean nothing
    plain = json.loads(content)
    for name, value in (
        ("n_shards", 10**9),
        ("in_step", [[True]]),
        ("metric", "x"),
        ("dim", 0),
        ("is_shrinking", 1),
        ("next_id", -1),
    ):
        with pytest.raises(ValueError, match="damaged"):
            Catalog.from_json(signed({**plain, name: value}), file)


def signed(plain: dict[str, Any]) -> bytes:
    """A catalog with these fields and a checksum that fits."""
    fields = {name: value for name, value in plain.items() if name != "checksum"}
    return json.dumps({"checksum": _checksum(fields), **fields}).encode()


def test_catalogs_from_before_shards_could_be_removed_are_read(path: Path) -> None:
    ShardedIndex.create(path, dim=4, shards=1).close()
    file = path / "shards.json"
    catalog = read_catalog(path)
    plain = json.loads(file.read_bytes())
    for name in ("is_shrinking", "next_id"):
        del plain[name]
    file.write_bytes(signed(plain))

    assert read_catalog(path) == catalog
    with ShardedIndex.open(path) as index:
        assert index.add(np.ones((2, 4), np.float32)).tolist() == [0, 1]


def test_a_shard_tells_its_state_while_files_come_and_go(tmp_path: Path, rows: np.ndarray) -> None:
    shard = Shard(str(tmp_path / "shard"))
    shard.create(48, {})
    shard.add(rows, np.arange(len(rows)), False)
    over, sizes = threading.Event(), []

    def tell() -> None:
        while not over.is_set():
            sizes.append(shard.state()["disk_bytes"])

    with ThreadPoolExecutor(1) as pool:
        telling = pool.submit(tell)
        for n in range(40):
            shard.remove(np.arange(n, n + 1), False)
            shard.compact(False)  # files of its own in place of those before
        over.set()
        telling.result()
    shard.close()
    assert min(sizes) > 0


def test_importing_without_ray_says_what_to_install() -> None:
    code = "import sys; sys.modules['ray'] = None; import fastfunnel.distributed"

    run = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)

    assert run.stderr.rstrip().endswith(
        "ImportError: fastfunnel.distributed needs Ray: pip install 'fastfunnel[ray]'"
    )
