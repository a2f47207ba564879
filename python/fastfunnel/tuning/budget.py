"""Seconds to spend, and a bar that shows them going."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Protocol


class OutOfTimeError(Exception):
    """A deadline passed; what was being measured is not finished."""


@dataclass(frozen=True)
class Deadline:
    """A moment, in seconds of the monotonic clock."""

    moment: float

    @property
    def left(self) -> float:
        """Seconds until then; negative when it has passed."""
        return self.moment - monotonic()

    def check(self) -> None:
        """Raise OutOfTimeError if it has passed."""
        if self.left < 0:
            raise OutOfTimeError

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """Return the moment so many seconds from now."""
        return cls(monotonic() + seconds)

    def __reduce__(self) -> tuple[object, ...]:
        """Travel to another machine, whose clock is another, as seconds that are left."""
        return Deadline.after, (self.left,)


NEVER = Deadline(math.inf)


class Budget:
    """Seconds for the whole of a tuning, given out as shares.

    Work is cut into pieces of about a tenth of a second; no piece begins behind its deadline.

    Args:
        seconds: all of it.
    """

    def __init__(self, seconds: float) -> None:
        """Start the clock."""
        self.seconds = seconds
        self._start = self._shared_from = monotonic()

    @property
    def spent(self) -> float:
        """Seconds since the start."""
        return monotonic() - self._start

    def share_the_rest(self) -> None:
        """Let shares be those of what is left now."""
        self._shared_from = monotonic()

    def until(self, share: float) -> Deadline:
        """Return the moment at which this share of the budget is spent."""
        whole = self._start + self.seconds - self._shared_from
        return Deadline(self._shared_from + share * whole)

    def share_at(self, deadline: Deadline) -> float:
        """Return the share of all seconds that is spent at a deadline."""
        return (deadline.moment - self._start) / self.seconds


class Progress(Protocol):
    """What the tuner tells about its work."""

    def step(self, what: str, share: float) -> None:
        """Show what is being done, and the share of all work that is behind it (0 … 1)."""


class Silence:
    """A bar that shows nothing."""

    def step(self, what: str, share: float) -> None:
        """Show nothing."""


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
