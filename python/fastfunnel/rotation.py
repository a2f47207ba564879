"""An orthogonal map that makes prefixes of any embedding useful.

Rotating rows and queries alike changes no cosine over all dims, but decides what a prefix sees. The
principal axes of the rows carry the most energy first (uncentred: cosines do not centre either).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fastfunnel.arguments import as_count, as_rows
from fastfunnel.blas import one_blas_thread
from fastfunnel.interruptible import interruptibly

Rotation = npt.NDArray[np.float32]
Axes = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]

_SMALLEST_RUNG = 8
_MOST_ROWS = 50_000  # enough for the axes; more rows move them little
_CHUNK = 16_384  # rows rotated at a time
_ORTHOGONAL = 1e-3  # how far R.T @ R may be from the identity


def fit_rotation(vectors: npt.ArrayLike, *, prefix: int | None = None, seed: int = 0) -> Rotation:
    """Return an orthogonal map under which prefixes of these vectors keep neighbours.

    Uncentred PCA, then mixed by random rotations within each rung: dims 0-8, 8-16, 16-32 and so on,
    which makes all prefixes good, or two rungs around `prefix`, which makes the sign bits of that
    one best. Mixing leaves what every rung spans, and so its float scores, as they are; but it
    evens out the energy of its dims, which otherwise makes most sign bits of a rung carry little:
    PCA gives each dim its own variance, a bit gives each dim the same weight (Gong and Lazebnik,
    Iterative Quantization, CVPR 2011). An axis with more energy than the rest of its rung is the
    common mean of the vectors; it is left alone, since mixed in it would fix the sign of every dim
    it touches.

    Args:
        vectors: (n, dim) float32, float64, float16, bfloat16 or int8; a seeded sample of at most 50,000 rows
            is used, at unit length. Fitting takes about dim^3 * 10 operations.
        prefix: dims whose sign bits a funnel is to scan, below dim; None for every prefix.
        seed: of the sample and of the mixing.

    Returns:
        float32 (dim, dim) with orthonormal columns: rotated rows are rows @ rotation.

    Raises:
        TypeError, ValueError: for arguments of another kind or shape, for nan or inf.
    """
    from fastfunnel.vectors import normalize

    rows = as_rows(vectors, "vectors")
    dim = rows.shape[1]
    if prefix is not None and as_count(prefix, "prefix") >= dim:
        raise ValueError(f"prefix must be below the {dim} dims of the vectors, got {prefix}")
    rng = np.random.default_rng(as_count(seed, "seed", at_least=0))

    def fit() -> Rotation:
        some = rows
        if len(rows) > _MOST_ROWS:
            some = rows[np.sort(rng.choice(len(rows), _MOST_ROWS, replace=False))]
        unit = normalize(some).astype(np.float32, copy=False)
        return mixed(principal_axes(unit), prefix, rng)

    return interruptibly(fit)


def principal_axes(unit: npt.NDArray[np.float32]) -> Axes:
    """Return the energies (dim,) and axes (dim, dim) of unit rows, the most energy first."""
    with one_blas_thread():
        energies, axes = np.linalg.eigh((unit.T @ unit).astype(np.float64))
    return energies[::-1], axes[:, ::-1]


def mixed(principal: Axes, prefix: int | None, rng: np.random.Generator) -> Rotation:
    """Return the axes mixed within rungs, as `fit_rotation` says."""
    energies, axes = principal[0], principal[1].copy()
    dim = len(energies)
    rungs = _rungs(dim) if prefix is None else [(0, prefix), (prefix, dim)]
    with one_blas_thread():
        for first, end in rungs:
            if first == 0 and energies[0] > energies[1:end].sum():
                first = 1
            axes[:, first:end] = axes[:, first:end] @ _random_rotation(end - first, rng)
    return axes.astype(np.float32)


def random_rotation(dim: int, *, seed: int = 0) -> Rotation:
    """Return a rotation drawn uniformly, float32 (dim, dim): what no training has shaped."""
    rng = np.random.default_rng(as_count(seed, "seed", at_least=0))
    with one_blas_thread():
        return _random_rotation(as_count(dim, "dim"), rng).astype(np.float32)


def as_rotation(value: npt.ArrayLike, dim: int) -> Rotation:
    """Return `value` as a contiguous float32 (dim, dim) copy that cannot be written.

    Raises:
        TypeError: it is not of floats.
        ValueError: it has another shape, or its columns are not orthonormal.
    """
    rotation = np.asarray(value)
    if rotation.dtype.kind != "f":
        raise TypeError(f"rotation must be floats, got {rotation.dtype}")
    if rotation.shape != (dim, dim):
        raise ValueError(f"rotation must have shape ({dim}, {dim}), got {rotation.shape}")
    wide = rotation.astype(np.float64)
    error = np.abs(wide.T @ wide - np.eye(dim)).max()
    if not error <= _ORTHOGONAL:
        raise ValueError(
            f"rotation must have orthonormal columns, got R.T @ R off the identity by {error:.3g}"
        )
    copied = np.array(rotation, dtype=np.float32, order="C")
    copied.flags.writeable = False
    return copied


def rotate(rows: npt.NDArray[np.generic], rotation: Rotation) -> npt.NDArray[np.float32]:
    """Return rows (n, dim) of any row dtype rotated, as new float32 rows."""
    rotated = np.empty(rows.shape, dtype=np.float32)
    with np.errstate(invalid="ignore", over="ignore"):  # whoever takes the rows checks them
        for first in range(0, len(rows), _CHUNK):
            chunk = rows[first : first + _CHUNK].astype(np.float32)
            np.matmul(chunk, rotation, out=rotated[first : first + _CHUNK])
    return rotated


def rotate_back(rows: npt.NDArray[np.float32], rotation: Rotation) -> npt.NDArray[np.float32]:
    """Return what `rotate` was given, to float32 rounding (about 1e-6 of a row's length)."""
    return rotate(rows, rotation.T)


def _rungs(dim: int) -> list[tuple[int, int]]:
    """Return the half-open ranges of dims between rungs: 0-8, 8-16, 16-32 … dim."""
    ends = [end for end in (_SMALLEST_RUNG << i for i in range(16)) if end < dim] + [dim]
    return list(zip([0, *ends], ends, strict=False))


def _random_rotation(dim: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Return a uniform orthogonal matrix: QR of normals with the signs of R (Mezzadri 2007)."""
    q, r = np.linalg.qr(rng.standard_normal((dim, dim)))
    return np.asarray(q * np.sign(np.diag(r)))
