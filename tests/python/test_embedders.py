"""Text to vectors: what an embedder promises, kept by WordLlama."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from fastfunnel.embedders import Embedder, embedder_for
from fastfunnel.embedders.wordllama import WordLlamaEmbedder


@pytest.fixture(scope="module")
def embedder() -> WordLlamaEmbedder:
    pytest.importorskip("wordllama")
    return WordLlamaEmbedder()


def test_rows_are_unit_float32_in_the_order_of_the_texts(embedder: WordLlamaEmbedder) -> None:
    assert isinstance(embedder, Embedder)
    texts = [f"{'a rather long text about tea ' * (n % 5)} number {n}" for n in range(2500)]
    batches: list[int] = []
    rows = embedder.encode_documents(texts, batches.append)
    assert rows.shape == (2500, embedder.dim)
    assert rows.dtype == np.float32
    assert sum(batches) == 2500
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    chosen = [7, 1234, 2499]
    alone = embedder.encode_queries([texts[row] for row in chosen])
    np.testing.assert_allclose(rows[chosen], alone, atol=1e-5)


def test_a_smaller_dim_is_a_renormalised_prefix(embedder: WordLlamaEmbedder) -> None:
    small = WordLlamaEmbedder(64)
    assert (small.trained_dims, embedder.trained_dims) == ((64,), (64, 128, 256))
    prefix = embedder.encode_queries(["a cup of tea"])[:, :64]
    prefix /= np.linalg.norm(prefix)
    np.testing.assert_allclose(small.encode_queries(["a cup of tea"]), prefix, atol=1e-5)


def test_no_text_and_empty_text(embedder: WordLlamaEmbedder) -> None:
    assert embedder.encode_documents([]).shape == (0, 256)
    np.testing.assert_array_equal(embedder.encode_documents([""]), np.zeros((1, 256)))


def test_untrained_dims_are_refused() -> None:
    with pytest.raises(ValueError, match="not at 100"):
        WordLlamaEmbedder(100)


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "wordllama", None)
    with pytest.raises(ImportError, match=r"pip install 'fastfunnel\[demo\]'"):
        WordLlamaEmbedder()


def test_the_index_model_finds_its_embedder(embedder: WordLlamaEmbedder) -> None:
    found = embedder_for(embedder.model, 128)
    assert (found.model, found.dim) == (embedder.model, 128)
