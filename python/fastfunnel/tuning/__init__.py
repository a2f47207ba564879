"""Choosing a funnel by measuring: recall promised on queries that the choice has not seen.

    sample ──► ranks ──► plan (with costs) ──► check on held-out queries ──► front, report

`tune` in tuner.py is the way in; `Index.tune` calls it.
"""

from __future__ import annotations

from fastfunnel.tuning.front import Front, FrontPoint, Tuned
from fastfunnel.tuning.report import TuningReport
from fastfunnel.tuning.tuner import tune

__all__ = ["Front", "FrontPoint", "Tuned", "TuningReport", "tune"]
