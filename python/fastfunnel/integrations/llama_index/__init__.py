"""LlamaIndex: a vector store that answers by the funnel."""

from __future__ import annotations

from fastfunnel.integrations.llama_index.vector_store import FastFunnelVectorStore

__all__ = ["FastFunnelVectorStore"]
