"""Directions that make exact search fast, once enough exact searches have been asked for.

Along its principal directions most of a row's length lies in few numbers, so that a short product
with proven bounds (cpp/planes/projection.hpp) drops nearly every row. The directions are those of a
sample's second moments, taken until they hold `_ENERGY` of it. A model whose dims are all alike has
no such directions; then there are none, and exact search reads int8 rows.

Finding them and projecting every row costs as much as some hundred exact searches (2.4 s for
118,000 x 1024 on one Zen 4 core), so it is done for the index that has been asked as many.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from fastfunnel import _core
from fastfunnel.blas import one_blas_thread
from fastfunnel.interruptible import interruptibly
from fastfunnel.sampling import draw_rows
from fastfunnel.vectors import normalize

QUERIES_BEFORE = 200
ROWS_FROM = 20_000  # a smaller index is searched in a millisecond or two
DIMS_FROM = 128
DIMS_TO = 2048  # a decomposition takes dims^3: 0.5 s at 1,024, 2.4 s at 2,048

_SAMPLE_ROWS = 16384
# Of WordNet's rows x 1024, 2% still reach a query's floor after 320 directions, which hold 0.81 of
# the length, 0.5% after 384, 0.1% after 480 with 0.90. One look at 448 took 441 us a query, looks
# at 320, 384 and 512 380 us, at 256 and every 64 from there 402 us.
_FIRST_ENERGY = 0.80
_ENERGY = 0.90
_GRAIN = 32
_SECOND = 64  # dims after the first look
_LARGEST_SHARE = 0.75  # of the dims; more directions would not pay


class PrincipalDirections:
    """Counts the exact queries of an index and gives it directions in time."""

    def __init__(self, core: _core.Index) -> None:
        """Count from 0."""
        self._core = core
        self._asked = 0
        self._is_settled = not DIMS_FROM <= core.dim <= DIMS_TO
        self._resting = 0

    @contextmanager
    def at_rest(self) -> Iterator[None]:
        """Find no directions within the block, which has little time: they are found after it."""
        self._resting += 1
        try:
            yield
        finally:
            self._resting -= 1

    def asked(self, n_queries: int) -> None:
        """Note that so many exact queries are about to be searched."""
        if self._is_settled or len(self._core) < ROWS_FROM:
            return
        self._asked += n_queries
        if self._asked < QUERIES_BEFORE or self._resting:
            return
        self._is_settled = True  # before the work: threads beside this one go on searching
        try:
            _, rows = draw_rows(self._core, _SAMPLE_ROWS, np.random.default_rng(0))
            found = interruptibly(lambda: _basis(rows)) if len(rows) else None
        except KeyboardInterrupt:
            self._is_settled = False
            raise
        if found is not None:
            self._core.set_basis(*found)


def _basis(
    rows: npt.NDArray[np.float32],
) -> tuple[npt.NDArray[np.float32], float, list[int]] | None:
    """Return principal directions, how far they are from orthonormal, and their steps."""
    found = principal_directions(rows)
    if found is None:
        return None
    directions, steps = found
    wide = directions.astype(np.float64)
    return directions, float(np.linalg.norm(wide @ wide.T - np.eye(len(wide)))), steps


def principal_directions(
    rows: npt.NDArray[np.float32],
) -> tuple[npt.NDArray[np.float32], list[int]] | None:
    """Return directions that hold most of the rows' length, or None if it takes too many.

    Args:
        rows: (n, dim), n at least 1.

    Returns:
        Orthonormal rows, float32 (n_directions, dim), at most three quarters of dim of them, and the numbers
        of directions after which bounds are looked at, the last n_directions. Between two of those
        the directions are turned at random within the space they span, which spreads each row
        evenly over them: int8 codes of it then lose least.
    """
    dim = rows.shape[1]
    with one_blas_thread():
        unit = normalize(rows)
        squares, vectors = np.linalg.eigh((unit.T @ unit).astype(np.float64))
        energy = np.cumsum(squares[::-1])
        first, count = (
            -(-(int(np.searchsorted(energy, share * energy[-1])) + 1) // _GRAIN) * _GRAIN
            for share in (_FIRST_ENERGY, _ENERGY)
        )
        if count > _LARGEST_SHARE * dim:
            return None
        steps = sorted({first, min(first + _SECOND, count), count})
        axes = vectors[:, ::-1].T
        rng = np.random.default_rng(0)
        parts = [
            np.linalg.qr(rng.standard_normal((end - begin, end - begin)))[0] @ axes[begin:end]
            for begin, end in pairwise([0, *steps])
        ]
        return np.ascontiguousarray(np.concatenate(parts), dtype=np.float32), steps
