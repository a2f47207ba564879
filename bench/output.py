"""Tables for people, JSON for later."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.machine import headline, machine_facts

console = Console(soft_wrap=True)


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table; every column but the first is right-aligned."""
    table = Table(title=title, title_justify="left")
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left", no_wrap=True)
    for row in rows:
        table.add_row(*map(str, row))
    Console(width=max(console.width, 180)).print(table)


def print_machine() -> dict[str, Any]:
    """Print the machine on one line and return all that is known of it."""
    facts = machine_facts()
    console.print(headline(facts), style="dim", markup=False, highlight=False)
    return facts


def write_json(path: Path | None, content: dict[str, Any]) -> None:
    """Write the content, if there is a path."""
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        console.print(f"wrote {path}", style="dim")
