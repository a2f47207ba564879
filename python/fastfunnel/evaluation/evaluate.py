"""Run the experiment; what comes out prints as a table and exports to JSON, HTML and PNG."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fastfunnel.arguments import as_count, as_queries, as_rows
from fastfunnel.evaluation.measure import Measured, measure
from fastfunnel.evaluation.methods import funnel_method, methods
from fastfunnel.funnel import Funnel
from fastfunnel.index import Index
from fastfunnel.tuning import TuningReport
from fastfunnel.tuning.budget import progress_bar
from fastfunnel.tuning.report import table_lines
from fastfunnel.tuning.space import resident_bytes

HELD_OUT = 1000  # rows taken out of the base where there are no queries
FEWEST_QUERIES = 4  # two to tune with, two to count on


@dataclass(frozen=True)
class Evaluation:
    """Recall, speed and memory of every way to search these vectors.

    n_rows, dim: of the base. n_queries: that were measured, none of them seen by the tuner.
    k: answers a query.
    measured: one entry a method, exact search first, the tuned funnel last.
    tuning: the report of the tuner.
    held_out: whether the queries were taken out of the base.
    """

    n_rows: int
    dim: int
    n_queries: int
    k: int
    measured: tuple[Measured, ...]
    tuning: TuningReport
    held_out: bool

    @property
    def title(self) -> str:
        """What was measured, in a line."""
        source = "rows held out as queries" if self.held_out else "queries"
        return (
            f"{self.n_rows:,} rows of {self.dim} dims, {self.n_queries:,} {source}, k={self.k}, "
            "one thread"
        )

    def __str__(self) -> str:
        """Return the table as plain text."""
        heads = ("search", f"recall@{self.k}", "p50 ms", "p99 ms", "queries/s",
                 "stored MB/M", "RAM MB/M", "RAM saved")  # fmt: skip
        rows = [
            (
                one.name,
                f"{one.recall:.4f}",
                f"{one.p50_ms:.3f}",
                f"{one.p99_ms:.3f}",
                f"{one.queries_per_second:,.0f}",
                f"{one.stored_mb:,.0f}",
                f"{one.ram_mb:,.0f}",
                f"{one.memory_saved:.0%}",
            )
            for one in self.measured
        ]
        tuned = self.tuning.funnel or "exact search"
        return "\n".join(
            [
                self.title,
                "",
                *table_lines(heads, rows),
                "",
                f"MB/M: megabytes a million rows. Tuned for recall {self.tuning.target:g}: {tuned}",
            ]
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {
            "n_rows": self.n_rows,
            "dim": self.dim,
            "n_queries": self.n_queries,
            "k": self.k,
            "held_out": self.held_out,
            "measured": [one.to_dict() for one in self.measured],
            "tuning": self.tuning.to_dict(),
        }

    def to_json(self, path: str | os.PathLike[str] | None = None) -> str:
        """Return the evaluation as JSON, and write it to `path` if there is one."""
        text = json.dumps(self.to_dict(), indent=2)
        if path is not None:
            Path(path).write_text(text + "\n", encoding="utf-8")
        return text

    def to_html(self, path: str | os.PathLike[str] | None = None) -> str:
        """Return one self-contained page with the plots inside it, written to `path` if given.

        Raises:
            ImportError: matplotlib is not installed.
        """
        from fastfunnel.evaluation.html import page

        text = page(self)
        if path is not None:
            Path(path).write_text(text, encoding="utf-8")
        return text

    def save_plots(self, directory: str | os.PathLike[str]) -> list[Path]:
        """Write recall.png, pareto.png and memory.png into a directory that exists.

        Raises:
            ImportError: matplotlib is not installed.
        """
        from fastfunnel.evaluation.plots import figures

        written = []
        for name, figure in figures(self).items():
            written.append(Path(directory) / f"{name}.png")
            figure.savefig(written[-1], dpi=150)
        return written


def evaluate(
    base: npt.ArrayLike,
    queries: npt.ArrayLike | None = None,
    *,
    k: int = 10,
    recall: float = 0.99,
    budget_s: float = 30.0,
    trained_dims: tuple[int, ...] = (),
    seed: int = 0,
    progress: bool = True,
) -> Evaluation:
    """Measure prefixes, funnels, codes and the tuned funnel on these vectors.

    One half of the queries tunes, the other half is what everything is measured on.

    Args:
        base: (n, dim) float32, float64, float16, bfloat16 or int8.
        queries: (n_queries, dim), at least 4; None takes up to 1,000 rows out of the base.
        k: answers a query.
        recall: target of the tuner.
        budget_s: seconds for the tuner; the rest takes about as long again.
        trained_dims: dims the model was trained at, which clamp the schedule.
        seed: of the split.
        progress: show a bar if stderr is a terminal and rich is installed.

    Returns:
        Evaluation: prints as a table; to_json(), to_html(), save_plots().

    Raises:
        TypeError, ValueError: for arguments of another kind or shape, for nan or inf.
    """
    rows = as_rows(base, "base")
    k = as_count(k, "k")
    dim = rows.shape[1]
    rng = np.random.default_rng(as_count(seed, "seed", at_least=0))
    held_out = queries is None
    if queries is None:
        if len(rows) < 5 * FEWEST_QUERIES:
            raise ValueError(
                f"base must have at least {5 * FEWEST_QUERIES} rows to hold queries out, "
                f"got {len(rows)}"
            )
        order = rng.permutation(len(rows))
        count = min(HELD_OUT, len(rows) // 5)
        asked = as_queries(rows[np.sort(order[:count])], dim)
        rows = rows[np.sort(order[count:])]
    else:
        asked = as_queries(queries, dim)
    if len(asked) < FEWEST_QUERIES:
        raise ValueError(f"queries must be at least {FEWEST_QUERIES}, got {len(asked)}")
    asked = asked[rng.permutation(len(asked))]
    tuning_queries, test = asked[: len(asked) // 2], asked[len(asked) // 2 :]

    index = Index(dim)
    index.add(rows)
    truth = index.search(test, k, exact=True).ids
    index.search(tuning_queries, k)  # on which the default funnel is tried
    report = index.tune(
        tuning_queries, k, recall=recall, budget_s=budget_s, seed=seed, progress=progress
    )
    listed = methods(dim, trained_dims)
    default = index.untuned_funnel(k)
    listed.append(funnel_method("default", default, dim, resident_bytes(default, dim)))
    listed.append(funnel_method("tuned", report.funnel, dim, report.bytes_per_row))
    listed = [one for one in listed if _fits(one.funnel, k)]
    measured = []
    with progress_bar(progress) as bar:
        for number, method in enumerate(listed):
            bar.step(method.name, number / len(listed))
            measured.append(measure(method, index, test, truth))
    return Evaluation(len(index), dim, len(test), k, tuple(measured), report, held_out)


def _fits(funnel: Funnel | None, k: int) -> bool:
    """Return whether every stage keeps at least k rows."""
    return funnel is None or all((stage.keep or k) >= k for stage in funnel.stages)
