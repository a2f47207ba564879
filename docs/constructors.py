"""For mkdocstrings: a constructor is documented by its class, and lends it the signature alone."""

from __future__ import annotations

from typing import Any

import griffe


class Constructors(griffe.Extension):
    """Leave out the docstring of `__init__`, which would follow that of the class."""

    def on_class_members(self, *, cls: griffe.Class, **_: Any) -> None:
        """Drop it, once all members are there."""
        constructor = cls.members.get("__init__")
        if constructor is not None and not constructor.is_alias:
            constructor.docstring = None
