"""What a tuning found, to print, to keep and to plot."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from fastfunnel.funnel import Funnel, Stage
from fastfunnel.tuning.front import Front, FrontPoint
from fastfunnel.tuning.rotation_gain import RotationGain

_LESS = 2 / 3  # of the loss, for a point to be worth a line


@dataclass(frozen=True)
class StageSurvivors:
    """What one stage of the chosen funnel lets through.

    stage: the stage.
    rows_in, rows_out: rows a query that it scores and passes on.
    recall: mean share of the true neighbours still there, on the held-out queries.
    """

    stage: Stage
    rows_in: int
    rows_out: int
    recall: float


@dataclass(frozen=True)
class TuningReport:
    """The funnel that `Index.tune` installed and what it rests on. Prints as a table.

    funnel: the chosen funnel; None is exact search. Where `front.is_sure` is False it is the default,
        which stays in use though it could not be checked in time.
    k, target, objective, confidence, seed: as asked for.
    recall: mean recall@k of the funnel on the queries held out.
    interval: (promised, 1.0): unseen queries get at least the first, with that confidence.
    latency_s: predicted seconds of a single query: the median measured on one thread.
    queries_per_second: of a batch on one thread.
    bytes_per_row: codes a row that searching goes through; floats too if a stage scans them.
    bytes: the same for all rows.
    stages: survivors of every stage of the chosen funnel.
    front: everything checked, from careful to cheap; see `pareto`.
    default: the funnel that untuned searching uses, measured the same way; None where time was out.
    queries: "queries" if they were given, "rows" if rows of the index stood in for them.
    n_fit, n_check: queries that chose, queries that checked.
    rotation: what a rotation would gain, if that was looked at.
    notes: what the user should know, a sentence each.
    seconds: what the tuning took.
    """

    funnel: Funnel | None
    k: int
    target: float
    objective: str
    confidence: float
    seed: int
    recall: float
    interval: tuple[float, float]
    latency_s: float
    queries_per_second: float
    bytes_per_row: int
    bytes: int
    stages: tuple[StageSurvivors, ...]
    front: Front
    default: FrontPoint | None
    queries: str
    n_fit: int
    n_check: int
    rotation: RotationGain | None
    notes: tuple[str, ...]
    seconds: float

    @property
    def pareto(self) -> tuple[FrontPoint, ...]:
        """Points that no other beats in both recall and time, the fastest first."""
        batch = self.objective == "throughput"
        best: list[FrontPoint] = []
        points = sorted(
            self.front.points,
            key=lambda p: -p.queries_per_second if batch else p.seconds,
        )
        for point in points:
            if not best or point.recall > best[-1].recall:
                best.append(point)
        return tuple(best)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data; funnels as text that `Funnel.parse` reads."""
        data = {
            name: getattr(self, name)
            for name in self.__dataclass_fields__
            if name not in {"funnel", "stages", "front", "default", "rotation"}
        }
        return {
            "funnel": None if self.funnel is None else str(self.funnel),
            **data,
            "stages": [{**asdict(s), "stage": str(s.stage)} for s in self.stages],
            "pareto": [point.to_dict() for point in self.pareto],
            "front": self.front.to_dict(),
            "default": None if self.default is None else self.default.to_dict(),
            "rotation": None if self.rotation is None else asdict(self.rotation),
        }

    def to_json(self, path: str | os.PathLike[str] | None = None) -> str:
        """Return the report as JSON, and write it to `path` if there is one."""
        text = json.dumps(self.to_dict(), indent=2)
        if path is not None:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text + "\n")
        return text

    def plot(self, path: str | os.PathLike[str] | None = None) -> Any:
        """Return a matplotlib Figure of recall against latency, saved to `path` if there is one.

        Raises:
            ImportError: matplotlib is not installed.
        """
        from fastfunnel.tuning.plot import front_figure

        figure = front_figure(self)
        if path is not None:
            figure.savefig(path, dpi=150)
        return figure

    def __str__(self) -> str:
        """Return the report as tables of plain text."""
        chosen = "exact search" if self.funnel is None else str(self.funnel)
        heading = (
            f"recall@{self.k} >= {self.target:g} for {self.objective}: {chosen}\n"
            f"  recall {self.recall:.4f} on {self.n_check:,} held-out {self.queries}; unseen "
            f"queries get >= {self.interval[0]:.4f} with {self.confidence:.0%} confidence\n"
            f"  {1e3 * self.latency_s:.3f} ms a query, {self.queries_per_second:,.0f} queries/s in "
            f"a batch (one thread), {self.bytes_per_row:,} bytes a row, {self.bytes / 1e6:,.1f} MB"
        )
        lines = [heading]
        if self.stages:
            rows = [
                (str(s.stage), f"{s.rows_in:,}", f"{s.rows_out:,}", f"{s.recall:.4f}")
                for s in self.stages
            ]
            lines += ["", *table_lines(("stage", "rows in", "rows out", "neighbours left"), rows)]
        front = self.pareto
        shown = [_cells(point) for point in _thinned(front, self.funnel)]
        title = f"Pareto front, {len(shown)} of {len(front)}"
        heads = (title, "recall", "promised", "ms", "queries/s", "bytes a row")
        lines += ["", *table_lines(heads, shown)]
        if self.rotation is not None:
            lines += ["", str(self.rotation)]
        return "\n".join([*lines, *(["", *self.notes] if self.notes else [])])


def _thinned(front: Sequence[FrontPoint], chosen: Funnel | None) -> list[FrontPoint]:
    """Return the first point, the chosen one, and those that lose a third less than the one before."""
    shown = list(front[:1])
    for point in front[1:]:
        if point.funnel == chosen or 1 - point.recall <= _LESS * (1 - shown[-1].recall):
            shown.append(point)
    return shown


def _cells(point: FrontPoint) -> tuple[str, ...]:
    return (
        "exact" if point.funnel is None else str(point.funnel),
        f"{point.recall:.4f}",
        f"{point.promised:.4f}",
        f"{1e3 * point.seconds:.3f}",
        f"{point.queries_per_second:,.0f}",
        f"{point.bytes_per_row:,}",
    )


def table_lines(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return lines of aligned columns, the first to the left, the others to the right."""
    widths = [max(len(cell) for cell in column) for column in zip(heads, *rows, strict=True)]
    lines = []
    for row in [heads, *rows]:
        rest = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
        lines.append("  " + "  ".join([row[0].ljust(widths[0]), *rest]))
    return lines
