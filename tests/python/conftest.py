"""What every test file shares: random numbers, instruction sets, Hypothesis, the report's head."""

from __future__ import annotations

import os
import platform
import signal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

import fastfunnel as ff

# Times are not judged: the machines are shared. The same examples every run: a failure is the code's.
settings.register_profile("ci", deadline=None, max_examples=40, derandomize=True)
settings.register_profile("search", deadline=None, max_examples=1000)  # for hunting by hand
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


def pytest_sessionstart() -> None:
    """Fail where an instruction set that this machine was promised to have is missing.

    A shell starts what runs in the background with Ctrl-C ignored, and tests send it.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    promised = os.environ.get("FASTFUNNEL_REQUIRE_ISA", "").replace(",", " ").split()
    missing = [level for level in promised if level not in ff.available_isas()]
    if missing:
        raise pytest.UsageError(
            f"FASTFUNNEL_REQUIRE_ISA promises {', '.join(missing)}; "
            f"this machine has {', '.join(ff.available_isas())}"
        )


def pytest_report_header() -> list[str]:
    """Say what was tested, and on what."""
    return [
        f"cpu: {_cpu_name()}",
        f"isas: {', '.join(ff.available_isas())} (active: {ff.active_isa()})",
        f"numpy: {np.__version__}",
        f"fastfunnel: {', '.join(f'{k} {v}' for k, v in ff.build_info().items())}",
    ]


def _cpu_name() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20240229)


@pytest.fixture(params=ff.available_isas())
def isa(request: pytest.FixtureRequest) -> str:
    level: str = request.param
    return level
