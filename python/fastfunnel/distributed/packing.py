"""Arguments of one call to many shards, serialized once.

Ray serializes every argument of every call anew: for the six of a search that was more than half of
the time that the program spent on a shard.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Sequence
from typing import Any

import numpy as np
import ray

_IN_THE_CALL = 65_536  # bytes of an array


class _Packer(pickle.Pickler):
    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file, protocol=5)
        self.stored: list[Any] = []

    def persistent_id(self, value: Any) -> int | None:
        if not isinstance(value, np.ndarray) or value.nbytes < _IN_THE_CALL:
            return None
        self.stored.append(ray.put(value))
        return len(self.stored) - 1


class _Unpacker(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, stored: Sequence[Any]) -> None:
        super().__init__(file)
        self._stored = stored

    def persistent_load(self, place: int) -> Any:
        return self._stored[place]


def packed(*values: Any) -> tuple[Any, ...]:
    """Return values as the arguments of a call: bytes, then large arrays in the object store.

    All actors of a node read those in place. Small ones travel in the call, which is quicker.
    """
    file = io.BytesIO()
    packer = _Packer(file)
    packer.dump(values)
    return (file.getvalue(), *packer.stored)


def unpacked(content: bytes, stored: Sequence[Any]) -> Any:
    """Return the values that were `packed`, from the arguments of the call."""
    return _Unpacker(io.BytesIO(content), stored).load()
