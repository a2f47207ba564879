"""Is this a Matryoshka model? Prefixes are judged by the neighbours they keep.

Not by energy: prefixes of a model can hold little of the squared length and most of the neighbours,
or the reverse. The same vectors rotated at random show what prefixes are worth where no training
put the meaning first, and rotated onto their principal axes what they could be worth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fastfunnel.arguments import as_count, as_rows
from fastfunnel.diagnosis_words import advice
from fastfunnel.funnel import Funnel, Stage
from fastfunnel.index import Index
from fastfunnel.rotation import fit_rotation, random_rotation, rotate
from fastfunnel.search import exact_search, funnel_search
from fastfunnel.vectors import normalize

_SMALLEST_PREFIX = 8
_UNIT_TOLERANCE = 1e-2  # half-precision unit rows are that close to length 1


@dataclass(frozen=True)
class PrefixQuality:
    """Recall of exact search over a prefix, renormalised, of the true top k over all dims.

    dims: of the prefix.
    recall: of the vectors as they are.
    random: rotated at random, the least that training should beat.
    principal: rotated by `fit_rotation`, what a rotation would give.
    """

    dims: int
    recall: float
    random: float
    principal: float


@dataclass(frozen=True)
class Diagnosis:
    """What `diagnose` measured, and in words what to do. Prints both.

    n_rows, dim: of the vectors.
    k: neighbours looked for.
    n_sampled, n_queries: rows searched and rows that asked, in the sample.
    prefixes: longest first, all dims left out.
    sign_recall: recall of the top k among the best 4 k by the sign bits of all dims.
    centred_sign_recall: the same after subtracting each dim's mean.
    one_sided_dims: share of the dims whose sign is the same in 95% of the rows or more.
    unit_share: share of the rows whose length is within 1% of 1.
    lengths: least, median and greatest length.
    zero_rows, duplicate_rows: rows of zeros; rows that repeat an earlier one bit by bit.
    """

    n_rows: int
    dim: int
    k: int
    n_sampled: int
    n_queries: int
    prefixes: tuple[PrefixQuality, ...]
    sign_recall: float
    centred_sign_recall: float
    one_sided_dims: float
    unit_share: float
    lengths: tuple[float, float, float]
    zero_rows: int
    duplicate_rows: int

    @property
    def advice(self) -> tuple[str, ...]:
        """What to do, a sentence a finding."""
        return tuple(advice(self))

    def __str__(self) -> str:
        """Return the table of prefixes and the advice."""
        heading = (
            f"{self.n_rows:,} rows of {self.dim} dims; recall@{self.k} of renormalised prefixes on "
            f"{self.n_sampled:,} sampled rows, {self.n_queries:,} others as queries\n\n"
            f"  {'dims':>6}  {'as they are':>11}  {'random rotation':>15}  {'fit_rotation':>12}"
        )
        lines = [
            f"  {p.dims:>6}  {p.recall:>11.3f}  {p.random:>15.3f}  {p.principal:>12.3f}"
            for p in self.prefixes
        ]
        return "\n".join([heading, *lines, "", *(f"- {sentence}" for sentence in self.advice)])


def diagnose(
    vectors: npt.ArrayLike,
    *,
    k: int = 10,
    sample_rows: int = 20_000,
    sample_queries: int = 300,
    seed: int = 0,
) -> Diagnosis:
    """Return what prefixes and sign bits of these vectors are worth, and what to do.

    Args:
        vectors: (n, dim) float32, float64, float16, bfloat16 or int8, at least k + 2 rows that are not zero.
        k: neighbours.
        sample_rows: rows searched, at most.
        sample_queries: further rows that serve as queries, at most a fifth of all.
        seed: of the sample and the random rotation.

    Raises:
        TypeError, ValueError: for arguments of another kind or shape, for nan or inf.
    """
    rows = as_rows(vectors, "vectors")
    k = as_count(k, "k")
    sample_rows = as_count(sample_rows, "sample_rows", at_least=k)
    sample_queries = as_count(sample_queries, "sample_queries")
    rng = np.random.default_rng(as_count(seed, "seed", at_least=0))
    lengths = _lengths(rows)
    whole = np.flatnonzero(lengths > 0)
    if len(whole) < k + 2:
        raise ValueError(f"vectors must have at least {k + 2} nonzero rows, got {len(whole)}")
    order = rng.permutation(whole)[: sample_rows + sample_queries]
    n_queries = max(1, min(sample_queries, len(order) // 5))
    unit = normalize(rows[order]).astype(np.float32, copy=False)
    base, queries = unit[n_queries:], unit[:n_queries]
    signs, centred = _sign_recalls(base, queries, k)
    positive = (base > 0).mean(axis=0)
    return Diagnosis(
        n_rows=len(rows),
        dim=rows.shape[1],
        k=k,
        n_sampled=len(base),
        n_queries=n_queries,
        prefixes=tuple(_prefixes(base, queries, k, seed)),
        sign_recall=signs,
        centred_sign_recall=centred,
        one_sided_dims=float(((positive >= 0.95) | (positive <= 0.05)).mean()),
        unit_share=float((np.abs(lengths - 1) < _UNIT_TOLERANCE).mean()),
        lengths=(float(lengths.min()), float(np.median(lengths)), float(lengths.max())),
        zero_rows=len(rows) - len(whole),
        duplicate_rows=_duplicates(rows),
    )


def _prefixes(
    base: npt.NDArray[np.float32], queries: npt.NDArray[np.float32], k: int, seed: int
) -> list[PrefixQuality]:
    dim = base.shape[1]
    sizes = [dim >> i for i in range(1, 16) if dim >> i >= min(_SMALLEST_PREFIX, dim // 2)]
    sizes = [size for size in sizes if size > 0]
    random, principal = random_rotation(dim, seed=seed), fit_rotation(base, seed=seed)
    columns = []
    for rotation in (None, random, principal):
        some = base if rotation is None else rotate(base, rotation)
        asked = queries if rotation is None else rotate(queries, rotation)
        index = Index(dim)
        index.add(some)
        truth, *found = (
            index.search(asked, k, funnel=Funnel([Stage(d, "f32")])).ids for d in (dim, *sizes)
        )
        columns.append([_share(truth, ids) for ids in found])
    return [PrefixQuality(d, *values) for d, *values in zip(sizes, *columns, strict=True)]


def _sign_recalls(
    base: npt.NDArray[np.float32], queries: npt.NDArray[np.float32], k: int
) -> tuple[float, float]:
    """Return the recall of 4 k candidates by sign bits, as the rows are and centred."""
    truth = exact_search(base, queries, k).ids
    bits = Funnel([Stage(base.shape[1], "b1")])
    keep = min(4 * k, len(base))
    mean = base.mean(axis=0)
    plain = funnel_search(base, queries, keep, bits).ids
    centred = funnel_search(base - mean, queries - mean, keep, bits).ids
    return _share(truth, plain), _share(truth, centred)


def _share(truth: npt.NDArray[np.int64], ids: npt.NDArray[np.int64]) -> float:
    hits = [np.isin(wanted, listed).mean() for wanted, listed in zip(truth, ids, strict=True)]
    return float(np.mean(hits))


def _lengths(rows: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
    lengths = np.empty(len(rows))
    for first in range(0, len(rows), 16_384):
        chunk = rows[first : first + 16_384].astype(np.float64)
        if not np.isfinite(chunk).all():
            row = first + int(np.argmin(np.isfinite(chunk).all(axis=1)))
            raise ValueError(f"vectors must be finite, got nan or inf in row {row}")
        lengths[first : first + 16_384] = np.sqrt(np.einsum("ij,ij->i", chunk, chunk))
    return lengths


def _duplicates(rows: npt.NDArray[np.generic]) -> int:
    """Return how many rows repeat an earlier one, byte by byte."""
    seen = {hash(row.tobytes()) for row in rows}
    return len(rows) - len(seen)
