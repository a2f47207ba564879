"""The table and the plot of the comparison."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from bench.databases.lines import Line, lines, rate_text
from bench.databases.measuring import TARGET
from bench.databases.system import OURS
from bench.output import print_table
from bench.timing import Ratio

_OURS_COLOR, _THEIR_COLOR, _SHORT_COLOR = "#c1121f", "#4878a8", "#c8ccd0"


def print_report(systems: dict[str, Any]) -> None:
    """Print what each row reached, then what each system costs and offers."""
    found = list(lines(systems))
    print_table(
        f"The cheapest setting of each row at recall@10 >= {TARGET}, or the best it has",
        ["", "setting", "recall", "q/s", "p50 ms", "p99 ms", "ours is", "many, q/s", "ours is"],
        [_cells(line) for line in found],
    )
    print_table(
        "What it costs",
        ["", "many at once", "build s", "build CPU s", "RAM MB", "disk MB", "versions"],
        [_costs(notes) for notes in systems.values()],
    )
    print_table(
        "What it does beyond this",
        ["", "beyond"],
        [(n["build"]["name"], n["build"]["beyond"]) for n in systems.values()],
    )


def plot_bars(systems: dict[str, Any], title: str, path: Path) -> None:
    """Write a PNG of queries a second: a panel for one client, a panel for many queries at once.

    Bars of rows that do not reach TARGET are pale and say what they reach.
    """
    found = sorted(lines(systems), key=lambda line: line.timed["qps"])
    figure, panels = plt.subplots(
        1, 2, figsize=(13, 0.32 * len(found) + 2), sharey=True, layout="constrained"
    )
    for panel, key, name in zip(
        panels, ("qps", "qps_many"), ("one query at a time", "many at once"), strict=True
    ):
        _draw(panel, [line.timed for line in found], key)
        panel.set_title(f"queries a second, {name}", fontsize=11)
    figure.suptitle(f"recall@10 >= {TARGET} on {title}", fontsize=12)
    figure.savefig(path, dpi=150)
    plt.close(figure)


def _cells(line: Line) -> list[str]:
    timed = line.timed
    return [
        timed["row"],
        timed["label"],
        f"{timed['recall']:.4f}" + ("" if line.reached else " (short)"),
        rate_text(timed["qps"]),
        f"{timed['p50_ms']:.2f}",
        f"{timed['p99_ms']:.2f}",
        "" if line.is_ours else _times_text(line.ratio),
        rate_text(timed["qps_many"]),
        "" if line.is_ours else _times_text(line.ratio_many),
    ]


def _costs(notes: dict[str, Any]) -> list[str]:
    build = notes["build"]
    return [
        build["name"],
        build["many"],
        f"{build['seconds']:,.1f}",
        f"{build['cpu_seconds']:,.1f}",
        f"{notes['sweep']['memory_bytes'] / 1e6:,.0f}",
        f"{build['disk_bytes'] / 1e6:,.0f}",
        ", ".join(f"{name} {version}" for name, version in build["versions"].items()),
    ]


def _draw(panel: Axes, rows: list[dict[str, Any]], key: str) -> None:
    for number, timed in enumerate(rows):
        reached = timed["recall"] >= TARGET
        color = _OURS_COLOR if timed["system"] == OURS else _THEIR_COLOR
        panel.barh(number, timed[key], color=color if reached else _SHORT_COLOR)
        note = "" if reached else f"   recall {timed['recall']:.2f}"
        panel.text(timed[key], number, f" {rate_text(timed[key])}{note}", va="center", fontsize=8)
    panel.set_yticks(range(len(rows)), [timed["row"] for timed in rows], fontsize=9)
    panel.set_xscale("log")
    panel.set_xlim(right=max(timed[key] for timed in rows) * 4)
    panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    panel.grid(True, axis="x", linewidth=0.4, alpha=0.5)
    panel.set_axisbelow(True)


def _times_text(ratio: Ratio) -> str:
    return f"{rate_text(ratio.median)}x ({rate_text(ratio.low)}-{rate_text(ratio.high)})"
