"""What an index keeps where: float rows in memory or on disk, their precision, and which codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from fastfunnel import _core

FloatStore: TypeAlias = Literal["ram", "disk"]
FloatDtype: TypeAlias = Literal["f32", "f16", "bf16"]
Code: TypeAlias = Literal["b1", "i8"]

ALL_CODES: tuple[Code, ...] = get_args(Code)

# NumPy has no bfloat16: files and arrays hold its bits, the upper half of a float32.
_DTYPES: dict[str, np.dtype[Any]] = {
    "f32": np.dtype("<f4"),
    "f16": np.dtype("<f2"),
    "bf16": np.dtype("<u2"),
}


@dataclass(frozen=True)
class Tiers:
    """The choices of one index; `Index` documents them.

    float_store: "ram" or "disk".
    float_dtype: "f32", "f16" or "bf16".
    codes: of "b1" and "i8" those that are kept, in this order.
    """

    float_store: FloatStore = "ram"
    float_dtype: FloatDtype = "f32"
    codes: tuple[Code, ...] = ALL_CODES

    @classmethod
    def of(cls, float_store: object, float_dtype: object, codes: object) -> Tiers:
        """Return what the arguments say.

        Raises:
            TypeError, ValueError: naming the argument, for anything else.
        """
        if float_store not in get_args(FloatStore):
            raise ValueError(f"float_store must be 'ram' or 'disk', got {float_store!r}")
        if float_dtype not in get_args(FloatDtype):
            raise ValueError(f"float_dtype must be 'f32', 'f16' or 'bf16', got {float_dtype!r}")
        if isinstance(codes, str) or not isinstance(codes, Sequence):
            raise TypeError(f"codes must be a tuple like ('b1', 'i8'), got {codes!r}")
        if not codes or any(code not in ALL_CODES for code in codes):
            raise ValueError(f"codes must be 'b1', 'i8' or both, got {codes!r}")
        kept = tuple(code for code in ALL_CODES if code in codes)
        return cls(float_store, float_dtype, kept)  # type: ignore[arg-type]

    @property
    def on_disk(self) -> bool:
        """Whether float rows stay on disk."""
        return self.float_store == "disk"

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of float rows in files; that of bfloat16 holds bits."""
        return _DTYPES[self.float_dtype]

    def new_core(self, dim: int, metric: str = "cosine") -> _core.Index:
        """Return an empty index of the core that keeps rows so."""
        signs_once = self.on_disk and self.codes == ("b1",)  # then they are what memory holds
        return _core.Index(dim, metric, self.float_dtype, self.codes, signs_once)

    def stored(self, rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return finite rows (n, dim) as files hold them: rounded to nearest, ties to even.

        They go through float32, as in the core. Rows of uint16 are bfloat16 already.
        """
        if rows.dtype == np.uint16:
            return rows
        wide = rows.astype(np.float32, copy=False)
        if self.float_dtype != "bf16":
            return wide.astype(self.dtype, copy=False)
        bits = np.ascontiguousarray(wide).view(np.uint32)
        # Adding 0x7fff and the lowest bit that stays carries into it just where rounding goes up.
        return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(self.dtype)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {**vars(self), "codes": list(self.codes)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Tiers:
        """Return what `to_dict` described. Raises KeyError, TypeError, ValueError."""
        return cls.of(data["float_store"], data["float_dtype"], data["codes"])
