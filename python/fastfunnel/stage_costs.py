"""What the stages of default funnels take, to tell which funnel is the cheapest.

Nanoseconds a row, one query on one core: compared with each other only. Signs and gathering are as on
Zen 4; with AVX2 both take about 1.5 times as long. An int8 scan took 17 + 0.10 a dim for a single
query on Cascade Lake (AVX-512 without VNNI) and 4 + 0.015 for one of a batch, whose rows are read once.
What stands here lies between the two, with dot products that take half the time, as VNNI makes them:
there is one default for both, and for all machines.
"""

from __future__ import annotations

from itertools import pairwise

from fastfunnel.funnel import Funnel

_SIGNS = 0.11 / 64  # a dim of a scan
_INT8 = 0.022
_INT8_ROW = 8.0  # before the first dim: rows lie apart, however short a prefix is read
_GATHER = 40.0  # a row from beyond the cache, by a stage behind another
_GATHER_BYTE = 0.1
_EXACT = 2.0  # int8 scans of all dims: 1.1 to 4, the more the coarser they are, as bounds then leave more


def of_scan(dims: int, precision: str) -> float:
    """Return what a first stage of sign bits or int8 values takes a row."""
    return _SIGNS * dims if precision == "b1" else _INT8_ROW + _INT8 * dims


def of_gathering(row_bytes: float) -> float:
    """Return what a later stage takes for a row of which it reads so many bytes."""
    return _GATHER + _GATHER_BYTE * row_bytes


def of_exact(dim: int) -> float:
    """Return what exact search takes a row."""
    return _EXACT * of_scan(dim, "i8")


def of_funnel(funnel: Funnel, n_rows: int) -> float:
    """Return what a funnel takes a row of an index of so many."""
    first = funnel.stages[0]
    gathered = sum(
        (before.keep or 0) * of_gathering(stage.row_bytes)
        for before, stage in pairwise(funnel.stages)
    )
    return of_scan(first.dims, first.precision) + gathered / n_rows
