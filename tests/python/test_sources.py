"""Indexes from FAISS, .npy files, Parquet and Lance."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import fastfunnel as ff

Floats = npt.NDArray[np.float32]
DIM = 16


@pytest.fixture
def base(rng: np.random.Generator) -> Floats:
    return rng.standard_normal((20_000, DIM)).astype(np.float32)


def holds(index: Any, rows: Floats, ids: npt.NDArray[np.int64] | None = None) -> bool:
    ids = np.arange(len(rows)) if ids is None else ids
    return len(index) == len(rows) and np.array_equal(index.get(ids), rows)


@pytest.mark.parametrize("dtype", ["float32", "float16", "float64", "int8"])
@pytest.mark.parametrize("mmap", [True, False])
def test_an_npy_file(dtype: str, mmap: bool, base: Floats, tmp_path: Path) -> None:
    rows = (base * 20).astype(dtype)
    np.save(tmp_path / "rows.npy", rows)

    index = ff.from_npy(tmp_path / "rows.npy", mmap, metric="l2", model="m")

    assert (index.model, index.metric) == ("m", "l2")
    assert holds(index, rows.astype(np.float32))
    found = index.search(rows[:20], k=3, exact=True)
    assert found.ids[:, 0].tolist() == list(range(20))
    assert index.search(rows[:20], k=3).ids[:, 0].tolist() == list(range(20))


def test_a_mapped_file_is_read_where_it_lies(base: Floats, tmp_path: Path) -> None:
    np.save(tmp_path / "rows.npy", base)
    index = ff.from_npy(tmp_path / "rows.npy")
    with (tmp_path / "rows.npy").open("r+b") as file:  # as the documentation forbids
        file.seek(-4 * DIM, 2)
        file.write(np.arange(DIM, dtype=np.float32).tobytes())

    assert index.get([len(base) - 1])[0].tolist() == list(range(DIM))
    np.testing.assert_array_equal(ff.from_npy(tmp_path / "rows.npy", False).get([3]), base[[3]])


def test_a_mapped_index_can_be_changed_and_saved(base: Floats, tmp_path: Path) -> None:
    np.save(tmp_path / "rows.npy", base)
    ids = np.arange(len(base)) * 2 + 1
    index = ff.from_npy(tmp_path / "rows.npy", ids=ids)

    assert index.remove([1, 5]) == 2
    assert index.add(base[:2]).tolist() == [2 * len(base), 2 * len(base) + 1]
    index.upsert(base[4:5], [7])
    index.save(tmp_path / "saved")

    for one in (index, ff.open(tmp_path / "saved")):
        assert len(one) == len(base)
        np.testing.assert_array_equal(one.get([3, 7]), base[[1, 4]])
    assert np.array_equal(np.load(tmp_path / "rows.npy"), base)


def test_rows_in_fortran_order_are_copied(base: Floats, tmp_path: Path) -> None:
    np.save(tmp_path / "rows.npy", np.asfortranarray(base))

    assert holds(ff.from_npy(tmp_path / "rows.npy"), base)


def test_what_npy_files_cannot_be(base: Floats, tmp_path: Path) -> None:
    damaged = base.copy()
    damaged[9000, 3] = np.nan
    np.save(tmp_path / "nan.npy", damaged)
    np.save(tmp_path / "flat.npy", base[0])
    np.save(tmp_path / "objects.npy", np.array([{}]), allow_pickle=True)
    np.save(tmp_path / "ints.npy", np.ones((3, 4), np.int64))
    (tmp_path / "text.npy").write_text("no array")
    for name, message in (("nan", "finite"), ("flat", "2-D"), ("objects", "object"),
                          ("text", "must be an .npy array")):  # fmt: skip
        with pytest.raises(ValueError, match=message):
            ff.from_npy(tmp_path / f"{name}.npy")
    with pytest.raises(TypeError, match="after 0 rows were added, vectors must be float32"):
        ff.from_npy(tmp_path / "ints.npy")
    np.save(tmp_path / "rows.npy", base)
    with pytest.raises(ValueError, match="1-D array of 20000"):
        ff.from_npy(tmp_path / "rows.npy", ids=[1])
    with pytest.raises(FileNotFoundError):
        ff.from_npy(tmp_path / "nothing.npy")


def test_adopting_refuses_what_would_have_to_be_copied(base: Floats, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="float32 or float16"):
        ff.Index(DIM).adopt(base.astype(np.float64))
    with pytest.raises(ValueError, match="rotation"):
        ff.Index(DIM, rotation=np.eye(DIM)).adopt(base)
    with ff.Index.create(tmp_path / "live", DIM) as live, pytest.raises(ValueError, match="memory"):
        live.adopt(base)


def columns(kind: str, base: Floats) -> Any:
    arrow = pytest.importorskip("pyarrow")
    fixed = arrow.FixedSizeListArray.from_arrays(base.ravel(), DIM)
    vectors = fixed if kind == "fixed" else fixed.cast(arrow.list_(arrow.float32()))
    return arrow.table({"id": np.arange(len(base)) * 3, "v": vectors})


@pytest.mark.parametrize("kind", ["fixed", "lists"])
@pytest.mark.parametrize("live", [False, True])
def test_a_parquet_column(kind: str, live: bool, base: Floats, tmp_path: Path) -> None:
    table = columns(kind, base)
    parquet = pytest.importorskip("pyarrow.parquet")
    (tmp_path / "parts").mkdir()
    parquet.write_table(table.slice(0, 7000), tmp_path / "parts" / "a.parquet", row_group_size=999)
    parquet.write_table(table.slice(7000), tmp_path / "parts" / "b.parquet")
    into = ff.Index.create(tmp_path / "live", DIM) if live else None

    index = ff.from_parquet(tmp_path / "parts", "v", ids="id", into=into)

    assert holds(index, base, np.arange(len(base)) * 3)
    assert holds(ff.from_parquet(tmp_path / "parts" / "a.parquet", "v"), base[:7000])
    if into is not None:
        assert index is into
        into.close()
        assert holds(ff.open(tmp_path / "live", verify=True), base, np.arange(len(base)) * 3)


def test_a_parquet_column_is_never_held_as_a_whole(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = np.random.default_rng(0).standard_normal((100_000, 64)).astype(np.float32)
    vectors = arrow.FixedSizeListArray.from_arrays(rows.ravel(), 64)
    parquet.write_table(
        arrow.table({"v": vectors}), tmp_path / "one.parquet", row_group_size=len(rows),
        use_dictionary=False, compression="none",
    )  # fmt: skip
    del vectors
    pool = arrow.system_memory_pool()
    before = arrow.default_memory_pool()
    arrow.set_memory_pool(pool)
    try:
        index = ff.from_parquet(tmp_path / "one.parquet", "v")
    finally:
        arrow.set_memory_pool(before)

    assert holds(index, rows)
    assert 0 < pool.max_memory() < rows.nbytes / 2


def test_what_parquet_files_cannot_be(base: Floats, tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    table = columns("lists", base[:20])
    parquet.write_table(table, tmp_path / "good.parquet")
    null = arrow.table({"v": [*base[:20].tolist(), None], "t": ["a"] * 21})
    parquet.write_table(null, tmp_path / "null.parquet")
    (tmp_path / "text.parquet").write_text("no table")
    (tmp_path / "empty").mkdir()
    for name, column, message in (
        ("good.parquet", "w", r"must have a column 'w', got \['id', 'v'\]"),
        ("null.parquet", "v", "after 0 rows were added, vectors must have no missing values"),
        ("text.parquet", "v", "must be a Parquet file"),
    ):
        with pytest.raises(ValueError, match=message):
            ff.from_parquet(tmp_path / name, column)
    with pytest.raises(TypeError, match="number lists, got string"):
        ff.from_parquet(tmp_path / "null.parquet", "t")
    with pytest.raises(ff.ModelMismatchError):
        ff.from_parquet(tmp_path / "good.parquet", "v", model="b", into=ff.Index(DIM, "a"))
    for name in ("nothing.parquet", "empty"):
        with pytest.raises(FileNotFoundError):
            ff.from_parquet(tmp_path / name, "v")


def test_a_lance_column(base: Floats, tmp_path: Path) -> None:
    lance = pytest.importorskip("lance")
    written = lance.write_dataset(columns("fixed", base), tmp_path / "v.lance")

    for dataset in (tmp_path / "v.lance", written):
        assert holds(ff.from_lance(dataset, "v", ids="id"), base, np.arange(len(base)) * 3)
    with pytest.raises(ValueError, match="must have a column 'w'"):
        ff.from_lance(written, "w")
    with pytest.raises(FileNotFoundError):
        ff.from_lance(tmp_path / "nothing.lance", "v")
    with pytest.raises(TypeError, match="dataset"):
        ff.from_lance(7, "v")


@pytest.mark.parametrize("name", ["IndexFlatIP", "IndexFlatL2", "IndexHNSWFlat", "IndexRefineFlat"])
@pytest.mark.parametrize("mapped", [False, True])
def test_a_faiss_index(name: str, mapped: bool, base: Floats, tmp_path: Path) -> None:
    faiss = pytest.importorskip("faiss")
    rows, ids = base[:9000], np.arange(9000) * 2 + 3
    if name == "IndexHNSWFlat":
        rows, ids = rows[:500], ids[:500]
        flat = faiss.IndexHNSWFlat(DIM, 8)
    elif name == "IndexRefineFlat":
        coarse = faiss.IndexScalarQuantizer(DIM, faiss.ScalarQuantizer.QT_8bit)
        flat = faiss.IndexRefineFlat(coarse)
        flat.train(rows)
    else:
        flat = getattr(faiss, name)(DIM)
    index = faiss.IndexIDMap2(flat) if mapped else flat
    index.add_with_ids(rows, ids) if mapped else index.add(rows)

    copy: Any = ff.from_faiss(index, model="m")

    assert (copy.metric, copy.model) == ("ip" if name == "IndexFlatIP" else "l2", "m")
    assert holds(copy, rows, ids if mapped else None)
    faiss.write_index(index, str(tmp_path / "x"))
    assert holds(
        ff.from_faiss(faiss.read_index(str(tmp_path / "x"))), rows, ids if mapped else None
    )
    if name in ("IndexFlatIP", "IndexFlatL2"):
        np.testing.assert_array_equal(
            copy.search(rows[:30], 5, exact=True).ids, index.search(rows[:30], 5)[1]
        )


@pytest.mark.parametrize("mapped", [False, True])
def test_a_binary_faiss_index(mapped: bool, base: Floats) -> None:
    faiss = pytest.importorskip("faiss")
    codes = ff.binarize(base[:500])
    index = faiss.IndexBinaryFlat(DIM)
    if mapped:
        index = faiss.IndexBinaryIDMap(index)
        index.add_with_ids(codes, np.arange(500) + 1000)
    else:
        index.add(codes)

    found, expected = ff.from_faiss(index).search(codes[:9], 1), index.search(codes[:9], 1)

    np.testing.assert_array_equal(found[0], expected[0])
    assert (found[1][:, 0] >= (1000 if mapped else 0)).all()


def test_what_faiss_indexes_cannot_be(base: Floats) -> None:
    faiss = pytest.importorskip("faiss")
    sq = faiss.IndexScalarQuantizer(DIM, faiss.ScalarQuantizer.QT_8bit)
    with pytest.raises(TypeError, match=r"as they were added.* got IndexScalarQuantizer"):
        ff.from_faiss(sq)
    with pytest.raises(TypeError, match="faiss index, got ndarray"):
        ff.from_faiss(base)
    with pytest.raises(ValueError, match="inner product or L2"):
        ff.from_faiss(faiss.IndexFlat(DIM, faiss.METRIC_L1))
    twice = faiss.IndexIDMap(faiss.IndexFlatL2(DIM))
    twice.add_with_ids(base[:2], np.array([4, 4]))
    with pytest.raises(ValueError, match="got 4"):
        ff.from_faiss(twice)
    with pytest.raises(ValueError, match="at least one vector"):
        ff.from_faiss(faiss.IndexFlatL2(DIM))
    flat = faiss.IndexFlatL2(DIM)
    flat.add(base[:2])
    with pytest.raises(ValueError, match="into must have metric 'l2'"):
        ff.from_faiss(flat, into=ff.Index(DIM))
