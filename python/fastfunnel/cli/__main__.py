"""`python -m fastfunnel.cli`, where the `fastfunnel` script is not on the path."""

from __future__ import annotations

from fastfunnel.cli import main

main()
