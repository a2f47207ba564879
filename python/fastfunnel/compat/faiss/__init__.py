"""What a program asks of FAISS's flat indexes, answered by fastfunnel: change one import.

    import fastfunnel.compat.faiss as faiss

The conventions are FAISS's own, as faiss-cpu 1.15 shows them: `search` returns (D, I), float32 and
int64 of shape (n, k); inner products come larger first, squared distances smaller first, and missing
answers have label -1 and the worst value of their dtype. Labels are positions: removing rows moves
those behind them up.

What is stricter: nan and inf are errors, ids and vectors must fit, and each error says what was
expected. Equal answers come by label. Scores are summed in float64. As in FAISS, searches may run at
once in several threads, changes may not.
"""

from __future__ import annotations

from fastfunnel.compat.faiss.binary import IndexBinaryFlat
from fastfunnel.compat.faiss.factory import index_factory
from fastfunnel.compat.faiss.files import read_index, write_index
from fastfunnel.compat.faiss.flat import IndexFlat, IndexFlatIP, IndexFlatL2
from fastfunnel.compat.faiss.funnel import IndexFunnel
from fastfunnel.compat.faiss.id_map import IndexBinaryIDMap, IndexIDMap, IndexIDMap2
from fastfunnel.compat.faiss.index import Index
from fastfunnel.compat.faiss.metrics import METRIC_INNER_PRODUCT, METRIC_L2
from fastfunnel.compat.faiss.selectors import (
    IDSelector,
    IDSelectorArray,
    IDSelectorBatch,
    IDSelectorNot,
    IDSelectorRange,
    SearchParameters,
)
from fastfunnel.compat.faiss.threads import omp_get_max_threads, omp_set_num_threads
from fastfunnel.compat.faiss.vectors import normalize_L2

read_index_binary, write_index_binary = read_index, write_index

__all__ = [
    "METRIC_INNER_PRODUCT",
    "METRIC_L2",
    "IDSelector",
    "IDSelectorArray",
    "IDSelectorBatch",
    "IDSelectorNot",
    "IDSelectorRange",
    "Index",
    "IndexBinaryFlat",
    "IndexBinaryIDMap",
    "IndexFlat",
    "IndexFlatIP",
    "IndexFlatL2",
    "IndexFunnel",
    "IndexIDMap",
    "IndexIDMap2",
    "SearchParameters",
    "index_factory",
    "normalize_L2",
    "omp_get_max_threads",
    "omp_set_num_threads",
    "read_index",
    "read_index_binary",
    "write_index",
    "write_index_binary",
]


def __getattr__(name: str) -> object:
    """Say what stands in for an index that is not here."""
    if name.startswith("Index"):
        raise AttributeError(
            f"fastfunnel.compat.faiss has no {name}: IndexFunnel answers approximately without "
            "training, IndexFlatIP and IndexFlatL2 exactly"
        )
    raise AttributeError(f"fastfunnel.compat.faiss has no {name}")
