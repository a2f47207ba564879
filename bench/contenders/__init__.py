"""The contenders, one file a library; a library that cannot be imported is absent, not an error."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from importlib import import_module

from bench.contenders.contender import Contender

NAMES = ("fastfunnel", "numpy", "faiss", "turbovec", "usearch", "hnswlib")


def find_contenders(
    rows: int,
    dim: int,
    only: Collection[str] = (),
    skip: Collection[str] = (),
    funnels: Sequence[str] = (),
) -> tuple[list[Contender], dict[str, str]]:
    """Return the contenders, and why each absent library is absent.

    Args:
        rows: of the base.
        dim: of the base.
        only: keep contenders whose name contains one of these words; all if empty.
        skip: drop contenders whose name contains one of these words.
        funnels: further funnels for this project, as `Funnel.parse` reads them.
    """
    found: list[Contender] = []
    absent: dict[str, str] = {}
    for name in NAMES:
        try:
            module = import_module(f"bench.contenders.{name}")
        except ImportError as error:
            absent[name] = str(error)
            continue
        extra = {"funnels": funnels} if name == "fastfunnel" else {}
        found += module.contenders(rows, dim, **extra)
    return [
        contender
        for contender in found
        if (not only or _matches(contender.name, only)) and not _matches(contender.name, skip)
    ], absent


def _matches(name: str, words: Collection[str]) -> bool:
    return any(word.lower() in name.lower() for word in words)
