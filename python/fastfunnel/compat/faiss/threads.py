"""How many threads the indexes of this module search with."""

from __future__ import annotations

from fastfunnel import _core
from fastfunnel.arguments import as_count

_chosen: int | None = None


def omp_set_num_threads(num_threads: int) -> None:
    """Use this many threads from now on. The name is FAISS's; there is no OpenMP here."""
    global _chosen
    _chosen = as_count(num_threads, "num_threads")


def omp_get_max_threads() -> int:
    """Return how many threads a search uses: every core, unless set."""
    return _core.available_cores() if _chosen is None else _chosen
