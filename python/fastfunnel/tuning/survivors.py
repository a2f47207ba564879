"""What each stage of a funnel lets through."""

from __future__ import annotations

from fastfunnel.funnel import Funnel, Stage
from fastfunnel.tuning.budget import Deadline
from fastfunnel.tuning.report import StageSurvivors
from fastfunnel.tuning.sample import Part
from fastfunnel.tuning.target import Target

_QUERIES = 200  # that show it


def survivors(
    index: Target, part: Part, k: int, funnel: Funnel | None, deadline: Deadline
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
        found = index.left(some, min(passed, len(index) - 1), cut, deadline)
        passed_on.append(StageSurvivors(stage, rows, min(keep, rows), float(found.mean())))
        rows = min(keep, rows)
    return passed_on
