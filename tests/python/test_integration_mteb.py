"""MTEB runs a task of this repository's words through our backend and through its own."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import fastfunnel as ff

datasets = pytest.importorskip("datasets")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    mteb = pytest.importorskip("mteb")

from mteb.abstasks.retrieval import AbsTaskRetrieval
from mteb.models import SearchEncoderWrapper
from mteb.models.abs_encoder import AbsEncoder
from mteb.models.model_meta import ModelMeta, ScoringFunction
from mteb.models.search_encoder_index.search_indexes.faiss_search_index import (
    FaissSearchIndex,
)

from fastfunnel.integrations.mteb import FastFunnelSearchIndex

pytestmark = pytest.mark.filterwarnings("ignore")  # MTEB's and its libraries' own
WORDS = [f"{a}{b}{c}" for a in "bdfg" for b in "aeiou" for c in "klmnrst"]


class WordVectors(AbsEncoder):
    """A text is the sum of the random vectors of its words."""

    def __init__(self, similarity: ScoringFunction, as_torch: bool = False) -> None:
        self.mteb_model_meta = ModelMeta.create_empty(
            {"name": "local/words", "similarity_fn_name": similarity, "revision": "1"}
        )
        table = np.random.default_rng(0).standard_normal((len(WORDS), 48)).astype(np.float32)
        self._vectors = dict(zip(WORDS, table, strict=True))
        self._as_torch = as_torch

    def encode(self, inputs: Any, **options: Any) -> Any:
        texts = [text for batch in inputs for text in batch["text"]]
        rows = np.stack([sum(self._vectors[word] for word in text.split()) for text in texts])
        if self._as_torch:
            import torch

            return torch.tensor(rows)
        return rows


class WordTask(AbsTaskRetrieval):
    """The query of a document has half of its words."""

    metadata = mteb.TaskMetadata(
        name="Words", description="words", reference=None, type="Retrieval", category="t2t",
        modalities=["text"], eval_splits=["test"], eval_langs=["eng-Latn"], main_score="ndcg_at_10",
        dataset={"path": "local/words", "revision": "1"}, date=None, domains=None,
        task_subtypes=None, license=None, annotations_creators=None, dialect=None,
        sample_creation=None, bibtex_citation=None,
    )  # fmt: skip
    rerank = False

    def load_data(self, *args: Any, **options: Any) -> None:
        rng = np.random.default_rng(3)
        documents = [list(rng.choice(WORDS, 6, replace=False)) for _ in range(1500)]
        queries = {f"q{i}": " ".join([*documents[i][:3], *rng.choice(WORDS, 3)]) for i in range(60)}
        self.corpus = {"test": {f"d{i}": " ".join(words) for i, words in enumerate(documents)}}
        self.queries = {"test": queries}
        self.relevant_docs = {"test": {f"q{i}": {f"d{i}": 1} for i in range(60)}}
        if self.rerank:
            self.top_ranked = {
                "test": {f"q{i}": [f"d{(i + 7 * j) % 200}" for j in range(50)] for i in range(60)}
            }
        self.data_loaded = True


class RerankTask(WordTask):
    rerank = True


def evaluated(task: type[WordTask], model: WordVectors, backend: Any) -> dict[str, float]:
    wrapped = SearchEncoderWrapper(model, index_backend=backend)
    scores = task().evaluate(wrapped, "test", encode_kwargs={"batch_size": 64})["default"]
    return {name: value for name, value in scores.items() if isinstance(value, float)}


@pytest.mark.parametrize(
    ("similarity", "task", "as_torch"),
    [
        ("COSINE", WordTask, True),
        ("DOT_PRODUCT", WordTask, False),
        ("EUCLIDEAN", WordTask, False),
        ("COSINE", RerankTask, False),
        ("EUCLIDEAN", RerankTask, True),
    ],
)
def test_exact_search_has_the_scores_of_faiss(
    similarity: str, task: type[WordTask], as_torch: bool
) -> None:
    pytest.importorskip("faiss")
    model = WordVectors(ScoringFunction[similarity], as_torch)

    ours = evaluated(task, model, FastFunnelSearchIndex(model, exact=True))
    theirs = evaluated(task, model, FaissSearchIndex(model))

    assert len(ours) > 20
    assert 0.2 < ours["ndcg_at_10"] < 1
    assert ours == pytest.approx(theirs, abs=1e-4, nan_ok=True)


def test_a_funnel_is_as_good_as_no_backend() -> None:
    model = WordVectors(ScoringFunction.COSINE)

    ours = evaluated(WordTask, model, FastFunnelSearchIndex(model))
    plain = evaluated(WordTask, model, None)

    assert ours["ndcg_at_10"] == pytest.approx(plain["ndcg_at_10"], abs=0.01)


def test_places_and_scores_are_those_of_the_documents() -> None:
    model = WordVectors(ScoringFunction.EUCLIDEAN)
    backend = FastFunnelSearchIndex(model, exact=True)
    rows = np.random.default_rng(1).standard_normal((30, 5)).astype(np.float32)
    backend.add_documents(rows[:20], [f"d{i}" for i in range(20)])
    backend.add_documents(rows[20:], [f"d{i}" for i in range(20, 30)])

    scores, places = backend.search(rows[25:26], 99, model.similarity)
    np.testing.assert_allclose(
        scores[0], -np.sort(np.linalg.norm(rows - rows[25], axis=1)), atol=1e-6
    )
    assert (len(places[0]), places[0][0]) == (30, 25)
    ranked = {"q": ["d3", "d25", "d7"], "none": []}
    scores, places = backend.search(
        rows[[25, 25]], 2, model.similarity, ranked, {0: "q", 1: "none"}
    )
    assert (places[0][0], len(places[0]), places[1]) == (1, 2, [])
    backend.clear()
    with pytest.raises(ValueError, match="documents must be added"):
        backend.search(rows[:1], 1, model.similarity)


def test_what_it_cannot_do_is_said() -> None:
    with pytest.raises(ValueError, match="cosine, dot, euclidean, got 'manhattan'"):
        FastFunnelSearchIndex(WordVectors(ScoringFunction.MANHATTAN))
    backend = FastFunnelSearchIndex(
        WordVectors(ScoringFunction.COSINE), funnel=ff.Funnel.parse("f32@4")
    )
    with pytest.raises(ValueError, match="idxs must be 2"):
        backend.add_documents(np.ones((2, 4), np.float32), ["a"])
    backend.add_documents(np.ones((1, 4), np.float32), ["a"])
    with pytest.raises(ValueError, match="query_idx_to_id"):
        backend.search(np.ones((1, 4), np.float32), 1, None, {"q": ["a"]})  # type: ignore[arg-type]
