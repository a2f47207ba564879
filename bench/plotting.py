"""Recall against queries a second, as the field draws it."""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from bench.matching import OURS
from bench.measuring import MODES, Point

_MARKERS = "osD^v<>Pp*XhH8d"
_OURS_COLOR = "#c1121f"
_PEER_COLORS = [color for n, color in enumerate(plt.get_cmap("tab20").colors) if n not in (6, 7)]
_TITLES = {"batch": "batch", "single": "one query at a time"}


def plot_pareto(points: list[Point], title: str, path: Path, lowest_recall: float = 0.9) -> None:
    """Write a PNG: a panel for batch and one for single, a line of panels a thread count.

    Lines join the settings of a row that no other setting of the row beats in both recall and
    speed. Settings below `lowest_recall` are left out.
    """
    counts = sorted({point.threads for point in points})
    rows = list(dict.fromkeys(point.row for point in points))
    figure, panels = plt.subplots(
        len(counts), 2, figsize=(12, 4.5 * len(counts) + 1.5), squeeze=False, layout="constrained"
    )
    for line, threads in zip(panels, counts, strict=True):
        for panel, mode in zip(line, MODES, strict=True):
            own = [p for p in points if (p.threads, p.mode) == (threads, mode)]
            _draw(panel, [p for p in own if p.recall >= lowest_recall], rows)
            threads_text = f"{threads} thread{'s' if threads > 1 else ''}"
            panel.set_title(f"{_TITLES[mode]}, {threads_text}", fontsize=11)
            panel.set_xlim(lowest_recall - 0.003, 1.003)
    handles = {}
    for panel in panels.flat:
        found, labels = panel.get_legend_handles_labels()
        handles |= dict(zip(labels, found, strict=True))
    figure.legend(
        handles.values(),
        handles.keys(),
        loc="outside lower center",
        ncols=4,
        fontsize=9,
        frameon=False,
    )
    figure.suptitle(title, fontsize=12)
    figure.savefig(path, dpi=150)
    plt.close(figure)


def _draw(panel: Axes, points: list[Point], rows: list[str]) -> None:
    peers = [row for row in rows if not row.startswith(OURS)]
    for number, row in enumerate(rows):
        own = sorted((p for p in points if p.row == row), key=lambda p: (-p.recall, -p.qps))
        frontier: list[Point] = []
        for point in own:
            if not frontier or point.qps > frontier[-1].qps:
                frontier.append(point)
        if not frontier:
            continue
        is_ours = row.startswith(OURS)
        color = _OURS_COLOR if is_ours else _peer_color(peers.index(row))
        panel.plot(
            [p.recall for p in frontier],
            [p.qps for p in frontier],
            marker=_MARKERS[number % len(_MARKERS)],
            color=color,
            linewidth=2.4 if is_ours else 1.2,
            markersize=8 if is_ours else 5,
            zorder=3 if is_ours else 2,
            label=row,
        )
    panel.set_yscale("log")
    panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    panel.grid(True, which="both", linewidth=0.4, alpha=0.5)
    panel.set_xlabel("recall@10")
    panel.set_ylabel("queries a second")


def _peer_color(number: int) -> tuple[float, float, float]:
    """Return strong colours first, then their light versions; none is a red."""
    order = [*_PEER_COLORS[::2], *_PEER_COLORS[1::2]]
    return order[number % len(order)]
