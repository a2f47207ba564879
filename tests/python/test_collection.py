"""Texts to answers: adding, finding, filtering, failing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from functools import reduce
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from fox_texts import IDS, METADATAS, TEXTS, found, fox_collection
from words_embedder import WordsEmbedder

import fastfunnel as ff
from fastfunnel.embedders import EmbeddingError, FloatRows

NESTED: dict[str, Any] = reduce(lambda inner, _: {"a": inner}, range(100_000), {})


@pytest.fixture
def collection(tmp_path: Path) -> Iterator[ff.Collection]:
    with fox_collection(tmp_path / "c") as made:
        yield made


def size(path: Path) -> int:
    return sum(one.stat().st_size for one in path.rglob("*") if one.is_file())


def test_search_returns_whole_documents(collection: ff.Collection) -> None:
    hits = collection.search("red fox", k=2)
    assert hits[0].id == "w"
    assert hits[0].text == TEXTS[0]
    assert hits[0].metadata == METADATAS[0]
    cosine = collection.embedder.encode_queries(["red fox"]) @ (
        collection.embedder.encode_queries(TEXTS[:1]).T
    )
    assert hits[0].score == pytest.approx(float(cosine[0, 0]), abs=1e-6)
    assert len(collection.search("anything", k=99)) == 4


def test_everything_is_there_after_reopening(collection: ff.Collection) -> None:
    collection.delete(["x"])
    collection.close()
    with ff.Collection(collection.path, WordsEmbedder()) as again:
        assert [hit.id for hit in again] == ["w", "y", "z"]
        assert found(again.search("owl", k=9)) != []
        assert "x" not in found(again.search("a grey owl hunts", k=9))
        assert again.verify() == []
        again.add(["a grey owl hunts"], ids=["x"])  # the vector is still known
        assert again.embedder.embedded == []  # type: ignore[attr-defined]
        assert found(again.search("a grey owl hunts", k=1)) == ["x"]


def test_vectors_from_elsewhere_cost_no_call(tmp_path: Path) -> None:
    rows = WordsEmbedder().encode_documents([*TEXTS, TEXTS[0]])
    with ff.Collection(tmp_path / "c", WordsEmbedder()) as made:
        made.add([*TEXTS, TEXTS[0]], ids=[*IDS, "again"], vectors=rows.astype(np.float64))
        assert made.embedder.embedded == []  # type: ignore[attr-defined]
        assert found(made.search("a grey owl hunts", k=1)) == ["x"]
        assert np.array_equal(made.index.get(list(made.index)), rows)
        # A text that has a vector keeps it.
        made.add([TEXTS[1]], ids=["x2"], vectors=np.ones((1, 32)))
        assert made.search("a grey owl hunts", k=2)[1].score == pytest.approx(1)
        assert made.verify() == []


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (np.ones((1, 32)), "vectors must be one a text, got 1 for 2"),
        (np.ones((2, 31)), "vectors must have 32 dims, got 31"),
        (np.full((2, 32), np.nan), "vectors must be finite, got nan or inf"),
        (np.full((2, 32), 1e300), "vectors must be finite, got nan or inf"),
        (["a", "b"], "vectors must be float32, float64, float16, bfloat16 or int8, got <U1"),
    ],
)
def test_vectors_that_do_not_fit_change_nothing(
    collection: ff.Collection, rows: object, says: str
) -> None:
    with pytest.raises((TypeError, ValueError), match=says):
        collection.add(["new", "newer"], vectors=rows)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="ids must not be taken"):
        collection.add(["new"], ids=["w"], vectors=np.ones((1, 32)))
    assert len(collection) == 4
    collection.add(["new"])
    assert "new" in collection.embedder.embedded  # type: ignore[attr-defined]


def test_upsert_replaces_and_leaves_equal_ones(collection: ff.Collection) -> None:
    rows = set(collection.index)
    collection.upsert(TEXTS, METADATAS, IDS)
    assert set(collection.index) == rows
    collection.upsert(["a blue whale sings"], [{"n": 9}], ["x"])
    assert found(collection.search("a blue whale sings", k=1)) == ["x"]
    assert found(collection.search("a grey owl hunts", k=4, hybrid=True)).count("x") == 1
    assert collection.get(["x", "nobody"])[0].metadata == {"n": 9}  # type: ignore[union-attr]
    assert collection.get(["nobody"]) == [None]
    assert len(collection) == 4


def test_hybrid_search_is_reciprocal_rank_fusion(collection: ff.Collection) -> None:
    near = found(collection.search("hunts olives", k=4))
    with closing(sqlite3.connect(collection.path / "collection.sqlite")) as file:
        sql = "SELECT rowid FROM words WHERE words MATCH 'hunts OR olives' ORDER BY bm25(words)"
        worded = [IDS[row - 1] for (row,) in file.execute(sql)]
    scores = {id: 1 / (61 + near.index(id)) for id in near}
    for rank, id in enumerate(worded):
        scores[id] += 1 / (61 + rank)
    hits = collection.search("hunts olives", k=4, hybrid=True)
    assert found(hits) == sorted(scores, key=lambda id: (-scores[id], IDS.index(id)))
    assert [hit.score for hit in hits] == pytest.approx(sorted(scores.values(), reverse=True))


@pytest.mark.parametrize("text", ['"', "fox AND", "NEAR(fox", "text:fox", "*", "fox'; DROP TABLE"])
def test_no_text_is_an_operator(text: str, collection: ff.Collection) -> None:
    assert len(collection.search(text, k=4, hybrid=True)) == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"texts": "one"}, "got one str"),
        ({"texts": ["new", 1]}, "texts must hold str"),
        ({"texts": ["nul\0"]}, "NUL"),
        ({"texts": ["new"], "ids": ["w"]}, "got 'w'; upsert replaces"),
        ({"texts": ["new", "newer"], "ids": ["a", "a"]}, "got 'a' twice"),
        ({"texts": ["new"], "ids": ["a", "b"]}, "one a text, got 2 for 1"),
        ({"texts": ["new"], "ids": [""]}, "must not be empty"),
        ({"texts": ["new"], "metadatas": [{}, {}]}, "one a text, got 2 for 1"),
        ({"texts": ["new"], "metadatas": [{"a": object()}]}, "must be JSON"),
        ({"texts": ["new"], "metadatas": [{"a": float("nan")}]}, "must be JSON"),
        ({"texts": ["new"], "metadatas": [{1: 2}]}, "str keys"),
        ({"texts": ["new"], "metadatas": [{"a": ["fo\0x"]}]}, "NUL"),
        ({"texts": ["new"], "metadatas": [{"\0": 1}]}, "NUL"),
        ({"texts": ["new"], "metadatas": [{"a": "\ud800"}]}, "surrogates"),
        ({"texts": ["new"], "metadatas": [NESTED]}, "nested so deep"),
    ],
)
def test_bad_input_changes_nothing(
    arguments: dict[str, Any], message: str, collection: ff.Collection
) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        collection.add(**arguments)
    assert len(collection) == 4
    assert len(collection.embedder.embedded) == 4  # type: ignore[attr-defined]
    assert collection.verify() == []


def test_a_job_that_was_cut_off_goes_on(tmp_path: Path) -> None:
    texts = [f"text {n}" for n in range(3000)]
    with ff.Collection(tmp_path / "c", WordsEmbedder(fail_after=2500)) as collection:
        with pytest.raises(ConnectionError):
            collection.add(texts)
        assert len(collection) == 0
    seen: list[tuple[int, int]] = []
    with ff.Collection(tmp_path / "c", WordsEmbedder()) as collection:
        collection.add(texts, progress=lambda done, of: seen.append((done, of)))
        assert len(collection.embedder.embedded) == 3000 - 2048  # type: ignore[attr-defined]
        assert seen[-1] == (3000, 3000)
        assert collection.search("text 77", k=1)[0].text == "text 77"


def test_pruning_forgets_the_vectors_of_texts_that_are_gone(tmp_path: Path) -> None:
    texts = [f"text {n}" for n in range(4000)]
    with ff.Collection(tmp_path / "c", WordsEmbedder()) as collection:
        ids = collection.add(texts)
        before = size(tmp_path / "c")
        collection.delete(ids[1:])
        collection.add(["text 1"], ids=["again"])  # from the cache
        assert collection.spare_vectors() == 3998
        assert collection.prune_cache() == 3998
        assert collection.spare_vectors() == collection.prune_cache() == 0
        assert size(tmp_path / "c") < before / 4
        assert collection.embedder.embedded == texts  # type: ignore[attr-defined]
        collection.add(["text 0", "text 2"], ids=["known", "forgotten"])
        assert collection.embedder.embedded[4000:] == ["text 2"]  # type: ignore[attr-defined]
        assert found(collection.search("text 2", k=1)) == ["forgotten"]
        assert collection.verify() == []


def test_an_addition_outlives_a_prune_in_its_middle(tmp_path: Path) -> None:
    class Pruned(WordsEmbedder):
        def encode_documents(self, texts: Sequence[str]) -> FloatRows:
            if len(self.embedded) == 1024:  # the first portion is in the cache, without its texts
                with ff.Collection(tmp_path / "c", WordsEmbedder()) as other:
                    assert other.prune_cache() == 1024
            return super().encode_documents(texts)

    with ff.Collection(tmp_path / "c", Pruned()) as collection:
        collection.add([f"text {n}" for n in range(1500)])
        assert len(collection) == 1500
        assert collection.verify() == []
        assert collection.search("text 3", k=1)[0].text == "text 3"


def test_tuning_is_remembered(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    words = [f"word{n}" for n in range(60)]
    texts = [" ".join(rng.choice(words, 4)) for _ in range(3000)]
    questions = list(dict.fromkeys(" ".join(rng.choice(words, 3)) for _ in range(500)))
    with ff.Collection(tmp_path / "c", WordsEmbedder()) as collection:
        collection.add(texts)
        with pytest.raises(ValueError, match="objective must be"):
            collection.tune(questions, objective="beauty")
        with pytest.raises(TypeError, match="queries must be a sequence of str, got one str"):
            collection.tune("a question")
        with pytest.raises(ValueError, match="was not tuned"):
            collection.index.search(np.ones(32), 5, recall=0.7)
        report = collection.tune(questions, 5, 0.7, budget_s=20, progress=False)
        assert (report.k, report.target, report.queries) == (5, 0.7, "queries")
        assert report.interval[0] >= 0.7
        assert collection.index.default_funnel(5) == report.funnel
        assert collection.tune(k=3, recall=0.7, budget_s=5, progress=False).queries == "rows"
    with ff.Collection(tmp_path / "c", WordsEmbedder()) as again:
        assert again.index.default_funnel(5) == report.funnel
        assert not any("open elsewhere" in note for note in report.notes)
        with ff.Collection(tmp_path / "c", WordsEmbedder()) as late:
            report = late.tune(questions, 4, 0.7, budget_s=1, progress=False)
        assert "The collection is open elsewhere" in str(report)


def test_a_lost_index_is_made_again(collection: ff.Collection) -> None:
    collection.close()
    (collection.path / "index" / "manifest.json").write_text("{}")
    with ff.Collection(collection.path, WordsEmbedder()) as again:
        assert found(again.search("red fox", k=1)) == ["w"]
        assert again.embedder.embedded == []  # type: ignore[attr-defined]


def test_another_handle_sees_changes(collection: ff.Collection) -> None:
    with ff.Collection(collection.path, WordsEmbedder()) as other:
        other.add(["a blue whale sings"], ids=["new"])
        other.delete(["w"])
        assert found(collection.search("a blue whale sings", k=1)) == ["new"]
        assert "w" not in found(collection.search("a red fox sleeps", k=9))


def test_the_wrong_place_or_model_is_refused(collection: ff.Collection, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").touch()
    with pytest.raises(ValueError, match="must be new, empty or a collection"):
        ff.Collection(tmp_path / "full", WordsEmbedder())
    (tmp_path / "full" / "collection.sqlite").write_bytes(b"not a database" * 100)
    with pytest.raises(ValueError, match="cannot be read"):
        ff.Collection(tmp_path / "full", WordsEmbedder())
    other = WordsEmbedder()
    other.model = "others"
    with pytest.raises(ValueError, match="the collection holds vectors of 'words', not 'others'"):
        ff.Collection(collection.path, other)
    for name in ("model", "dim", "trained_dims", "encode_documents", "encode_queries"):
        members = {one: getattr(other, one) for one in dir(other) if one != name}
        with pytest.raises(TypeError, match=f"; SimpleNamespace lacks {name}$"):
            ff.Collection(tmp_path / "new", SimpleNamespace(**members))  # type: ignore[arg-type]
    assert not (tmp_path / "new").exists()


def test_rows_that_are_no_vectors_are_refused(tmp_path: Path) -> None:
    embedder = WordsEmbedder()
    embedder.encode_documents = lambda texts: np.full((len(texts), 32), np.nan, np.float32)  # type: ignore[method-assign]
    with ff.Collection(tmp_path / "c", embedder) as collection:
        with pytest.raises(EmbeddingError, match="finite rows"):
            collection.add(["a"])
        assert len(collection) == 0


def test_wordllama_is_the_default(tmp_path: Path) -> None:
    pytest.importorskip("wordllama")
    with ff.Collection(tmp_path / "c") as collection:
        collection.add(TEXTS, ids=IDS)
    with ff.Collection(tmp_path / "c") as collection:
        assert found(collection.search("baking", k=1)) == ["y"]
    assert ff.open(tmp_path / "c" / "index").model == "wordllama-l2-supercat"


def test_deleting_most_rows_and_saving_shrinks_the_index(tmp_path: Path) -> None:
    with ff.Collection(tmp_path / "c", WordsEmbedder()) as collection:
        ids = collection.add([f"text {n}" for n in range(500)])
        collection.delete(ids[:400])
        assert set(found(collection.search("text 450", k=500))) == set(ids[400:])
        assert len(collection.search("text 1", k=60)) == 60  # the removed do not take places
    with ff.Collection(tmp_path / "c", WordsEmbedder()) as collection:
        assert len(collection.index) == 100
        assert collection.verify() == []
