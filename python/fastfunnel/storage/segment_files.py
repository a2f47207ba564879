"""The files of a segment, as the manifest names them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from fastfunnel.storage.layout import DTYPES, SEGMENT_ROWS, int8_width, is_file_name, sign_width


@dataclass(frozen=True)
class ArrayFile:
    """One .npy file, all of whose bytes are summed."""

    file: str
    dtype: str
    shape: tuple[int, ...]
    bytes: int
    blake2b: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {**vars(self), "shape": list(self.shape)}

    @classmethod
    def from_dict(cls, data: Any, role: str) -> ArrayFile:
        """Return what `to_dict` described. Raises ValueError, TypeError, KeyError for other data."""
        found = cls(
            data["file"], data["dtype"], tuple(data["shape"]), data["bytes"], data["blake2b"]
        )
        if not is_file_name(found.file, role):
            raise ValueError(f"{role} cannot lie in {found.file!r}")
        if found.dtype not in [dtype.str for dtype in DTYPES[role]]:
            raise ValueError(f"{found.file} cannot have dtype {found.dtype!r}")
        for extent in found.shape:
            count(extent, "an extent", at_least=1)
        n_bytes = prod(found.shape) * np.dtype(found.dtype).itemsize
        if count(found.bytes, "bytes") <= n_bytes or not isinstance(found.blake2b, str):
            raise ValueError(f"{found.file} cannot have {found.bytes} bytes")
        return found


@dataclass(frozen=True)
class Codes:
    """Codes of a segment's rows, which could be made from them again; None for those not kept.

    signs: uint8 (n, sign_width): numpy.packbits(rows > 0, axis=1), then zeros.
    int8: uint8 (n, int8_width): a row's values over its scale, rounded, + 128; then 128.
    scales: float32 (n, 2): the scale; the length of what rounding took, over that of the row.
    lengths: float32 (n, len(length_dims)): 1 / length of so many leading dims; 0 for zeros.
    """

    lengths: ArrayFile
    length_dims: tuple[int, ...]
    signs: ArrayFile | None = None
    int8: ArrayFile | None = None
    scales: ArrayFile | None = None

    def files(self) -> Iterator[ArrayFile]:
        """Iterate over the arrays there are."""
        yield from (f for f in (self.lengths, self.signs, self.int8, self.scales) if f is not None)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        files = {role: getattr(self, role) for role in ("lengths", "signs", "int8", "scales")}
        named = {role: file.to_dict() for role, file in files.items() if file is not None}
        return {**named, "length_dims": list(self.length_dims)}

    @classmethod
    def from_dict(cls, data: Any, n: int, dim: int) -> Codes:
        """Return what `to_dict` described. Raises ValueError, TypeError, KeyError for other data."""
        dims = tuple(count(d, "dims of a length", 1, dim + 1) for d in data["length_dims"])
        shapes = {
            "lengths": (n, len(dims)),
            "signs": (n, sign_width(dim)),
            "int8": (n, int8_width(dim)),
            "scales": (n, 2),
        }
        files = {role: ArrayFile.from_dict(data[role], role) for role in shapes if role in data}
        for role, file in files.items():
            if file.shape != shapes[role]:
                raise ValueError(f"{file.file} cannot have shape {file.shape}")
        if ("int8" in files) != ("scales" in files):
            raise ValueError("int8 values and their scales cannot come one without the other")
        return cls(length_dims=dims, **files)


@dataclass(frozen=True)
class Segment:
    """The files of one run of at most SEGMENT_ROWS rows."""

    vectors: ArrayFile
    ids: ArrayFile
    codes: Codes | None = None
    deleted: ArrayFile | None = None
    n_deleted: int = 0

    @property
    def n_rows(self) -> int:
        """Rows, the deleted ones included."""
        return self.ids.shape[0]

    def files(self) -> Iterator[ArrayFile]:
        """Iterate over all arrays."""
        yield self.vectors
        yield self.ids
        if self.codes is not None:
            yield from self.codes.files()
        if self.deleted is not None:
            yield self.deleted

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        plain: dict[str, Any] = {"vectors": self.vectors.to_dict(), "ids": self.ids.to_dict()}
        if self.codes is not None:
            plain["codes"] = self.codes.to_dict()
        if self.deleted is not None:
            plain.update(deleted=self.deleted.to_dict(), n_deleted=self.n_deleted)
        return plain

    @classmethod
    def from_dict(cls, data: Any, dim: int, dtype: np.dtype[Any]) -> Segment:
        """Return what `to_dict` described. Raises ValueError, TypeError, KeyError for other data."""
        vectors = ArrayFile.from_dict(data["vectors"], "vectors")
        ids = ArrayFile.from_dict(data["ids"], "ids")
        n = ids.shape[0] if len(ids.shape) == 1 else 0
        if not 0 < n <= SEGMENT_ROWS or vectors.shape != (n, dim):
            raise ValueError(f"{vectors.file} and {ids.file} cannot have these shapes")
        if vectors.dtype != dtype.str:
            raise ValueError(f"{vectors.file} must have dtype {dtype.str}, got {vectors.dtype}")
        codes = None if data.get("codes") is None else Codes.from_dict(data["codes"], n, dim)
        if data.get("deleted") is None:
            return cls(vectors, ids, codes)
        deleted = ArrayFile.from_dict(data["deleted"], "deleted")
        if deleted.shape != ((n + 7) // 8,):
            raise ValueError(f"{deleted.file} cannot have shape {deleted.shape} for {n} rows")
        return cls(vectors, ids, codes, deleted, count(data["n_deleted"], "n_deleted", 1, n + 1))


def count(value: object, name: str, at_least: int = 0, below: int = 2**63) -> int:
    """Return `value` if it is an int of the manifest within these; raises ValueError otherwise."""
    if type(value) is not int or not at_least <= value < below:
        raise ValueError(f"{name} cannot be {value!r}")
    return value
