"""fastfunnel where people already are: one module a framework, each in need of it alone.

`documents` holds what the vector stores share.
"""

from __future__ import annotations
