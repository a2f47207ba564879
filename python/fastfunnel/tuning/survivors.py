"""What each stage of a funnel lets through."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastfunnel.funnel import Funnel, Stage
from fastfunnel.sampling import are_among
from fastfunnel.tuning.budget import Deadline
from fastfunnel.tuning.report import StageSurvivors
from fastfunnel.tuning.sample import Part

if TYPE_CHECKING:
    from fastfunnel.index import Index

_QUERIES = 200  # that show it


def survivors(
    index: Index, part: Part, k: int, funnel: Funnel | None, deadline: Deadline
) -> list[StageSurvivors]:
    """Return what each stage lets through, by cutting the funnel short behind it.

    Nothing for exact search. By as many queries of the part as there is time for, 200 at most.
    """
    if funnel is None:
        return []
    some = part[:_QUERIES]
    passed_on, rows = [], len(index)
    for number, stage in enumerate(funnel.stages, 1):
        keep = stage.keep or k
        cut = Funnel([*funnel.stages[: number - 1], Stage(stage.dims, stage.precision)])
        passed = keep - some.asked(0) if stage.keep else keep  # less its own row, if it has one
        ids = some.answers_in_time(index, min(passed, len(index) - 1), cut, deadline)
        found = are_among(some.truth[: len(ids)], ids)
        passed_on.append(StageSurvivors(stage, rows, min(keep, rows), float(found.mean())))
        rows = min(keep, rows)
    return passed_on
