"""What a search asks of shards, as bytes, made once for all of them.

Ray serializes every argument of every call anew, unless it is bytes: for the six of a search that was
more than half of the time that the program spent on a shard.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import ray

from fastfunnel.funnel import Funnel
from fastfunnel.sampling import Ids

_IN_THE_CALL = 65_536  # bytes of an array


@dataclass(frozen=True)
class Request:
    """A search of one shard.

    queries: float32 (m, dim), checked.
    k: answers a query.
    funnel: None where the shard chooses one itself, or search is exact.
    exact: whether it is.
    filter_ids: the ids that may answer; None for all.
    options: other arguments of `Index.search` by name, of what JSON knows.
    """

    queries: npt.NDArray[np.float32]
    k: int
    funnel: Funnel | None
    exact: bool
    filter_ids: Ids | None
    options: dict[str, Any]

    def packed(self) -> tuple[bytes, Any, Any]:
        """Return the arguments of a call: text, queries, ids that may answer."""
        text = json.dumps(
            {
                "k": self.k,
                "funnel": None if self.funnel is None else str(self.funnel),
                "exact": self.exact,
                "is_filtered": self.filter_ids is not None,
                "options": self.options,
            }
        )
        ids = np.empty(0, np.int64) if self.filter_ids is None else self.filter_ids
        return text.encode(), _in_bytes(self.queries), _in_bytes(ids)

    @classmethod
    def unpacked(cls, text: bytes, queries: Any, ids: Any, dim: int) -> Request:
        """Return what was `packed`, for rows of so many dims."""
        told = json.loads(text)
        return cls(
            np.frombuffer(queries, np.float32).reshape(-1, dim),
            told["k"],
            None if told["funnel"] is None else Funnel.parse(told["funnel"]),
            told["exact"],
            np.frombuffer(ids, np.int64) if told["is_filtered"] else None,
            told["options"],
        )


def _in_bytes(array: npt.NDArray[Any]) -> Any:
    """Return the bytes of an array, or where all actors of a node read a large one in place."""
    return array.tobytes() if array.nbytes < _IN_THE_CALL else ray.put(np.ascontiguousarray(array))
