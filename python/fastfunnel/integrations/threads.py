"""Asynchronous twins of what waits for a disk or computes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def in_a_thread(method: Callable[P, R]) -> Callable[P, Coroutine[Any, Any, R]]:
    """Return the method as a coroutine function that runs it in a thread of asyncio's pool."""

    @wraps(method)
    async def twin(*args: P.args, **kwargs: P.kwargs) -> R:
        return await asyncio.to_thread(method, *args, **kwargs)

    return twin
