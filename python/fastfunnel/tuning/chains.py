"""Which paths are put to the test, and how much of the error rate each may spend."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from fastfunnel.funnel import Funnel
from fastfunnel.tuning.candidates import cheapest
from fastfunnel.tuning.plan import LEVELS, Candidate, Path

_CONTENDERS = 3  # paths that are tested for being best at the target
_LOWER = (0.03, 0.1)  # losses for which the best path is tested too: lower recalls may be asked for
LEADERS_SHARE = 0.8  # of the error rate, for the path that is likeliest to be chosen
_TIMES = (4, 2.8, 2, 1.4, 1, 0.7, 0.5, 0.25)  # the keeps of the default funnel: its path


@dataclass(frozen=True)
class Chain:
    """A path to test from careful to cheap.

    path: its funnels.
    start: place of the funnel to test first; its neighbours follow.
    share: of the error rate.
    """

    path: Path
    start: int
    share: float


def choose_chains(
    paths: Sequence[Path],
    aim: float,
    cost: Callable[[Candidate], float],
    race: Callable[[Sequence[Candidate]], int],
    default: Path | None,
) -> list[Chain]:
    """Return the chains to test, the likeliest to be chosen first. Only fit queries decide here.

    Args:
        paths: all there are.
        aim: loss that the chosen funnel is expected to measure.
        cost: predicted, by which candidates are ranked.
        race: returns the place of the winner among candidates by the clock, the first of those
            that are about as fast.
        default: the path of the funnel to beat, from `default_path`; None for none.
    """
    level = level_of(aim)
    best = _best(paths, level, cost)[:_CONTENDERS]
    if default is not None and default[0].level <= level:
        best.insert(0, default)
    if best:
        winner = race([path[_start(path, level)] for path in best])
        best.insert(0, best.pop(winner))
    for loss in _LOWER:
        best += [path for path in _best(paths, level_of(max(loss, aim)), cost)[:1]]
    chosen = list(dict.fromkeys(best))
    if default is not None and default not in chosen:
        chosen.insert(1, default)
    if len(chosen) < 2:
        return [Chain(path, _start(path, level), 1.0) for path in chosen]
    rest = (1 - LEADERS_SHARE) / (len(chosen) - 1)
    return [
        Chain(path, _start(path, level), rest if number else LEADERS_SHARE)
        for number, path in enumerate(chosen)
    ]


def default_path(funnel: Funnel, k: int, loss: Callable[[Funnel], float]) -> Path:
    """Return the path of the default funnel, from one that keeps more to one that keeps less.

    Args:
        funnel: the default.
        k: answers asked for; no stage keeps fewer.
        loss: share of the neighbours of the fit queries that a funnel drops.
    """
    path = dict.fromkeys(_scaled(funnel, times, k) for times in _TIMES)
    return tuple(Candidate(one, _level_with(loss(one)), 0.0) for one in path)


def default_chain(funnel: Funnel, k: int) -> Chain:
    """Return what to test, and at once, where there was no time to look for anything better."""
    path = default_path(funnel, k, lambda _: 0.0)
    return Chain(path, [one.funnel for one in path].index(funnel), 1.0)


def level_of(loss: float) -> int:
    """Return the cheapest level that loses no more on the fit queries, by number."""
    return max(n for n, level in enumerate(LEVELS) if level.loss <= loss)


def _scaled(funnel: Funnel, times: float, k: int) -> Funnel:
    return Funnel(
        one if one.keep is None else replace(one, keep=max(k, round(one.keep * times)))
        for one in funnel.stages
    )


def _level_with(loss: float) -> int:
    """Return the most careful level that may lose so much, the last one for more."""
    careful = (number for number, one in enumerate(LEVELS) if one.margin == 1 and loss <= one.loss)
    return next(careful, len(LEVELS) - 1)


def _best(paths: Sequence[Path], level: int, cost: Callable[[Candidate], float]) -> list[Path]:
    """Return the paths that reach a level, the cheapest there first; if none does, all of them."""
    reaching = [path for path in paths if path[0].level <= level] or paths
    return sorted(reaching, key=lambda path: cost(path[_start(path, level)]))


def _start(path: Path, level: int) -> int:
    one = cheapest(path, level)
    return 0 if one is None else path.index(one)
