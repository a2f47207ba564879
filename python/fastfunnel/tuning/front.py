"""The funnels that a tuning checked, and which of them a recall calls for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from fastfunnel.arguments import as_share
from fastfunnel.funnel import Funnel, grown


@dataclass(frozen=True)
class FrontPoint:
    """A funnel and what it did on queries that had no part in choosing it.

    funnel: None is exact search.
    recall: mean share of the true neighbours found, 0 … 1.
    promised: recall that unseen queries get, with the tuning's confidence.
    seconds: median of single queries on one thread.
    queries_per_second: of a batch on one thread.
    bytes_per_row: codes (and floats, if scanned) that searching goes through.
    """

    funnel: Funnel | None
    recall: float
    promised: float
    seconds: float
    queries_per_second: float
    bytes_per_row: int

    @property
    def speed(self) -> float:
        """Single queries a second."""
        return 1 / max(self.seconds, 1e-12)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {**asdict(self), "funnel": None if self.funnel is None else str(self.funnel)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> FrontPoint:
        """Return the point that `to_dict` described."""
        text = data["funnel"]
        return cls(**{**data, "funnel": None if text is None else Funnel.parse(text)})


@dataclass(frozen=True)
class Front:
    """What a tuning found for one k: exact search, then what was checked, careful to cheap.

    k: answers a query.
    recall: the recall that was tuned for.
    highest: the highest recall tuned for at this k so far: more may not be asked for.
    objective: "latency", "throughput" or "memory".
    n_rows: rows of the index then.
    points: exact search first; the others by the recall they promise.
    is_sure: False where time was out before any funnel could promise the recall: searches that name
        none go on as if nothing was tuned.
    """

    k: int
    recall: float
    highest: float
    objective: str
    n_rows: int
    points: tuple[FrontPoint, ...]
    is_sure: bool = True

    def choose(self, recall: float) -> FrontPoint:
        """Return the best point that promises this recall."""
        return best_point(promising(self.points, recall), self.objective)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {**asdict(self), "points": [point.to_dict() for point in self.points]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Front:
        """Return the front that `to_dict` described."""
        return cls(**{**data, "points": tuple(map(FrontPoint.from_dict, data["points"]))})


def promising(points: Sequence[FrontPoint], recall: float) -> list[FrontPoint]:
    """Return the points that promise a recall, the first of them exact search."""
    return [points[0], *(point for point in points[1:] if point.promised >= recall)]


def best_point(points: Sequence[FrontPoint], objective: str) -> FrontPoint:
    """Return the fastest point; for memory the smallest that is at most 4 times slower than it."""
    if objective == "throughput":
        return max(points, key=lambda point: point.queries_per_second)
    fastest = min(points, key=lambda point: point.seconds)
    if objective == "latency":
        return fastest
    bearable = [point for point in points if point.seconds <= 4 * fastest.seconds]
    return min(bearable, key=lambda point: (point.bytes_per_row, point.seconds))


@dataclass(frozen=True)
class Tuned:
    """The fronts of an index, by k. Never changed in place."""

    fronts: Mapping[int, Front]

    def with_front(self, front: Front) -> Tuned:
        """Return these fronts with one more, or with the one for its k replaced."""
        if (known := self.fronts.get(front.k)) is not None:
            front = replace(front, highest=max(front.highest, known.highest))
        return Tuned({**self.fronts, front.k: front})

    def for_share(self, share: float) -> Tuned:
        """Return the fronts as if tuned on a share of the rows: keeps then grow by its inverse."""
        fewer = (replace(front, n_rows=int(front.n_rows * share)) for front in self.fronts.values())
        return Tuned({front.k: front for front in fewer})

    def decide(self, k: int) -> bool:
        """Return whether they say what a search for the top k does that names no recall."""
        return k in self.fronts and self.fronts[k].is_sure

    def funnel(self, k: int, recall: float | None, n_rows: int) -> Funnel | None:
        """Return the funnel for a recall; None is exact search.

        Args:
            k: answers a query.
            recall: None is the recall that k was tuned for.
            n_rows: rows of the index now. Where they outgrew the tuning, keeps grow alike: as
                many times more rows outrank a neighbour at most.

        Raises:
            TypeError, ValueError: for what is no recall; ValueError for a k or a recall that was not
                tuned, saying what to call.
        """
        recall = None if recall is None else as_share(recall, "recall", top=True)
        front = self.fronts.get(k)
        if front is None or (recall is not None and recall > front.highest):
            known = ", ".join(f"{f.highest} at k={f.k}" for f in self.fronts.values())
            asked = 0.99 if recall is None else recall
            raise ValueError(
                f"recall={asked} at k={k} was not tuned (tuned so far: {known or 'nothing'}); "
                f"call index.tune(k={k}, recall={asked}) first"
            )
        funnel = front.choose(front.recall if recall is None else recall).funnel
        return None if funnel is None else grown(funnel, n_rows / max(front.n_rows, 1))

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {"fronts": [front.to_dict() for front in self.fronts.values()]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Tuned:
        """Return the fronts that `to_dict` described."""
        fronts = map(Front.from_dict, data["fronts"])
        return cls({front.k: front for front in fronts})
