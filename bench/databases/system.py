"""What takes part: a store of vectors in a directory of its own, asked through its own client."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path

from bench.contenders.contender import Float32s, Ids, Setting

OURS = "fastfunnel"
K = 10
BATCH = 10_000  # rows handed over at once by those that take batches
CORES = 2  # clients at once, and workers of a build, where a system asks for a number


class System(ABC):
    """Rows and queries are of unit length, so every metric ranks by cosine.

    A system is filled in one process and measured in another, which only opens what lies on disk.
    """

    name: str
    packages: tuple[str, ...]  # the distributions whose versions a table needs
    many: str  # how it is asked many queries at once
    beyond: str  # what it does that this project does not

    def __init__(self, directory: Path) -> None:
        """Remember where the data lies: an existing directory that nothing else uses."""
        self.directory = directory

    @abstractmethod
    def settings(self, rows: int, dim: int) -> list[Setting]:
        """Return what to sweep; the settings of one row from cheap to dear."""

    @abstractmethod
    def ingest(self, base: Float32s) -> None:
        """Store and index the rows, ids 0 … n-1; they are on disk once it is closed."""

    @abstractmethod
    def open(self, dim: int) -> None:
        """Connect to what `ingest` left."""

    @abstractmethod
    def use(self, setting: Setting) -> None:
        """Run the next searches with this setting."""

    @abstractmethod
    def search(self, query: Float32s) -> Ids:
        """Return the ids of one query's best K rows, (K,) at most; the query is (dim,)."""

    @abstractmethod
    def search_many(self, queries: Float32s) -> list[Ids]:
        """Return the same for each query, by the quickest way the client offers."""

    @abstractmethod
    def close(self) -> None:
        """Let go of everything; a server that was started is stopped."""

    def server(self) -> int | None:
        """Return the process that answers, if it is not this one; its children count too."""
        return None
