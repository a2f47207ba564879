"""Documents beside an index of ready-made vectors: what the stores of the frameworks share."""

from __future__ import annotations

from fastfunnel.integrations.documents.documents import TakenIdError, VectorDocuments
from fastfunnel.integrations.documents.finding import FILE_NAME, Found, Keep

__all__ = ["FILE_NAME", "Found", "Keep", "TakenIdError", "VectorDocuments"]
