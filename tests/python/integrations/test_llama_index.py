"""LlamaIndex: its own index and retriever over the store, its own filters as the oracle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

pytest.importorskip("llama_index.core", reason="needs llama-index-core")

from llama_index.core import Document, StorageContext, VectorStoreIndex, load_index_from_storage
from llama_index.core.embeddings import MockEmbedding
from llama_index.core.schema import NodeRelationship, RelatedNodeInfo, TextNode
from llama_index.core.vector_stores import SimpleVectorStore
from llama_index.core.vector_stores.types import (
    FilterCondition,
    FilterOperator,
    MetadataFilter,
    MetadataFilters,
    VectorStoreQuery,
    VectorStoreQueryMode,
)
from llama_index.core.vector_stores.utils import build_metadata_filter_fn

from fastfunnel.integrations.llama_index import FastFunnelVectorStore

N, DIM = 120, 16
ROWS = np.random.default_rng(3).standard_normal((N, DIM)).astype(np.float32)
MODES = VectorStoreQueryMode


def node(place: int) -> TextNode:
    return TextNode(
        id_=f"n{place}",
        text=f"text {place} about {'cats' if place % 3 else 'dogs'}",
        metadata={
            "n": place,
            "lang": "en" if place % 4 else "de",
            "tags": ["all", f"t{place % 5}"],
        },
        embedding=ROWS[place].tolist(),
        relationships={NodeRelationship.SOURCE: RelatedNodeInfo(node_id=f"doc{place // 10}")},
    )


NODES = [node(place) for place in range(N)]
GERMAN = MetadataFilters(filters=[MetadataFilter(key="lang", value="de")])


@pytest.fixture(params=["memory", "directory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> FastFunnelVectorStore:
    path = tmp_path / "store" if request.param == "directory" else None
    made = FastFunnelVectorStore(path)
    assert made.add(NODES) == [one.node_id for one in NODES]
    return made


@pytest.fixture
def peer() -> SimpleVectorStore:
    """Return LlamaIndex's own store of the same nodes: exact, in NumPy."""
    made = SimpleVectorStore()
    made.add(NODES)
    return made


def asked(place: int = 7, **options: Any) -> VectorStoreQuery:
    return VectorStoreQuery(query_embedding=ROWS[place].tolist(), **options)


@pytest.mark.parametrize("filters", [None, GERMAN], ids=["all", "german"])
@pytest.mark.parametrize("node_ids", [None, [f"n{n}" for n in range(60)]], ids=["every", "some"])
async def test_answers_are_those_of_llama_indexs_own_store(
    store: FastFunnelVectorStore, peer: SimpleVectorStore, filters: Any, node_ids: Any
) -> None:
    query = asked(similarity_top_k=10, filters=filters, node_ids=node_ids)
    expected, found = peer.query(query), store.query(query)
    assert found.ids == expected.ids
    assert len(found.ids) == 10
    np.testing.assert_allclose(found.similarities, expected.similarities, atol=1e-6)
    assert [one.node_id for one in found.nodes] == found.ids
    assert (await store.aquery(query)).ids == found.ids


@pytest.mark.parametrize("threshold", [None, 0.3])
def test_mmr_is_that_of_llama_indexs_own_store(
    store: FastFunnelVectorStore, peer: SimpleVectorStore, threshold: float | None
) -> None:
    near_two = (ROWS[7] + ROWS[9]).tolist()
    query = VectorStoreQuery(near_two, similarity_top_k=N // 4, mode=MODES.MMR)  # of all
    expected = peer.query(query, mmr_threshold=threshold)
    found = store.query(query, mmr_threshold=threshold)
    assert found.ids == expected.ids
    np.testing.assert_allclose(found.similarities, expected.similarities, atol=1e-5)


def test_words_alone_and_with_vectors(store: FastFunnelVectorStore) -> None:
    query = asked(similarity_top_k=3, mode=MODES.TEXT_SEARCH, query_str="119")
    assert store.query(query).ids == ["n119"]
    query = asked(similarity_top_k=2, mode=MODES.HYBRID, query_str="119")
    assert set(store.query(query).ids) == {"n7", "n119"}
    query = asked(similarity_top_k=30, mode=MODES.HYBRID, query_str="dogs", filters=GERMAN)
    assert len(store.query(query).ids) == 30


async def test_nodes_come_and_go(store: FastFunnelVectorStore) -> None:
    assert store.get_nodes() == NODES
    assert store.get_nodes([]) == []
    assert await store.aget_nodes(["n5", "n4", "nobody"]) == NODES[4:6]
    assert store.get_nodes([f"n{n}" for n in range(8)], GERMAN) == [NODES[0], NODES[4]]

    store.delete("doc0")
    await store.adelete("doc1")
    assert store.get_nodes() == NODES[20:]
    store.delete_nodes(["n20", "n21"])
    store.delete_nodes([])
    await store.adelete_nodes(["n22", "n24"], GERMAN)
    store.delete_nodes(filters=MetadataFilters(filters=[MetadataFilter(key="n", value=25)]))
    assert [one.node_id for one in store.get_nodes()][:3] == ["n22", "n23", "n26"]

    changed = node(30)
    changed.set_content("changed")
    assert await store.async_add([changed, NODES[0]]) == ["n30", "n0"]
    assert store.get_nodes(["n30"]) == [changed]
    assert store.query(asked(0)).ids == ["n0"]
    await store.aclear()
    assert store.get_nodes() == []
    assert store.query(asked(similarity_top_k=3)).ids == []
    store.add(NODES[:2])
    store.clear()
    assert len(store.client) == 0


def test_doc_ids_restrict_a_query(store: FastFunnelVectorStore) -> None:
    found = store.query(asked(similarity_top_k=50, doc_ids=["doc3", "doc5"]))
    assert sorted(found.ids) == sorted(f"n{n}" for n in [*range(30, 40), *range(50, 60)])


TEXT = st.sampled_from(["", "a", "b", "ab", "É", "é x", "1"])
NUMBER = st.one_of(st.integers(-2, 2), st.sampled_from([0.5, -1.5]))
OPERATOR = FilterOperator
ORDERS = [OPERATOR.GT, OPERATOR.GTE, OPERATOR.LT, OPERATOR.LTE]
VALUES = {
    **dict.fromkeys([OPERATOR.EQ, OPERATOR.NE, OPERATOR.CONTAINS], st.one_of(TEXT, NUMBER)),
    **dict.fromkeys(ORDERS, st.one_of(TEXT, NUMBER)),
    **dict.fromkeys(
        [OPERATOR.IN, OPERATOR.NIN, OPERATOR.ANY, OPERATOR.ALL],
        st.one_of(st.lists(TEXT, max_size=3), st.lists(st.integers(-2, 2), max_size=3)),
    ),
    **dict.fromkeys([OPERATOR.TEXT_MATCH, OPERATOR.TEXT_MATCH_INSENSITIVE], TEXT),
    OPERATOR.IS_EMPTY: st.none(),
}
KEYS = st.sampled_from(["a", "b", "c.d"])
METADATA = st.dictionaries(
    KEYS, st.one_of(TEXT, NUMBER, st.booleans(), st.none(), st.lists(TEXT, max_size=2),
                    st.lists(st.integers(-2, 2), max_size=2)))  # fmt: skip


@st.composite
def single(draw: st.DrawFn) -> MetadataFilter:
    operator = draw(st.sampled_from(list(OPERATOR)))
    return MetadataFilter(key=draw(KEYS), value=draw(VALUES[operator]), operator=operator)


CONDITIONS = st.sampled_from(list(FilterCondition))
FLAT = st.builds(MetadataFilters, filters=st.lists(single(), max_size=3), condition=CONDITIONS)
NESTED = st.builds(
    MetadataFilters,
    filters=st.lists(st.one_of(single(), FLAT), min_size=1, max_size=3),
    condition=CONDITIONS,
)


def holds(filters: MetadataFilters | MetadataFilter, metadata: dict[str, Any]) -> bool:
    """Return what LlamaIndex says, of nested filters, which it does not take, what it would."""
    if isinstance(filters, MetadataFilter):
        if filters.operator in ORDERS and isinstance(metadata.get(filters.key), bool):
            return False  # Python orders bools among numbers, and nobody means it
        filters = MetadataFilters(filters=[filters])
        return build_metadata_filter_fn(lambda _: metadata, filters)("")
    if not filters.filters:
        return True
    parts = [holds(one, metadata) for one in filters.filters]
    if filters.condition == FilterCondition.AND:
        return all(parts)
    return any(parts) == (filters.condition == FilterCondition.OR)


@given(st.lists(METADATA, min_size=1, max_size=4), st.one_of(FLAT, NESTED))
def test_filters_mean_what_llama_index_says(
    metadatas: list[dict[str, Any]], filters: MetadataFilters
) -> None:
    try:
        expected = [str(n) for n, one in enumerate(metadatas) if holds(filters, one)]
    except TypeError:  # it cannot compare a text with a number: here that does not hold
        assume(False)
    store = FastFunnelVectorStore()
    store.add(
        [TextNode(id_=str(n), text="", metadata=one, embedding=[1.0]) for n, one in
         enumerate(metadatas)]
    )  # fmt: skip
    assert [one.node_id for one in store.get_nodes(filters=filters)] == expected


def test_an_index_and_its_retriever_work_end_to_end(tmp_path: Path) -> None:
    model = MockEmbedding(embed_dim=8)
    documents = [Document(text=f"document {n}", id_=f"d{n}", metadata={"n": n}) for n in range(6)]
    store = FastFunnelVectorStore()
    context = StorageContext.from_defaults(vector_store=store)
    index = VectorStoreIndex.from_documents(documents, storage_context=context, embed_model=model)
    filters = MetadataFilters(
        filters=[MetadataFilter(key="n", value=[2, 4], operator=FilterOperator.IN)]
    )
    found = index.as_retriever(similarity_top_k=9, filters=filters).retrieve("what?")
    assert {one.text for one in found} == {"document 2", "document 4"}
    assert [one.score for one in found] == pytest.approx([1, 1])
    index.delete_ref_doc("d2")
    assert len(index.as_retriever(similarity_top_k=9).retrieve("what?")) == 5

    context.persist(tmp_path)
    context.persist(tmp_path)  # in its place
    again = FastFunnelVectorStore.from_persist_dir(str(tmp_path))
    context = StorageContext.from_defaults(vector_store=again, persist_dir=str(tmp_path))
    loaded = load_index_from_storage(context, embed_model=model)
    assert len(loaded.as_retriever(similarity_top_k=9).retrieve("what?")) == 5
    over = VectorStoreIndex.from_vector_store(again, embed_model=model)
    mmr = over.as_retriever(similarity_top_k=2, vector_store_query_mode="mmr")
    assert len(mmr.retrieve("what?")) == 2
    again.client.close()


def test_what_cannot_be_is_named(store: FastFunnelVectorStore, tmp_path: Path) -> None:
    for query, message in [
        (asked(mode=MODES.SVM), "DEFAULT, MMR, TEXT_SEARCH or HYBRID"),
        (VectorStoreQuery(), "query_embedding must be given for the mode DEFAULT"),
        (asked(mode=MODES.HYBRID), "query_str must be given"),
        (asked(mode=MODES.HYBRID, query_str="x", alpha=0.5), "alpha must be None"),
        (asked(similarity_top_k=0), "k must be at least 1"),
    ]:
        with pytest.raises(ValueError, match=message):
            store.query(query)
    for value, operator, message in [
        ("x", FilterOperator.IN, "must have a list"),
        (1, FilterOperator.TEXT_MATCH, "a text to look for"),
        (None, FilterOperator.GT, "a number or text"),
    ]:
        wrong = MetadataFilters(filters=[MetadataFilter(key="a", value=value, operator=operator)])
        with pytest.raises(TypeError, match=message):
            store.query(asked(filters=wrong))
    with pytest.raises(ValueError, match="clear removes everything"):
        store.delete_nodes()
    with pytest.raises(ValueError, match="must hold a store"):
        FastFunnelVectorStore.from_persist_dir(str(tmp_path / "nowhere"))
    with pytest.raises(ValueError, match="embedding not set"):
        store.add([TextNode(text="x")])
    assert store.get_nodes() == NODES


def test_remote_file_systems_are_refused(store: FastFunnelVectorStore, tmp_path: Path) -> None:
    fsspec = pytest.importorskip("fsspec")
    with pytest.raises(ValueError, match="local file system"):
        store.persist("there", fs=fsspec.filesystem("memory"))
    store.persist(str(tmp_path / "copy"), fs=fsspec.filesystem("file"))
    copy = FastFunnelVectorStore.from_persist_path(tmp_path / "copy")
    assert copy.get_nodes() == NODES
    copy.client.close()
