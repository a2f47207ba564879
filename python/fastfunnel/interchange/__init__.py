"""Vectors of other libraries, as NumPy arrays: a library is looked at only if the object is its own."""

from __future__ import annotations

from fastfunnel.interchange.arrays import as_array

__all__ = ["as_array"]
