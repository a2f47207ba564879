"""What a run measured, a line a row of a system, and how ours compares in the same rounds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from bench.databases.measuring import TARGET
from bench.databases.system import OURS
from bench.timing import Ratio, speed_ratio

DEFAULT = f"{OURS} default"


class Line(NamedTuple):
    """One row of one system: what `Timed.to_dict` returned, and our default against it."""

    timed: dict[str, Any]
    ratio: Ratio
    ratio_many: Ratio

    @property
    def is_ours(self) -> bool:
        """Whether it is one of our own."""
        return bool(self.timed["system"] == OURS)

    @property
    def reached(self) -> bool:
        """Whether it reached the recall that all are to have."""
        return bool(self.timed["recall"] >= TARGET)


def lines(systems: dict[str, Any]) -> Iterator[Line]:
    """Yield the rows of every system; ours stand once, from the run of their own."""
    for notes in systems.values():
        rows = notes["measure"]["rows"]
        ours = next(row for row in rows if row["row"] == DEFAULT)
        for timed in rows:
            if timed["system"] == notes["build"]["name"]:
                single = speed_ratio(*(_times(row["round_qps"]) for row in (ours, timed)))
                many = speed_ratio(*(_times(row["rates"]) for row in (ours, timed)))
                yield Line(timed, single, many)


def rate_text(value: float) -> str:
    """Return a rate or a ratio with as many digits as mean something."""
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def _times(rates: list[float]) -> list[float]:
    return [1 / rate for rate in rates]
