"""Haystack: a document store and a retriever that answer by the funnel."""

from __future__ import annotations

from fastfunnel.integrations.haystack.document_store import FastFunnelDocumentStore
from fastfunnel.integrations.haystack.retriever import FastFunnelEmbeddingRetriever

__all__ = ["FastFunnelDocumentStore", "FastFunnelEmbeddingRetriever"]
