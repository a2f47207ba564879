"""The picture of a tuning: recall against time. Needs matplotlib."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastfunnel.figures import new_figure

if TYPE_CHECKING:
    from fastfunnel.tuning.report import TuningReport


def front_figure(report: TuningReport) -> Any:
    """Return a matplotlib Figure: everything checked, the Pareto front, and the choice."""
    figure, axes = new_figure()
    tried = report.front.points
    axes.plot([1e3 * p.seconds for p in tried], [p.recall for p in tried], "o", color="0.7")
    front = report.pareto
    axes.plot([1e3 * p.seconds for p in front], [p.recall for p in front], "-o", label="front")
    if (before := report.default) is not None:
        axes.plot([1e3 * before.seconds], [before.recall], "s", color="tab:red", label="default")
    axes.plot(
        [1e3 * report.latency_s], [report.recall], "*", ms=16, color="tab:green", label="chosen"
    )
    axes.axhline(report.target, ls=":", color="0.4")
    axes.set(
        xscale="log",
        xlabel="milliseconds a query, one thread",
        ylabel=f"recall@{report.k}",
        title=f"{report.front.n_rows:,} rows, target {report.target:g}",
    )
    axes.legend()
    return figure
