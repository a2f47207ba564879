"""The C++ core. Array aliases have the names they have in python/bindings/numpy_args.hpp."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

RowArray: TypeAlias = npt.NDArray[Any]  # float32, float64, float16 or int8, contiguous rows
QueryArray: TypeAlias = npt.NDArray[np.float32]
CodeArray: TypeAlias = npt.NDArray[np.uint8]
IdArray: TypeAlias = npt.NDArray[np.int64]
ScoreArray: TypeAlias = npt.NDArray[np.float32]
DistanceArray: TypeAlias = npt.NDArray[np.int32]
StageTuple: TypeAlias = tuple[int, str, bool, int]  # dims, precision, symmetric, keep or 0

__version__: str

def available_isas() -> list[str]: ...
def active_isa() -> str: ...
def available_cores() -> int: ...
def build_info() -> dict[str, str]: ...
def exact_search(
    base: RowArray, queries: QueryArray, k: int, n_threads: int, isa: str | None
) -> tuple[IdArray, ScoreArray]: ...
def funnel_search(
    base: RowArray,
    queries: QueryArray,
    stages: Sequence[StageTuple],
    k: int,
    n_threads: int,
    isa: str | None,
) -> tuple[IdArray, ScoreArray]: ...
def hamming_search(
    codes: CodeArray, queries: CodeArray, k: int, n_threads: int, isa: str | None
) -> tuple[IdArray, DistanceArray]: ...

class Index:
    def __init__(self, dim: int) -> None: ...
    @property
    def dim(self) -> int: ...
    def __len__(self) -> int: ...
    def __contains__(self, id: int) -> bool: ...
    def add(self, vectors: RowArray, ids: IdArray) -> None: ...
    def get(self, ids: IdArray) -> QueryArray: ...
    def ids(self) -> IdArray: ...
    def sizes(self) -> tuple[int, int]: ...
    def search(
        self,
        queries: QueryArray,
        k: int,
        stages: Sequence[StageTuple] | None,
        n_threads: int,
        isa: str | None,
    ) -> tuple[IdArray, ScoreArray]: ...
    def trace(
        self, query: QueryArray, k: int, stages: Sequence[StageTuple]
    ) -> list[tuple[int, float]]: ...
