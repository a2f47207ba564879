"""Searches that are under way, for those who must wait until they are over."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Searches:
    """Knows which searches began before a moment.

    A row that moves is copied to its new shard, then removed from its old one. A search that asked
    the new shard before and asks the old one after would miss it; so the removal waits for
    searches that began before the copy was there. Those that begin later find it.
    """

    def __init__(self) -> None:
        """Know of none."""
        self._ended = threading.Condition()
        self._running: set[object] = set()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count as under way within the block."""
        token = object()
        with self._ended:
            self._running.add(token)
        try:
            yield
        finally:
            with self._ended:
                self._running.remove(token)
                self._ended.notify_all()

    def wait_for_earlier(self) -> None:
        """Return when all searches that are under way now are over."""
        with self._ended:
            earlier = set(self._running)
            self._ended.wait_for(lambda: not earlier & self._running)
