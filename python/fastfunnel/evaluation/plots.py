"""Three pictures of an evaluation. Needs matplotlib."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastfunnel.figures import new_figure

if TYPE_CHECKING:
    from fastfunnel.evaluation.evaluate import Evaluation


def figures(evaluation: Evaluation) -> dict[str, Any]:
    """Return matplotlib Figures by name: recall, pareto, memory."""
    return {
        "recall": recall_figure(evaluation),
        "pareto": pareto_figure(evaluation),
        "memory": memory_figure(evaluation),
    }


def recall_figure(evaluation: Evaluation) -> Any:
    """Draw recall against the dims of a prefix, renormalised or not."""
    figure, axes = new_figure()
    for family, style in (("prefix", "-o"), ("prefix, not renormalised", "--s")):
        curve = sorted(
            (one.dims, one.recall) for one in evaluation.measured if one.family in (family, "exact")
        )
        axes.plot(*zip(*curve, strict=True), style, label=family)
    dims = sorted({one.dims for one in evaluation.measured if one.family in ("prefix", "exact")})
    axes.set_xscale("log", base=2)
    axes.set_xticks(dims, [f"{d:,}" for d in dims])
    axes.set(xlabel="leading dims", ylabel=f"recall@{evaluation.k}", ylim=(0, 1.02))
    axes.set_title("Recall of prefixes")
    axes.legend()
    return figure


def pareto_figure(evaluation: Evaluation) -> Any:
    """Draw recall against milliseconds, with the front of the tuner."""
    figure, axes = new_figure()
    front = evaluation.tuning.pareto
    axes.plot(
        [1e3 * p.seconds for p in front], [p.recall for p in front], "-", color="0.6",
        label="front of the tuner",
    )  # fmt: skip
    named = {"default": "s", "tuned": "*"}  # of one family, but not alike
    kinds = dict.fromkeys(
        one.name if one.name in named else one.family for one in evaluation.measured
    )
    for kind in kinds:
        some = [one for one in evaluation.measured if kind in (one.name, one.family)]
        some = [one for one in some if one.name == kind or one.name not in named]
        axes.plot(
            [one.p50_ms for one in some],
            [one.recall for one in some],
            named.get(kind, "o"),
            label=kind,
            ms=14 if kind == "tuned" else 6,
        )
    axes.set(xscale="log", xlabel="p50, milliseconds a query", ylabel=f"recall@{evaluation.k}")
    axes.set_title("Recall against latency")
    axes.legend(fontsize="small", loc="upper left", bbox_to_anchor=(1, 1))
    return figure


def memory_figure(evaluation: Evaluation) -> Any:
    """Draw RAM a million rows, a bar a method."""
    figure, axes = new_figure(height=0.28 * len(evaluation.measured) + 1)
    names = [f"{one.name} ({one.recall:.3f})" for one in evaluation.measured]
    bars = axes.barh(names, [one.ram_mb for one in evaluation.measured], color="tab:blue")
    axes.bar_label(bars, [f"{one.ram_mb:,.0f}" for one in evaluation.measured], padding=3)
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.set(xlabel="RAM, MB a million rows")
    axes.set_title(f"Memory that a search goes through (recall@{evaluation.k})")
    return figure
