"""The table of models, and the recipe from an answer to unit rows."""

from __future__ import annotations

import re

import numpy as np
import pytest

from fastfunnel.embedders import (
    EmbeddingError,
    Model2VecEmbedder,
    UntrainedDimWarning,
    embedder_for,
    known_models,
)
from fastfunnel.embedders.models import chosen_dim
from fastfunnel.embedders.recipe import unit_rows

CARDS = list(known_models().values())


@pytest.mark.parametrize("card", CARDS, ids=[card.name for card in CARDS])
def test_entries_make_sense(card) -> None:  # type: ignore[no-untyped-def]
    assert list(card.trained_dims) == sorted(set(card.trained_dims))
    assert card.trained_dims[-1] == card.dim
    assert card.matryoshka == (len(card.trained_dims) > 1)
    assert card.any_from is None or 1 <= card.any_from <= card.dim
    assert card.source.startswith("https://")
    facts = {"dim", "trained_dims", "any_from", "matryoshka", "layer_norm", "prefixes", "tasks"}
    assert {"dim"} <= set(card.checked) <= facts


def test_the_full_length_is_the_default() -> None:
    assert chosen_dim(known_models()["embed-v4.0"], None, strict=True) == 1536


@pytest.mark.parametrize(
    ("model", "dim", "concern"),
    [
        ("nomic-ai/nomic-embed-text-v1.5", 100, "was trained at 64, 128, 256, 512, 768 dims"),
        ("text-embedding-3-large", 100, "not at 100"),
        ("text-embedding-ada-002", 512, "not trained for prefixes: its first 512 dims are not"),
    ],
)
def test_untrained_lengths_warn_or_fail(model: str, dim: int, concern: str) -> None:
    card = known_models()[model]
    with pytest.warns(UntrainedDimWarning, match=re.escape(concern)):
        assert chosen_dim(card, dim, strict=False) == dim
    with pytest.raises(ValueError, match=re.escape(concern)):
        chosen_dim(card, dim, strict=True)


def test_lengths_that_the_provider_documents_pass() -> None:
    for model, dim in (("text-embedding-3-large", 1000), ("gemini-embedding-001", 129)):
        assert chosen_dim(known_models()[model], dim, strict=True) == dim


@pytest.mark.parametrize("dim", [0, -1, 1537])
def test_impossible_lengths_are_refused(dim: int) -> None:
    with pytest.raises(ValueError, match=f"from 1 to 1536 for embed-v4.0, got {dim}"):
        chosen_dim(known_models()["embed-v4.0"], dim, strict=False)
    with pytest.raises(TypeError, match="got float"):
        chosen_dim(known_models()["embed-v4.0"], 2.0, strict=False)  # type: ignore[arg-type]


def test_nomics_recipe_is_the_published_formula(rng: np.random.Generator) -> None:
    """layer_norm over all 768 dims, the first dims of that, unit length: the model card's code."""
    answer = rng.standard_normal((5, 768)) + 0.3
    mean = answer.mean(axis=1, keepdims=True)
    variance = ((answer - mean) ** 2).mean(axis=1, keepdims=True)
    formula = ((answer - mean) / np.sqrt(variance + 1e-5))[:, :256]
    formula /= np.linalg.norm(formula, axis=1, keepdims=True)
    rows = unit_rows(answer, 5, 256, model="m", full_dim=768, layer_norm=True)
    np.testing.assert_allclose(rows, formula, atol=1e-6)
    plain = unit_rows(answer, 5, 256, model="m", full_dim=768)
    assert np.abs(plain - rows).max() > 0.01  # leaving it out is another vector


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ([[1.0, 2.0]], "answered 1 by 2 numbers for 2 texts"),
        ([[1.0], [1.0, 2.0]], "not numbers of one length"),
        ([[1.0, 2.0], [1.0, float("nan")]], "nan, inf or nothing"),
        ([[1.0, 2.0], [1.0, None]], "nan, inf or nothing"),
        ([["a", "b"], ["c", "d"]], "not numbers of one length"),
        ([[1.0] * 3] * 2, "rows of 3 dims where 2 were asked for"),
        ([[1.0]] * 2, "rows of 1 dims where 2 were asked for"),
    ],
)
def test_answers_that_cannot_be_vectors(answer: list[list[float]], message: str) -> None:
    with pytest.raises(EmbeddingError, match=message):
        unit_rows(answer, 2, 2, model="m", full_dim=4)


def test_extreme_lengths_become_unit_rows() -> None:
    rows = unit_rows([[1e-100, 0.0], [3e150, 4e150]], 2, 2, model="m", full_dim=2)
    np.testing.assert_allclose(rows, [[1, 0], [0.6, 0.8]], atol=1e-6)


def test_unknown_and_missing_models() -> None:
    with pytest.raises(ValueError, match="names no model"):
        embedder_for(None, 256)
    with pytest.raises(ValueError, match="'my-model' is not in the table"):
        embedder_for("my-model", 256)


def test_texts_must_be_a_sequence_of_str() -> None:
    embedder = Model2VecEmbedder(_Static(), name="minishlab/potion-base-8M")
    with pytest.raises(TypeError, match="got one str"):
        embedder.encode_documents("text")
    with pytest.raises(TypeError, match="texts must hold str, got int"):
        embedder.encode_documents([1])  # type: ignore[list-item]


class _Static:
    dim = 256


def test_model2vec_with_a_real_model(rng: np.random.Generator) -> None:
    model2vec = pytest.importorskip("model2vec")
    tokenizers = pytest.importorskip("tokenizers")
    words = ["[UNK]", "a", "cup", "of", "tea"]
    table = rng.standard_normal((len(words), 16)).astype(np.float32)
    vocabulary = {word: place for place, word in enumerate(words)}
    level = tokenizers.models.WordLevel(vocabulary, unk_token="[UNK]")
    tokenizer = tokenizers.Tokenizer(level)
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    model = model2vec.StaticModel(table, tokenizer)
    with pytest.warns(UntrainedDimWarning, match="whether 8 dims suit it"):
        embedder = Model2VecEmbedder(model, 8, name="mine")
    mean = table[[2, 4]].astype(np.float64).mean(axis=0)[:8]
    rows = embedder.encode_documents(["cup tea", ""])
    np.testing.assert_allclose(rows[0], mean / np.linalg.norm(mean), atol=1e-6)
    assert not rows[1].any()
