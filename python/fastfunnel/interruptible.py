"""Long calls into NumPy that Ctrl-C can end.

A decomposition or a sort is one call, and Python answers signals between calls. The core asks for
itself (cpp/threads/interrupt.hpp).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from contextvars import copy_context
from typing import TypeVar

T = TypeVar("T")

_LOOK = 0.05  # seconds between two looks, where a signal does not end the wait by itself


def interruptibly(work: Callable[[], T]) -> T:
    """Return work(), done by another thread while this one waits and can be interrupted.

    After an interrupt the work goes on to its end, seconds at most, and nobody sees what comes of
    it. So it must be NumPy's alone: it changes nothing, and calls nothing of the core, in which a
    thread that outlives the interpreter must not be. Only the main thread is ever interrupted; on
    others the work is simply done.
    """
    if threading.current_thread() is not threading.main_thread():
        return work()
    result: Future[T] = Future()

    def run() -> None:
        try:
            result.set_result(work())
        except BaseException as error:  # noqa: BLE001 - the caller raises it
            result.set_exception(error)

    threading.Thread(target=copy_context().run, args=(run,), daemon=True).start()
    while not result.done():
        wait([result], _LOOK)
    return result.result()
