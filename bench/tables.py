"""The tables of the comparison."""

from __future__ import annotations

from bench.matching import OURS, Choice, Match
from bench.output import print_table
from bench.timing import Ratio


def print_matches(matches: list[Match]) -> None:
    """Print one table a thread count, mode and target, then one line of each."""
    for match in matches:
        print_table(
            f"recall@10 >= {match.target}, {match.mode}, {match.threads} threads",
            ["", "setting", "recall", "q/s", "p50 ms", "p99 ms", "build s", "bytes/row", "ours is"],
            [_row(match, choice) for choice in match.choices],
        )
    print_table(
        f"{OURS} against the best peer of each column: median ratio of rounds (lowest-highest)",
        [
            "column",
            "fastest of ours",
            "best peer",
            "its setting",
            "fastest of ours is",
            "default is",
        ],
        [_summary(match) for match in matches],
    )


def _row(match: Match, choice: Choice) -> list[str]:
    point = choice.point
    if point is None:
        return [choice.row, "not reached", f"{choice.best_recall:.4f}", *["-"] * 6]
    is_ours = point.contender == OURS
    return [
        choice.row,
        point.label,
        f"{point.recall:.4f}",
        f"{point.qps:,.0f}",
        f"{point.percentile(50):.3f}" if point.latencies else "-",
        f"{point.percentile(99):.3f}" if point.latencies else "-",
        f"{point.build_seconds:.1f}",
        f"{point.bytes_per_row:,.0f}",
        "" if is_ours else _text(match.ratio(match.ours, point)),
    ]


def _summary(match: Match) -> list[str]:
    ours, peer = match.ours, match.peer
    return [
        f"{match.mode}, {match.threads} threads, {match.target}",
        ours.label if ours else "not reached",
        peer.row if peer else "none reaches it",
        peer.label if peer else "-",
        _text(match.ratio(ours, peer)),
        _text(match.ratio(match.find(f"{OURS} default"), peer)),
    ]


def _text(ratio: Ratio | None) -> str:
    return "-" if ratio is None else str(ratio)
