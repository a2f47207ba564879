"""The ranks that every stage gives the true neighbours, as many stages as there is time for.

A scan by sign bits is quick, one by int8 values or floats takes ten to twenty times longer (13 ms
for 118,000 x 1024 on one Zen 4 core). But such a stage nearly always ranks what a scan left, so it is
first asked to do that; its rank among all rows, without which it is no scan, comes last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from fastfunnel.funnel import Funnel, Stage
from fastfunnel.tuning.budget import Deadline, OutOfTimeError
from fastfunnel.tuning.cost import with_keep
from fastfunnel.tuning.ranks import Ranks
from fastfunnel.tuning.sample import Part
from fastfunnel.tuning.space import scorers
from fastfunnel.tuning.target import Target

_FINE_DEPTH = 1024  # ranks looked at under int8 and float scores, which put neighbours first
_SHORTLIST = 4096  # rows that sign bits of as many dims leave
_MAY_MISS = 1e-3  # of the neighbours; where more are not among those rows, only scans can tell
_HOPELESS = (
    0.05  # where all sign bits miss more, fewer of them are no help and other scans come first
)


@dataclass(frozen=True)
class StageRanks:
    """The ranks (n, k) that stages give the true neighbours of some queries.

    scans: among all rows.
    later: among those that a scan left, or among all where that scan would lose too many.
    """

    scans: dict[Stage, Ranks] = field(default_factory=dict)
    later: dict[Stage, Ranks] = field(default_factory=dict)


def stage_ranks(index: Target, part: Part, k: int, depth: int, deadline: Deadline) -> StageRanks:
    """Return the ranks under as many stages as there is time for, sign bits first.

    Args:
        index: what is searched.
        part: queries with their true neighbours.
        k: answers a query.
        depth: ranks looked at under sign bits.
        deadline: of all of it.

    Raises:
        OutOfTimeError: before there was a single stage.
    """
    ranks = StageRanks()
    stages = scorers(index.dim, index.tiers)
    coarse = [stage for stage in stages if stage.precision == "b1"]
    finer = [stage for stage in stages if stage.precision != "b1"]
    fine = min(depth, max(_FINE_DEPTH, 8 * k))
    shortlist = max(_SHORTLIST, 2 * fine)

    def scan(some: Sequence[Stage], looked_at: int) -> None:
        for stage in some:
            found = index.ranks(part, Funnel([stage]), looked_at, deadline)
            ranks.scans[stage] = found
            ranks.later.setdefault(stage, found)
            deadline.check()

    try:
        scan(coarse[:1], depth)
        if coarse and (ranks.scans[coarse[0]] > depth).mean() > _HOPELESS:
            scan(finer, fine)
        scan(coarse[1:], depth)
        for stage in finer:
            before = next((one for one in coarse if one.dims <= stage.dims), None)
            if before and (ranks.scans[before] > shortlist).mean() <= _MAY_MISS:
                funnel = Funnel([with_keep(before, shortlist), stage])
                ranks.later[stage] = index.ranks(part, funnel, fine, deadline)
                deadline.check()
        scan([stage for stage in finer if stage not in ranks.scans], fine)
    except OutOfTimeError:
        if not ranks.scans:
            raise
    return ranks
