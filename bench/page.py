"""Tables of docs/benchmarks.md from the JSON in docs/figures; a hook of mkdocs.

A line `<!-- figures: NAME -->` of a page becomes the tables of docs/figures/NAME.json, or a sentence
that there are none yet. The standard library alone is imported: the site is built without NumPy.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

FIGURES = Path(__file__).parents[1] / "docs" / "figures"
MARK = re.compile(r"^<!-- figures: (\w+) -->$", re.MULTILINE)
Json = dict[str, Any]


def on_page_markdown(markdown: str, **_: object) -> str:
    """Put tables where a page asks for them; mkdocs calls this."""
    return MARK.sub(lambda match: figures(FIGURES / f"{match[1]}.json"), markdown)


def figures(path: Path) -> str:
    """Return the tables of one JSON file, as Markdown.

    Raises:
        KeyError, ValueError: if the file is not what its script writes; that ends the build.
    """
    if not path.is_file():
        return "*No figures yet: the command above makes them.*"
    content = json.loads(path.read_text(encoding="utf-8"))
    kind = path.stem.partition("_")[0]  # peers_mrl1024: a run of bench.peers
    return f"{origin(content)}\n\n{TABLES[kind](content)}"


def origin(content: Json) -> str:
    """Return what was measured, where and when."""
    machine = content["machine"]
    what = content.get("dataset") or content["source"]
    load = f"{machine['load_average'][0]:.1f}" if machine["load_average"] else "unknown"
    return (
        f"{what}. {machine['cpu']}, {machine['cores']} cores, {machine['isa']}, load {load} at the "
        f"start; commit {machine['commit']}, {machine['date'][:10]}."
    )


def peers(content: Json) -> str:
    """Return a tab a target: for each thread count and mode the best setting of every row."""
    points = {(p["row"], p["label"], p["threads"], p["mode"]): p for p in content["points"]}
    targets = sorted({match["target"] for match in content["matches"]}, key=lambda t: abs(t - 0.99))
    tabs = []
    for target in targets:
        tables = []
        for match in content["matches"]:
            if match["target"] == target:
                tables += [f"**{_place(match)}**: {_ratios(match)}", _choices(match, points)]
        tabs.append(f'=== "recall@10 ≥ {target:g}"\n\n' + _indented("\n\n".join(tables)))
    return "\n\n".join(tabs)


def exact(content: Json) -> str:
    """Return a table a kind of data."""
    return _grouped(
        content["records"],
        "data",
        ["search", "threads", "mode", "recall", "queries/s", "`exact=True` is"],
        lambda r: [r["search"], r["threads"], r["mode"], f"{r['recall']:.4f}", f"{r['qps']:,.0f}",
                   _ratio(*r["ours_is"])],
    )  # fmt: skip


def hamming(content: Json) -> str:
    """Return one table, a line a width, k, thread count and mode."""

    def speed(record: Json, name: str) -> str:
        return f"{record['queries'] / median(record['seconds'][name]):,.0f}"

    return table(
        ["bits", "rows", "k", "threads", "mode", "ours, queries/s", "FAISS, queries/s", "ours is"],
        [
            [r["bits"], f"{r['rows']:,}", r["k"], r["threads"], r["mode"], speed(r, "ours"),
             speed(r, "faiss"), _ratio(**r["ratio"])]
            for r in content["records"]
        ],
    )  # fmt: skip


def threads(content: Json) -> str:
    """Return one table, a line a search, mode and thread count."""
    return table(
        ["search", "mode", "threads", "queries/s", "of one thread"],
        [
            [r["search"], r["mode"], r["threads"], f"{r['qps']:,.0f}", _ratio(*r["speedup"])]
            for r in content["records"]
        ],
    )


TABLES: dict[str, Callable[[Json], str]] = {
    "peers": peers, "exact": exact, "hamming": hamming, "threads": threads,
}  # fmt: skip


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table; columns that hold numbers are right-aligned."""
    lines = [[str(cell) for cell in row] for row in rows]
    numeric = [all(re.match(r"[\d-]", line[at]) for line in lines) for at in range(len(columns))]
    rule = ["--:" if is_number else "---" for is_number in numeric]
    return "\n".join(f"| {' | '.join(line)} |" for line in [list(columns), rule, *lines])


def _choices(match: Json, points: dict[tuple[str, str, int, str], Json]) -> str:
    rows = []
    for row, label in match["choices"].items():
        name = f"**{row}**" if row.startswith("fastfunnel") else row
        if label is None:
            rows.append([name, "not reached", *["-"] * 4])
            continue
        point = points[row, label, match["threads"], match["mode"]]
        p50 = f"{point['p50_ms']:.3f}" if "p50_ms" in point else "-"
        rows.append(
            [name, label, f"{point['recall']:.4f}", f"{point['qps']:,.0f}", p50,
             f"{point['bytes_per_row']:,.0f}"]
        )  # fmt: skip
    return table(["", "setting", "recall@10", "queries/s", "p50, ms", "bytes a row"], rows)


def _place(match: Json) -> str:
    mode = "batch" if match["mode"] == "batch" else "one query at a time"
    return f"{match['threads']} thread{'s' if match['threads'] > 1 else ''}, {mode}"


def _ratios(match: Json) -> str:
    if match["best_peer"] is None or match["ratio"] is None:
        return "nothing to compare."
    default = match["default_ratio"]
    beside = f", the default funnel {_ratio(**default)}" if default else ""
    return (
        f"the fastest of ours is {_ratio(**match['ratio'])}{beside}; against {match['best_peer']}."
    )


def _ratio(median: float, low: float, high: float) -> str:
    return f"{median:.2f} ({low:.2f} to {high:.2f})"


def _grouped(
    records: list[Json], key: str, columns: list[str], cells: Callable[[Json], list[object]]
) -> str:
    groups = dict.fromkeys(record[key] for record in records)
    return "\n\n".join(
        f"**{group}**\n\n{table(columns, [cells(r) for r in records if r[key] == group])}"
        for group in groups
    )


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" if line else "" for line in text.splitlines())
