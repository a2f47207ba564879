"""An evaluation as one HTML file that needs nothing else."""

from __future__ import annotations

import base64
import html
import io
from typing import TYPE_CHECKING

from fastfunnel.evaluation.plots import figures

if TYPE_CHECKING:
    from fastfunnel.evaluation.evaluate import Evaluation

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
th, td { padding: .2rem .8rem; text-align: right; border-bottom: 1px solid #ddd }
th:first-child, td:first-child { text-align: left }
tr:last-child { font-weight: bold }
img { max-width: 100% } pre { overflow-x: auto; background: #f6f6f6; padding: 1rem }
"""
_HEADS = ("search", "funnel", "recall", "p50 ms", "p99 ms", "queries/s", "stored MB/M", "RAM MB/M",
          "RAM saved")  # fmt: skip


def page(evaluation: Evaluation) -> str:
    """Return the whole page: the table, the plots, what the tuner said."""
    rows = "\n".join(
        _row(
            one.name,
            one.funnel or "exact",
            f"{one.recall:.4f}",
            f"{one.p50_ms:.3f}",
            f"{one.p99_ms:.3f}",
            f"{one.queries_per_second:,.0f}",
            f"{one.stored_mb:,.0f}",
            f"{one.ram_mb:,.0f}",
            f"{one.memory_saved:.0%}",
        )
        for one in evaluation.measured
    )
    heads = "".join(f"<th>{html.escape(head)}</th>" for head in _HEADS)
    images = "\n".join(
        f'<p><img alt="{name}" src="data:image/png;base64,{_png(figure)}"></p>'
        for name, figure in figures(evaluation).items()
    )
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>fastfunnel evaluation</title>
<style>{_STYLE}</style></head><body>
<h1>fastfunnel evaluation</h1>
<p>{html.escape(evaluation.title)}. MB/M: megabytes a million rows.</p>
<table><tr>{heads}</tr>
{rows}
</table>
{images}
<h2>The tuner's report</h2>
<pre>{html.escape(str(evaluation.tuning))}</pre>
</body></html>
"""


def _row(*cells: str) -> str:
    return "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells) + "</tr>"


def _png(figure: object) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)  # type: ignore[attr-defined]
    return base64.b64encode(buffer.getvalue()).decode("ascii")
