"""Seconds to spend, and a bar that shows them going."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Protocol


class Progress(Protocol):
    """What the tuner tells about its work."""

    def step(self, what: str, share: float) -> None:
        """Show what is being done, and the share of all work that is behind it (0 … 1)."""


class Silence:
    """A bar that shows nothing."""

    def step(self, what: str, share: float) -> None:
        """Show nothing."""


class Budget:
    """Seconds for the whole of a tuning, given out as shares.

    Args:
        seconds: all of it. Soft: each part does its least work even when they are spent.
    """

    def __init__(self, seconds: float) -> None:
        """Start the clock."""
        self.seconds = seconds
        self._start = monotonic()

    @property
    def spent(self) -> float:
        """Seconds since the start."""
        return monotonic() - self._start

    def left_until(self, share: float) -> float:
        """Return the seconds left until this share of the budget is spent; may be negative."""
        return share * self.seconds - self.spent


@contextmanager
def progress_bar(wanted: bool) -> Iterator[Progress]:
    """Show a bar on stderr within the block, if that is a terminal and rich is installed."""
    if not wanted or not sys.stderr.isatty():
        yield Silence()
        return
    try:
        from rich.console import Console
        from rich.progress import Progress as RichProgress
    except ImportError:
        yield Silence()
        return
    with RichProgress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("tune", total=1.0)

        class Bar:
            def step(self, what: str, share: float) -> None:
                bar.update(task, description=what, completed=share)

        yield Bar()
