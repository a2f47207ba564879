"""A real Ray cluster on this machine, and processes of it that can be killed.

A process takes more than a second of a core to start, and that is nearly all the time that these tests
take: those that leave an index as it was share it.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from shards import drawn

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
os.environ.setdefault("RAY_AUTH_MODE", "token")
os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))  # none of ours in anybody's home
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")


@pytest.fixture(scope="session")
def cluster() -> Iterator[Any]:
    ray = pytest.importorskip("ray")
    ray.init(
        address="local",
        num_cpus=2,
        object_store_memory=500_000_000,
        include_dashboard=False,
        log_to_driver=False,
        logging_level="error",
    )
    yield ray
    ray.shutdown()


@pytest.fixture
def path(tmp_path: Path, cluster: Any) -> Path:
    return tmp_path / "sharded"


@pytest.fixture
def rows() -> np.ndarray:
    return drawn(3000)


@pytest.fixture
def queries() -> np.ndarray:
    return drawn(15)
