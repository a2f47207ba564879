"""How far below the measured recall the true one may lie.

The k neighbours of one query are found or missed together more often than chance: they share the
query. Counting them as n * k independent trials would promise too much. So the trials are divided
by the design effect, the factor by which the variance of the mean exceeds that of independent
trials, and the exact binomial bound (Clopper and Pearson, Biometrika 26, 1934) is taken for that
smaller number: the interval of Korn and Graubard (Survey Methodology 24, 1998). Unlike a bootstrap
it does not collapse to 1 when no neighbour was missed, and unlike Hoeffding's or the
empirical Bernstein bound it is narrow enough near 1 to promise 0.999 from a thousand queries.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

Found = npt.NDArray[np.bool_]

CAUTIOUS_EFFECT = 2.0  # assumed, at least, where too little was missed to measure it
_USUAL_EFFECT = 1.3  # what embeddings of text show
_ENOUGH_QUERIES = 20  # that miss something, to measure it


def design_effect(found: Found) -> float | None:
    """Return the variance of the mean recall over that of independent neighbours, at least 1.

    Args:
        found: (n, k), which of the k true neighbours of n queries were found.

    Returns:
        None where fewer than 20 queries missed any: too few to tell.
    """
    k = int(found.shape[1])
    recalls = found.mean(axis=1)
    mean = float(recalls.mean())
    if int((recalls < 1).sum()) < _ENOUGH_QUERIES or mean == 0:
        return None
    return max(1.0, float(recalls.var(ddof=1)) / (mean * (1 - mean)) * float(k))


def lower_bound(found: Found, confidence: float, effect: float | None = None) -> float:
    """Return the recall that the mean over all queries exceeds with this confidence.

    Args:
        found: (n, k), which of the k true neighbours of n queries were found. The queries must be
            drawn independently and not have been used to choose what is being judged.
        confidence: one-sided, like 0.99.
        effect: design effect; None measures it, or assumes 2 where it cannot be.

    Returns:
        A recall in 0 … 1; 0 for no queries.
    """
    if found.size == 0:
        return 0.0
    if effect is None:
        effect = design_effect(found) or CAUTIOUS_EFFECT
    trials = found.size / effect
    misses = float((~found).sum()) / effect
    return 1 - _binomial_upper(misses, trials, confidence)


def design_effects(founds: Sequence[Found], confidence: float) -> list[float]:
    """Return the design effect of each of some funnels of one path, from careful to cheap.

    Careful funnels miss too little to tell: the next one that misses enough tells for them, but no
    less than how the few misses there are fall together. What is told by few queries counts for
    less: the effect grows by the squared ratio of Student's quantile to the normal one, as Korn and
    Graubard advise.
    """
    effects: list[float] = []
    known = CAUTIOUS_EFFECT
    for found in reversed(founds):
        measured = design_effect(found)
        if measured is not None:
            known = measured
        effects.append(measured if measured is not None else max(known, _clumping(found)))
    z = NormalDist().inv_cdf(confidence)
    growth = [(1 + (z * z + 1) / (4 * max(len(found) - 1, 1))) ** 2 for found in founds]
    return [effect * more for effect, more in zip(effects[::-1], growth, strict=True)]


def _clumping(found: Found) -> float:
    """Return how many misses the query of a miss has: the design effect of rare misses."""
    misses = (~found).sum(axis=1)
    return float((misses * misses).sum() / max(misses.sum(), 1))


def fewest_neighbours(confidence: float, allowed: float) -> float:
    """Return about how many neighbours, all of them found, show a loss of at most `allowed`."""
    if allowed >= 1:
        return 1.0
    return (
        _USUAL_EFFECT * math.log(1 - confidence) / math.log1p(-allowed) if allowed > 0 else math.inf
    )


def usual_error(recall: float, neighbours: int) -> float:
    """Return about the standard error of a recall measured on so many neighbours."""
    return math.sqrt(_USUAL_EFFECT * recall * (1 - recall) / neighbours)


def passing_loss(neighbours: int, confidence: float, allowed: float) -> float:
    """Return about the largest measured loss that shows a true loss of at most `allowed`.

    Args:
        neighbours: n * k of the queries that check.
        confidence: one-sided.
        allowed: 1 - recall.

    Returns:
        A share; half a miss where not even none would do.
    """
    trials = max(neighbours / _USUAL_EFFECT, 1.0)
    low, high = 0, int(allowed * trials)
    while low < high:
        middle = (low + high + 1) // 2
        if _binomial_upper(middle, trials, confidence) <= allowed:
            low = middle
        else:
            high = middle - 1
    return max(low, 0.5) / trials


def _binomial_upper(misses: float, trials: float, confidence: float) -> float:
    """Return the share p at which `misses` or fewer have probability 1 - confidence."""
    if misses >= trials:
        return 1.0
    low, high = misses / trials, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if _beta_cdf(middle, misses + 1, trials - misses) < confidence:
            low = middle
        else:
            high = middle
    return high


def _beta_cdf(x: float, a: float, b: float) -> float:
    """Return the regularised incomplete beta function I_x(a, b).

    By its continued fraction (DLMF 8.17.22), which converges fast left of the mean.
    """
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - _beta_cdf(1 - x, b, a)
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    log_front += a * math.log(x) + b * math.log1p(-x)
    # Lentz's method: c and d are ratios of successive numerators and denominators.
    tiny = 1e-300
    c, d = 1.0, 1 / _nonzero(1 - (a + b) * x / (a + 1), tiny)
    fraction = d
    for m in range(1, 10_000):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / _nonzero(1 + term * d, tiny)
            c = _nonzero(1 + term / c, tiny)
            fraction *= c * d
        if abs(c * d - 1) < 1e-12:
            break
    return math.exp(log_front) * fraction / a


def _nonzero(value: float, tiny: float) -> float:
    return value if abs(value) > tiny else tiny
