"""LlamaIndex: a vector store that answers by the funnel."""

from __future__ import annotations

from fastfunnel.integrations.missing import not_installed

try:
    from fastfunnel.integrations.llama_index.vector_store import FastFunnelVectorStore
except ModuleNotFoundError as error:
    raise not_installed("llama-index", error) from error

__all__ = ["FastFunnelVectorStore"]
