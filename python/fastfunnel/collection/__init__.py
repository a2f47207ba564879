"""Texts to answers in one directory: SQLite for what can be read, an index for what can be near."""

from __future__ import annotations

from fastfunnel.collection.collection import Collection
from fastfunnel.collection.hit import Hit

__all__ = ["Collection", "Hit"]
