"""What the front shaped like FAISS adds: funnels, directories, clear errors. FAISS is not needed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import fastfunnel as ff
from fastfunnel.compat import faiss

Floats = npt.NDArray[np.float32]


@pytest.fixture
def base(rng: np.random.Generator) -> Floats:
    return ff.normalize(rng.standard_normal((3000, 64)).astype(np.float32))


def made(kind: str, base: Floats) -> Any:
    codes = ff.binarize(base)
    ids = np.arange(len(base)) * 3 + 5
    if kind == "binary":
        index: Any = faiss.IndexBinaryFlat(64)
        index.add(codes)
    elif kind == "binary ids":
        index = faiss.IndexBinaryIDMap(faiss.IndexBinaryFlat(64))
        index.add_with_ids(codes, ids)
    elif kind == "ids":
        index = faiss.IndexIDMap2(faiss.IndexFunnel(64, faiss.METRIC_L2, "b1@64>200 f32@64"))
        index.add_with_ids(base, ids)
    else:
        index = getattr(faiss, kind)(64)
        index.add(base)
    return index


KINDS = ["IndexFlat", "IndexFlatIP", "IndexFlatL2", "IndexFunnel", "ids", "binary", "binary ids"]


@pytest.mark.parametrize("kind", KINDS)
def test_written_and_read_it_goes_on_as_before(kind: str, base: Floats, tmp_path: Path) -> None:
    index = made(kind, base)
    index.remove_ids(np.array([8, 11]))
    faiss.write_index(index, tmp_path / "x.index")
    faiss.write_index(index, tmp_path / "x.index")  # in place of itself

    again = faiss.read_index(tmp_path / "x.index")

    queries = ff.binarize(base[:9]) if "binary" in kind else base[:9]
    assert type(again) is type(index)
    assert (again.ntotal, again.d, again.metric_type) == (index.ntotal, 64, index.metric_type)
    assert sorted(path.name for path in (tmp_path / "x.index").iterdir()) == [
        "front.json", "state-000002",
    ]  # fmt: skip
    for changed in (False, True):
        if changed:
            index.remove_ids(faiss.IDSelectorRange(20, 90))
            again.remove_ids(faiss.IDSelectorRange(20, 90))
        for one, two in zip(index.search(queries, 5), again.search(queries, 5), strict=True):
            np.testing.assert_array_equal(one, two)


def test_the_rows_on_disk_are_an_index_of_fastfunnel(base: Floats, tmp_path: Path) -> None:
    faiss.write_index(made("IndexFlatIP", base), tmp_path / "x")

    rows = ff.open(tmp_path / "x" / "state-000001" / "rows")

    np.testing.assert_array_equal(rows.get(np.arange(len(base))), base)


@pytest.mark.parametrize("kind", ["ids", "binary ids"])
def test_a_damaged_directory_is_refused(kind: str, base: Floats, tmp_path: Path) -> None:
    faiss.write_index(made(kind, base[:100]), tmp_path / "x")
    files = [path for path in (tmp_path / "x").rglob("*") if path.is_file() and path.stat().st_size]
    assert len(files) >= 3
    for path in files:
        whole = path.read_bytes()
        if path.name in ("writer.lock", "front.json"):
            continue
        path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        with pytest.raises(ValueError, match="damaged"):
            faiss.read_index(tmp_path / "x")
        path.write_bytes(whole)
    front = json.loads((tmp_path / "x" / "front.json").read_bytes())
    for change in ({"version": 2}, {"state": "../x"}, {"index": None}, {"index": {"class": "os"}}):
        (tmp_path / "x" / "front.json").write_text(json.dumps({**front, **change}))
        with pytest.raises(ValueError, match=r"front\.json"):
            faiss.read_index(tmp_path / "x")
    with pytest.raises(FileNotFoundError, match="no index"):
        faiss.read_index(tmp_path / "nothing")


def test_a_directory_of_something_else_is_left_alone(base: Floats, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match=r"notes\.txt"):
        faiss.write_index(made("IndexFlatIP", base), tmp_path)
    with pytest.raises(ValueError, match="directory"):
        faiss.write_index(made("IndexFlatIP", base), tmp_path / "notes.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_a_kill_while_writing_leaves_an_index(tmp_path: Path) -> None:
    """The child replaces an index again and again; each time it is killed, one state is whole."""
    code = """
import itertools, sys, numpy as np, fastfunnel.compat.faiss as faiss
for n in itertools.count(1):
    index = faiss.IndexIDMap(faiss.IndexFlatIP(8))
    index.add_with_ids(np.full((50, 8), n, np.float32), np.full(50, n))
    faiss.write_index(index, sys.argv[1])
    print(n, flush=True)
"""
    for _ in range(5):
        with subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path / "x")], stdout=subprocess.PIPE
        ) as child:
            assert child.stdout is not None
            for _ in range(4):
                child.stdout.readline()
            child.send_signal(signal.SIGKILL)
        index = faiss.read_index(tmp_path / "x")
        assert index.ntotal == 50
        assert set(index.id_map.tolist()) == set(index.index.reconstruct_n()[:, 0].tolist())


def test_a_funnel_finds_what_flat_finds(base: Floats, rng: np.random.Generator) -> None:
    queries = ff.normalize(base[:50] + 0.05 * rng.standard_normal((50, 64)).astype(np.float32))
    flat, funnel = made("IndexFlatIP", base), made("IndexFunnel", base)
    truth = flat.search(queries, 10)

    found = funnel.search(queries, 10)
    assert (
        np.mean([len(set(a) & set(b)) / 10 for a, b in zip(truth[1], found[1], strict=True)]) > 0.9
    )
    funnel.funnel = "f32@64"
    np.testing.assert_array_equal(funnel.search(queries, 10)[1], truth[1])
    report = funnel.tune(queries, k=10, recall=0.9, budget_s=2, progress=False)
    assert funnel.funnel is None
    assert funnel.index.default_funnel(10) == report.funnel
    for one, two in zip(
        flat.range_search(queries, 0.5), funnel.range_search(queries, 0.5), strict=True
    ):
        np.testing.assert_array_equal(one, two)  # exact, whatever the stages


def test_a_range_search_goes_as_far_as_there_are_answers(base: Floats) -> None:
    index = made("IndexFlatIP", base)
    lims, found, labels = index.range_search(base[:3], -2)

    assert lims.tolist() == [0, 3000, 6000, 9000]
    np.testing.assert_array_equal(labels, np.tile(np.arange(3000), 3))
    np.testing.assert_allclose(found.reshape(3, -1), base[:3] @ base.T, atol=1e-6)


def test_threads_and_what_is_rebuilt(base: Floats) -> None:
    index = made("IndexFlatIP", base)
    assert faiss.omp_get_max_threads() >= 1
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    assert faiss.omp_get_max_threads() == 1
    found, labels, rows = index.search_and_reconstruct(base[:2], 3)
    faiss.omp_set_num_threads(before)
    np.testing.assert_array_equal(rows, base[labels])
    np.testing.assert_array_equal(index.assign(base[:2], 3), labels)
    np.testing.assert_allclose(found[:, 0], 1, rtol=1e-6)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda index: index.add(np.ones((2, 3))), ValueError, "64 dims a row, got shape"),
        (lambda index: index.search(np.ones(64), 1), ValueError, "2-D"),
        (lambda index: index.search(np.ones((1, 64)), 0), ValueError, "k must be at least 1"),
        (lambda index: index.add(np.full((1, 64), np.nan)), ValueError, "finite"),
        (lambda index: index.add([["a"] * 64]), TypeError, "numbers"),
        (lambda index: index.reconstruct(-1), RuntimeError, "got -1"),
        (lambda index: index.reconstruct_n(2999, 2), RuntimeError, "3000"),
        (lambda index: index.remove_ids([0.5]), TypeError, "integers"),
        (lambda index: faiss.IndexIDMap(index), RuntimeError, "empty"),
        (lambda index: faiss.IndexFlat(4, 7), ValueError, "metric"),
        (lambda index: faiss.IndexBinaryFlat(12), ValueError, "multiple of 8"),
        (lambda index: faiss.index_factory(4, "IVF4,Flat"), ValueError, "description"),
        (lambda index: faiss.IndexIVFFlat, AttributeError, "IndexFunnel"),
        (lambda index: faiss.normalize_L2([[1.0]]), TypeError, "list"),
        (lambda index: faiss.write_index(object(), "never"), TypeError, "object"),
    ],
)
def test_errors_say_what_was_expected(
    call: Any, error: type[Exception], words: str, base: Floats, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    index = made("IndexFlatIP", base)
    with pytest.raises(error, match=words):
        call(index)
    assert index.ntotal == len(base)
