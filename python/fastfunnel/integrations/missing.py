"""What is said where a framework is not installed."""

from __future__ import annotations


def not_installed(extra: str, error: ImportError) -> ImportError:
    """Return the error that says how to install a framework."""
    return ImportError(
        f"{error.name} cannot be imported ({error}): pip install 'fastfunnel[{extra}]'"
    )
