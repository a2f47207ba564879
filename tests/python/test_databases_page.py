"""The tables of docs/databases.md, as the bench writes them."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PAGE, FIGURES = ROOT / "docs" / "databases.md", ROOT / "docs" / "figures" / "databases.json"
MACHINE = {"cpu": "A CPU", "cores": 2, "isa": "avx2", "load_average": [0.5], "commit": "abc",
           "date": "2026-11-25T10:00:00+00:00"}  # fmt: skip


@pytest.fixture
def markdown(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    if not (ROOT / "bench").exists():
        pytest.skip("needs the repository")
    monkeypatch.syspath_prepend(str(ROOT))
    return import_module("bench.databases.markdown")


def measured(system: str, row: str, recall: float, qps: list[float]) -> dict[str, Any]:
    return {"system": system, "row": row, "label": "ef 7", "recall": recall, "queries": 1000,
            "timed": 250, "qps": qps[1], "round_qps": qps, "p50_ms": 1.25, "p99_ms": 3.5,
            "qps_many": 2 * qps[1], "rates": [2 * rate for rate in qps]}  # fmt: skip


def notes(system: str, rows: list[dict[str, Any]], others: float) -> dict[str, Any]:
    build = {"name": system, "seconds": 61.4, "cpu_seconds": 20.0, "disk_bytes": 5e8,
             "others": others, "versions": {system: "1.2"}}  # fmt: skip
    measure = {"others": 0.03, "rows": rows}
    return {"build": build, "sweep": {"memory_bytes": 7e8}, "measure": measure}


def run() -> dict[str, Any]:
    ours = measured("fastfunnel", "fastfunnel default", 0.995, [4000.0, 5000.0, 6000.0])
    graph = measured("Graphs", "a graph", 0.991, [400.0, 500.0, 300.0])
    scan = measured("Graphs", "a scan", 1.0, [4.0, 5.0, 3.0])
    short = measured("Short", "bits alone", 0.7512, [50.0, 50.0, 50.0])
    return {
        "machine": MACHINE,
        "dataset": "words, 9 rows",
        "systems": {
            "fastfunnel": notes("fastfunnel", [ours], 0.0),
            "graphs": notes("Graphs", [graph, scan, ours], 1.5),
            "short": notes("Short", [short, ours], 0.1),
        },
    }


def test_rows_are_compared_round_by_round(markdown: ModuleType) -> None:
    text = markdown.tables(run())

    assert "words, 9 rows. A CPU, 2 cores" in text
    assert "others took 0.03 cores at most" in text
    queries = "| 1,000, 250 timed |"
    assert f"| a graph | ef 7 | 0.991 {queries} 500 | 1.25, 3.50 | 10 (10 to 20) |" in text
    assert f"| fastfunnel default | ef 7 | 0.995 {queries} 5,000 | 1.25, 3.50 |  | 10,000 |" in text
    assert "| Graphs | 10 times a graph | 10 times a graph |" in text
    assert "| Short | not reached | not reached |" in text


def test_what_was_filled_beside_other_work_is_marked(markdown: ModuleType) -> None:
    text = markdown.tables(run())

    assert "| Graphs | 61 † | 20 | 700 | 500 | Graphs 1.2 |" in text
    assert "| Short | 61 | 20 | 700 | 500 | Short 1.2 |" in text


def test_only_what_is_between_the_marks_is_replaced(markdown: ModuleType, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n\n{markdown.BEGIN}\nold\n{markdown.END}\n\nafter\n")

    markdown.write_page(page, run())
    once = page.read_text(encoding="utf-8")
    markdown.write_page(page, run())

    assert page.read_text(encoding="utf-8") == once
    assert once == f"before\n\n{markdown.tables(run())}\n\nafter\n"
    assert "old" not in once
    with pytest.raises(ValueError, match="must have the lines"):
        markdown.write_page(ROOT / "README.md", run())


def test_the_page_shows_the_figures_that_are_stored(markdown: ModuleType) -> None:
    text = PAGE.read_text(encoding="utf-8")

    assert text.count(markdown.BEGIN) == text.count(markdown.END) == 1
    if FIGURES.exists():
        assert markdown.tables(json.loads(FIGURES.read_text(encoding="utf-8"))) in text
