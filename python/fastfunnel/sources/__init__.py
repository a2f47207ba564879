"""Indexes from where vectors already lie: FAISS, .npy, Parquet, Lance. Nothing is held twice."""

from __future__ import annotations

from fastfunnel.sources.from_faiss import from_faiss
from fastfunnel.sources.from_lance import from_lance
from fastfunnel.sources.from_npy import from_npy
from fastfunnel.sources.from_parquet import from_parquet

__all__ = ["from_faiss", "from_lance", "from_npy", "from_parquet"]
