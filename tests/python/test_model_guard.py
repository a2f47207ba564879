"""Vectors of different models, or of one used differently, never meet in one collection or index."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from loopback import Loopback, serving
from words_embedder import WordsEmbedder

import fastfunnel as ff
from fastfunnel import embedders
from fastfunnel.demo.library import Library
from fastfunnel.embedders import Embedder, known_models

TEXTS = ["a cup of tea", "a slow parcel"]
WHY = "embeddings of different models do not mix, whatever their scores say"


class PrefixedEmbedder(WordsEmbedder):
    """The same model, told apart by its recipe alone."""

    def __init__(self, prefix: str) -> None:
        super().__init__()
        self.recipe = {"document_prefix": prefix, "layer_norm": False}


def refused(difference: str, holder: str = "the collection") -> Any:
    message = re.escape(f"{holder} holds {difference}: {WHY}")
    return pytest.raises(ff.ModelMismatchError, match=f"^{message}$")


@pytest.fixture
def server() -> Iterator[Loopback]:
    with serving() as loopback:
        yield loopback


def openai(server: Loopback, model: str, dim: int) -> Embedder:
    pytest.importorskip("openai")
    return embedders.OpenAIEmbedder(model, dim, api_key="k", base_url=f"{server.url}/v1")


def voyage(server: Loopback, output_type: Any) -> Embedder:
    pytest.importorskip("voyageai")
    url = f"{server.url}/voyage"
    return embedders.VoyageEmbedder(
        "voyage-3.5", 256, output_type=output_type, api_key="k", base_url=url
    )


def test_wordllama_at_two_lengths(tmp_path: Path) -> None:
    pytest.importorskip("wordllama")
    with ff.Collection(tmp_path / "c", embedders.WordLlamaEmbedder(64)) as collection:
        collection.add(TEXTS)
    difference = "vectors of 'wordllama-l2-supercat' at 64 dims, not 128"
    with refused(difference):
        ff.Collection(tmp_path / "c", embedders.WordLlamaEmbedder(128))
    with refused(difference):
        ff.Collection(tmp_path / "c", dim=128)
    with ff.Collection(tmp_path / "c") as collection:
        assert collection.embedder.dim == 64
        assert collection.search("tea", k=1)[0].text == TEXTS[0]
        collection.embedder = embedders.WordLlamaEmbedder(128)  # behind its back
        with refused(difference, "the index"):
            collection.add(["more tea"])
        with refused(difference, "the index"):
            collection.search("tea")


def test_a_static_model_and_a_service_of_the_same_length(tmp_path: Path, server: Loopback) -> None:
    model2vec = pytest.importorskip("model2vec")
    tokenizers = pytest.importorskip("tokenizers")
    words = {word: place for place, word in enumerate(["[UNK]", "a", "cup", "of", "tea"])}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel(words, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    table = np.random.default_rng(0).standard_normal((len(words), 32)).astype(np.float32)
    static = embedders.Model2VecEmbedder(model2vec.StaticModel(table, tokenizer), name="static")
    with ff.Collection(tmp_path / "c", static) as collection:
        collection.add(TEXTS)
    with refused("vectors of 'static', not 'served'"):
        ff.Collection(tmp_path / "c", openai(server, "served", 32))
    with ff.Collection(tmp_path / "c", static) as collection:
        assert collection.search("tea", k=1)[0].text == TEXTS[0]
    assert server.requests == []


def test_a_service_at_two_lengths(tmp_path: Path, server: Loopback) -> None:
    with ff.Collection(tmp_path / "c", openai(server, "text-embedding-3-small", 512)) as collection:
        collection.add(TEXTS)
    asked = len(server.requests)
    with refused("vectors of 'text-embedding-3-small' at 512 dims, not 1536"):
        ff.Collection(tmp_path / "c", openai(server, "text-embedding-3-small", 1536))
    assert len(server.requests) == asked


def test_documents_sent_as_another_type(tmp_path: Path, server: Loopback) -> None:
    ff.Collection(tmp_path / "c", voyage(server, "int8")).close()
    with refused("vectors of 'voyage-3.5' with output_type 'int8', not 'float'"):
        ff.Collection(tmp_path / "c", voyage(server, "float"))


def test_another_prefix_is_refused_and_what_is_not_said_is_not(tmp_path: Path) -> None:
    ff.Collection(tmp_path / "c", PrefixedEmbedder("passage: ")).close()
    with refused("vectors of 'words' with document_prefix 'passage: ', not ''"):
        ff.Collection(tmp_path / "c", PrefixedEmbedder(""))
    ff.Collection(tmp_path / "c", WordsEmbedder()).close()  # says nothing of prefixes
    assert ff.open(tmp_path / "c" / "index").made_by == ff.Model.of(PrefixedEmbedder("passage: "))


def test_a_collection_from_before_there_were_recipes(tmp_path: Path) -> None:
    ff.Collection(tmp_path / "c", PrefixedEmbedder("a")).close()
    note(tmp_path / "c", "DELETE FROM about WHERE key = 'recipe'")
    with ff.Collection(tmp_path / "c", PrefixedEmbedder("b")) as collection:
        collection.add(TEXTS)
        assert collection.verify() == []


@pytest.mark.parametrize("recipe", ["{", "7", "[]", '{"a": ["b"]}'])
def test_a_damaged_recipe_is_named(tmp_path: Path, recipe: str) -> None:
    ff.Collection(tmp_path / "c", PrefixedEmbedder("a")).close()
    note(tmp_path / "c", f"UPDATE about SET value = '{recipe}' WHERE key = 'recipe'")
    with pytest.raises(ValueError, match="is damaged: its recipe is none"):
        ff.Collection(tmp_path / "c", PrefixedEmbedder("a"))


def note(directory: Path, statement: str) -> None:
    connection = sqlite3.connect(directory / "collection.sqlite")
    with connection:
        connection.execute(statement)
    connection.close()


def test_the_command_line_asks_no_index_of_another_recipe(tmp_path: Path) -> None:
    pytest.importorskip("wordllama")
    embedder = embedders.WordLlamaEmbedder()
    index = ff.Index(256, model=embedder)
    index.add(embedder.encode_documents(TEXTS))
    index.save(tmp_path / "index")
    assert Library.open(tmp_path / "index").search("tea", k=1)[0].id == 0
    index = ff.Index(128, model=ff.Model(embedder.model, 256))
    index.add(np.eye(128, dtype=np.float32))
    index.save(tmp_path / "cut")
    with refused(f"vectors of '{embedder.model}' at 256 dims, not 128", "the index"):
        Library.open(tmp_path / "cut")


@pytest.mark.parametrize("name", ["text-embedding-3-large", "gemini-embedding-2", "embed-v4.0"])
def test_every_embedder_says_its_recipe(name: str) -> None:
    card = known_models()[name]
    kind = {"openai": "OpenAIEmbedder", "gemini": "GeminiEmbedder", "cohere": "CohereEmbedder"}
    pytest.importorskip("google.genai" if card.provider == "gemini" else card.provider)
    made = getattr(embedders, kind[card.provider])(name, client=object())
    model = ff.Model.of(made)
    assert (model.name, model.dim) == (name, card.dim)
    assert model.recipe["query_prefix"] == card.queries.prefix
    assert model.recipe["document_prefix"] == card.documents.prefix
    assert model.recipe["query_task"] == card.queries.task
    assert model.recipe["layer_norm"] is False
