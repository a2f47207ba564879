"""Benchmarks: speed and recall of fastfunnel beside NumPy and beside its peers. See README.md."""

from __future__ import annotations
