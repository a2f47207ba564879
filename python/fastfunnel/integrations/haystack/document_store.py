"""The document store."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from haystack import default_from_dict, default_to_dict
from haystack.dataclasses import Document
from haystack.document_stores.errors import DuplicateDocumentError
from haystack.document_stores.types import DuplicatePolicy

from fastfunnel.integrations.documents import Found, TakenIdError, VectorDocuments
from fastfunnel.integrations.documents.documents import Taken
from fastfunnel.integrations.haystack.filters import as_document, compile_filters
from fastfunnel.integrations.threads import in_a_thread

Filters = dict[str, Any]

_TAKEN: dict[DuplicatePolicy, Taken] = {
    DuplicatePolicy.NONE: "refuse",
    DuplicatePolicy.FAIL: "refuse",
    DuplicatePolicy.SKIP: "skip",
    DuplicatePolicy.OVERWRITE: "replace",
}


class FastFunnelDocumentStore:
    """Documents of Haystack, those with embeddings searched by a fastfunnel index.

    Embeddings are kept as float32, so that they come back rounded to it. Filters restrict the
    search itself: `top_k` answers come back wherever there are as many.

    Args:
        path: a directory in which every change is durable when it returns; made if it does not
            exist. None for memory, which nothing of a pipeline's YAML brings back.

    Raises:
        ValueError: the directory holds something else, or is damaged.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        """Open the store, or make it."""
        self.path = None if path is None else os.fspath(path)
        self.documents = VectorDocuments(path)

    def to_dict(self) -> dict[str, Any]:
        """Return the store's description for a pipeline's YAML."""
        described: dict[str, Any] = default_to_dict(self, path=self.path)
        return described

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> FastFunnelDocumentStore:
        """Return the store that a description describes."""
        made: FastFunnelDocumentStore = default_from_dict(cls, data)
        return made

    def count_documents(self) -> int:
        """Return the number of documents."""
        return len(self.documents)

    def filter_documents(self, filters: Filters | None = None) -> list[Document]:
        """Return the documents that filters hold for, as they were written, with embeddings.

        Raises:
            FilterError: for filters that Haystack does not know.
        """
        return [_document(one) for one in self.documents.select(*compile_filters(filters))]

    def write_documents(
        self, documents: list[Document], policy: DuplicatePolicy = DuplicatePolicy.NONE
    ) -> int:
        """Write documents, all of them, or none if it fails.

        Args:
            documents: with embeddings, all of one length, or without.
            policy: for those whose ids are taken, by a document of the store or by one before it in
                the list; NONE is FAIL.

        Returns:
            How many were written; all of them with OVERWRITE.

        Raises:
            ValueError: these are no documents, or an embedding is of another length.
            DuplicateDocumentError: an id is taken, and the policy is FAIL.
        """
        if not isinstance(documents, Sequence) or not all(
            isinstance(one, Document) for one in documents
        ):
            raise ValueError("documents must be a list of Documents")
        chosen = _distinct(documents, policy)
        try:
            written = self.documents.put(
                [one.content or "" for one in chosen],
                [one.embedding for one in chosen],
                [_fields(one) for one in chosen],
                [one.id for one in chosen],
                taken=_TAKEN[policy],
            )
        except TakenIdError as error:
            raise DuplicateDocumentError(str(error)) from error
        return len(documents) if policy == DuplicatePolicy.OVERWRITE else len(written)

    def delete_documents(self, document_ids: list[str]) -> None:
        """Remove documents; unknown ids are no error."""
        self.documents.delete(document_ids)

    def delete_all_documents(self) -> None:
        """Remove everything."""
        self.documents.clear()

    def delete_by_filter(self, filters: Filters) -> int:
        """Remove the documents that filters hold for; return how many there were."""
        return self.documents.clear(*compile_filters(filters))

    def update_by_filter(self, filters: Filters, meta: dict[str, Any]) -> int:
        """Set fields of `meta` in the documents that filters hold for; return how many there were.

        Raises:
            TypeError, ValueError: meta is not JSON. Nothing changes.
        """

        def changed(stored: dict[str, Any]) -> dict[str, Any]:
            return {**stored, "meta": {**stored["meta"], **meta}}

        return self.documents.update(changed, *compile_filters(filters))

    def embedding_retrieval(
        self,
        query_embedding: list[float],
        filters: Filters | None = None,
        top_k: int = 10,
        scale_score: bool = False,
        return_embedding: bool = False,
        exact: bool = False,
    ) -> list[Document]:
        """Return at most top_k documents, those with the highest cosines first.

        Args:
            query_embedding: what to look for.
            filters: as Haystack knows them.
            top_k: answers.
            scale_score: scores from 0 to 1, (cosine + 1) / 2, instead of cosines.
            return_embedding: return the documents with their embeddings.
            exact: score every embedding in full instead of by the funnel.

        Raises:
            ValueError: for an embedding of another length, or top_k below 1.
            FilterError: for filters that Haystack does not know.
        """
        where, keep = compile_filters(filters)
        found = self.documents.search(query_embedding, top_k, where, keep, exact=exact)
        return [
            _document(
                one,
                score=(one.score + 1) / 2 if scale_score else one.score,
                with_embedding=return_embedding,
            )
            for one in found
        ]

    count_documents_async = in_a_thread(count_documents)
    filter_documents_async = in_a_thread(filter_documents)
    write_documents_async = in_a_thread(write_documents)
    delete_documents_async = in_a_thread(delete_documents)
    delete_all_documents_async = in_a_thread(delete_all_documents)
    delete_by_filter_async = in_a_thread(delete_by_filter)
    update_by_filter_async = in_a_thread(update_by_filter)
    embedding_retrieval_async = in_a_thread(embedding_retrieval)


def _distinct(documents: Sequence[Document], policy: DuplicatePolicy) -> list[Document]:
    """Return one document an id: the first, or with OVERWRITE the last."""
    chosen: dict[str, Document] = {}
    for one in documents:
        if one.id in chosen and _TAKEN[policy] == "refuse":
            raise DuplicateDocumentError(f"ids must not be taken, got {one.id!r} twice")
        if one.id not in chosen or policy == DuplicatePolicy.OVERWRITE:
            chosen[one.id] = one
    return list(chosen.values())


def _fields(document: Document) -> dict[str, Any]:
    """Return what is stored beside a document's id, text and vector."""
    stored: dict[str, Any] = document.to_dict(flatten=False)
    for name in ("id", "embedding"):
        del stored[name]
    if document.content is not None:
        del stored["content"]
    return {name: value for name, value in stored.items() if value is not None or name == "content"}


def _document(one: Found, *, score: float | None = None, with_embedding: bool = True) -> Document:
    vector = one.vector if with_embedding else None
    known = {} if score is None else {"score": score}
    embedding = None if vector is None else vector.tolist()
    return as_document(one.document, embedding=embedding, **known)
