"""Fronts with the shape of other libraries, so that a program changes one import."""

from __future__ import annotations
