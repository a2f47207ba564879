"""Directions that make exact search fast, once enough exact searches have been asked for.

Along its principal directions most of a row's length lies in few numbers, so that a short product
with proven bounds (cpp/planes/projection.hpp) drops nearly every row. The directions are those of a
sample's second moments, taken until they hold `_ENERGY` of it. A model whose dims are all alike has
no such directions; then there are none, and exact search reads int8 rows.

Finding them and projecting every row costs as much as some hundred exact searches (2.4 s for
118,000 x 1024 on one Zen 4 core), so it is done for the index that has been asked as many.
"""

from __future__ import annotations

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
_ENERGY = 0.88  # 0.5% of WordNet's rows x 1024 survive then, in 3/8 of the dims
_LARGEST_SHARE = 0.5  # of the dims; more directions would not pay


class PrincipalDirections:
    """Counts the exact queries of an index and gives it directions in time."""

    def __init__(self, core: _core.Index) -> None:
        """Count from 0."""
        self._core = core
        self._asked = 0
        self._is_settled = not DIMS_FROM <= core.dim <= DIMS_TO

    def asked(self, n_queries: int) -> None:
        """Note that so many exact queries are about to be searched."""
        if self._is_settled or len(self._core) < ROWS_FROM:
            return
        self._asked += n_queries
        if self._asked < QUERIES_BEFORE:
            return
        self._is_settled = True  # before the work: threads beside this one go on searching
        try:
            _, rows = draw_rows(self._core, _SAMPLE_ROWS, np.random.default_rng(0))
            directions = interruptibly(lambda: principal_directions(rows)) if len(rows) else None
        except KeyboardInterrupt:
            self._is_settled = False
            raise
        if directions is not None:
            wide = directions.astype(np.float64)
            defect = np.linalg.norm(wide @ wide.T - np.eye(len(wide)))
            self._core.set_basis(directions, float(defect))


def principal_directions(rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32] | None:
    """Return directions that hold most of the rows' length, or None if it takes too many.

    Args:
        rows: (n, dim), n at least 1.

    Returns:
        Orthonormal rows, float32 (n_directions, dim), n_directions a multiple of 16 and at most
        half of dim. Within the space they span they are turned at random, which spreads each row
        evenly over them: int8 codes of it then lose least.
    """
    with one_blas_thread():
        unit = normalize(rows)
        squares, vectors = np.linalg.eigh((unit.T @ unit).astype(np.float64))
        energy = np.cumsum(squares[::-1])
        wanted = int(np.searchsorted(energy, _ENERGY * energy[-1])) + 1
        count = -(-wanted // 16) * 16
        if count > _LARGEST_SHARE * rows.shape[1]:
            return None
        turn = np.linalg.qr(np.random.default_rng(0).standard_normal((count, count)))[0]
        return np.ascontiguousarray(turn @ vectors[:, ::-1][:, :count].T, dtype=np.float32)
