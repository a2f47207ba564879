"""The vector store."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from llama_index.core.bridge.pydantic import PrivateAttr
from llama_index.core.indices.query.embedding_utils import get_top_k_mmr_embeddings
from llama_index.core.schema import BaseNode, MetadataMode
from llama_index.core.vector_stores.simple import DEFAULT_VECTOR_STORE, NAMESPACE_SEP
from llama_index.core.vector_stores.types import (
    DEFAULT_PERSIST_DIR,
    DEFAULT_PERSIST_FNAME,
    BasePydanticVectorStore,
    MetadataFilters,
    VectorStoreQuery,
    VectorStoreQueryMode,
    VectorStoreQueryResult,
)
from llama_index.core.vector_stores.utils import metadata_dict_to_node, node_to_metadata_dict

from fastfunnel.collection.where import Condition, all_of, compile_where, with_ids
from fastfunnel.integrations.documents import FILE_NAME, Found, VectorDocuments
from fastfunnel.integrations.llama_index.filters import compile_filters
from fastfunnel.integrations.threads import in_a_thread

PERSIST_PATH = os.path.join(DEFAULT_PERSIST_DIR, DEFAULT_PERSIST_FNAME)
MMR_PREFETCH = 4  # nearest nodes to choose from for each that is asked for


class FastFunnelVectorStore(BasePydanticVectorStore):
    """Nodes of LlamaIndex, searched by a fastfunnel index; similarities are cosines.

    Filters restrict the search itself, so that `similarity_top_k` answers come back wherever there
    are as many. Every FilterOperator is honoured, nested with AND, OR and NOT. Query modes: DEFAULT,
    MMR (`mmr_threshold` of the query or its options), TEXT_SEARCH (BM25, without similarities) and
    HYBRID (both rankings fused by reciprocal rank, which then is the similarity).

    Args:
        path: a directory in which every change is durable when it returns; made if it does not
            exist. None for memory, which `persist` writes.

    Raises:
        ValueError: the directory holds something else, or is damaged.
    """

    stores_text: bool = True
    path: str | None = None
    _documents: VectorDocuments = PrivateAttr()

    def __init__(self, path: str | os.PathLike[str] | None = None, **fields: Any) -> None:
        """Open the store, or make it."""
        super().__init__(path=None if path is None else os.fspath(path), **fields)
        self._documents = VectorDocuments(path)

    @classmethod
    def class_name(cls) -> str:
        """Return the name that LlamaIndex knows it by."""
        return "FastFunnelVectorStore"

    @classmethod
    def from_persist_path(
        cls, persist_path: str | os.PathLike[str], fs: Any = None
    ) -> FastFunnelVectorStore:
        """Open what `persist` wrote; later changes go there.

        Raises:
            ValueError: there is no store, it is damaged, or `fs` is not the local one.
        """
        _check_local(fs)
        if not (Path(persist_path) / FILE_NAME).is_file():
            raise ValueError(f"persist_path must hold a store, got {persist_path}")
        return cls(persist_path)

    @classmethod
    def from_persist_dir(
        cls,
        persist_dir: str = DEFAULT_PERSIST_DIR,
        namespace: str = DEFAULT_VECTOR_STORE,
        fs: Any = None,
    ) -> FastFunnelVectorStore:
        """Open what a StorageContext's `persist` wrote to a directory."""
        name = f"{namespace}{NAMESPACE_SEP}{DEFAULT_PERSIST_FNAME}"
        return cls.from_persist_path(os.path.join(persist_dir, name), fs)

    def persist(self, persist_path: str = PERSIST_PATH, fs: Any = None) -> None:
        """Write the store to a directory of this name, in place of one that is there.

        Raises:
            ValueError: it holds something else, or `fs` is not the local one.
            BlockingIOError: the store there is open to write.
        """
        _check_local(fs)
        self._documents.save(persist_path)

    @property
    def client(self) -> VectorDocuments:
        """The documents and their index."""
        return self._documents

    def add(self, nodes: Sequence[BaseNode], **_: Any) -> list[str]:
        """Add nodes that have embeddings in place of those with the same ids; return the ids."""
        return self._documents.put(
            [node.get_content(metadata_mode=MetadataMode.NONE) for node in nodes],
            [node.get_embedding() for node in nodes],
            [node_to_metadata_dict(node, remove_text=True) for node in nodes],
            [node.node_id for node in nodes],
        )

    def delete(self, ref_doc_id: str, **_: Any) -> None:
        """Remove the nodes of a document."""
        self._documents.clear(compile_where({"ref_doc_id": ref_doc_id}))

    def get_nodes(
        self, node_ids: list[str] | None = None, filters: MetadataFilters | None = None
    ) -> list[BaseNode]:
        """Return the nodes with these ids that the filters hold for, as they were added."""
        found = self._documents.select(_condition(node_ids, filters))
        return [_node(one, with_embedding=True) for one in found]

    def delete_nodes(
        self,
        node_ids: list[str] | None = None,
        filters: MetadataFilters | None = None,
        **_: Any,
    ) -> None:
        """Remove the nodes with these ids that the filters hold for.

        Raises:
            ValueError: neither is given; `clear` removes everything.
        """
        if node_ids is None and filters is None:
            raise ValueError("delete_nodes takes node_ids or filters; clear removes everything")
        self._documents.clear(_condition(node_ids, filters))

    def clear(self) -> None:
        """Remove everything."""
        self._documents.clear()

    def query(self, query: VectorStoreQuery, **options: Any) -> VectorStoreQueryResult:
        """Return the nodes for a query, best first.

        Raises:
            TypeError, ValueError: for a mode that is not known, a filter that cannot be, or a
                query without the embedding or the text that its mode needs.
        """
        # LlamaIndex's retriever says "any" with an empty list of ids.
        where = _condition(query.node_ids or None, query.filters, query.doc_ids or None)
        k = query.similarity_top_k
        if query.mode == VectorStoreQueryMode.DEFAULT:
            return _result(self._documents.search(_embedding(query), k, where))
        if query.mode == VectorStoreQueryMode.MMR:
            return self._apart(query, where, **options)
        if query.mode == VectorStoreQueryMode.TEXT_SEARCH:
            found = self._documents.matching(_text(query), k, where)
            return VectorStoreQueryResult(
                nodes=[_node(one) for one in found], ids=[one.document.id for one in found]
            )
        if query.mode == VectorStoreQueryMode.HYBRID:
            if query.alpha is not None:
                raise ValueError("alpha must be None: HYBRID fuses the rankings by reciprocal rank")
            k = query.hybrid_top_k or k
            return _result(self._documents.search(_embedding(query), k, where, words=_text(query)))
        raise ValueError(f"mode must be DEFAULT, MMR, TEXT_SEARCH or HYBRID, got {query.mode!r}")

    async_add = in_a_thread(add)
    adelete = in_a_thread(delete)
    adelete_nodes = in_a_thread(delete_nodes)
    aget_nodes = in_a_thread(get_nodes)
    aclear = in_a_thread(clear)
    aquery = in_a_thread(query)

    def _apart(
        self,
        query: VectorStoreQuery,
        where: Condition | None,
        mmr_threshold: float | None = None,
    ) -> VectorStoreQueryResult:
        vector, k = _embedding(query), query.similarity_top_k
        near = self._documents.search(vector, k * MMR_PREFETCH, where)
        threshold = query.mmr_threshold if mmr_threshold is None else mmr_threshold
        scores, places = get_top_k_mmr_embeddings(
            vector, [_listed(one) for one in near], similarity_top_k=k, mmr_threshold=threshold
        )
        result = _result([near[place] for place in places])
        result.similarities = scores
        return result


def _condition(
    node_ids: list[str] | None,
    filters: MetadataFilters | None,
    doc_ids: list[str] | None = None,
) -> Condition | None:
    parts = []
    if node_ids is not None:
        parts.append(with_ids(node_ids))
    if doc_ids is not None:
        parts.append(compile_where({"ref_doc_id": {"$in": doc_ids}}))
    if filters is not None:
        parts.append(compile_filters(filters))
    return all_of(parts) if parts else None


def _embedding(query: VectorStoreQuery) -> list[float]:
    if query.query_embedding is None:
        raise ValueError(f"query_embedding must be given for the mode {query.mode.name}")
    embedding: list[float] = query.query_embedding
    return embedding


def _text(query: VectorStoreQuery) -> str:
    if query.query_str is None:
        raise ValueError(f"query_str must be given for the mode {query.mode.name}")
    text: str = query.query_str
    return text


def _node(one: Found, *, with_embedding: bool = False) -> BaseNode:
    node = metadata_dict_to_node(json.loads(one.document.metadata), text=one.document.text)
    if with_embedding:
        node.embedding = _listed(one)
    return node


def _listed(one: Found) -> list[float]:
    return [] if one.vector is None else [float(value) for value in one.vector]


def _result(found: list[Found]) -> VectorStoreQueryResult:
    return VectorStoreQueryResult(
        nodes=[_node(one) for one in found],
        similarities=[one.score for one in found],
        ids=[one.document.id for one in found],
    )


def _check_local(fs: Any) -> None:
    if fs is not None and "file" not in fs.protocol:
        raise ValueError(f"fs must be None or the local file system, got {type(fs).__name__}")
