"""Matplotlib, imported only when something is drawn."""

from __future__ import annotations

import importlib
from typing import Any


def new_figure(width: float = 7, height: float = 4.5) -> tuple[Any, Any]:
    """Return a matplotlib Figure of so many inches and its only Axes; no window, no pyplot.

    Raises:
        ImportError: matplotlib is not installed.
    """
    try:
        module = importlib.import_module("matplotlib.figure")
    except ImportError as error:
        raise ImportError("matplotlib is missing: pip install matplotlib") from error
    figure = module.Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot()
