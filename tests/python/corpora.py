"""Rows and queries that are hard for one reason each."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


class Corpus(NamedTuple):
    base: Floats
    queries: Floats


def gaussian(rng: np.random.Generator, n: int = 700, dim: int = 100, n_queries: int = 6) -> Corpus:
    draw = rng.standard_normal((n + n_queries, dim)).astype(np.float32)
    return Corpus(draw[:n], draw[n:])


def signs(rng: np.random.Generator, n: int, dim: int, n_queries: int = 6) -> Corpus:
    """Rows of +-1: many ties, and every sum is exact in float32."""
    draw = np.where(rng.random((n + n_queries, dim)) < 0.5, -1, 1).astype(np.float32)
    return Corpus(draw[:n], draw[n:])


def _outlier_dims(rng: np.random.Generator) -> Corpus:
    """Unnormalised, and three dims outweigh all others, as in many language models."""
    corpus = gaussian(rng, dim=130)
    lengths = np.exp(2 * rng.standard_normal((len(corpus.base), 1))).astype(np.float32)
    outliers = np.ones(130, dtype=np.float32)
    outliers[[3, 64, 129]] = 60
    return Corpus(corpus.base * outliers * lengths, corpus.queries * outliers)


def _shifted(rng: np.random.Generator) -> Corpus:
    """No dim is centred: nearly all sign bits are equal."""
    corpus = gaussian(rng, dim=96)
    return Corpus(corpus.base + 2, corpus.queries + 2)


def _zero_one(rng: np.random.Generator) -> Corpus:
    draw = (rng.random((706, 90)) < 0.3).astype(np.float32)
    return Corpus(draw[:700], draw[700:])


def _all_equal(rng: np.random.Generator) -> Corpus:
    corpus = gaussian(rng, n=1, dim=70)
    return Corpus(np.tile(corpus.base, (5000, 1)), corpus.queries)


def _zeros(rng: np.random.Generator) -> Corpus:
    """Every third row is zero, and so is the first query."""
    corpus = gaussian(rng)
    corpus.base[::3] = 0
    corpus.queries[0] = 0
    return corpus


def _only_zeros(rng: np.random.Generator) -> Corpus:
    return Corpus(np.zeros((200, 33), dtype=np.float32), gaussian(rng, dim=33).queries)


def _clustered(rng: np.random.Generator) -> Corpus:
    centres = gaussian(rng, n=8, dim=96, n_queries=2)
    noise = gaussian(rng, n=800, dim=96, n_queries=8)
    base = np.repeat(centres.base, 100, axis=0) + np.float32(0.05) * noise.base
    return Corpus(base, centres.base + np.float32(0.05) * noise.queries)


def _small_integers(rng: np.random.Generator) -> Corpus:
    draw = rng.integers(-2, 3, (2006, 12)).astype(np.float32)
    return Corpus(draw[:2000], draw[2000:])


HARD: dict[str, Callable[[np.random.Generator], Corpus]] = {
    "gaussian": gaussian,
    "many rows": lambda rng: gaussian(rng, n=6000, dim=40),
    "many dims": lambda rng: gaussian(rng, n=150, dim=1030),
    "one row": lambda rng: gaussian(rng, n=1),
    "one dim": lambda rng: signs(rng, n=200, dim=1),
    "block less 1": lambda rng: gaussian(rng, n=63),
    "one block": lambda rng: gaussian(rng, n=64),
    "block and 1": lambda rng: gaussian(rng, n=65),
    "outlier dims": _outlier_dims,
    "shifted": _shifted,
    "zero-one": _zero_one,
    "all equal": _all_equal,
    "zero rows and query": _zeros,
    "only zeros": _only_zeros,
    "clustered": _clustered,
    "small integers": _small_integers,
    "signs": lambda rng: signs(rng, n=3000, dim=64),
}
