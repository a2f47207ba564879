"""What a measured table must say of the machine it was measured on."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path


def cpu_name() -> str:
    """Return the processor's name as its maker writes it, or its architecture."""
    if platform.system() == "Linux":
        name = _linux_name(Path("/proc/cpuinfo"))
    elif platform.system() == "Darwin":
        name = _apple_name()
    else:
        name = platform.processor()
    return name or platform.machine()


def cpu_threads() -> int:
    """Return how many hardware threads this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _linux_name(cpuinfo: Path) -> str:
    try:
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, "")


def _apple_name() -> str:
    command = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
    try:
        output = subprocess.check_output(command, text=True, timeout=5)
    except (OSError, subprocess.SubprocessError):
        return ""
    return output.strip()
