"""fastfunnel where people already are: one module a framework, in need of that framework alone.

`documents` is what the vector stores share.
"""

from __future__ import annotations
