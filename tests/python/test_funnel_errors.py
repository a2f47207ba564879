"""What bad stages and funnels are told, word by word."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from fastfunnel import Funnel, Stage

FORM = "funnel stages must look like b1@256>3000, got "
DATA = "funnel data must be what to_dict() returns: "

CASES: dict[str, tuple[Callable[[], object], type[Exception], str]] = {
    # Stage
    "dims 0": (lambda: Stage(0), ValueError, "dims must be at least 1, got 0"),
    "dims float": (lambda: Stage(8.0), TypeError, "dims must be an integer, got float"),  # type: ignore[arg-type]
    "dims bool": (lambda: Stage(True), TypeError, "dims must be an integer, got bool"),
    "dims huge": (lambda: Stage(2**31), ValueError, "dims must be below 2^31, got 2147483648"),
    "precision": (
        lambda: Stage(8, "f64"),  # type: ignore[arg-type]
        ValueError,
        "precision must be f32, i8 or b1, got 'f64'",
    ),
    "precision None": (
        lambda: Stage(8, None),  # type: ignore[arg-type]
        ValueError,
        "precision must be f32, i8 or b1, got None",
    ),
    "keep 0": (lambda: Stage(8, "b1", 0), ValueError, "keep must be at least 1, got 0"),
    "keep float": (
        lambda: Stage(8, "b1", 1e3),  # type: ignore[arg-type]
        TypeError,
        "keep must be an integer, got float",
    ),
    "symmetric 1": (
        lambda: Stage(8, "b1", 9, 1),  # type: ignore[arg-type]
        TypeError,
        "symmetric must be a bool, got int",
    ),
    "symmetric floats": (
        lambda: Stage(8, "i8", 9, True),
        ValueError,
        "symmetric must be False for precision i8, got True",
    ),
    # Funnel
    "none": (lambda: Funnel([]), ValueError, "funnel must have at least one stage, got none"),
    "no stages": (
        lambda: Funnel(["f32@8"]),  # type: ignore[list-item]
        TypeError,
        "stages must be Stage objects, got str",
    ),
    "text": (lambda: Funnel("f"), TypeError, "stages must be Stage objects, got str"),  # type: ignore[arg-type]
    "last keeps": (
        lambda: Funnel([Stage(8, "f32", 9)]),
        ValueError,
        "the last stage must keep None (it keeps k), got 9",
    ),
    "first keeps None": (
        lambda: Funnel([Stage(8, "b1", 9), Stage(8), Stage(8)]),
        ValueError,
        "stage 2 must say how many rows it keeps, got keep=None",
    ),
    "dims shrink": (
        lambda: Funnel([Stage(9, "b1", 9), Stage(8)]),
        ValueError,
        "stage 2 must read at least the 9 dims of the stage before, got 8",
    ),
    "keeps grow": (
        lambda: Funnel([Stage(8, "b1", 9), Stage(8, "i8", 9), Stage(8, "i8", 10), Stage(8)]),
        ValueError,
        "stage 3 must keep at most the 9 rows of the stage before, got 10",
    ),
    # presets
    "dim 0": (lambda: Funnel.matryoshka(0), ValueError, "dim must be at least 1, got 0"),
    "dim float": (
        lambda: Funnel.matryoshka(64.0),  # type: ignore[arg-type]
        TypeError,
        "dim must be an integer, got float",
    ),
    "three keeps": (
        lambda: Funnel.matryoshka(64, keeps=(3, 2, 1)),
        ValueError,
        "keeps must have 4 values, got 3",
    ),
    "growing keeps": (
        lambda: Funnel.matryoshka(64, keeps=(1, 2, 3, 4)),
        ValueError,
        "stage 2 must keep at most the 1 rows of the stage before, got 2",
    ),
    "keeps 0": (
        lambda: Funnel.matryoshka(64, keeps=(3, 2, 1, 0)),
        ValueError,
        "keep must be at least 1, got 0",
    ),
    "trained at 0": (
        lambda: Funnel.matryoshka(64, trained_dims=(32, 0)),
        ValueError,
        "trained_dims must be at least 1, got 0",
    ),
    "trained at text": (
        lambda: Funnel.matryoshka(64, trained_dims=("32",)),  # type: ignore[arg-type]
        TypeError,
        "trained_dims must be an integer, got str",
    ),
    "two dim": (lambda: Funnel.two_stage(-1), ValueError, "dim must be at least 1, got -1"),
    "two first": (lambda: Funnel.two_stage(8, 0), ValueError, "first must be at least 1, got 0"),
    "two keep": (lambda: Funnel.two_stage(8, 4, 0), ValueError, "keep must be at least 1, got 0"),
    "two keep None": (
        lambda: Funnel.two_stage(8, 4, None),  # type: ignore[arg-type]
        ValueError,
        "stage 1 must say how many rows it keeps, got keep=None",
    ),
    # parse
    "empty": (
        lambda: Funnel.parse(" "),
        ValueError,
        "funnel must have at least one stage, got none",
    ),
    "no text": (
        lambda: Funnel.parse(None),  # type: ignore[arg-type]
        TypeError,
        "text must be a str like 'b1@256>3000 f32@1024', got None",
    ),
    "word": (lambda: Funnel.parse("f32@8>9 fast"), ValueError, FORM + "'fast'"),
    "negative": (lambda: Funnel.parse("f32@-8"), ValueError, FORM + "'f32@-8'"),
    "spaces": (lambda: Funnel.parse("f32 @8"), ValueError, FORM + "'f32'"),
    "no keep": (lambda: Funnel.parse("b1@8> f32@8"), ValueError, FORM + "'b1@8>'"),
    "turned": (lambda: Funnel.parse("b1@8>9(hamming)"), ValueError, FORM + "'b1@8>9(hamming)'"),
    "f16": (
        lambda: Funnel.parse("f16@8"),
        ValueError,
        "precision must be f32, i8 or b1, got 'f16'",
    ),
    "parsed dims 0": (lambda: Funnel.parse("f32@0"), ValueError, "dims must be at least 1, got 0"),
    "hamming floats": (
        lambda: Funnel.parse("f32@8(hamming)"),
        ValueError,
        "symmetric must be False for precision f32, got True",
    ),
    # from_dict
    "data None": (
        lambda: Funnel.from_dict(None),  # type: ignore[arg-type]
        ValueError,
        DATA + "'NoneType' object is not subscriptable",
    ),
    "data empty": (lambda: Funnel.from_dict({}), ValueError, DATA + "'stages'"),
    "data unknown": (
        lambda: Funnel.from_dict({"stages": [{"dims": 8, "bits": 1}]}),
        ValueError,
        DATA + "'bits'",
    ),
    "data without dims": (
        lambda: Funnel.from_dict({"stages": [{"keep": 8}]}),
        ValueError,
        DATA + "Stage.__init__() missing 1 required positional argument: 'dims'",
    ),
    "data kind": (
        lambda: Funnel.from_dict({"stages": [{"dims": "8"}]}),
        ValueError,
        DATA + "dims must be an integer, got str",
    ),
    "data no list": (
        lambda: Funnel.from_dict({"stages": 3}),
        ValueError,
        DATA + "'int' object is not iterable",
    ),
    "data value": (
        lambda: Funnel.from_dict({"stages": [{"dims": 0}]}),
        ValueError,
        "dims must be at least 1, got 0",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_message(case: str) -> None:
    call, error, text = CASES[case]
    with pytest.raises(error, match=f"^{re.escape(text)}$"):
        call()


@pytest.mark.parametrize("data", [3, "stages", [], {"stages": ["f32@8"]}, {"stages": [[1]]}])
def test_data_of_another_form_is_a_value_error(data: Any) -> None:
    with pytest.raises(ValueError, match="funnel data must be what to_dict\\(\\) returns: "):
        Funnel.from_dict(data)
