"""The table and the plot of the comparison."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from bench.databases.measuring import TARGET
from bench.databases.system import OURS
from bench.output import print_table
from bench.timing import Ratio, speed_ratio

_DEFAULT = f"{OURS} default"
_OURS_COLOR, _THEIR_COLOR, _SHORT_COLOR = "#c1121f", "#4878a8", "#c8ccd0"


class Line(NamedTuple):
    """One row of one system, and how ours compares in the same rounds."""

    timed: dict[str, Any]
    ratio: Ratio
    ratio_many: Ratio


def print_report(systems: dict[str, Any]) -> None:
    """Print what each row reached, then what each system costs and offers."""
    lines = list(_lines(systems))
    print_table(
        f"The cheapest setting of each row at recall@10 >= {TARGET}, or the best it has",
        ["", "setting", "recall", "q/s", "p50 ms", "p99 ms", "ours is", "many, q/s", "ours is"],
        [_cells(line) for line in lines],
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
    lines = sorted(_lines(systems), key=lambda line: line.timed["qps"])
    figure, panels = plt.subplots(
        1, 2, figsize=(13, 0.32 * len(lines) + 2), sharey=True, layout="constrained"
    )
    for panel, key, name in zip(
        panels, ("qps", "qps_many"), ("one query at a time", "many at once"), strict=True
    ):
        _draw(panel, [line.timed for line in lines], key)
        panel.set_title(f"queries a second, {name}", fontsize=11)
    figure.suptitle(f"recall@10 >= {TARGET} on {title}", fontsize=12)
    figure.savefig(path, dpi=150)
    plt.close(figure)


def _lines(systems: dict[str, Any]) -> Iterator[Line]:
    """Yield the rows of every system; ours stand once, from the run of their own."""
    for notes in systems.values():
        ours = next(t for t in notes["measure"] if t["row"] == _DEFAULT)
        for timed in notes["measure"]:
            if timed["system"] == notes["build"]["name"]:
                single = speed_ratio(*(_times(t["round_qps"]) for t in (ours, timed)))
                many = speed_ratio(*(_times(t["rates"]) for t in (ours, timed)))
                yield Line(timed, single, many)


def _times(rates: list[float]) -> list[float]:
    return [1 / rate for rate in rates]


def _cells(line: Line) -> list[str]:
    timed = line.timed
    is_ours = timed["system"] == OURS
    return [
        timed["row"],
        timed["label"],
        f"{timed['recall']:.4f}" + ("" if timed["recall"] >= TARGET else " (short)"),
        _rate(timed["qps"]),
        f"{timed['p50_ms']:.2f}",
        f"{timed['p99_ms']:.2f}",
        "" if is_ours else _times_text(line.ratio),
        _rate(timed["qps_many"]),
        "" if is_ours else _times_text(line.ratio_many),
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
        panel.text(timed[key], number, f" {_rate(timed[key])}{note}", va="center", fontsize=8)
    panel.set_yticks(range(len(rows)), [timed["row"] for timed in rows], fontsize=9)
    panel.set_xscale("log")
    panel.set_xlim(right=max(timed[key] for timed in rows) * 4)
    panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    panel.grid(True, axis="x", linewidth=0.4, alpha=0.5)
    panel.set_axisbelow(True)


def _times_text(ratio: Ratio) -> str:
    return f"{_rate(ratio.median)}x ({_rate(ratio.low)}-{_rate(ratio.high)})"


def _rate(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"
