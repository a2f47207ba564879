"""Files and datasets into shards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

ray = pytest.importorskip("ray")
pa = pytest.importorskip("pyarrow")
from pyarrow import feather, parquet

from fastfunnel.distributed import ShardedIndex

# Ray Data warns of settings of its own.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:ray")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, cluster: Any) -> Any:
    path = tmp_path_factory.mktemp("ingested") / "sharded"
    with ShardedIndex.create(path, dim=48, shards=2) as index:
        yield index


@pytest.fixture
def index(shared: Any) -> Any:
    """An index without rows, though not a new one."""
    yield shared
    for ids in shared._cluster.ask_all("ids").values():
        shared.remove(ids)


def table(rows: np.ndarray, ids: np.ndarray) -> Any:
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(rows.ravel()), rows.shape[1])
    return pa.table({"key": ids, "embedding": vectors})


@pytest.mark.parametrize("kind", ["parquet", "folder", "arrow", "feather", "table", "dataset"])
def test_rows_arrive_under_their_ids(
    index: Any, tmp_path: Path, rows: np.ndarray, kind: str
) -> None:
    ids = np.arange(len(rows))[::-1] * 3
    columns = table(rows, ids)
    source: Any = tmp_path / f"rows.{kind}"
    if kind == "folder":
        source.mkdir()
        parquet.write_table(columns[:1000], source / "a.parquet")
        parquet.write_table(columns[1000:], source / "b.parquet")
    elif kind == "parquet":
        parquet.write_table(columns, source, row_group_size=700)
    elif kind in ("arrow", "feather"):
        feather.write_feather(columns, source, compression="uncompressed")
    else:
        source = columns if kind == "table" else ray.data.from_arrow(columns)

    for _ in range(2):  # again, as after an interruption
        taken = index.ingest(source, "embedding", "key", batch_rows=512, progress=False)
        assert taken == len(index) == len(rows)
    np.testing.assert_array_equal(index.get(ids), rows)


def test_an_array_of_numpy_keeps_its_order(index: Any, tmp_path: Path, rows: np.ndarray) -> None:
    rows = np.tile(rows, (8, 1)).astype(np.float16)  # more than a block
    np.save(tmp_path / "rows.npy", rows)
    first = index.add(rows[:1])[0] + 1  # ids that are not given begin here
    index.remove([first - 1])

    assert index.ingest(tmp_path / "rows.npy", batch_rows=5000, progress=False) == len(rows)
    new = np.arange(first, first + len(rows))
    np.testing.assert_array_equal(index.get(new), rows.astype(np.float32))
    index.remove(new)
    for _ in range(2):
        assert index.ingest(tmp_path / "rows.npy", ids="row", progress=False) == len(rows)
    assert len(index) == len(rows)
    np.testing.assert_array_equal(index.get(np.arange(len(rows))), rows.astype(np.float32))


def test_bad_sources_are_one_sentence(index: Any, tmp_path: Path, rows: np.ndarray) -> None:
    columns = table(rows, np.arange(len(rows)))
    ragged = pa.table({"vectors": [[1.0] * 48, [1.0] * 47]})
    (tmp_path / "rows.csv").write_text("1,2")
    for source, error, message in (
        (columns, ValueError, "must have a column 'vectors', got"),
        (ragged, ValueError, "must hold vectors of one length"),
        (tmp_path / "rows.csv", ValueError, r"source must end in \.parquet"),
        (tmp_path / "none.npy", FileNotFoundError, "there is nothing at"),
        (rows, TypeError, "source must be a path"),
    ):
        with pytest.raises(error, match=message):
            index.ingest(source, progress=False)
    assert len(index) == 0


def test_the_page_runs_as_it_is_printed(
    tmp_path: Path, cluster: Any, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = Path(__file__).parents[3] / "docs" / "distributed.md"
    block = page.read_text(encoding="utf-8").partition("```python\n")[2].partition("```")[0]
    assert block.count("ray.init()") == 1
    rows = rng.standard_normal((2200, 256), dtype=np.float32)
    names = {"vectors": rows[:100], "queries": rows[:5], "sample_queries": rows[100:200]}
    columns = table(rows, np.arange(len(rows))).rename_columns(["id", "embedding"])
    parquet.write_table(columns, tmp_path / "notes.parquet")
    monkeypatch.chdir(tmp_path)

    exec(block.replace("ray.init()", ""), names | {"some_ids": [1, 2]}, found := {})  # noqa: S102

    assert found["ids"].shape == (5, 10)
    assert len(found["index"]) == 2300
    found["index"].close()
