"""Vectors to measure on: real Matryoshka embeddings where they are, else seeded synthetic ones.

A directory named by --data or $FASTFUNNEL_DATA holds `{name}_base.npy` and `{name}_query.npy`,
float32 rows of unit length. Where it does not, a synthetic set of the same dims stands in and says
so in its title: recall on it is not recall on embeddings.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

Float32s = npt.NDArray[np.float32]

DIMS = {"wordnet_mrl1024": 1024, "wordnet_wl256": 256}
SYNTHETIC = "synthetic"
SYNTHETIC_ROWS = 100_000
_BLOCK = 16_384  # rows generated at once


@dataclass(frozen=True)
class Dataset:
    """Base rows and queries that do not stand among them."""

    name: str
    base: Float32s
    queries: Float32s
    is_synthetic: bool

    @property
    def title(self) -> str:
        """The name with its shape, and whether it is synthetic."""
        rows, dim = self.base.shape
        kind = " (SYNTHETIC)" if self.is_synthetic else ""
        return f"{self.name}{kind}: {rows:,} rows x {dim}, {len(self.queries):,} queries"


def load(
    name: str = "wordnet_mrl1024",
    rows: int | None = None,
    queries: int = 1000,
    dim: int | None = None,
    data: Path | None = None,
) -> Dataset:
    """Return a named set.

    Args:
        name: one of DIMS, or "synthetic".
        rows: how many base rows; a seeded sample in the stored order. None takes all (100,000 of
            a synthetic set).
        queries: how many queries at most.
        dim: dims of a synthetic set; real sets have theirs.
        data: where the files are; None uses $FASTFUNNEL_DATA.

    Raises:
        ValueError: for an unknown name, or for more rows than the set has.
    """
    if name != SYNTHETIC and name not in DIMS:
        raise ValueError(f"dataset must be one of {', '.join([*DIMS, SYNTHETIC])}, got {name!r}")
    directory = data or Path(os.environ.get("FASTFUNNEL_DATA", "."))
    base_file = directory / f"{name}_base.npy"
    if name == SYNTHETIC or not base_file.exists():
        return synthetic(rows or SYNTHETIC_ROWS, dim or DIMS.get(name, 1024), queries, name=name)
    if dim not in (None, DIMS[name]):
        raise ValueError(f"dim of {name} is {DIMS[name]}, got {dim}; --dataset synthetic has any")
    stored = np.load(base_file, mmap_mode="r")
    if rows is not None and rows > len(stored):
        raise ValueError(f"{name} has {len(stored)} rows, got rows={rows}; try synthetic")
    sample = _sample(len(stored), rows)
    base = np.array(stored) if sample is None else np.array(stored[sample])
    found = np.load(directory / f"{name}_query.npy")[:queries]
    return Dataset(name, base, np.ascontiguousarray(found), is_synthetic=False)


def synthetic(
    rows: int, dim: int, queries: int = 1000, seed: int = 0, name: str = SYNTHETIC
) -> Dataset:
    """Return vectors that behave like Matryoshka embeddings as far as a funnel can tell.

    A vector is the sum of a topic (one of rows / 200, drawn with unequal chances), a subtopic (one
    of rows / 10) and noise of its own. In each of them dim d has standard deviation
    (1 + 16 d / dim)^-0.5, so that a prefix holds more than its share of the length and is
    informative, while every later dim still adds. A query is the topics of a base row with fresh
    noise. Rows are normalised last.
    """
    rng = np.random.default_rng(seed)
    spread = (1 + 16 * np.arange(dim, dtype=np.float32) / dim) ** -0.5
    topics = rng.standard_normal((max(rows // 200, 4), dim), dtype=np.float32)
    subtopics = rng.standard_normal((max(rows // 10, 4), dim), dtype=np.float32)
    popularity = rng.dirichlet(np.ones(len(topics)))
    topic_of = rng.choice(len(topics), rows, p=popularity)
    subtopic_of = rng.integers(len(subtopics), size=rows)

    def draw(members: npt.NDArray[np.int64]) -> Float32s:
        out = rng.standard_normal((len(members), dim), dtype=np.float32)
        out += topics[topic_of[members]]
        out += subtopics[subtopic_of[members]]
        out *= spread
        out /= np.linalg.norm(out, axis=1, keepdims=True)
        return out

    base = np.empty((rows, dim), np.float32)
    for start in range(0, rows, _BLOCK):
        members = np.arange(start, min(start + _BLOCK, rows))
        base[members] = draw(members)
    return Dataset(name, base, draw(rng.integers(rows, size=queries)), is_synthetic=True)


def _sample(stored: int, rows: int | None) -> npt.NDArray[np.int64] | None:
    if rows is None or rows == stored:
        return None
    return np.sort(np.random.default_rng(0).choice(stored, rows, replace=False))
