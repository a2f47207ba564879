"""Haystack: a document store and a retriever that answer by the funnel."""

from __future__ import annotations

from fastfunnel.integrations.missing import not_installed

try:
    from fastfunnel.integrations.haystack.document_store import FastFunnelDocumentStore
    from fastfunnel.integrations.haystack.retriever import FastFunnelEmbeddingRetriever
except ModuleNotFoundError as error:
    raise not_installed("haystack", error) from error

__all__ = ["FastFunnelDocumentStore", "FastFunnelEmbeddingRetriever"]
