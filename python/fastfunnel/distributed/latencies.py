"""How long searches took lately, to know which answers are late."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Hashable

_LAST = 200  # of a kind that count
_FEWEST = 20  # before which nothing is late
_KINDS = 64  # that are remembered, the most recent ones


class Latencies:
    """Times of calls by kind: a batch of 1,000 queries is not late after a single one's time."""

    def __init__(self) -> None:
        """Know of none."""
        self._lock = threading.Lock()
        self._taken: OrderedDict[Hashable, deque[float]] = OrderedDict()
        self.hedged = 0  # calls that were asked of a second replica

    def of(self, kind: Hashable, share: float | None) -> Hedge:
        """Return when calls of a kind are late: slower than a share of the last ones, None never."""
        with self._lock:
            taken = self._taken.setdefault(kind, deque(maxlen=_LAST))
            self._taken.move_to_end(kind)
            if len(self._taken) > _KINDS:
                self._taken.popitem(last=False)
            known = sorted(taken)
        late = None if share is None or len(known) < _FEWEST else known[int(share * len(known))]
        return Hedge(self, taken, late)


class Hedge:
    """When the calls of one search are late, and where their times are noted.

    late_s: seconds after which another replica is asked too; None never.
    """

    def __init__(self, latencies: Latencies, taken: deque[float], late_s: float | None) -> None:
        """Note times in `taken`."""
        self._latencies = latencies
        self._taken = taken
        self.late_s = late_s

    def sent(self) -> None:
        """Count a call that was made because another one was late."""
        with self._latencies._lock:
            self._latencies.hedged += 1

    def took(self, seconds: float) -> None:
        """Note the time of a call that answered, from when it was itself sent.

        Not from when the shard was first asked: the wait before a second call would make the next
        wait longer, and so on.
        """
        with self._latencies._lock:
            self._taken.append(seconds)
