"""Which stages to put in a row: start with two, insert a third, a fourth, a fifth where it pays."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from fastfunnel.funnel import Funnel, Stage
from fastfunnel.tuning.cost import Costs
from fastfunnel.tuning.plan import LEVELS, Candidate, Path, keep_grid, plan
from fastfunnel.tuning.space import MOST_STAGES
from fastfunnel.tuning.stage_ranks import StageRanks

Sequences = tuple[Stage, ...]

_WIDTH = 2  # sequences of a level that are worth another stage


def propose(
    dim: int,
    k: int,
    depth: int,
    ranks: StageRanks,
    costs: Costs,
    weight: Callable[[Funnel], float],
    in_time: Callable[[], bool],
) -> list[Path]:
    """Return the path of every sequence of stages that was worth a look.

    Args:
        dim: dims of the rows.
        k: answers asked for; no stage keeps fewer.
        depth: the most a stage may keep.
        ranks: of the true neighbours, by each stage that may come before the last.
        costs: seconds of these stages.
        weight: how much a predicted second of a funnel counts, for objectives other than time.
        in_time: whether to go on inserting stages.
    """
    grid = keep_grid(k, depth)
    full = Stage(dim, "f32")
    paths: dict[Sequences, Path] = {}

    def consider(sequences: Iterable[Sequences]) -> None:
        for stages in sequences:
            if stages not in paths:
                paths[stages] = plan(stages, ranks, grid, costs)
            if len(paths) > len(ranks.scans) and not in_time():
                return

    consider((stage, full) for stage in ranks.scans)
    for _ in range(MOST_STAGES - 2):
        if not in_time():
            break
        leaders = _leaders(paths, weight)
        consider([longer for one in leaders for longer in _insertions(one, ranks)])
    return [path for path in paths.values() if path]


def cheapest(path: Path, level: int) -> Candidate | None:
    """Return the cheapest funnel of a path that is at least so careful, None if none is."""
    return next((one for one in reversed(path) if one.level <= level), None)


def _leaders(paths: Mapping[Sequences, Path], weight: Callable[[Funnel], float]) -> list[Sequences]:
    """Return the sequences that are among the best at any level of care."""
    leaders: dict[Sequences, None] = {}
    for level in range(len(LEVELS)):
        costs = {
            stages: one.seconds * weight(one.funnel)
            for stages, path in paths.items()
            if (one := cheapest(path, level)) is not None
        }
        leaders.update(dict.fromkeys(sorted(costs, key=costs.__getitem__)[:_WIDTH]))
    return list(leaders)


def _insertions(stages: Sequences, ranks: StageRanks) -> list[Sequences]:
    """Return the sequences with one more stage somewhere before the last."""
    longer = []
    for stage in ranks.later:
        if stage in stages:
            continue
        for place in range(0 if stage in ranks.scans else 1, len(stages)):
            before = stages[place - 1].dims if place else 0
            if before <= stage.dims <= stages[place].dims:
                longer.append((*stages[:place], stage, *stages[place:]))
    return [one for one in longer if len(one) <= MOST_STAGES]
