"""LangChain's own suite of a vector store, and what it does not ask.

Needs `langchain-tests`, and pytest-asyncio in its automatic mode.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("langchain_tests", reason="needs langchain-tests")

from langchain_core.documents import Document
from langchain_core.embeddings import DeterministicFakeEmbedding, Embeddings
from langchain_core.indexing import InMemoryRecordManager, index
from langchain_core.vectorstores import InMemoryVectorStore
from langchain_tests.integration_tests import VectorStoreIntegrationTests

from fastfunnel.integrations.langchain import FastFunnelVectorStore

TEXTS = [f"text {n}" for n in range(200)]
METADATAS = [{"n": n, "lang": "en" if n % 4 else "de"} for n in range(200)]
IDS = [f"id-{n}" for n in range(200)]
EMBEDDING = DeterministicFakeEmbedding(size=32)


class TestInMemory(VectorStoreIntegrationTests):
    @pytest.fixture
    def vectorstore(self) -> FastFunnelVectorStore:
        return FastFunnelVectorStore(self.get_embeddings())


class TestInADirectory(VectorStoreIntegrationTests):
    @pytest.fixture
    def vectorstore(self, tmp_path: Path) -> FastFunnelVectorStore:
        return FastFunnelVectorStore(self.get_embeddings(), tmp_path / "store")


@pytest.fixture
def store() -> FastFunnelVectorStore:
    return FastFunnelVectorStore.from_texts(TEXTS, EMBEDDING, METADATAS, ids=IDS)


@pytest.fixture
def peer() -> InMemoryVectorStore:
    """Return LangChain's own store of the same documents: exact, in NumPy."""
    made = InMemoryVectorStore(EMBEDDING)
    made.add_texts(TEXTS, METADATAS, ids=IDS)
    return made


def german(document: Document) -> bool:
    return document.metadata["lang"] == "de"


def same(found: list[tuple[Document, float]], expected: list[tuple[Document, float]]) -> None:
    assert [one for one, _ in found] == [one for one, _ in expected]
    np.testing.assert_allclose([s for _, s in found], [s for _, s in expected], atol=1e-6)


@pytest.mark.parametrize(
    "filter", [None, {"lang": "de"}, {"lang": {"$in": ["de"]}, "n": {"$gte": 0}}, german]
)
async def test_scores_are_those_of_langchains_own_store(
    store: FastFunnelVectorStore, peer: InMemoryVectorStore, filter: Any
) -> None:
    expected = peer.similarity_search_with_score("text 7", 12, filter=filter and german)
    assert len(expected) == 12
    options = {"filter": filter, "exact": True}
    same(store.similarity_search_with_score("text 7", 12, **options), expected)
    same(await store.asimilarity_search_with_score("text 7", 12, **options), expected)
    vector = EMBEDDING.embed_query("text 7")
    documents = [one for one, _ in expected]
    assert store.similarity_search_by_vector(vector, 12, **options) == documents
    assert await store.asimilarity_search_by_vector(vector, 12, **options) == documents
    assert store.similarity_search("text 7", 12, **options) == documents


@pytest.mark.parametrize("weight", [0.0, 0.4, 1.0])
async def test_marginal_relevance_is_that_of_langchains_own_store(
    store: FastFunnelVectorStore, peer: InMemoryVectorStore, weight: float
) -> None:
    asked = ("text 7", 5, 30, weight)
    expected = peer.max_marginal_relevance_search(*asked, filter=german)
    options = {"filter": {"lang": "de"}, "exact": True}
    assert store.max_marginal_relevance_search(*asked, **options) == expected
    assert await store.amax_marginal_relevance_search(*asked, **options) == expected
    vector = EMBEDDING.embed_query("text 7")
    by_vector = await store.amax_marginal_relevance_search_by_vector(vector, *asked[1:], **options)
    assert by_vector == expected


async def test_every_kind_of_retriever(store: FastFunnelVectorStore) -> None:
    retriever = store.as_retriever(search_kwargs={"k": 3, "filter": {"lang": "de"}})
    assert len(retriever.invoke("text 8")) == 3
    assert (await retriever.ainvoke("text 8"))[0].id == "id-8"

    options = {"k": 2, "fetch_k": 9, "lambda_mult": 0.1}
    retriever = store.as_retriever(search_type="mmr", search_kwargs=options)
    assert [len(retriever.invoke("text 8")), len(await retriever.ainvoke("text 8"))] == [2, 2]

    retriever = store.as_retriever(
        search_type="similarity_score_threshold", search_kwargs={"score_threshold": 0.999, "k": 5}
    )
    assert [one.id for one in retriever.invoke("text 8")] == ["id-8"]
    assert [one.id for one in await retriever.ainvoke("text 8")] == ["id-8"]
    scores = [score for _, score in store.similarity_search_with_relevance_scores("text 8", 200)]
    assert len(scores) == 200
    assert max(scores) == pytest.approx(1)
    assert min(scores) == 0


async def test_a_saved_store_opens_with_plain_files(
    store: FastFunnelVectorStore, tmp_path: Path
) -> None:
    folder = tmp_path / "saved"
    store.save_local(folder)
    assert not [one for one in folder.rglob("*") if one.suffix in (".pkl", ".pickle")]
    for one in folder.rglob("*.npy"):
        np.load(one, allow_pickle=False)
    again = FastFunnelVectorStore.load_local(folder, EMBEDDING)
    assert again.similarity_search("text 3", 5) == store.similarity_search("text 3", 5)
    await again.aadd_documents([Document("later", id="later")])
    again.documents.close()
    again = FastFunnelVectorStore.load_local(folder, EMBEDDING)
    assert [one.id for one in again.get_by_ids(["later", "id-1"])] == ["later", "id-1"]
    again.documents.close()
    with pytest.raises(FileNotFoundError, match="must hold a store"):
        FastFunnelVectorStore.load_local(tmp_path / "nowhere", EMBEDDING)


async def test_documents_come_and_go(tmp_path: Path) -> None:
    documents = [Document("a", id="a", metadata={"n": 1}), Document("b")]
    store = FastFunnelVectorStore.from_documents(documents, EMBEDDING, path=tmp_path / "s")
    async_store = await FastFunnelVectorStore.afrom_documents(documents, EMBEDDING)
    assert len(store.documents) == len(async_store.documents) == 2
    assert store.get_by_ids(["a"]) == await async_store.aget_by_ids(["a"]) == documents[:1]
    assert store.embeddings is EMBEDDING
    assert store.delete(["a", "nobody"])
    assert [one.page_content for one in store.similarity_search("a", 9)] == ["b"]
    assert store.delete()
    assert store.similarity_search("a", 9) == []
    store.documents.close()


def test_langchains_indexing_keeps_it_in_step() -> None:
    store = FastFunnelVectorStore(EMBEDDING)
    manager = InMemoryRecordManager("test")
    manager.create_schema()

    def indexed(*texts: str) -> dict[str, Any]:
        documents = [Document(text, metadata={"source": text[0]}) for text in texts]
        return dict(
            index(documents, manager, store, cleanup="full", source_id_key="source",
                  key_encoder="sha256")
        )  # fmt: skip

    assert indexed("a one", "b one")["num_added"] == 2
    assert indexed("a one", "b two") == {
        "num_added": 1, "num_updated": 0, "num_skipped": 1, "num_deleted": 1,
    }  # fmt: skip
    texts = {one.page_content for one in store.similarity_search("a", 9)}
    assert texts == {"a one", "b two"}


def test_bad_input_is_named_and_changes_nothing(store: FastFunnelVectorStore) -> None:
    with pytest.raises(TypeError, match="embedding must be"):
        FastFunnelVectorStore("text-embedding-3-small")
    with pytest.raises(TypeError, match="filter must be a dict or a function"):
        store.similarity_search("a", filter="lang = 'de'")
    with pytest.raises(ValueError, match="knows \\$eq"):
        store.similarity_search("a", filter={"n": {"$near": 1}})
    with pytest.raises(TypeError, match="fliter"):
        store.similarity_search("a", fliter={"n": 1})
    with pytest.raises(TypeError, match="JSON"):
        store.add_texts(["x"], [{"at": object()}])
    with pytest.raises(ValueError, match="unique"):
        store.add_texts(["x", "y"], ids=["x", "x"])
    with pytest.raises(ValueError, match="32 dims"):
        FastFunnelVectorStore.similarity_search_by_vector(store, [1.0, 2.0])
    assert len(store.documents) == 200


def test_metadata_comes_back_as_it_was(store: FastFunnelVectorStore) -> None:
    metadata = {"nested": {"list": [1, 2.5, None, True]}, "text": "naïve \N{SNOWMAN}"}
    store.add_documents([Document("x", id="x", metadata=json.loads(json.dumps(metadata)))])
    assert store.get_by_ids(["x"])[0].metadata == metadata
    assert isinstance(store.embeddings, Embeddings)
