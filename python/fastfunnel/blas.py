"""NumPy's linear algebra on one thread, where that can be arranged.

A decomposition of a few hundred dims is thousands of small products. On a busy machine OpenBLAS
waits at the end of each for threads that are not running: milliseconds become minutes.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Keep NumPy's linear algebra to one thread within the block, if threadpoolctl is installed."""
    try:
        threadpoolctl = importlib.import_module("threadpoolctl")
    except ImportError:
        yield
        return
    with threadpoolctl.threadpool_limits(limits=1, user_api="blas"):
        yield
