"""Vectors of other libraries go in wherever arrays do, without a copy where that is possible."""

from __future__ import annotations

import array
import subprocess
import sys
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import fastfunnel as ff
from fastfunnel.interchange import as_array

DIM = 12
BASE = np.random.default_rng(5).standard_normal((40, DIM)).astype(np.float32)


def arrow_fixed(rows: npt.NDArray[Any]) -> Any:
    arrow = pytest.importorskip("pyarrow")
    return arrow.FixedSizeListArray.from_arrays(rows.ravel(), rows.shape[1])


class OnlyDlpack:
    """An array that other libraries know by DLPack alone."""

    def __init__(self, rows: npt.NDArray[Any]) -> None:
        self._rows = rows

    def __dlpack__(self, **options: Any) -> Any:
        return self._rows.__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._rows.__dlpack_device__()


def torch_of(kind: str) -> Any:
    torch = pytest.importorskip("torch")
    tensor = torch.tensor(BASE)
    return {"float32": tensor, "parameter": torch.nn.Parameter(tensor), "list": list(tensor)}[kind]


def arrow_of(kind: str) -> Any:
    arrow = pytest.importorskip("pyarrow")
    return {
        "fixed": lambda: arrow_fixed(BASE),
        "slice": lambda: arrow_fixed(np.concatenate([BASE, BASE])).slice(40),
        "chunks": lambda: arrow.chunked_array([arrow_fixed(BASE[:9]), arrow_fixed(BASE[9:])]),
        "one chunk": lambda: arrow.chunked_array([arrow_fixed(BASE)]),
        "lists": lambda: arrow.array(BASE.tolist(), arrow.list_(arrow.float32())),
        "large lists": lambda: arrow.array(BASE.tolist(), arrow.large_list(arrow.float32())),
        "tensors": lambda: arrow.FixedShapeTensorArray.from_numpy_ndarray(BASE),
    }[kind]()


def pandas_of(kind: str) -> Any:
    pandas = pytest.importorskip("pandas")
    if kind == "arrow":
        arrow = pytest.importorskip("pyarrow")
        dtype = pandas.ArrowDtype(arrow.list_(arrow.float32()))
        return pandas.Series(arrow.array(BASE.tolist(), arrow.list_(arrow.float32())), dtype=dtype)
    return {"arrays": pandas.Series(list(BASE)), "frame": pandas.DataFrame(BASE),
            "lists": pandas.Series(BASE.tolist())}[kind]  # fmt: skip


def polars_of(kind: str) -> Any:
    polars = pytest.importorskip("polars")
    series = polars.Series(BASE)
    return {"array": series, "frame": polars.DataFrame(BASE),
            "list": series.cast(polars.List(polars.Float32))}[kind]  # fmt: skip


def other_of(kind: str) -> Any:
    return {"dlpack": OnlyDlpack(BASE), "buffer": memoryview(BASE), "list": BASE.tolist(),
            "list of arrays": list(BASE), "list of buffers": [array.array("f", r) for r in BASE],
            "masked": np.ma.masked_array(BASE), "matrix": BASE.view(np.matrix)}[kind]  # fmt: skip


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        *((torch_of, kind) for kind in ("float32", "parameter", "list")),
        *((arrow_of, kind) for kind in ("fixed", "slice", "chunks", "one chunk", "lists",
                                        "large lists", "tensors")),
        *((pandas_of, kind) for kind in ("arrays", "lists", "arrow", "frame")),
        *((polars_of, kind) for kind in ("array", "list", "frame")),
        *((other_of, kind) for kind in ("dlpack", "buffer", "list", "list of arrays",
                                        "list of buffers", "masked", "matrix")),
    ],
)  # fmt: skip
def test_they_go_in_wherever_vectors_do(make: Any, kind: str) -> None:
    vectors = make(kind)
    expected = ff.exact_search(BASE, BASE, k=3)
    index = ff.Index(DIM)
    index.add(vectors)

    np.testing.assert_array_equal(index.get(np.arange(40)), BASE)
    index.upsert(vectors, np.arange(40))
    np.testing.assert_array_equal(index.search(vectors, k=3, exact=True).ids, expected.ids)
    np.testing.assert_array_equal(ff.exact_search(vectors, vectors, k=3).ids, expected.ids)
    np.testing.assert_array_equal(ff.binarize(vectors), ff.binarize(BASE))
    np.testing.assert_allclose(ff.normalize(vectors), ff.normalize(BASE), rtol=1e-6)
    assert ff.fit_rotation(vectors).shape == (DIM, DIM)
    assert ff.diagnose(vectors) is not None
    report = index.tune(vectors, k=2, recall=0.5, budget_s=0.2, progress=False)
    assert report is not None


def test_memory_is_shared_where_it_can_be() -> None:
    torch = pytest.importorskip("torch")
    tensor = torch.tensor(BASE)

    for vectors in (tensor, arrow_fixed(BASE), OnlyDlpack(BASE), memoryview(BASE)):
        memory = tensor.numpy() if vectors is tensor else BASE
        assert np.shares_memory(as_array(vectors, "x"), memory)


def test_bfloat16_comes_as_float32() -> None:
    ml_dtypes = pytest.importorskip("ml_dtypes")
    torch = pytest.importorskip("torch")
    expected = torch.tensor(BASE).bfloat16().float().numpy()

    for vectors in (torch.tensor(BASE).bfloat16(), BASE.astype(ml_dtypes.bfloat16),
                    list(torch.tensor(BASE).bfloat16())):  # fmt: skip
        found = as_array(vectors, "x")
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, expected)


def test_one_query_may_be_a_column_of_numbers() -> None:
    arrow = pytest.importorskip("pyarrow")
    index = ff.Index(DIM)
    index.add(BASE)

    assert index.search(arrow.array(BASE[7]), k=1).ids.tolist() == [[7]]


class OnAnotherDevice(OnlyDlpack):
    def __dlpack_device__(self) -> tuple[int, int]:
        return 2, 0


def refused_of(kind: str) -> Any:
    if kind.startswith("torch"):
        torch = pytest.importorskip("torch")
        tensor = torch.tensor(BASE)
        return {"torch meta": tensor.to("meta"), "torch sparse": tensor.to_sparse(),
                "torch unequal": [tensor[0], tensor[1, :3]]}[kind]  # fmt: skip
    if kind.startswith("arrow"):
        arrow = pytest.importorskip("pyarrow")
        return {
            "arrow null": arrow.array([[1.0], None]),
            "arrow null inside": arrow.array([[1.0], [None]]),
            "arrow unequal": arrow.array([[1.0], [1.0, 2.0]]),
            "arrow text": arrow.array(["a"]),
            "arrow table": arrow.table({"v": [[1.0]]}),
        }[kind]
    if kind.startswith("pandas"):
        pandas = pytest.importorskip("pandas")
        return {"pandas null": pandas.Series([[1.0], None]),
                "pandas unequal": pandas.Series([[1.0], [1.0, 2.0]])}[kind]  # fmt: skip
    if kind.startswith("polars"):
        polars = pytest.importorskip("polars")
        return {
            "polars null": polars.Series([[1.0], None]),
            "polars null inside": polars.Series([[1.0], [None]]),
            "polars unequal": polars.Series([[1.0], [1.0, 2.0]]),
            "polars frame with null": polars.DataFrame({"a": [1.0, None]}),
        }[kind]
    return {"unequal": [[1.0, 2.0], [3.0]], "None": [[1.0], None], "None inside": [[1.0], [None]],
            "masked": np.ma.masked_array(BASE, mask=BASE > 1),
            "other device": OnAnotherDevice(BASE)}[kind]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "error", "message"),
    [
        ("torch meta", ValueError, r"x must be in the memory of the CPU, got a tensor on meta"),
        ("torch sparse", ValueError, "x must be a dense tensor, got torch.sparse_coo"),
        ("torch unequal", ValueError, "got 12 values in row 0 and 3 in row 1"),
        ("arrow null", ValueError, "x must have no missing values, got 1 nulls"),
        ("arrow null inside", ValueError, "x must have no missing values, got 1 nulls"),
        ("arrow unequal", ValueError, "got 1 values in row 0 and 2 in row 1"),
        ("arrow text", TypeError, "x must be a column of number lists, got string"),
        ("arrow table", TypeError, r"x must be one column, got a table of \['v'\]"),
        ("pandas null", ValueError, "x must have no missing values, got 1 nulls"),
        ("pandas unequal", ValueError, "got 1 values in row 0 and 2 in row 1"),
        ("polars null", ValueError, "x must have no missing values, got 1 nulls"),
        ("polars null inside", ValueError, "x must have no missing values, got 1 nulls"),
        ("polars unequal", ValueError, "got 1 values in row 0 and 2 in row 1"),
        ("polars frame with null", ValueError, "x must have no missing values, got 1 nulls"),
        ("unequal", ValueError, "x must have rows of one length, got 2 values in row 0 and 1"),
        ("None", ValueError, "got None in row 1"),
        ("None inside", ValueError, "x must have no missing values, got None"),
        ("masked", ValueError, "x must have no masked values"),
        ("other device", ValueError, "memory of the CPU, got OnAnotherDevice on a CUDA device"),
    ],
)
def test_what_cannot_go_in_is_said_in_a_sentence(
    kind: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        ff.normalize(refused_of(kind))


def test_no_library_is_imported_for_an_array() -> None:
    code = """
import sys, numpy as np, fastfunnel as ff
index = ff.Index(3)
index.add([[1.0, 2.0, 3.0]])
index.search(np.ones(3), k=1)
print(*{"torch", "pyarrow", "pandas", "polars"} & set(sys.modules))
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert run.stdout.strip() == ""
