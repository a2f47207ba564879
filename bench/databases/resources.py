"""What a system costs besides time: processor, memory, disk."""

from __future__ import annotations

import os
from pathlib import Path

import psutil


def cpu_seconds(server: int | None) -> float:
    """Return the processor seconds spent so far by this process and by a server's, dead or alive."""
    total = 0.0
    for process in _family(server):
        # A parent's own figure for its children holds those that have ended, and only those.
        total += sum(process.cpu_times()[:4])
    return total


def memory_bytes(server: int | None) -> int:
    """Return resident bytes of this process and a server's; pages they share count once (PSS)."""
    return sum(process.memory_full_info().pss for process in _family(server))


def disk_bytes(directory: Path) -> int:
    """Return the bytes that files under a directory occupy."""
    return sum(
        os.stat(os.path.join(folder, name)).st_blocks * 512
        for folder, _, names in os.walk(directory)
        for name in names
    )


def _family(server: int | None) -> list[psutil.Process]:
    """Return this process, the server, and all that they started."""
    heads = [psutil.Process(), *([psutil.Process(server)] if server else [])]
    found = [process for head in heads for process in (head, *head.children(recursive=True))]
    return list({process.pid: process for process in found}.values())
