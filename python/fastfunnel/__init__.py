"""Funnel search for Matryoshka embeddings: a cheap score over every row, the true score for a few."""

from __future__ import annotations

try:
    from fastfunnel import _core
except ImportError as error:
    raise ImportError(
        "fastfunnel's compiled core cannot be imported: "
        f"{error}. Install the package with `pip install .` from its folder (a C++20 compiler is "
        "needed), and do not import it from inside the source tree."
    ) from error

from fastfunnel.funnel import Funnel, Stage
from fastfunnel.index import Index
from fastfunnel.runtime import active_isa, available_isas, build_info
from fastfunnel.search import (
    HammingResult,
    SearchResult,
    exact_search,
    funnel_search,
    hamming_search,
)
from fastfunnel.storage import open_index as open
from fastfunnel.vectors import binarize, normalize, truncate

__version__ = _core.__version__

__all__ = [
    "Funnel",
    "HammingResult",
    "Index",
    "SearchResult",
    "Stage",
    "active_isa",
    "available_isas",
    "binarize",
    "build_info",
    "exact_search",
    "funnel_search",
    "hamming_search",
    "normalize",
    "open",
    "truncate",
]
