"""Which labels a search may return, or a removal takes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Labels = npt.NDArray[np.int64]


class IDSelector(ABC):
    """A set of labels."""

    @abstractmethod
    def mask(self, labels: Labels) -> npt.NDArray[np.bool_]:
        """Return which of these labels are in the set, bool of the same shape."""


class IDSelectorBatch(IDSelector):
    """The labels given."""

    def __init__(self, ids: npt.ArrayLike) -> None:
        """Take integers, any shape (n,)."""
        self._ids = as_labels(ids)

    def mask(self, labels: Labels) -> npt.NDArray[np.bool_]:
        """Return which of these labels are in the set."""
        return np.isin(labels, self._ids)


class IDSelectorArray(IDSelectorBatch):
    """The labels given; FAISS has two ways to look them up, here there is one."""


class IDSelectorRange(IDSelector):
    """Labels from imin on, below imax."""

    def __init__(self, imin: int, imax: int) -> None:
        """Take the two ends."""
        self._imin, self._imax = imin, imax

    def mask(self, labels: Labels) -> npt.NDArray[np.bool_]:
        """Return which of these labels are in the set."""
        return (labels >= self._imin) & (labels < self._imax)


class IDSelectorNot(IDSelector):
    """The labels another selector leaves out."""

    def __init__(self, sel: IDSelector) -> None:
        """Take the other selector."""
        self._sel = sel

    def mask(self, labels: Labels) -> npt.NDArray[np.bool_]:
        """Return which of these labels are in the set."""
        return ~self._sel.mask(labels)


@dataclass
class SearchParameters:
    """What one search may be told: the labels that may answer, None for all."""

    sel: IDSelector | None = None


def as_labels(value: npt.ArrayLike) -> Labels:
    """Return integers as int64 (n,). Raises TypeError, ValueError for others."""
    labels = np.asarray(value)
    if labels.size == 0:
        labels = labels.astype(np.int64)
    if labels.dtype.kind not in "iu":
        raise TypeError(f"ids must be integers, got {labels.dtype}")
    if labels.ndim != 1:
        raise ValueError(f"ids must be a 1-D array, got shape {labels.shape}")
    return np.ascontiguousarray(labels, np.int64)


def as_selector(value: IDSelector | npt.ArrayLike) -> IDSelector:
    """Return a selector as it is, ids as one."""
    return value if isinstance(value, IDSelector) else IDSelectorBatch(value)
