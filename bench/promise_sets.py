"""The six sets on which the tuner's promise is tested."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench import datasets
from fastfunnel.rotation import random_rotation, rotate

Floats = npt.NDArray[np.float32]
Generator = np.random.Generator


@dataclass(frozen=True)
class PromiseSet:
    """A named set, made when it is asked for: (rows, queries)."""

    name: str
    draw: Callable[[], tuple[Floats, Floats]]


def standard_sets(n: int, m: int, seed: int, data: Path | None) -> Iterator[PromiseSet]:
    """Yield the six sets of n rows and m queries, or of what files hold."""
    yield PromiseSet("wordnet_wl256", lambda: wordnet("wordnet_wl256", n, m, data))
    yield PromiseSet("wordnet_wl256, rotated", lambda: rotated(n, m, data))
    yield PromiseSet("wordnet_mrl1024", lambda: wordnet("wordnet_mrl1024", n, m, data))
    yield PromiseSet("clusters, 384 dims", lambda: clusters(generator(seed, 1), n, m, 384))
    yield PromiseSet("0/1, 256 dims", lambda: zeros_and_ones(generator(seed, 2), n, m, 256))
    yield PromiseSet("outlier dims, 320", lambda: outliers(generator(seed, 3), n, m, 320))


def wordnet(name: str, n: int, m: int, data: Path | None) -> tuple[Floats, Floats]:
    """Return a set of bench/datasets.py, cut to n rows."""
    found = datasets.load(name, queries=m, data=data)
    if len(found.base) <= n:
        return found.base, found.queries
    chosen = np.sort(np.random.default_rng(0).choice(len(found.base), n, replace=False))
    return found.base[chosen], found.queries


def rotated(n: int, m: int, data: Path | None) -> tuple[Floats, Floats]:
    """Return a Matryoshka set that a random rotation has robbed of its prefixes."""
    rows, queries = wordnet("wordnet_wl256", n, m, data)
    rotation = random_rotation(rows.shape[1], seed=1)
    return rotate(rows, rotation), rotate(queries, rotation)


def clusters(rng: Generator, n: int, m: int, dim: int) -> tuple[Floats, Floats]:
    """Return 200 clusters."""
    centres = rng.standard_normal((200, dim))
    spread = 0.6 / np.sqrt(1 + np.arange(dim) / 16)
    of = rng.integers(0, len(centres), n + m)
    return split(centres[of] / np.sqrt(dim) + rng.standard_normal((n + m, dim)) * spread, n)


def zeros_and_ones(rng: Generator, n: int, m: int, dim: int) -> tuple[Floats, Floats]:
    """Return rows of 0 and 1 whose chances depend on a topic."""
    topics = rng.random((300, dim)) ** 3
    return split(rng.random((n + m, dim)) < topics[rng.integers(0, len(topics), n + m)], n)


def outliers(rng: Generator, n: int, m: int, dim: int) -> tuple[Floats, Floats]:
    """Return shifted rows of very different lengths, two dims of which outweigh the others."""
    rows = rng.standard_normal((n + m, dim)) / np.sqrt(1 + np.arange(dim) / 8)
    rows[:, [3, dim // 2]] *= 12
    rows += 0.3 * rng.standard_normal(dim)
    rows *= rng.lognormal(0, 1, (n + m, 1))
    return split(rows, n)


def generator(seed: int, number: int) -> Generator:
    """Return a set's own stream, so that it is the same whichever others are drawn."""
    return np.random.default_rng([seed, number])


def split(rows: npt.NDArray[np.generic], n: int) -> tuple[Floats, Floats]:
    """Return the first n rows and the others."""
    return rows[:n].astype(np.float32), rows[n:].astype(np.float32)
