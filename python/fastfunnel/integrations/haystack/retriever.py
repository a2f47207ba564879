"""The retriever."""

from __future__ import annotations

from typing import Any

from haystack import component, default_from_dict, default_to_dict
from haystack.dataclasses import Document
from haystack.document_stores.types import FilterPolicy, apply_filter_policy

from fastfunnel.integrations.haystack.document_store import FastFunnelDocumentStore, Filters


@component
class FastFunnelEmbeddingRetriever:
    """The documents of a FastFunnelDocumentStore nearest to a query's embedding.

    Args:
        document_store: where to look.
        filters: as Haystack knows them; restrict every run.
        top_k: answers.
        scale_score: scores from 0 to 1, (cosine + 1) / 2, instead of cosines.
        return_embedding: return the documents with their embeddings.
        exact: score every embedding in full instead of by the funnel.
        filter_policy: whether a run's filters replace these or are merged with them.

    Raises:
        TypeError: document_store is something else.
        ValueError: top_k is below 1.
    """

    def __init__(
        self,
        document_store: FastFunnelDocumentStore,
        filters: Filters | None = None,
        top_k: int = 10,
        scale_score: bool = False,
        return_embedding: bool = False,
        exact: bool = False,
        filter_policy: FilterPolicy = FilterPolicy.REPLACE,
    ) -> None:
        """Make the component."""
        if not isinstance(document_store, FastFunnelDocumentStore):
            kind = type(document_store).__name__
            raise TypeError(f"document_store must be a FastFunnelDocumentStore, got {kind}")
        if top_k < 1:
            raise ValueError(f"top_k must be at least 1, got {top_k}")
        self.document_store = document_store
        self.filters = filters
        self.top_k = top_k
        self.scale_score = scale_score
        self.return_embedding = return_embedding
        self.exact = exact
        self.filter_policy = filter_policy

    def to_dict(self) -> dict[str, Any]:
        """Return the component's description for a pipeline's YAML."""
        described: dict[str, Any] = default_to_dict(
            self,
            document_store=self.document_store.to_dict(),
            filters=self.filters,
            top_k=self.top_k,
            scale_score=self.scale_score,
            return_embedding=self.return_embedding,
            exact=self.exact,
            filter_policy=self.filter_policy.value,
        )
        return described

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> FastFunnelEmbeddingRetriever:
        """Return the component that a description describes."""
        parameters = dict(data["init_parameters"])
        store = parameters["document_store"]
        if isinstance(store, dict):  # Haystack may have made the store of it before
            parameters["document_store"] = FastFunnelDocumentStore.from_dict(store)
        parameters["filter_policy"] = FilterPolicy.from_str(parameters["filter_policy"])
        made: FastFunnelEmbeddingRetriever = default_from_dict(
            cls, {**data, "init_parameters": parameters}
        )
        return made

    @component.output_types(documents=list[Document])
    def run(
        self,
        query_embedding: list[float],
        filters: dict[str, Any] | None = None,
        top_k: int | None = None,
    ) -> dict[str, list[Document]]:
        """Return {"documents": the nearest first}.

        Args:
            query_embedding: what to look for.
            filters: of this run.
            top_k: answers of this run; None for the component's.
        """
        return {
            "documents": self.document_store.embedding_retrieval(
                query_embedding, **self._options(filters, top_k)
            )
        }

    @component.output_types(documents=list[Document])
    async def run_async(
        self,
        query_embedding: list[float],
        filters: dict[str, Any] | None = None,
        top_k: int | None = None,
    ) -> dict[str, list[Document]]:
        """Return {"documents": the nearest first}, as `run` does."""
        return {
            "documents": await self.document_store.embedding_retrieval_async(
                query_embedding, **self._options(filters, top_k)
            )
        }

    def _options(self, filters: Filters | None, top_k: int | None) -> dict[str, Any]:
        return {
            "filters": apply_filter_policy(self.filter_policy, self.filters, filters),
            "top_k": self.top_k if top_k is None else top_k,
            "scale_score": self.scale_score,
            "return_embedding": self.return_embedding,
            "exact": self.exact,
        }
