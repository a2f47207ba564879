"""What a system costs besides time: processor, memory, disk."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from time import perf_counter
from typing import TypeVar

import psutil


def cpu_seconds(server: int | None) -> float:
    """Return the processor seconds spent so far by this process and by a server's, dead or alive."""
    # A parent's own figure for its children holds those that have ended, and only those.
    return sum(_of_family(server, lambda process: sum(process.cpu_times()[:4])))


class Others:
    """How busy the machine was with other things than what is measured."""

    def __init__(self) -> None:
        """Begin now."""
        self._start, self._machine, self._own = (
            perf_counter(),
            _machine_seconds(),
            cpu_seconds(None),
        )

    def cores(self, server: int | None) -> float:
        """Return how many cores others took since, on average."""
        own = cpu_seconds(server) - self._own
        spent = max(0.0, _machine_seconds() - self._machine - own)
        return spent / (perf_counter() - self._start)


def _machine_seconds() -> float:
    """Return the processor seconds that everything on this machine has spent."""
    times = psutil.cpu_times()
    return times.user + times.nice + times.system


def memory_bytes(server: int | None) -> int:
    """Return resident bytes of this process and a server's; pages they share count once (PSS)."""
    return sum(_of_family(server, lambda process: process.memory_full_info().pss))


def disk_bytes(directory: Path) -> int:
    """Return the bytes that files under a directory occupy."""
    return sum(
        os.stat(os.path.join(folder, name)).st_blocks * 512
        for folder, _, names in os.walk(directory)
        for name in names
    )


T = TypeVar("T")


def _of_family(server: int | None, read: Callable[[psutil.Process], T]) -> Iterator[T]:
    """Yield a figure of this process, the server, and all that they started and that still runs."""
    heads = [psutil.Process(), *([psutil.Process(server)] if server else [])]
    found = [process for head in heads for process in (head, *head.children(recursive=True))]
    for process in {process.pid: process for process in found}.values():
        with suppress(psutil.NoSuchProcess):  # it ended since it was listed
            yield read(process)
