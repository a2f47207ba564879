"""Sets that are harder than embeddings usually are, for bench/promise.py."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.datasets import synthetic
from bench.promise_sets import Floats, Generator, PromiseSet, clusters, generator, split


def stress_sets(n: int, m: int, seed: int, data: Path | None) -> Iterator[PromiseSet]:
    """Yield sets of n rows, or fewer where the name says so, and m queries or fewer."""
    yield PromiseSet("noise, 64 dims", lambda: noise(generator(seed, 1), n, m, 64))
    yield PromiseSet("noise, 100 dims, 10k", lambda: noise(generator(seed, 2), 10_000, m, 100))
    yield PromiseSet("topics, 200 dims, 20 queries", lambda: topics(n, 40, 200, seed))
    yield PromiseSet("topics, 770 dims, 1k rows", lambda: topics(1000, m, 770, seed))
    yield PromiseSet("topics, 1536 dims, 20k", lambda: topics(min(n, 20_000), m, 1536, seed))
    yield PromiseSet("topics, 3072 dims, 10k", lambda: topics(10_000, m, 3072, seed))
    yield PromiseSet(
        "tight clusters, 128 dims", lambda: tight_clusters(generator(seed, 3), n, m, 128)
    )
    yield PromiseSet("a few hard queries, 256", lambda: hard_queries(generator(seed, 4), n, m, 256))
    yield PromiseSet("duplicates, 192 dims", lambda: duplicates(generator(seed, 5), n, m, 192))
    yield PromiseSet(
        "queries are rows, 256", lambda: rows_as_queries(generator(seed, 6), n, m, 256)
    )
    yield PromiseSet("zero rows, 96 dims", lambda: zero_rows(generator(seed, 7), n, m, 96))
    yield PromiseSet("one-sided dims, 384", lambda: one_sided(generator(seed, 8), n, m, 384))
    yield PromiseSet("sparse, 512 dims", lambda: sparse(generator(seed, 9), n, m, 512))
    yield PromiseSet("heavy tails, 256 dims", lambda: heavy_tails(generator(seed, 10), n, m, 256))
    yield PromiseSet(
        "other queries, 256 dims", lambda: other_queries(generator(seed, 11), n, m, 256)
    )
    yield PromiseSet(
        "noise asked of text, 768", lambda: noise_asked(generator(seed, 12), n, m, 768)
    )
    yield PromiseSet("pictures by captions, 512", lambda: captions(generator(seed, 13), n, m, 512))
    yield PromiseSet("versions, 384 dims", lambda: versions(generator(seed, 14), n, m, 384))
    yield PromiseSet("positive, 2048 dims, 20k", lambda: positive(generator(seed, 15), n, m, 2048))
    yield PromiseSet("a surface, 256 dims", lambda: surface(generator(seed, 16), n, m, 256))
    yield PromiseSet("one huge dim, 1024", lambda: huge_dim(generator(seed, 17), n, m, 1024))


def noise(rng: Generator, n: int, m: int, dim: int) -> tuple[Floats, Floats]:
    """Return rows without structure: every stage is hard."""
    return split(rng.standard_normal((n + m, dim)), n)


def topics(n: int, m: int, dim: int, seed: int) -> tuple[Floats, Floats]:
    """Return the synthetic set that stands in for embeddings."""
    found = synthetic(n, dim, m, seed)
    return found.base, found.queries


def tight_clusters(rng: Generator, n: int, m: int, dim: int) -> tuple[Floats, Floats]:
    """Return 2,000 clusters of rows that nearly coincide: one sign code each, neighbours by luck."""
    centres = rng.standard_normal((2000, dim))
    of = rng.integers(0, len(centres), n + m)
    return split(centres[of] + 0.02 * rng.standard_normal((n + m, dim)), n)


def hard_queries(rng: Generator, n: int, m: int, dim: int) -> tuple[Floats, Floats]:
    """Return clusters, with one query in 100 that lies between all of them."""
    rows, queries = clusters(rng, n, m, dim)
    hard = rng.random(m) < 0.01
    queries[hard] = rng.standard_normal((int(hard.sum()), dim)).astype(np.float32)
    return rows, queries


def duplicates(rng: Generator, n: int, m: int, dim: int) -> tuple[Floats, Floats]:
    """Return rows of which every one comes about eight times, at other lengths."""
    rows, queries = clusters(rng, n // 8, m, dim)
    copies = rows[rng.integers(0, len(rows), n)]
    return copies * 2.0 ** rng.integers(-3, 4, (n, 1)).astype(np.float32), queries


def rows_as_queries(rng: Generator, n: int, m: int, dim: int) -> tuple[Floats, Floats]:
    """Return queries that are rows: each is its own nearest."""
    rows, _ = clusters(rng, n, 1, dim)
    return rows, rows[rng.choice(n, m, replace=False)]


def zero_rows(rng: Generator, n: int, m: int, dim: int) -> tuple[Floats, Floats]:
    """Return rows a tenth of which are zero."""
    rows, queries = clusters(rng, n, m, dim)
    rows[rng.random(n) < 0.1] = 0
    return rows, queries


def one_sided(rng: Generator, n: int, m: int, dim: int) -> tuple[Floats, Floats]:
    """Return rows far from the origin, whose signs say nothing."""
    rows, queries = clusters(rng, n, m, dim)
    shift = (2 * rng.standard_normal(dim)).astype(np.float32)
    return rows + shift, queries + shift


def sparse(rng: Generator, n: int, m: int, dim: int) -> tuple[Floats, Floats]:
    """Return rows of which 19 values in 20 are zero, and none negative."""
    weights = rng.dirichlet(np.ones(dim) / 4, 200)
    of = rng.integers(0, len(weights), n + m)
    counts = np.stack([rng.multinomial(30, weights[topic]) for topic in of])
    return split(np.log1p(counts), n)


def heavy_tails(rng: Generator, n: int, m: int, dim: int) -> tuple[Floats, Floats]:
    """Return rows whose values now and then are a hundred times their usual size."""
    rows, queries = clusters(rng, n, m, dim)
    both = np.concatenate([rows, queries])
    return split(both * np.abs(rng.standard_cauchy(both.shape)).clip(0.1, 100), n)


def other_queries(rng: Generator, n: int, m: int, dim: int) -> tuple[Floats, Floats]:
    """Return queries of another distribution than the rows, as questions are to passages."""
    rows, queries = clusters(rng, n, m, dim)
    return rows, (0.5 * queries + 0.1 * rng.standard_normal((m, dim))).astype(np.float32)


def noise_asked(rng: Generator, n: int, m: int, dim: int) -> tuple[Floats, Floats]:
    """Return rows whose dims are correlated, turned at random, and queries that are noise."""
    rows = text_like(rng, n, dim) @ turn(rng, dim)
    return split(np.concatenate([rows, rng.standard_normal((m, dim), dtype=np.float32)]), n)


def captions(rng: Generator, n: int, m: int, dim: int) -> tuple[Floats, Floats]:
    """Return queries that lie beside all rows, each a third of what it describes."""
    turned, shifts = turn(rng, dim), unit(rng.standard_normal((2, dim)))
    meant = unit(text_like(rng, n, dim))
    said = 0.35 * meant[rng.choice(n, m)] + 0.65 * unit(text_like(rng, m, dim))
    rows, queries = shifts[0] + 0.75 * meant @ turned, shifts[1] + 0.75 * said @ turned
    return split(np.concatenate([rows, queries]), n)


def versions(rng: Generator, n: int, m: int, dim: int) -> tuple[Floats, Floats]:
    """Return clusters of 200 rows that differ a little, as versions of one text do."""
    centres = unit(rng.standard_normal((n // 200, dim)))
    around = 0.05 * unit(rng.standard_normal((n + m, dim)))
    return split(centres[rng.integers(0, len(centres), n + m)] + around, n)


def positive(rng: Generator, n: int, m: int, dim: int) -> tuple[Floats, Floats]:
    """Return what a layer of a network gives that cuts off below zero: most values are zero."""
    n = min(n, 20_000)
    hidden = rng.standard_normal((n + m, 48), dtype=np.float32)
    weights = rng.standard_normal((48, dim), dtype=np.float32) / 7
    return split(np.maximum(hidden @ weights - 0.5, 0), n)


def surface(rng: Generator, n: int, m: int, dim: int) -> tuple[Floats, Floats]:
    """Return rows that lie on a curved surface: only two numbers tell them apart."""
    places = rng.standard_normal((n + m, 2))
    return split(np.sin(places @ rng.standard_normal((2, dim)) / 2 + rng.random(dim) * 6), n)


def huge_dim(rng: Generator, n: int, m: int, dim: int) -> tuple[Floats, Floats]:
    """Return rows with one dim that is the same for all and dwarfs the rest, as some models give."""
    rows = text_like(rng, n + m, dim)
    rows[:, 7] = 100 * rows.std()
    return split(rows, n)


def text_like(rng: Generator, n: int, dim: int) -> Floats:
    """Return rows whose dims matter less and less."""
    rows: Floats = rng.standard_normal((n, dim), dtype=np.float32)
    rows /= np.sqrt(1 + np.arange(dim, dtype=np.float32))
    return rows


def turn(rng: Generator, dim: int) -> Floats:
    """Return a random rotation."""
    return np.linalg.qr(rng.standard_normal((dim, dim)))[0].astype(np.float32)


def unit(rows: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """Return the rows at length 1."""
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)
