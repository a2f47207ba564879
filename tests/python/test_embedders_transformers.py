"""sentence-transformers with small real models built here: random weights, the real library."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fastfunnel.embedders import (
    EmbeddingError,
    SentenceTransformerEmbedder,
    UntrainedDimWarning,
    known_models,
)

library = pytest.importorskip("sentence_transformers", reason="needs sentence-transformers, torch")
modules = pytest.importorskip("sentence_transformers.sentence_transformer.modules")
tokenizers = pytest.importorskip("tokenizers")

WORDS = "[UNK] [PAD] a cup of tea with milk search_query search_document : represent query".split()  # noqa: SIM905
NOMIC = "nomic-ai/nomic-embed-text-v1.5"
TEXTS = ["a cup of tea", "milk"]


def built(dim: int, *, normalize: bool = False, **options: Any) -> Any:
    """Return a SentenceTransformer whose vector is the mean of random word vectors."""
    vocabulary = {word: place for place, word in enumerate(WORDS)}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token="[UNK]"))
    split = [tokenizers.pre_tokenizers.WhitespaceSplit()]
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Sequence(split)
    table = np.random.default_rng(0).standard_normal((len(WORDS), dim)).astype(np.float32) + 0.5
    chain = [modules.StaticEmbedding(tokenizer, embedding_weights=table)]
    if normalize:
        chain.append(modules.Normalize())
    model = library.SentenceTransformer(modules=chain, device="cpu", **options)
    model.table = dict(zip(WORDS, table.astype(np.float64), strict=True))
    return model


def mean_of(model: Any, text: str) -> np.ndarray:
    return np.mean([model.table.get(word, model.table["[UNK]"]) for word in text.split()], axis=0)


def unit(rows: list[np.ndarray]) -> np.ndarray:
    stacked = np.stack(rows)
    return stacked / np.linalg.norm(stacked, axis=1, keepdims=True)


@pytest.mark.parametrize("normalize", [False, True])
def test_a_prefix_is_normalised_after_it_is_cut(normalize: bool) -> None:
    model = built(64, normalize=normalize, truncate_dim=8)  # set by its makers, to be ignored
    with pytest.warns(UntrainedDimWarning, match="not in the table"):
        embedder = SentenceTransformerEmbedder(model, 16, name="mine")
    rows = embedder.encode_documents([TEXTS[0], "", TEXTS[1]])
    expected = unit([mean_of(model, text)[:16] for text in TEXTS])
    np.testing.assert_allclose(rows[[0, 2]], expected, atol=1e-6)
    assert not rows[1].any()


def test_nomic_gets_its_prefixes_and_its_layer_norm() -> None:
    torch = pytest.importorskip("torch")
    model = built(768)
    embedder = SentenceTransformerEmbedder(model, 256, name=NOMIC, strict=True)
    assert embedder.trained_dims == (64, 128, 256)
    for encode, prefix in (
        (embedder.encode_documents, "search_document: "),
        (embedder.encode_queries, "search_query: "),
    ):
        full = torch.tensor(np.stack([mean_of(model, prefix + text) for text in TEXTS]))
        # The model card's four lines.
        card = torch.nn.functional.layer_norm(full, normalized_shape=(full.shape[1],))
        card = torch.nn.functional.normalize(card[:, :256], p=2, dim=1)
        np.testing.assert_allclose(encode(TEXTS), card.numpy(), atol=1e-6)


def test_a_model_outside_the_table_uses_its_own_prompts() -> None:
    model = built(32, prompts={"query": "represent query ", "document": ""})
    embedder = SentenceTransformerEmbedder(model, name="mine")
    queries = embedder.encode_queries(["tea"])
    documents = embedder.encode_documents(["tea"])
    np.testing.assert_allclose(queries, unit([mean_of(model, "represent query tea")]), atol=1e-6)
    np.testing.assert_allclose(documents, unit([mean_of(model, "tea")]), atol=1e-6)
    assert embedder.recipe["query_prompt"] == "represent query "
    assert embedder.recipe["document_prompt"] is None


def test_the_tables_prefix_replaces_a_default_prompt() -> None:
    prompts = {"query": "represent query ", "document": "milk "}
    model = built(1024, prompts=prompts, default_prompt_name="query")
    name = "mixedbread-ai/mxbai-embed-large-v1"
    embedder = SentenceTransformerEmbedder(model, 512, name=name)
    prefix = known_models()[name].queries.prefix
    expected = unit([mean_of(model, prefix + "tea")[:512]])
    np.testing.assert_allclose(embedder.encode_queries(["tea"]), expected, atol=1e-6)
    plain = unit([mean_of(model, "tea")[:512]])
    np.testing.assert_allclose(embedder.encode_documents(["tea"]), plain, atol=1e-6)


def test_a_saved_model_loads_by_its_directory(tmp_path: Path) -> None:
    built(32).save(str(tmp_path / "model"))
    embedder = SentenceTransformerEmbedder(str(tmp_path / "model"), device="cpu")
    assert embedder.dim == 32
    assert embedder.encode_queries(["tea"]).shape == (1, 32)


def test_wrong_lengths_and_missing_models(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="from 1 to 32 for mine, got 64"):
        SentenceTransformerEmbedder(built(32), 64, name="mine")
    with pytest.raises(EmbeddingError, match="rows of 32 dims where"):
        SentenceTransformerEmbedder(built(32), 256, name=NOMIC).encode_queries(["tea"])
    with pytest.raises(EmbeddingError, match="sentence_transformers: "):
        SentenceTransformerEmbedder(str(tmp_path / "absent"), local_files_only=True)
