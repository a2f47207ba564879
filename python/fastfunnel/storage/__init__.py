"""An index as a directory: plain .npy arrays, and a manifest that says which and sums them.

    save, LiveWriter ──► Draft: new files ──► manifest, by one rename ──► reading ──► Index

A kill at any instant leaves the old state or the new one. Nothing read is trusted before it is
checked, and nothing is unpickled. layout.py says what the files are, docs/storage.md how to use
them.
"""

from __future__ import annotations

from fastfunnel.storage.opening import create, load_copy, open_index, settle
from fastfunnel.storage.saving import save

__all__ = ["create", "load_copy", "open_index", "save", "settle"]
