"""A FAISS program does the same with `import fastfunnel.compat.faiss as faiss`.

The flows are those of FAISS's Python tutorial and wiki, written anew, run against both libraries.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastfunnel as ff
import fastfunnel.compat.faiss as ours

Floats = npt.NDArray[np.float32]


@pytest.fixture(params=["fastfunnel", "faiss"])
def faiss(request: pytest.FixtureRequest) -> Any:
    return ours if request.param == "fastfunnel" else real_faiss()


def real_faiss() -> Any:
    library = pytest.importorskip("faiss")
    library.omp_set_num_threads(1)
    library.cvar.distance_compute_blas_threshold = 10**9  # BLAS takes differences of large squares
    return library


def tutorial_rows(n: int, d: int, rng: np.random.Generator) -> Floats:
    """Uniform rows whose first value grows along the set: neighbours are near in number, too."""
    rows = rng.random((n, d)).astype(np.float32)
    rows[:, 0] += np.arange(n) / 1000
    return rows


def true_distances(faiss: Any, metric: int, base: Floats, queries: Floats) -> npt.NDArray[Any]:
    x, y = queries.astype(np.float64), base.astype(np.float64)
    if metric == faiss.METRIC_INNER_PRODUCT:
        return np.asarray(x @ y.T)
    return np.asarray(((x[:, np.newaxis] - y) ** 2).sum(axis=2))


@pytest.mark.parametrize("name", ["IndexFlatL2", "IndexFlatIP"])
def test_the_tutorial(faiss: Any, name: str, rng: np.random.Generator) -> None:
    d, k = 64, 4
    base, queries = tutorial_rows(3000, d, rng), tutorial_rows(100, d, rng)

    index = getattr(faiss, name)(d)
    assert index.is_trained
    index.train(base)
    index.add(base)
    assert (index.ntotal, index.d) == (3000, d)
    found, labels = index.search(base[:5], k)
    if name == "IndexFlatL2":
        assert labels[:, 0].tolist() == [0, 1, 2, 3, 4]
        assert not found[:, 0].any()

    found, labels = index.search(queries, k)
    assert (found.shape, found.dtype, labels.shape, labels.dtype) == (
        (100, k),
        np.float32,
        (100, k),
        np.int64,
    )
    truth = true_distances(faiss, index.metric_type, base, queries)
    order = -truth if name == "IndexFlatIP" else truth
    np.testing.assert_array_equal(labels, np.argsort(order, axis=1, kind="stable")[:, :k])
    np.testing.assert_allclose(found, np.take_along_axis(truth, labels, 1), rtol=2e-6)


def test_cosines_the_way_of_faiss(faiss: Any, rng: np.random.Generator) -> None:
    base = rng.standard_normal((500, 24)).astype(np.float32)
    queries = rng.standard_normal((7, 24)).astype(np.float32)
    expected = ff.exact_search(base, queries, k=3)
    base[3] = 0
    assert faiss.normalize_L2(base) is None
    assert faiss.normalize_L2(queries) is None
    assert not base[3].any()
    np.testing.assert_allclose(np.delete(np.linalg.norm(base, axis=1), 3), 1, rtol=1e-6)

    index = faiss.IndexFlatIP(24)
    index.add(base)
    found, labels = index.search(queries, 3)

    np.testing.assert_array_equal(labels, expected.ids)
    np.testing.assert_allclose(found, expected.scores, atol=1e-6)


def test_binary_codes(faiss: Any, rng: np.random.Generator) -> None:
    codes = rng.integers(0, 256, (300, 4), np.uint8)
    index = faiss.IndexBinaryFlat(32)
    index.add(codes)
    distances = np.unpackbits(codes[:, np.newaxis] ^ codes[:9], axis=2).sum(axis=2).T

    found, labels = index.search(codes[:9], 20)

    assert (index.ntotal, index.d, found.dtype, labels.dtype) == (300, 32, np.int32, np.int64)
    np.testing.assert_array_equal(found, np.sort(distances, axis=1)[:, :20])
    np.testing.assert_array_equal(found, np.take_along_axis(distances, labels, 1))
    np.testing.assert_array_equal(index.reconstruct(5), codes[5])
    np.testing.assert_array_equal(index.reconstruct_n(2, 3), codes[2:5])
    assert index.remove_ids(np.array([0, 4, 9999])) == 2
    assert index.search(codes[5:6], 1)[1].tolist() == [[3]]
    with pytest.raises(TypeError, match="uint8"):
        index.add(codes.astype(np.int32))


def test_ids_of_ones_own(faiss: Any, rng: np.random.Generator) -> None:
    base = rng.standard_normal((50, 8)).astype(np.float32)
    ids = np.arange(50) * 10 + 7
    for make in (faiss.IndexIDMap, faiss.IndexIDMap2):
        index = make(faiss.IndexFlatL2(8))
        with pytest.raises(RuntimeError):
            index.add(base)
        index.add_with_ids(base, ids)
        assert index.search(base[:3], 1)[1].ravel().tolist() == [7, 17, 27]
        assert index.remove_ids(np.array([17, 18])) == 1
        assert index.search(base[:3], 1)[1].ravel().tolist()[::2] == [7, 27]
        assert index.ntotal == 49
        only = faiss.SearchParameters(sel=faiss.IDSelectorBatch(np.array([47, 57])))
        assert index.search(base[:1], 3, params=only)[1][0].tolist()[2] == -1
    np.testing.assert_array_equal(index.reconstruct(27), base[2])
    with pytest.raises(RuntimeError):
        index.reconstruct(17)
    with pytest.raises(RuntimeError):
        faiss.IndexFlatL2(8).add_with_ids(base, ids)


@pytest.mark.parametrize(
    ("description", "name"),
    [("Flat", "IndexFlat"), ("IDMap,Flat", "IndexIDMap"), ("IDMap2,Flat", "IndexIDMap2")],
)
def test_the_factory(faiss: Any, description: str, name: str) -> None:
    index = faiss.index_factory(16, description, faiss.METRIC_INNER_PRODUCT)

    assert type(index).__name__ == name
    assert (index.d, index.metric_type) == (16, faiss.METRIC_INNER_PRODUCT)


def test_fewer_rows_than_asked(faiss: Any) -> None:
    worst = np.finfo(np.float32).max
    for index, value in ((faiss.IndexFlatIP(2), -worst), (faiss.IndexFlatL2(2), worst)):
        assert index.search(np.ones((1, 2), np.float32), 2)[0].tolist() == [[value, value]]
        index.add(np.ones((1, 2), np.float32))
        found, labels = index.search(np.ones((1, 2), np.float32), 3)
        assert labels.tolist() == [[0, -1, -1]]
        assert found[0, 1:].tolist() == [value, value]
        index.reset()
        assert index.ntotal == 0
    codes = faiss.IndexBinaryFlat(8)
    codes.add(np.zeros((1, 1), np.uint8))
    found, labels = codes.search(np.zeros((1, 1), np.uint8), 2)
    assert (found.tolist(), labels.tolist()) == ([[0, 2**31 - 1]], [[0, -1]])


rows_of_5 = st.integers(0, 2**31).map(
    lambda seed: np.random.default_rng(seed).integers(-3, 4, (9, 5)).astype(np.float32)
)
operations = st.lists(
    st.one_of(
        st.tuples(st.just("add"), rows_of_5),
        st.tuples(st.just("remove"), st.lists(st.integers(0, 30), max_size=5)),
        st.tuples(st.just("remove range"), st.tuples(st.integers(0, 10), st.integers(0, 12))),
        st.tuples(st.just("search"), rows_of_5),
        st.tuples(st.just("range"), rows_of_5),
        st.tuples(st.just("some"), st.lists(st.integers(0, 30), max_size=5)),
    ),
    max_size=12,
)


@pytest.mark.parametrize("name", ["IndexFlatL2", "IndexFlatIP"])
@given(operations=operations)
def test_both_do_the_same(name: str, operations: list[tuple[str, Any]]) -> None:
    """Small integers: every sum is exact in float32, so that distances are equal to the bit."""
    libraries = [ours, real_faiss()]
    indexes = [getattr(library, name)(5) for library in libraries]
    for what, value in operations:
        pairs = list(zip(libraries, indexes, strict=True))
        if what == "add":
            [index.add(value) for _, index in pairs]
        elif what == "remove":
            one, two = (index.remove_ids(np.array(value, np.int64)) for _, index in pairs)
            assert one == two
        elif what == "remove range":
            one, two = (index.remove_ids(lib.IDSelectorRange(*value)) for lib, index in pairs)
            assert one == two
        elif what == "range":
            one, two = (by_label(index.range_search(value, 5.0)) for _, index in pairs)
            assert one == two
        else:
            chosen = what == "some"
            queries = np.eye(5, dtype=np.float32) * 2 if chosen else value
            answers = [
                index.search(queries, 4, params=some(library, value) if chosen else None)
                for library, index in pairs
            ]
            same_but_for_ties(*answers)
        rows = [index.reconstruct_n(0, index.ntotal) for index in indexes]
        np.testing.assert_array_equal(*rows)


def some(library: Any, labels: list[int]) -> Any:
    return library.SearchParameters(sel=library.IDSelectorBatch(np.array(labels, np.int64)))


def by_label(found: Any) -> list[list[tuple[int, float]]]:
    lims, distances, labels = found
    return [
        sorted(zip(labels[a:b].tolist(), distances[a:b].tolist(), strict=True))
        for a, b in zip(lims[:-1].tolist(), lims[1:].tolist(), strict=True)
    ]


def same_but_for_ties(one: Any, two: Any) -> None:
    """The same distances; of rows better than the last one, the same labels."""
    np.testing.assert_array_equal(one[0], two[0])
    for distances, first, second in zip(one[0], one[1], two[1], strict=True):
        sure = distances != distances[-1]
        assert set(first[sure].tolist()) == set(second[sure].tolist())
        assert (first < 0).tolist() == (second < 0).tolist()
