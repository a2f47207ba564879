"""turbovec: 2- and 4-bit codes, candidates rescored in NumPy because it drops the floats."""

from __future__ import annotations

import os

import numpy as np
import turbovec

from bench.contenders.contender import Contender, Float32s, Ids, Setting
from bench.contenders.rescoring import rescore
from bench.pinning import RAYON

_CANDIDATES = (10, 20, 50, 100, 200, 400)
_CALIBRATION_ROWS = 1024  # what its documentation asks for


def contenders(rows: int, dim: int) -> list[Contender]:
    """Return both widths; it takes dims that are multiples of 8."""
    return [Turbovec(bits) for bits in (2, 4)] if dim % 8 == 0 else []


class Turbovec(Contender):
    """TurboQuantIndex, calibrated. Its thread pool is Rayon's, whose size is fixed at the start."""

    def __init__(self, bits: int) -> None:
        """Remember the width."""
        self._bits = bits
        self.name = f"turbovec {bits}-bit + rescoring"
        self.fixed_threads = int(os.environ[RAYON]) if RAYON in os.environ else None

    @property
    def settings(self) -> list[Setting]:
        """How many candidates are rescored."""
        return [Setting(self.name, f"{count} candidates", count) for count in _CANDIDATES]

    def build(self, base: Float32s, threads: int) -> None:
        """Calibrate on a seeded sample, add, prepare."""
        self._base = base
        self._index = turbovec.TurboQuantIndex(base.shape[1], self._bits)
        rows = min(len(base), _CALIBRATION_ROWS)
        sample = np.random.default_rng(0).choice(len(base), rows, replace=False)
        self._index.calibrate(base[np.sort(sample)])
        self._index.add(base)
        self._index.prepare()

    def use(self, setting: Setting) -> None:
        """Set the number of candidates."""
        self._candidates = setting.value

    def search(self, queries: Float32s, k: int, threads: int) -> Ids:
        """Search the codes, then rescore."""
        candidates = self._index.search(queries, min(self._candidates, len(self._base)))[1]
        return rescore(self._base, queries, candidates, k)

    def bytes_per_row(self) -> float:
        """The floats and the index as turbovec writes it."""
        return 4 * self._base.shape[1] + len(self._index.to_bytes()) / len(self._base)
