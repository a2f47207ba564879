"""What a figure depends on besides the code: processor, libraries, commit, date."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import cpuinfo

import fastfunnel as ff

_PACKAGES = (
    "fastfunnel",
    "numpy",
    "faiss-cpu",
    "turbovec",
    "usearch",
    "hnswlib",
    "threadpoolctl",
)


def machine_facts() -> dict[str, Any]:
    """Return what `bench/README.md` lists, as plain data for JSON."""
    cpu = cpuinfo.get_cpu_info()
    affinity = getattr(os, "sched_getaffinity", None)
    return {
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "commit": _commit(),
        "cpu": cpu.get("brand_raw", platform.processor()),
        "cores": len(affinity(0)) if affinity else os.cpu_count(),
        "caches": _caches(),
        "cpu_flags": [
            flag
            for flag in cpu.get("flags", [])
            if flag.startswith(("avx", "popcnt", "sse4", "asimd", "sve"))
        ],
        "load_average": os.getloadavg() if hasattr(os, "getloadavg") else None,
        "system": platform.platform(),
        "python": platform.python_version(),
        "isa": ff.active_isa(),
        "isas": ff.available_isas(),
        "build": ff.build_info(),
        "versions": {package: _version(package) for package in _PACKAGES},
        "faiss_options": _faiss_options(),
    }


def headline(facts: dict[str, Any]) -> str:
    """Return the facts that a reader of a table needs, on one line."""
    return (
        f"{facts['cpu']}, {facts['cores']} cores, load {(facts['load_average'] or [0])[0]:.1f}, "
        f"fastfunnel {facts['build']['version']} ({facts['isa']}, {facts['commit']}), "
        f"{facts['date']}"
    )


def _caches() -> list[dict[str, Any]] | str:
    """Return what lscpu says of each cache; py-cpuinfo takes the second level for the third."""
    found = _output("lscpu", "--caches", "--json")
    return json.loads(found)["caches"] if found else "unknown"


def _commit() -> str:
    return _output("git", "describe", "--always", "--dirty", "--abbrev=12") or "unknown"


def _output(*command: str) -> str:
    """Return what a command prints, or nothing where it cannot run."""
    try:
        done = subprocess.run(
            command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"


def _faiss_options() -> str:
    try:
        import faiss
    except ImportError:
        return "absent"
    return str(faiss.get_compile_options()).strip()
