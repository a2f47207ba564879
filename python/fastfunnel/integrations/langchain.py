"""LangChain: a vector store that answers by the funnel."""

from __future__ import annotations

import asyncio
import json
import os
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fastfunnel.collection import store
from fastfunnel.collection.where import Condition, compile_where
from fastfunnel.integrations.documents import FILE_NAME, Found, Keep, VectorDocuments
from fastfunnel.integrations.missing import not_installed

try:
    from langchain_core.documents import Document
    from langchain_core.embeddings import Embeddings
    from langchain_core.vectorstores import VectorStore
    from langchain_core.vectorstores.utils import maximal_marginal_relevance
except ModuleNotFoundError as error:
    raise not_installed("langchain", error) from error

Filter = Mapping[str, Any] | Callable[[Document], bool]


class FastFunnelVectorStore(VectorStore):
    """Documents of LangChain, searched by a fastfunnel index; scores are cosines.

    Metadata must be JSON. Every search takes `filter`, which restricts the search itself, so that
    k answers come back wherever there are k: a dict, as {"lang": "en", "year": {"$gte": 2020}}
    (fastfunnel/collection/where.py has the grammar), runs in SQLite; a function of a Document is
    asked of every one. And `exact=True`, to score every vector in full instead of by the funnel.

    Args:
        embedding: what embeds texts and queries.
        path: a directory in which every change is durable when it returns; made if it does not
            exist. None for memory, which `save_local` writes.

    Raises:
        TypeError: embedding is no Embeddings.
        ValueError: the directory holds something else, or is damaged.
    """

    def __init__(self, embedding: Embeddings, path: str | os.PathLike[str] | None = None) -> None:
        """Open the store, or make it."""
        if not isinstance(embedding, Embeddings):
            raise TypeError(f"embedding must be an Embeddings, got {type(embedding).__name__}")
        self.embedding = embedding
        self.documents = VectorDocuments(path)

    @classmethod
    def from_texts(
        cls,
        texts: list[str],
        embedding: Embeddings,
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: list[str] | None = None,
        **options: Any,
    ) -> FastFunnelVectorStore:
        """Return a store with these texts; `path` is an option here and for `from_documents`."""
        made = cls(embedding, **options)
        made.add_texts(texts, metadatas, ids=ids)
        return made

    @classmethod
    async def afrom_texts(
        cls,
        texts: list[str],
        embedding: Embeddings,
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: list[str] | None = None,
        **options: Any,
    ) -> FastFunnelVectorStore:
        """Return a store with these texts; `path` is an option."""
        made = cls(embedding, **options)
        await made.aadd_texts(texts, metadatas, ids=ids)
        return made

    @classmethod
    def load_local(
        cls, folder_path: str | os.PathLike[str], embeddings: Embeddings
    ) -> FastFunnelVectorStore:
        """Open what `save_local` wrote. Nothing is unpickled; later changes go to the folder.

        Raises:
            FileNotFoundError: there is no store.
            ValueError: it is damaged.
        """
        if not (Path(folder_path) / FILE_NAME).is_file():
            raise FileNotFoundError(f"folder_path must hold a store, got {folder_path}")
        return cls(embeddings, folder_path)

    def save_local(self, folder_path: str | os.PathLike[str]) -> None:
        """Write the store to a folder, in place of one that is there.

        Raises:
            ValueError: the folder holds something else.
            BlockingIOError: the store there is open to write.
        """
        self.documents.save(folder_path)

    @property
    def embeddings(self) -> Embeddings:
        """What embeds texts and queries."""
        return self.embedding

    def add_texts(
        self,
        texts: Iterable[str],
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: Sequence[str | None] | None = None,
        **_: Any,
    ) -> list[str]:
        """Add texts in place of those with the same ids; return their ids.

        Args:
            texts: what to embed and find.
            metadatas: a JSON object a text.
            ids: a str a text; None draws one.
            **_: what LangChain's indexing passes for other stores, as `batch_size`.

        Raises:
            TypeError, ValueError: for arguments of another kind or length. Nothing changes.
        """
        listed = list(texts)
        vectors = self.embedding.embed_documents(listed)
        return self.documents.put(listed, vectors, metadatas, _drawn(ids))

    async def aadd_texts(
        self,
        texts: Iterable[str],
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: Sequence[str | None] | None = None,
        **_: Any,
    ) -> list[str]:
        """Add texts, as `add_texts` does."""
        listed = list(texts)
        vectors = await self.embedding.aembed_documents(listed)
        return await asyncio.to_thread(self.documents.put, listed, vectors, metadatas, _drawn(ids))

    async def aadd_documents(
        self, documents: list[Document], *, ids: Sequence[str | None] | None = None, **_: Any
    ) -> list[str]:
        """Add documents, as `add_documents` does."""
        texts = [one.page_content for one in documents]
        metadatas = [one.metadata for one in documents]
        chosen = [one.id for one in documents] if ids is None else ids
        return await self.aadd_texts(texts, metadatas, ids=chosen)

    def delete(self, ids: Sequence[str] | None = None, **_: Any) -> bool:
        """Remove documents, all of them for None; unknown ids are no error."""
        if ids is None:
            self.documents.clear()
        else:
            self.documents.delete(ids)
        return True

    def get_by_ids(self, ids: Sequence[str], /) -> list[Document]:
        """Return the documents with these ids, without those that are not there."""
        return [_document(one) for one in self.documents.get(ids)]

    def similarity_search_with_score_by_vector(
        self,
        embedding: list[float],
        k: int = 4,
        *,
        filter: Filter | None = None,
        exact: bool = False,
    ) -> list[tuple[Document, float]]:
        """Return at most k documents with their cosines, the highest first."""
        found = self._found(embedding, k, filter, exact)
        return [(_document(one.document), one.score) for one in found]

    def similarity_search_by_vector(
        self, embedding: list[float], k: int = 4, **options: Any
    ) -> list[Document]:
        """Return at most k documents, the nearest first."""
        found = self.similarity_search_with_score_by_vector(embedding, k, **options)
        return [document for document, _ in found]

    def similarity_search_with_score(
        self, query: str, k: int = 4, **options: Any
    ) -> list[tuple[Document, float]]:
        """Return at most k documents with their cosines, the highest first."""
        vector = self.embedding.embed_query(query)
        return self.similarity_search_with_score_by_vector(vector, k, **options)

    async def asimilarity_search_with_score(
        self, query: str, k: int = 4, **options: Any
    ) -> list[tuple[Document, float]]:
        """Return at most k documents with their cosines, the highest first."""
        vector = await self.embedding.aembed_query(query)
        search = self.similarity_search_with_score_by_vector
        return await asyncio.to_thread(search, vector, k, **options)

    def similarity_search(self, query: str, k: int = 4, **options: Any) -> list[Document]:
        """Return at most k documents, the nearest first."""
        found = self.similarity_search_with_score(query, k, **options)
        return [document for document, _ in found]

    async def asimilarity_search(self, query: str, k: int = 4, **options: Any) -> list[Document]:
        """Return at most k documents, the nearest first."""
        found = await self.asimilarity_search_with_score(query, k, **options)
        return [document for document, _ in found]

    def max_marginal_relevance_search_by_vector(
        self,
        embedding: list[float],
        k: int = 4,
        fetch_k: int = 20,
        lambda_mult: float = 0.5,
        **options: Any,
    ) -> list[Document]:
        """Return at most k of the fetch_k nearest documents, near the query and far apart.

        `lambda_mult` weighs the one against the other: 1 is nearness alone, 0 distance alone.
        """
        near = self._found(embedding, max(fetch_k, k), **options)
        vectors = [one.vector.tolist() for one in near if one.vector is not None]
        chosen = maximal_marginal_relevance(
            np.asarray(embedding, np.float32), vectors, lambda_mult, k
        )
        return [_document(near[place].document) for place in chosen]

    def max_marginal_relevance_search(
        self, query: str, k: int = 4, fetch_k: int = 20, lambda_mult: float = 0.5, **options: Any
    ) -> list[Document]:
        """Return at most k of the fetch_k nearest documents, near the query and far apart."""
        vector = self.embedding.embed_query(query)
        return self.max_marginal_relevance_search_by_vector(
            vector, k, fetch_k, lambda_mult, **options
        )

    async def amax_marginal_relevance_search(
        self, query: str, k: int = 4, fetch_k: int = 20, lambda_mult: float = 0.5, **options: Any
    ) -> list[Document]:
        """Return at most k of the fetch_k nearest documents, near the query and far apart."""
        vector = await self.embedding.aembed_query(query)
        search = self.max_marginal_relevance_search_by_vector
        return await asyncio.to_thread(search, vector, k, fetch_k, lambda_mult, **options)

    def _select_relevance_score_fn(self) -> Callable[[float], float]:
        return lambda cosine: min(max(cosine, 0.0), 1.0)  # LangChain wants 0 to 1

    def _found(
        self, vector: list[float], k: int, filter: Filter | None = None, exact: bool = False
    ) -> list[Found]:
        where, keep = _split(filter)
        return self.documents.search(vector, k, where, keep, exact=exact)


def _split(filter: Filter | None) -> tuple[Condition | None, Keep | None]:
    if filter is None:
        return None, None
    if callable(filter):
        holds = filter
        return None, lambda one: bool(holds(_document(one)))
    if not isinstance(filter, Mapping):
        raise TypeError(f"filter must be a dict or a function, got {type(filter).__name__}")
    return compile_where(filter), None


def _drawn(ids: Sequence[str | None] | None) -> list[str] | None:
    return None if ids is None else [one or uuid.uuid4().hex for one in ids]


def _document(one: store.Document) -> Document:
    return Document(id=one.id, page_content=one.text, metadata=json.loads(one.metadata))
