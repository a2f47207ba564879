"""What the user should know of a tuning, in sentences."""

from __future__ import annotations

import numpy as np

from fastfunnel.tuning.front import Front, FrontPoint
from fastfunnel.tuning.sample import Sample


def notes(
    sample: Sample,
    front: Front,
    chosen: FrontPoint,
    *,
    budget_s: float,
    confidence: float,
    needed: float,
    was_hurried: bool,
    is_worth_tuning: bool,
) -> list[str]:
    """Return the sentences.

    Args:
        sample: what chose and checked.
        front: what was found.
        chosen: the point in use.
        budget_s: seconds there were.
        confidence: of the promise.
        needed: neighbours, all of them found, that can promise the target.
        was_hurried: whether time was out before funnels were compared.
        is_worth_tuning: whether there are enough rows to look for funnels.
    """
    said = []
    if sample.source == "rows":
        said.append(
            f"No queries were given: {len(sample.fit) + len(sample.check):,} rows of the index "
            "stood in for them, each without itself as a neighbour. Real queries may be harder "
            "or easier, so the funnel may lose only half of what the target allows. Tune with "
            "real queries when you have some."
        )
    if not front.is_sure:
        said.append(
            f"The budget of {budget_s:g} seconds ended before enough queries were "
            f"checked to promise recall {front.recall:g}. The default funnel stays in use, which "
            f"found {chosen.recall:.4f} of what {len(sample.check):,} of them look for. Give more."
        )
    elif len(front.points) == 1 and is_worth_tuning:
        said.append(
            f"The budget of {budget_s:g} seconds ended before a funnel was checked, "
            "so search is exact. Give more."
        )
    elif was_hurried and chosen.funnel is not None:
        said.append(
            f"The budget of {budget_s:g} seconds ended before funnels were compared: "
            "the default one was checked. Give more."
        )
    elif chosen.funnel is None and sample.check.truth.size < needed < np.inf:
        factor = needed / sample.check.truth.size
        said.append(
            f"{len(sample.check):,} held-out queries cannot show recall {front.recall:g} with "
            f"{confidence:.0%} confidence even if nothing is missed, so search stays "
            f"exact; about {int(np.ceil(factor * len(sample.check) / 0.7)):,} queries can."
        )
    elif chosen.funnel is None and len(front.points) > 1:
        said.append("No funnel was both sure to reach the target and faster: exact search.")
    return said
