"""What takes part in the comparison, and how it is asked."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Float32s = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Setting:
    """One way to run a contender; of the settings of one row, tables show the cheapest."""

    row: str
    label: str
    value: Any = None


class Contender(ABC):
    """One index of one library. Rows and queries are of unit length, so IP is cosine."""

    name: str
    fixed_threads: int | None = None  # the one count it can run with in this process

    @property
    @abstractmethod
    def settings(self) -> list[Setting]:
        """What to sweep, cheapest first."""

    @abstractmethod
    def build(self, base: Float32s, threads: int) -> None:
        """Index the rows; all that a first search would still prepare is done here."""

    @abstractmethod
    def use(self, setting: Setting) -> None:
        """Run the next searches with this setting."""

    @abstractmethod
    def search(self, queries: Float32s, k: int, threads: int) -> Ids:
        """Return (n, k) row numbers, best first; -1 where there is none."""

    @abstractmethod
    def bytes_per_row(self) -> float:
        """Bytes the answers need a row with the current setting, float rows included."""
