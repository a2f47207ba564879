"""Haystack's own suites of a document store, and what they do not ask.

Needs pytest-asyncio in its automatic mode.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

pytest.importorskip("haystack.testing.document_store", reason="needs haystack-ai")

from haystack import Document, Pipeline
from haystack.dataclasses import ByteStream, SparseEmbedding
from haystack.document_stores.errors import DuplicateDocumentError
from haystack.document_stores.in_memory import InMemoryDocumentStore
from haystack.document_stores.types import DuplicatePolicy, FilterPolicy
from haystack.errors import FilterError
from haystack.testing import document_store_async as suites
from haystack.testing.document_store import DocumentStoreBaseExtendedTests
from haystack.utils.filters import document_matches_filter

from fastfunnel.integrations.haystack import FastFunnelDocumentStore, FastFunnelEmbeddingRetriever


def rounded(document: Document) -> Document:
    """Return a document with its embedding as float32, which is how it is kept."""
    if document.embedding is None:
        return document
    return replace(document, embedding=np.array(document.embedding, np.float32).tolist())


class Suites(
    DocumentStoreBaseExtendedTests,
    suites.CountDocumentsAsyncTest,
    suites.DeleteAllAsyncTest,
    suites.DeleteByFilterAsyncTest,
    suites.DeleteDocumentsAsyncTest,
    suites.FilterDocumentsAsyncTest,
    suites.UpdateByFilterAsyncTest,
    suites.WriteDocumentsAsyncTest,
):
    @staticmethod
    def assert_documents_are_equal(received: list[Document], expected: list[Document]) -> None:
        assert received == [rounded(one) for one in expected]

    def test_write_documents(self, document_store: FastFunnelDocumentStore) -> None:
        documents = [Document(id="1", content="a"), Document(id="2", content="b")]
        assert document_store.write_documents(documents) == 2
        with pytest.raises(DuplicateDocumentError):
            document_store.write_documents(documents[:1])

    async def test_write_documents_async(self, document_store: FastFunnelDocumentStore) -> None:
        documents = [Document(id="1", content="a"), Document(id="2", content="b")]
        assert await document_store.write_documents_async(documents) == 2
        with pytest.raises(DuplicateDocumentError):
            await document_store.write_documents_async(documents[:1])


class TestInMemory(Suites):
    @pytest.fixture
    def document_store(self) -> FastFunnelDocumentStore:
        return FastFunnelDocumentStore()


class TestInADirectory(Suites):
    @pytest.fixture
    def document_store(self, tmp_path: Path) -> FastFunnelDocumentStore:
        return FastFunnelDocumentStore(tmp_path / "store")


N, DIM = 200, 16
ROWS = np.random.default_rng(5).standard_normal((N, DIM)).astype(np.float32)
DOCUMENTS = [
    Document(
        id=f"d{n}",
        content=f"text {n}",
        meta={"n": n, "lang": "en" if n % 4 else "de", "by": {"name": f"name {n % 3}"}},
        embedding=ROWS[n].tolist(),
    )
    for n in range(N)
]
GERMAN = {"field": "meta.lang", "operator": "==", "value": "de"}
BY_ONE = {"field": "meta.by.name", "operator": "in", "value": ["name 1"]}
EITHER = {"operator": "OR", "conditions": [GERMAN, BY_ONE]}
NEITHER = {"operator": "NOT", "conditions": [EITHER]}


@pytest.fixture
def store() -> FastFunnelDocumentStore:
    made = FastFunnelDocumentStore()
    assert made.write_documents(DOCUMENTS) == N
    return made


@pytest.mark.parametrize("filters", [None, GERMAN, EITHER, NEITHER])
@pytest.mark.parametrize("scale_score", [False, True])
async def test_answers_are_those_of_haystacks_own_store(
    store: FastFunnelDocumentStore, filters: Any, scale_score: bool
) -> None:
    peer = InMemoryDocumentStore(embedding_similarity_function="cosine")
    peer.write_documents(DOCUMENTS)
    asked = ((ROWS[3] + ROWS[8]).tolist(), filters, 15, scale_score)
    expected = peer.embedding_retrieval(*asked)
    found = store.embedding_retrieval(*asked, exact=True)
    assert [replace(one, score=None) for one in found] == [
        replace(one, score=None) for one in expected
    ]
    np.testing.assert_allclose(
        [one.score for one in found], [one.score for one in expected], atol=1e-6
    )
    assert await store.embedding_retrieval_async(*asked, exact=True) == found


SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 2), st.sampled_from([0.5, 1.0, 2**70]),
    st.sampled_from(["", "a", "1", "2024", "2024-05-01", "2024-05-01T00:00:00", "é"]),
)  # fmt: skip
META = st.dictionaries(
    st.sampled_from(["a", "b", 'q"']),
    st.one_of(SCALARS, st.dictionaries(st.sampled_from(["a", "b"]), SCALARS, max_size=2)),
)
FIELDS = st.sampled_from(
    ["meta.a", "a", "meta.b.a", 'meta.q"', "content", "id", "embedding", "blob"]
)
LEAVES = st.one_of(
    st.fixed_dictionaries(
        {
            "field": FIELDS,
            "operator": st.sampled_from(["==", "!=", ">", ">=", "<", "<="]),
            "value": SCALARS,
        }
    ),
    st.fixed_dictionaries(
        {
            "field": FIELDS,
            "operator": st.sampled_from(["in", "not in"]),
            "value": st.lists(SCALARS, max_size=3),
        }
    ),
)
FILTERS = st.recursive(
    LEAVES,
    lambda inner: st.fixed_dictionaries(
        {
            "operator": st.sampled_from(["AND", "OR", "NOT"]),
            "conditions": st.lists(inner, max_size=3),
        }
    ),
    max_leaves=4,
)


@given(st.lists(META, min_size=1, max_size=4), FILTERS)
def test_filters_mean_what_haystack_says(metas: list[dict[str, Any]], filters: Any) -> None:
    documents = [
        Document(id=str(n), content="a" if n % 2 else None, meta=meta,
                 embedding=[1.0] if n % 3 else None) for n, meta in enumerate(metas)
    ]  # fmt: skip
    try:
        expected = [one for one in documents if document_matches_filter(filters, one)]
    except (FilterError, TypeError):  # it cannot compare these; narrowed down, it may not have to
        assume(False)
    store = FastFunnelDocumentStore()
    store.write_documents(documents)
    assert store.filter_documents(filters) == expected


def test_a_document_comes_back_as_it_was(tmp_path: Path) -> None:
    documents = [
        Document(
            content="naïve",
            meta={"content": "of meta", "id": 3, "list": [1, {"x": None}]},
            blob=ByteStream(b"\0\xff", meta={"a": 1}, mime_type="image/png"),
            score=0.5,
            embedding=[0.5, -1.0],
            sparse_embedding=SparseEmbedding([1, 5], [0.1, 0.2]),
        ),
        Document(content=None, blob=ByteStream(b"only")),
        Document(content="", meta={}),
    ]
    store = FastFunnelDocumentStore(tmp_path / "s")
    store.write_documents(documents)
    store.documents.close()
    again = FastFunnelDocumentStore(tmp_path / "s")
    assert again.filter_documents() == documents
    assert again.filter_documents({"field": "content", "operator": "==", "value": None}) == [
        documents[1]
    ]
    (hit,) = again.embedding_retrieval([0.5, -1.0], return_embedding=True)
    assert hit == replace(documents[0], score=hit.score)
    assert hit.score == pytest.approx(1)
    again.documents.close()


def test_policies_for_ids_that_come_twice(store: FastFunnelDocumentStore) -> None:
    twice = [Document(id="x", content="first"), Document(id="x", content="last")]
    with pytest.raises(DuplicateDocumentError, match="'x' twice"):
        store.write_documents(twice)
    with pytest.raises(DuplicateDocumentError, match="'d0'"):
        store.write_documents([Document(id="y", content="y"), DOCUMENTS[0]], DuplicatePolicy.FAIL)
    assert store.count_documents() == N
    assert store.write_documents([*twice, DOCUMENTS[1]], DuplicatePolicy.SKIP) == 1
    assert [one.text for one in store.documents.get(["x"])] == ["first"]
    assert store.write_documents(twice, DuplicatePolicy.OVERWRITE) == 2
    assert [one.text for one in store.documents.get(["x"])] == ["last"]


def test_metadata_that_changes_keeps_its_embedding(store: FastFunnelDocumentStore) -> None:
    assert store.update_by_filter(BY_ONE, {"lang": "fr"}) == len(range(1, N, 3))
    french = {"field": "meta.lang", "operator": "==", "value": "fr"}
    (hit,) = store.embedding_retrieval(ROWS[4].tolist(), french, top_k=1, return_embedding=True)
    assert hit.meta == {**DOCUMENTS[4].meta, "lang": "fr"}
    assert hit.embedding == DOCUMENTS[4].embedding
    with pytest.raises(TypeError, match="JSON"):
        store.update_by_filter(french, {"at": object()})


@pytest.mark.parametrize("made_again", [False, True], ids=["made", "loaded"])
async def test_a_pipeline_runs_and_is_yaml(tmp_path: Path, made_again: bool) -> None:
    store = FastFunnelDocumentStore(tmp_path / "store")
    store.write_documents(DOCUMENTS)
    retriever = FastFunnelEmbeddingRetriever(
        store, GERMAN, top_k=3, filter_policy=FilterPolicy.MERGE, exact=True
    )
    pipeline = Pipeline()
    pipeline.add_component("retriever", retriever)
    if made_again:
        store.documents.close()
        pipeline = Pipeline.loads(pipeline.dumps(), allowed_modules=["fastfunnel.*"])
        retriever = pipeline.get_component("retriever")
    asked = {"query_embedding": ROWS[5].tolist(), "filters": BY_ONE}
    found = pipeline.run({"retriever": asked})["retriever"]["documents"]
    assert [one.meta["lang"] for one in found] == ["de"] * 3
    assert {one.meta["by"]["name"] for one in found} == {"name 1"}
    assert all(one.embedding is None for one in found)
    assert (await retriever.run_async(**asked))["documents"] == found
    assert len(retriever.run(**asked, top_k=7)["documents"]) == 7
    assert FastFunnelEmbeddingRetriever.from_dict(retriever.to_dict()).top_k == 3
    retriever.document_store.documents.close()


def test_bad_input_is_named(store: FastFunnelDocumentStore) -> None:
    with pytest.raises(TypeError, match="must be a FastFunnelDocumentStore"):
        FastFunnelEmbeddingRetriever(InMemoryDocumentStore())
    with pytest.raises(ValueError, match="top_k must be at least 1"):
        FastFunnelEmbeddingRetriever(store, top_k=0)
    with pytest.raises(ValueError, match="16 dims"):
        store.write_documents([Document(content="x", embedding=[1.0])])
    with pytest.raises(ValueError, match="16 dims"):
        store.embedding_retrieval([1.0])
    nothing = {"field": "meta.n", "operator": "==", "value": -1}
    for wrong in (
        {"field": "meta.n", "operator": "in", "value": 1},
        {"field": "meta.n", "operator": "~", "value": 1},
        {"field": "meta.n", "operator": "=="},
        {"operator": "XOR", "conditions": [GERMAN]},
        {"operator": "AND", "conditions": [nothing, {"operator": "OR"}]},
    ):
        with pytest.raises(FilterError):
            store.filter_documents({"operator": "AND", "conditions": [nothing, wrong]})
    assert store.count_documents() == N
