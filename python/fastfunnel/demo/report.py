"""How the demo's findings look on a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Console, Group, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from fastfunnel.demo.comparison import Measurement
from fastfunnel.demo.library import Hit
from fastfunnel.demo.machine import cpu_name, cpu_threads
from fastfunnel.demo.pipeline import Comparison, K

PIPE_WIDTH = 120


def console() -> Console:
    """Return a console that is wide enough for the table where there is no terminal."""
    made = Console(highlight=False, markup=False)
    if not made.is_terminal:
        made.width = PIPE_WIDTH
    return made


def progress_bar(console: Console) -> Progress:
    """Return the bar that embedding and measuring share."""
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(TextColumn("{task.description}"), *columns, console=console)


def hits_view(question: str, hits: Sequence[Hit]) -> RenderableType:
    """Return a question and its answers, one line each, best first."""
    lines: list[RenderableType] = [Text(question, style="bold")]
    lines += [hit_line(hit) for hit in hits] or [Text("  nothing found", style="dim")]
    return Group(*lines)


def hit_line(hit: Hit) -> Text:
    """Return a hit's score and the beginning of its text, or its id where no text is known."""
    text = f"id {hit.id}" if hit.passage is None else hit.passage.text
    line = Text(no_wrap=True, overflow="ellipsis")
    line.append(f"  {hit.score:.3f}  ", style="cyan")
    line.append(text)
    return line


def comparison_table(comparison: Comparison) -> Table:
    """Return the measurements as a table whose title says what was measured, and on what."""
    table = Table(
        title=(
            f"{comparison.rows:,} vectors of {comparison.dim} dimensions, "
            f"{comparison.queries:,} held-out queries, k={K}\n"
            f"one thread of {cpu_name()} ({cpu_threads()} available)"
        ),
        box=box.SIMPLE_HEAD,
        title_justify="left",
        title_style="bold",
    )
    table.add_column("search", no_wrap=True)
    for header in ("recall", "p50\nms", "p99\nms", "queries/s\nin a batch"):
        table.add_column(header, justify="right", no_wrap=True)
    for header in ("first stage\nbytes a row", "of the\nfloats", "speed-up\none | batch"):
        table.add_column(header, justify="right", no_wrap=True)
    for one in comparison.measured:
        default = one is comparison.measured[-1]
        table.add_row(*_cells(one, comparison.measured[0]), style="bold green" if default else None)
    return table


def _cells(one: Measurement, numpy: Measurement) -> list[str]:
    single = numpy.p50_ms / one.p50_ms
    batch = one.queries_per_second / numpy.queries_per_second
    return [
        one.name,
        f"{one.recall:.4f}",
        f"{one.p50_ms:.2f}",
        f"{one.p99_ms:.2f}",
        f"{one.queries_per_second:,.0f}",
        f"{one.scanned_bytes:,}",
        _share(numpy.scanned_bytes / one.scanned_bytes),
        f"{_ratio(single)} | {_ratio(batch)}",
    ]


def _share(times_smaller: float) -> str:
    return "all" if times_smaller <= 1 else f"1/{times_smaller:.0f}"


def _ratio(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"


def storage_line(comparison: Comparison) -> str:
    """Return what the default's first stage reads of all rows, beside what the floats are."""
    floats = comparison.measured[0].scanned_bytes * comparison.rows
    codes = comparison.measured[-1].scanned_bytes * comparison.rows
    if codes == floats:
        return f"So few rows ({_megabytes(floats)}) are searched exactly by default."
    return (
        f"Every query scans {_megabytes(codes)} of codes in place of {_megabytes(floats)} of "
        f"floats ({1 - codes / floats:.0%} less); the floats rescore the last few."
    )


def _megabytes(count: int) -> str:
    return f"{count / 1e6:,.1f} MB" if count >= 100_000 else f"{count / 1e3:,.1f} kB"
