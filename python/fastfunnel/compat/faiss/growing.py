"""Rows in one array that grows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


class GrowingRows:
    """Rows of one shape and dtype. Adding one is cheap: the array doubles when it is full."""

    def __init__(self, shape: tuple[int, ...], dtype: npt.DTypeLike) -> None:
        """Hold no rows of this shape."""
        self._buffer = np.empty((0, *shape), dtype)
        self._n = 0

    def __len__(self) -> int:
        """Return the number of rows."""
        return self._n

    @property
    def rows(self) -> npt.NDArray[np.generic]:
        """(n, *shape), valid until the next change."""
        return self._buffer[: self._n]

    def add(self, rows: npt.NDArray[np.generic]) -> None:
        """Append rows."""
        end = self._n + len(rows)
        if end > len(self._buffer):
            buffer = np.empty((max(end, 2 * self._n), *self._buffer.shape[1:]), self._buffer.dtype)
            buffer[: self._n] = self.rows
            self._buffer = buffer
        self._buffer[self._n : end] = rows
        self._n = end

    def keep(self, wanted: npt.NDArray[np.bool_]) -> None:
        """Drop the other rows."""
        self._buffer = self.rows[wanted]
        self._n = len(self._buffer)
