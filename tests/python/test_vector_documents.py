"""Documents beside ready-made vectors, which the stores of the frameworks stand on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import fastfunnel as ff
from fastfunnel.collection.where import compile_where
from fastfunnel.integrations.documents import Found, VectorDocuments

N, DIM = 300, 24
TEXTS = [f"text {n} of {'cats' if n % 3 else 'dogs'}" for n in range(N)]
METADATAS = [{"n": n, "kind": "odd" if n % 2 else "even"} for n in range(N)]
IDS = [f"id-{n}" for n in range(N)]


@pytest.fixture(params=["memory", "directory"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path | None:
    return tmp_path / "store" if request.param == "directory" else None


@pytest.fixture
def vectors(rng: np.random.Generator) -> np.ndarray:
    return rng.standard_normal((N, DIM)).astype(np.float32)


@pytest.fixture
def store(path: Path | None, vectors: np.ndarray) -> VectorDocuments:
    made = VectorDocuments(path)
    assert made.put(TEXTS, list(vectors), METADATAS, IDS) == IDS
    return made


def nearest(vectors: np.ndarray, query: np.ndarray, among: list[int], k: int) -> list[str]:
    rows = vectors[among].astype(np.float64)
    cosines = rows @ query / np.linalg.norm(rows, axis=1) / np.linalg.norm(query)
    return [IDS[among[place]] for place in np.argsort(-cosines, kind="stable")[:k]]


def ids(found: list[Found]) -> list[str]:
    return [one.document.id for one in found]


def test_an_empty_store_answers_nothing(path: Path | None) -> None:
    store = VectorDocuments(path)
    assert store.search([1.0, 0.0], 3) == store.select() == store.get(["a"]) == []
    assert (len(store), store.dim, store.index) == (0, None, None)
    assert store.delete(["a"]) == 0


def test_filters_leave_k_answers(
    store: VectorDocuments, vectors: np.ndarray, rng: np.random.Generator
) -> None:
    query = rng.standard_normal(DIM)
    where = compile_where({"kind": "odd", "n": {"$lt": 50}})
    odd = [n for n in range(50) if n % 2]
    assert ids(store.search(query, 10, where)) == nearest(vectors, query, odd, 10)

    few = [n for n in odd if n % 7 == 0]
    found = store.search(query, 10, where, lambda one: int(one.id[3:]) % 7 == 0)
    assert ids(found) == nearest(vectors, query, few, 10)
    assert len(found) == len(few) < 10

    assert store.search(query, 10, compile_where({"n": -1})) == []
    assert ids(store.select(where)) == [IDS[n] for n in odd]


def test_what_is_found_carries_its_vector_and_cosine(
    store: VectorDocuments, vectors: np.ndarray
) -> None:
    (hit,) = store.search(vectors[7] * 3, 1)
    assert hit.document.id == "id-7"
    assert hit.score == pytest.approx(1)
    assert hit.vector is not None
    np.testing.assert_array_equal(hit.vector, vectors[7])


def test_words_are_searched_and_fused(store: VectorDocuments, vectors: np.ndarray) -> None:
    assert set(ids(store.matching("dogs", 1000))) == {IDS[n] for n in range(0, N, 3)}
    assert ids(store.matching("299", 5)) == ["id-299"]
    assert ids(store.matching("dogs", 5, compile_where({"n": 3}))) == ["id-3"]
    fused = store.search(vectors[5], 2, words="299")
    assert set(ids(fused)) == {"id-5", "id-299"}


def test_put_replaces_and_delete_removes(store: VectorDocuments, vectors: np.ndarray) -> None:
    store.put(["new"], [vectors[0]], [{"n": -5}], ["id-9"])  # another vector, text and metadata
    store.put(["changed"], [vectors[8]], [{"n": 8}], ["id-8"])  # the same vector
    assert store.delete(["id-0", "nobody"]) == 1
    assert len(store) == N - 1
    assert ids(store.search(vectors[0], 1)) == ["id-9"]
    assert [one.text for one in store.get(["id-8", "id-0", "id-9"])] == ["changed", "new"]
    assert ids(store.search(vectors[8], 1)) == ["id-8"]
    store.delete(IDS)
    assert store.search(vectors[3], 2) == []


def test_a_cleared_store_takes_vectors_of_another_length(
    store: VectorDocuments, path: Path | None
) -> None:
    other = None if path is None else VectorDocuments(path)
    assert store.clear() == N
    assert store.search([1.0], 3) == []
    assert store.dim is None
    store.put(["a", "b"], [[1.0, 0.0], [0.0, 1.0]], ids=["a", "b"])
    store.put(["c"], [[0.6, 0.8]], ids=["c"])
    assert ids(store.search([0.0, 1.0], 9)) == ["b", "c", "a"]
    if other is not None:
        assert ids(other.search([0.0, 1.0], 9)) == ["b", "c", "a"]
        other.close()
        store.close()
        assert ids(VectorDocuments(path).search([0.0, 1.0], 2)) == ["b", "c"]


def test_a_document_may_have_no_vector(store: VectorDocuments, vectors: np.ndarray) -> None:
    store.put(["plain", "plain too"], [None, None], ids=["p", "id-3"])
    found = {one.document.id: one.vector for one in store.select()}
    assert len(found) == N + 1
    assert found["p"] is None
    assert found["id-3"] is None
    assert "id-3" not in ids(store.search(vectors[3], N))
    store.put(["plain"], [vectors[3]], ids=["p"])
    assert ids(store.search(vectors[3], 1)) == ["p"]


def test_a_put_that_fails_changes_nothing(store: VectorDocuments, vectors: np.ndarray) -> None:
    for bad, message in [
        ([vectors[0], vectors[1][:5]], "as many in each"),
        ([vectors[0][:5]] * 2, "24 dims"),
        ([vectors[0], [float("nan")] * DIM], "finite"),
        ([vectors[0]], "one a text"),
        (["x", "y"], "numbers"),
    ]:
        with pytest.raises(ValueError, match=message):
            store.put(["a", "b"], bad, ids=["id-1", "b"])
    with pytest.raises(ValueError, match="k must be"):
        store.search(vectors[0], 0)
    assert len(store) == N
    assert [one.text for one in store.get(["id-1"])] == [TEXTS[1]]
    assert ids(store.search(vectors[1], 1)) == ["id-1"]


def test_a_copy_is_the_same_and_another(
    store: VectorDocuments, vectors: np.ndarray, tmp_path: Path
) -> None:
    store.put(["plain"], [None], ids=["p"])
    store.delete(["id-4"])
    store.save(tmp_path / "copy")
    store.delete(["id-5"])
    store.save(tmp_path / "copy")  # in its place
    store.delete(["id-6"])
    copy = VectorDocuments(tmp_path / "copy")
    assert len(copy) == N - 1
    assert ids(copy.select()) == [one for one in [*IDS, "p"] if one not in ("id-4", "id-5")]
    for n in (6, 200):
        (hit,) = copy.search(vectors[n], 1)
        assert hit.document.id == IDS[n]
        np.testing.assert_array_equal(hit.vector, vectors[n])
    with pytest.raises(BlockingIOError):
        store.save(tmp_path / "copy")
    assert len(copy) == N - 1
    copy.close()


def test_a_store_is_found_again_in_its_directory(tmp_path: Path, vectors: np.ndarray) -> None:
    store = VectorDocuments(tmp_path)
    store.put(TEXTS[:5], [*vectors[:4], None], METADATAS[:5], IDS[:5])
    store.save(tmp_path)
    store.close()
    again = VectorDocuments(tmp_path)
    assert ids(again.search(vectors[2], 1)) == ["id-2"]
    assert again.dim == DIM
    assert [one.vector is None for one in again.select()] == [False] * 4 + [True]
    again.close()


def test_what_another_process_put_is_found(tmp_path: Path) -> None:
    store = VectorDocuments(tmp_path / "s")
    code = """
import sys
from fastfunnel.integrations.documents import VectorDocuments
VectorDocuments(sys.argv[1]).put(["there"], [[0.0, 1.0]], ids=["t"])
"""
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "s")], check=True)
    assert ids(store.search([0.0, 2.0], 3)) == ["t"]
    store.put(["here"], [[1.0, 0.0]], ids=["h"])
    assert ids(store.search([1.0, 0.1], 3)) == ["h", "t"]


def test_other_directories_are_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    for act in (VectorDocuments, VectorDocuments().save):
        with pytest.raises(ValueError, match="new, empty or a store's"):
            act(tmp_path)
    with ff.Collection(tmp_path / "collection"):
        pass
    with pytest.raises(ValueError, match="new, empty or a store's"):
        VectorDocuments(tmp_path / "collection")
    assert (tmp_path / "notes.txt").read_text(encoding="utf-8") == "mine"
