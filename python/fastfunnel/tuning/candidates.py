"""Which stages to put in a row: start with two, insert a third, a fourth, a fifth where it pays."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from fastfunnel.funnel import Funnel, Stage
from fastfunnel.tuning.cost import Costs, bare
from fastfunnel.tuning.plan import Candidate, keep_grid, plan
from fastfunnel.tuning.ranks import Ranks
from fastfunnel.tuning.space import MOST_STAGES

Sequences = tuple[Stage, ...]

_WIDTH = 2  # funnels of a level that are worth another stage
_FINALISTS = 2  # funnels of a level that are worth timing


def propose(
    dim: int,
    k: int,
    depth: int,
    ranks: Mapping[Stage, Ranks],
    costs: Costs,
    weight: Callable[[Funnel], float],
    in_time: Callable[[], bool],
) -> list[list[Candidate]]:
    """Return up to two funnels for every level of care that any reaches, most careful first.

    Args:
        dim: dims of the rows.
        k: answers asked for; no stage keeps fewer.
        depth: the most a stage may keep.
        ranks: (n, k) ranks of the true neighbours, of each stage that may come before the last.
        costs: seconds of these stages.
        weight: how much a predicted second of a funnel counts, for objectives other than time.
        in_time: whether to go on inserting stages.
    """
    grid = keep_grid(k, depth)
    full = Stage(dim, "f32")
    seen: set[Sequences] = set()
    levels: dict[int, list[Candidate]] = {}

    def consider(sequences: Iterable[Sequences]) -> None:
        for stages in sequences:
            if stages in seen:
                continue
            seen.add(stages)
            for candidate in plan(stages, ranks, grid, costs):
                levels.setdefault(candidate.level, []).append(candidate)
            if len(seen) > 1 + len(ranks) and not in_time():
                return

    def best(level: int, count: int) -> list[Candidate]:
        order = sorted(levels[level], key=lambda c: c.seconds * weight(c.funnel))
        return order[:count]

    consider([(full,), *((stage, full) for stage in ranks)])
    for _ in range(MOST_STAGES - 2):
        leaders = {_sequence(c.funnel): None for level in levels for c in best(level, _WIDTH)}
        if not in_time():
            break
        consider([longer for one in leaders for longer in _insertions(one, list(ranks))])
    return [_apart(best(level, 4 * _FINALISTS)) for level in sorted(levels)]


def _insertions(stages: Sequences, offered: Sequence[Stage]) -> list[Sequences]:
    """Return the sequences with one more stage somewhere before the last."""
    longer = []
    for stage in offered:
        if stage in stages:
            continue
        for place in range(len(stages)):
            before = stages[place - 1].dims if place else 0
            if before <= stage.dims <= stages[place].dims:
                longer.append((*stages[:place], stage, *stages[place:]))
    return [one for one in longer if len(one) <= MOST_STAGES]


def _sequence(funnel: Funnel) -> Sequences:
    return tuple(bare(stage) for stage in funnel.stages)


def _apart(ordered: list[Candidate]) -> list[Candidate]:
    """Return the first few with different stages: timing decides between those, not keeps."""
    chosen: dict[Sequences, Candidate] = {}
    for candidate in ordered:
        chosen.setdefault(_sequence(candidate.funnel), candidate)
    return list(chosen.values())[:_FINALISTS]
