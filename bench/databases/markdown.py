"""The tables of docs/databases.md, written into the page from the JSON of a run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from bench.databases.lines import Line, lines, rate_text
from bench.databases.measuring import TARGET
from bench.page import origin, table
from bench.timing import Ratio

BEGIN = "<!-- figures/databases.json, written by python -m bench.databases -->"
END = "<!-- end of figures -->"
_BUSY = 0.2  # cores that others may take before a figure is marked


def write_page(page: Path, content: dict[str, Any]) -> None:
    """Replace what stands between the two marks of a page.

    Raises:
        ValueError: if the page has not both.
    """
    text = page.read_text(encoding="utf-8")
    marked = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)
    if not marked.search(text):
        raise ValueError(f"{page} must have the lines {BEGIN} and {END}")
    page.write_text(marked.sub(lambda _: tables(content), text), encoding="utf-8")


def tables(content: dict[str, Any]) -> str:
    """Return all tables of a run as Markdown, between the marks."""
    found = list(lines(content["systems"]))
    parts = [
        BEGIN,
        f"{origin(content)} {_disturbance(content)}",
        table(
            ["", "setting", "recall@10", "queries", "one client, q/s", "p50, p99 ms",
             "ours is, times", "many at once, q/s", "ours is, times"],
            [_cells(line) for line in found],
        ),
        f"The quickest row of each at recall@10 of at least {TARGET}, against ours:",
        table(["", "one client", "many at once"], _best(found)),
        table(
            ["", "build, s", "build, CPU s", "RAM, MB", "disk, MB", "versions"],
            [_costs(notes) for notes in content["systems"].values()],
        ),
        "† beside other work, which took more than a fifth of a core: read the CPU seconds.",
        END,
    ]  # fmt: skip
    return "\n\n".join(parts)


def _cells(line: Line) -> list[str]:
    timed = line.timed
    return [
        timed["row"],
        timed["label"],
        f"{timed['recall']:.3f}",
        f"{timed['queries']:,}, {timed['timed']:,} timed",
        rate_text(timed["qps"]),
        f"{timed['p50_ms']:.2f}, {timed['p99_ms']:.2f}",
        "" if line.is_ours else _ratio(line.ratio),
        rate_text(timed["qps_many"]),
        "" if line.is_ours else _ratio(line.ratio_many),
    ]


def _best(found: list[Line]) -> list[list[str]]:
    """Return of each system the row that is least behind ours, one client and many."""
    names = dict.fromkeys(line.timed["system"] for line in found if not line.is_ours)
    rows = []
    for name in names:
        own = [line for line in found if line.timed["system"] == name and line.reached]
        if not own:
            rows.append([name, "not reached", "not reached"])
            continue
        one = min(own, key=lambda line: line.ratio.median)
        many = min(own, key=lambda line: line.ratio_many.median)
        rows.append(
            [
                name,
                f"{rate_text(one.ratio.median)} times {one.timed['row']}",
                f"{rate_text(many.ratio_many.median)} times {many.timed['row']}",
            ]
        )
    return rows


def _costs(notes: dict[str, Any]) -> list[str]:
    build = notes["build"]
    mark = "" if build.get("others", 1) <= _BUSY else " †"  # older notes do not say
    return [
        build["name"],
        f"{build['seconds']:,.0f}{mark}",
        f"{build['cpu_seconds']:,.0f}",
        f"{notes['sweep']['memory_bytes'] / 1e6:,.0f}",
        f"{build['disk_bytes'] / 1e6:,.0f}",
        ", ".join(f"{name} {version}" for name, version in build["versions"].items()),
    ]


def _disturbance(content: dict[str, Any]) -> str:
    cores = [notes["measure"]["others"] for notes in content["systems"].values()]
    return f"While it was measured, others took {max(cores):.2f} cores at most."


def _ratio(ratio: Ratio) -> str:
    return f"{rate_text(ratio.median)} ({rate_text(ratio.low)} to {rate_text(ratio.high)})"
