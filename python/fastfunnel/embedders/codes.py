"""The int8 and binary vectors that Voyage and Cohere send, as rows and as codes.

Both pack sign bits most significant bit first, like numpy.packbits and `fastfunnel.binarize`;
bit = value > 0. "ubinary" sends the bytes as they are, "binary" sends them less 128, so that they
fit an int8: 0b01001101 is 77 as ubinary and -51 as binary.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

OutputType = Literal["float", "int8", "binary", "ubinary"]
OUTPUT_TYPES: tuple[str, ...] = ("float", "int8", "binary", "ubinary")
_OFFSET = {"binary": 128, "ubinary": 0}


def as_codes(answer: npt.ArrayLike, output: str) -> npt.NDArray[np.uint8]:
    """Return "binary" or "ubinary" answers as packed codes for `fastfunnel.hamming_search`.

    Args:
        answer: (n, dim / 8) whole numbers, -128 to 127 for "binary" and 0 to 255 for "ubinary".
        output: which of the two.

    Returns:
        uint8 (n, dim / 8), as `fastfunnel.binarize` would pack the float vectors.

    Raises:
        ValueError: another output type, a number out of range, or something else than numbers.
    """
    if output not in _OFFSET:
        raise ValueError(f"output must be 'binary' or 'ubinary', got {output!r}")
    values = np.asarray(answer)
    if values.ndim != 2 or values.dtype.kind not in "iu":
        raise ValueError(f"{output} rows must be whole numbers of one length, got {values.dtype}")
    shifted = values.astype(np.int64) + _OFFSET[output]
    if shifted.size and (shifted.min() < 0 or shifted.max() > 255):
        raise ValueError(f"{output} rows must hold bytes, got {values.min()} to {values.max()}")
    return shifted.astype(np.uint8)


def as_floats(answer: npt.ArrayLike, output: str) -> npt.ArrayLike:
    """Return an answer as numbers a dim: packed bits become 1 and -1, the rest stays."""
    if output not in _OFFSET:
        return answer
    return np.unpackbits(as_codes(answer, output), axis=1).astype(np.float32) * 2 - 1


def check_output_type(output: str) -> None:
    """Raise ValueError for an output type other than OUTPUT_TYPES.

    "uint8" is not among them: what its zero stands for is not documented, and int8 says the same.
    """
    if output not in OUTPUT_TYPES:
        raise ValueError(f"output_type must be one of {', '.join(OUTPUT_TYPES)}, got {output!r}")
