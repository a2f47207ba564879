"""Thread counts, fixed before any numeric library is loaded: most read the environment only once.

Import nothing here that loads NumPy.
"""

from __future__ import annotations

import os
import sys
from contextlib import AbstractContextManager

_POOLS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
RAYON = "RAYON_NUM_THREADS"


def parse_threads(text: str) -> list[int]:
    """Return the thread counts in text like "1,2" or "1 2", each once, in that order."""
    counts = list(dict.fromkeys(int(word) for word in text.replace(",", " ").split()))
    if not counts or min(counts) < 1:
        raise ValueError(f"threads must be counts of at least 1, got {text!r}")
    return counts


def pin_threads(counts: list[int]) -> None:
    """Let pools grow to the largest count; `thread_limit` lowers those that can be lowered.

    Rayon's pool cannot change its size within a process, so it gets the first count.

    Raises:
        RuntimeError: if NumPy is loaded already, when its BLAS no longer reads the environment.
    """
    if "numpy" in sys.modules:
        raise RuntimeError("threads must be pinned before numpy is imported")
    for variable in _POOLS:
        os.environ[variable] = str(max(counts))
    os.environ[RAYON] = str(counts[0])


def pin_to_one_core() -> None:
    """Keep this process on one core, for code that takes no thread count; Linux only."""
    pin_threads([1])
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def thread_limit(count: int) -> AbstractContextManager[object]:
    """Limit every loaded OpenMP and BLAS pool to `count` threads while the context is open."""
    from threadpoolctl import threadpool_limits

    return threadpool_limits(limits=count)
