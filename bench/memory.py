"""What a process holds, and a limit to it: /proc, the page cache and memory cgroups of Linux."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_CGROUPS = Path("/sys/fs/cgroup/memory")


def resident_bytes() -> int:
    """Return the resident memory of this process, anonymous and of files."""
    status = Path("/proc/self/status").read_text()
    return 1024 * sum(
        int(n) for n in re.findall(r"^Rss(?:Anon|File):\s+(\d+)", status, re.MULTILINE)
    )


def drop_from_cache(paths: list[Path]) -> None:
    """Let the page cache forget these files, so that they are read from the disk again."""
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)


def join(group: str) -> None:
    """Put this process into a group that `limited` made."""
    (_CGROUPS / group / "tasks").write_text(str(os.getpid()))


@contextmanager
def limited(n_bytes: int) -> Iterator[str]:
    """Make a memory cgroup of n_bytes, page cache included; yield its name.

    Raises:
        OSError: if this system has no such groups, or does not let us make one.
    """
    name = f"fastfunnel-bench-{os.getpid()}"
    (_CGROUPS / name).mkdir()
    try:
        (_CGROUPS / name / "memory.limit_in_bytes").write_text(str(n_bytes))
        yield name
    finally:
        (_CGROUPS / name).rmdir()
