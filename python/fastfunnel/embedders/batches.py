"""Texts in portions that a provider takes in one request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that one request may hold.

    Providers count tokens; a byte-level tokenizer makes at most one of a byte, so a limit of UTF-8
    bytes keeps theirs without a tokenizer here. Providers cut a single text that is too long.
    """

    texts: int
    bytes: int


def check_texts(texts: Sequence[str], name: str = "texts") -> None:
    """Raise TypeError, naming the argument, unless it is a sequence of str, and not one str."""
    if isinstance(texts, (str, bytes)):
        raise TypeError(f"{name} must be a sequence of str, got one {type(texts).__name__}")
    for one in texts:
        if not isinstance(one, str):
            raise TypeError(f"{name} must hold str, got {type(one).__name__}")


def batches(texts: Sequence[str], limits: Limits, prefix: str = "") -> Iterator[list[int]]:
    """Yield the places of the texts that are not blank, in order, a request's worth at a time."""
    batch: list[int] = []
    held = 0
    for place, text in enumerate(texts):
        if not text.strip():
            continue
        size = len((prefix + text).encode("utf-8", "surrogatepass"))
        if batch and (len(batch) == limits.texts or held + size > limits.bytes):
            yield batch
            batch, held = [], 0
        batch.append(place)
        held += size
    if batch:
        yield batch
