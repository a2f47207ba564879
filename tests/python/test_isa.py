"""Which instruction set is used, and how one is forced."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import fastfunnel as ff

LEVELS = {
    "x86_64": ["scalar", "avx2", "avx512", "avx512_vnni", "avx512_vpopcntdq"],
    "amd64": ["scalar", "avx2", "avx512", "avx512_vnni", "avx512_vpopcntdq"],
    "aarch64": ["scalar", "neon", "neon_dotprod"],
    "arm64": ["scalar", "neon", "neon_dotprod"],
}.get(platform.machine().lower(), ["scalar"])
SUPPORTED = ", ".join(ff.available_isas())

SEARCH = """
import numpy as np, fastfunnel as ff
base = np.random.default_rng(0).integers(-3, 4, (500, 70)).astype(np.float32)
try:
    found = ff.exact_search(base, base[:3], 5)
    print(ff.active_isa(), found.ids.tolist())
except ValueError as error:
    print(error)
"""


def run_python(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def expected_ids() -> list[list[int]]:
    base = np.random.default_rng(0).integers(-3, 4, (500, 70)).astype(np.float32)
    ids: list[list[int]] = ff.exact_search(base, base[:3], 5).ids.tolist()
    return ids


def test_levels_are_listed_lowest_first_without_gaps() -> None:
    assert ff.available_isas() == LEVELS[: len(ff.available_isas())]


def test_the_environment_forces_a_level(isa: str) -> None:
    run = run_python("-c", SEARCH, FASTFUNNEL_ISA=isa)

    assert (run.stdout, run.stderr) == (f"{isa} {expected_ids()}\n", "")


def test_without_it_the_highest_level_is_used() -> None:
    run = run_python("-c", SEARCH, FASTFUNNEL_ISA="")

    assert run.stdout.startswith(f"{ff.available_isas()[-1]} ")


def test_the_environment_cannot_force_what_is_not_there() -> None:
    run = run_python("-c", SEARCH, FASTFUNNEL_ISA="sse9")

    assert run.stdout.strip().endswith(
        f"isa must be one this machine supports ({SUPPORTED}), got 'sse9'"
    )


def test_the_argument_wins_over_the_environment() -> None:
    code = SEARCH.replace("base[:3], 5)", "base[:3], 5, isa='scalar')").replace(
        "ff.active_isa(), ", ""
    )
    run = run_python("-c", code, FASTFUNNEL_ISA="sse9")

    assert run.stdout.strip() == str(expected_ids())


def test_a_level_that_was_promised_and_is_missing_fails_the_session() -> None:
    tests = Path(__file__).with_name("test_minimal.py")
    run = run_python("-m", "pytest", "--co", "-q", str(tests), FASTFUNNEL_REQUIRE_ISA="scalar,sse9")

    assert run.returncode == pytest.ExitCode.USAGE_ERROR
    assert f"FASTFUNNEL_REQUIRE_ISA promises sse9; this machine has {SUPPORTED}" in run.stderr


def test_levels_that_are_there_pass_the_session() -> None:
    tests = Path(__file__).with_name("test_minimal.py")
    promised = ",".join(ff.available_isas())
    run = run_python("-m", "pytest", "--co", "-q", str(tests), FASTFUNNEL_REQUIRE_ISA=promised)

    assert run.returncode == pytest.ExitCode.OK
