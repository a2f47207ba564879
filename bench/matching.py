"""The cheapest setting of each row that reaches a recall, and how this project compares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bench.measuring import Mode, Point
from bench.timing import Ratio, speed_ratio

OURS = "fastfunnel"


@dataclass(frozen=True)
class Choice:
    """What one row offers at one target."""

    row: str
    best_recall: float
    point: Point | None  # None: not reached


@dataclass(frozen=True)
class Match:
    """All rows at one recall, thread count and mode."""

    target: float
    threads: int
    mode: Mode
    choices: list[Choice]  # fastest first, then those that do not reach the target

    @property
    def ours(self) -> Point | None:
        """The fastest setting of this project."""
        return self._first(is_ours=True)

    @property
    def peer(self) -> Point | None:
        """The fastest setting of anyone else."""
        return self._first(is_ours=False)

    def ratio(self, ours: Point | None, theirs: Point | None) -> Ratio | None:
        """Return how many times as many queries a second ours answers, from pairs of rounds."""
        if ours is None or theirs is None:
            return None
        return speed_ratio(_times(ours), _times(theirs))

    def find(self, row: str) -> Point | None:
        """Return the choice of one row."""
        return next((choice.point for choice in self.choices if choice.row == row), None)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        ratio = self.ratio(self.ours, self.peer)
        default = self.ratio(self.find(f"{OURS} default"), self.peer)
        return {
            "target": self.target,
            "threads": self.threads,
            "mode": self.mode,
            "ours": self.ours and self.ours.label,
            "best_peer": self.peer and f"{self.peer.row}: {self.peer.label}",
            "ratio": ratio and ratio._asdict(),
            "default_ratio": default and default._asdict(),
            "choices": {c.row: c.point and c.point.label for c in self.choices},
        }

    def _first(self, is_ours: bool) -> Point | None:
        points = [choice.point for choice in self.choices if choice.point is not None]
        return next((p for p in points if (p.contender == OURS) == is_ours), None)


def match_all(points: list[Point], targets: list[float]) -> list[Match]:
    """Return a match for each thread count, mode and target."""
    groups = dict.fromkeys((point.threads, point.mode) for point in points)
    return [
        _match([p for p in points if (p.threads, p.mode) == (threads, mode)], target)
        for threads, mode in groups
        for target in targets
    ]


def _match(points: list[Point], target: float) -> Match:
    choices = []
    for row in dict.fromkeys(point.row for point in points):
        own = [point for point in points if point.row == row]
        reached = [point for point in own if point.recall >= target]
        best = max(reached, key=lambda p: p.qps, default=None)
        choices.append(Choice(row, max(p.recall for p in own), best))
    choices.sort(key=lambda c: (-c.point.qps if c.point else 0.0, -c.best_recall))
    return Match(target, points[0].threads, points[0].mode, choices)


def _times(point: Point) -> list[float]:
    return [1 / qps for qps in point.round_qps]
