"""FAISS's metrics, and how its distances follow from our scores."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fastfunnel.arguments import Metric

METRIC_INNER_PRODUCT = 0
METRIC_L2 = 1

_NAMES: dict[int, Metric] = {METRIC_INNER_PRODUCT: "ip", METRIC_L2: "l2"}
_WORST = np.finfo(np.float32).max


def metric_name(metric: int) -> Metric:
    """Return our name of a metric; raises ValueError for one that is not here."""
    if metric not in _NAMES:
        raise ValueError(f"metric must be METRIC_INNER_PRODUCT or METRIC_L2, got {metric!r}")
    return _NAMES[metric]


def distances(scores: npt.NDArray[np.float32], metric: int) -> npt.NDArray[np.float32]:
    """Return what FAISS reports: inner products, or squared distances; ±3.4e38 where none is."""
    if metric == METRIC_INNER_PRODUCT:
        return np.maximum(scores, -_WORST)
    return np.minimum(0 - scores, _WORST)


def lies_within(
    found: npt.NDArray[np.float32], radius: float, metric: int
) -> npt.NDArray[np.bool_]:
    """Return which distances a range search takes: strictly better ones than `radius`."""
    bound = np.float32(radius)
    return found > bound if metric == METRIC_INNER_PRODUCT else found < bound
