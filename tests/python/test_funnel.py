"""Stage and Funnel as data."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from fastfunnel import Funnel, Stage

TEXTS = (
    "f32@1024",
    "b1@256>3000 f32@1024",
    "b1@256>3000 i8@1024>30 f32@1024",
    "b1@128(hamming)>900 b1@256>500 b1@512(hamming)",
    "f32@8>9 i8@8",
)


@pytest.mark.parametrize("text", TEXTS)
def test_text_and_funnel_round_trip(text: str) -> None:
    assert str(Funnel.parse(text)) == text
    assert repr(Funnel.parse(text)) == f"Funnel.parse({text!r})"


@pytest.mark.parametrize("text", TEXTS)
def test_data_and_funnel_round_trip_through_json(text: str) -> None:
    funnel = Funnel.parse(text)
    assert Funnel.from_dict(json.loads(json.dumps(funnel.to_dict()))) == funnel


def test_parse_reads_what_the_constructor_takes() -> None:
    assert Funnel.parse("b1@256(hamming)>3000  i8@512>30\nf32@1024") == Funnel(
        [
            Stage(dims=256, precision="b1", keep=3000, symmetric=True),
            Stage(dims=512, precision="i8", keep=30),
            Stage(dims=1024, precision="f32"),
        ]
    )


def test_data_of_a_stage() -> None:
    assert Funnel.parse("b1@8>5 f32@9").to_dict() == {
        "stages": [
            {"dims": 8, "precision": "b1", "keep": 5, "symmetric": False},
            {"dims": 9, "precision": "f32", "keep": None, "symmetric": False},
        ]
    }


def test_data_may_leave_out_what_has_a_default() -> None:
    assert Funnel.from_dict({"stages": [{"dims": 9}]}) == Funnel.parse("f32@9")


def test_defaults_of_a_stage() -> None:
    assert Stage(64) == Stage(dims=64, precision="f32", keep=None, symmetric=False)


def test_funnels_compare_and_hash_by_value() -> None:
    one, same, other = (Funnel.parse(text) for text in ("b1@8>5 f32@9", "b1@8>5 f32@9", "f32@9"))

    assert one == same
    assert hash(one) == hash(same)
    assert one != other
    assert one != "b1@8>5 f32@9"
    assert {one, same, other} == {one, other}


def test_stages_may_come_from_any_iterable() -> None:
    assert Funnel(iter([Stage(4)])).stages == (Stage(4),)


def test_numpy_integers_become_ints() -> None:
    stage = Stage(np.int64(8), "b1", np.int32(5))  # type: ignore[arg-type]

    assert (type(stage.dims), type(stage.keep)) == (int, int)
    assert json.dumps(Funnel([stage, Stage(9)]).to_dict())


def test_neither_can_be_changed() -> None:
    funnel = Funnel.parse("f32@9")
    with pytest.raises(dataclasses.FrozenInstanceError):
        funnel.stages = ()  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        funnel.stages[0].dims = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "row_bytes"), [("f32@9", 36), ("i8@9", 9), ("b1@8", 1), ("b1@9(hamming)", 2)]
)
def test_row_bytes(text: str, row_bytes: int) -> None:
    assert Funnel.parse(text).stages[0].row_bytes == row_bytes


@pytest.mark.parametrize(
    ("dim", "text"),
    [
        (1024, "f32@32>10000 f32@64>2500 f32@128>500 f32@256>100 f32@1024"),
        (100, "f32@3>10000 f32@6>2500 f32@12>500 f32@25>100 f32@100"),
        (40, "f32@1>10000 f32@2>2500 f32@5>500 f32@10>100 f32@40"),
        (8, "f32@1>500 f32@2>100 f32@8"),
        (4, "f32@1>100 f32@4"),
        (2, "f32@1>100 f32@2"),
        (1, "f32@1"),
    ],
)
def test_matryoshka_halves_its_way_up_and_never_reads_less_than_a_dim(dim: int, text: str) -> None:
    assert str(Funnel.matryoshka(dim)) == text


@pytest.mark.parametrize(
    ("dim", "trained_dims", "text"),
    [
        (256, (64, 128, 256), "f32@64>100 f32@256"),
        (1024, (256, 64), "f32@64>2500 f32@128>500 f32@256>100 f32@1024"),
        (256, (256,), "f32@256"),
        (256, (512,), "f32@256"),
    ],
)
def test_matryoshka_never_reads_less_than_the_model_was_trained_at(
    dim: int, trained_dims: tuple[int, ...], text: str
) -> None:
    assert str(Funnel.matryoshka(dim, trained_dims=trained_dims)) == text


def test_matryoshka_takes_other_keeps() -> None:
    funnel = Funnel.matryoshka(1024, keeps=(40, 30, 20, 10))
    assert str(funnel) == "f32@32>40 f32@64>30 f32@128>20 f32@256>10 f32@1024"


@pytest.mark.parametrize(
    ("dim", "first", "text"),
    [
        (1024, 256, "f32@256>1000 f32@1024"),
        (257, 256, "f32@256>1000 f32@257"),
        (256, 256, "f32@256"),
        (3, 256, "f32@3"),
        (1, 1, "f32@1"),
    ],
)
def test_two_stage_clamps_its_first_stage(dim: int, first: int, text: str) -> None:
    assert str(Funnel.two_stage(dim, first)) == text


def test_two_stage_by_default() -> None:
    assert Funnel.two_stage(1024) == Funnel.two_stage(1024, first=256, keep=1000)
