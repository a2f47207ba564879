"""The systems people run today beside this project, one file a system."""

from __future__ import annotations
