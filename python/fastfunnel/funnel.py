"""A funnel is data: what each stage scores rows by, and how many it keeps."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, get_args

from fastfunnel.arguments import as_count

if TYPE_CHECKING:
    from fastfunnel._core import StageTuple

Precision = Literal["f32", "i8", "b1"]

_STAGE = re.compile(r"(?P<precision>\w+)@(?P<dims>\d+)(?P<symmetric>\(hamming\))?(>(?P<keep>\d+))?")


@dataclass(frozen=True)
class Stage:
    """One stage: score rows by their leading `dims` at `precision`, pass on the best `keep`.

    Args:
        dims: leading dims it reads, at least 1. Prefixes are renormalised.
        precision: "f32"; "i8", int8 values with a scale a row; or "b1", sign bits.
        keep: rows it passes on; None in the last stage, which keeps the k asked for.
        symmetric: b1 only. False (default) scores sign bits of rows against the query's values,
            True against the query's sign bits: Hamming distance.

    Raises:
        TypeError, ValueError: for values outside these.
    """

    dims: int
    precision: Precision = "f32"
    keep: int | None = None
    symmetric: bool = False

    def __post_init__(self) -> None:
        """Check the values."""
        object.__setattr__(self, "dims", as_count(self.dims, "dims"))
        if self.precision not in get_args(Precision):
            raise ValueError(f"precision must be f32, i8 or b1, got {self.precision!r}")
        if self.keep is not None:
            object.__setattr__(self, "keep", as_count(self.keep, "keep"))
        if not isinstance(self.symmetric, bool):
            raise TypeError(f"symmetric must be a bool, got {type(self.symmetric).__name__}")
        if self.symmetric and self.precision != "b1":
            raise ValueError(f"symmetric must be False for precision {self.precision}, got True")

    def __str__(self) -> str:
        """Return the stage as `Funnel.parse` reads it, like b1@256>3000."""
        hamming = "(hamming)" if self.symmetric else ""
        keep = "" if self.keep is None else f">{self.keep}"
        return f"{self.precision}@{self.dims}{hamming}{keep}"

    @property
    def row_bytes(self) -> int:
        """Bytes of a row that the stage reads."""
        return {"f32": 4 * self.dims, "i8": self.dims, "b1": (self.dims + 7) // 8}[self.precision]


@dataclass(frozen=True, init=False)
class Funnel:
    """Stages in order: a cheap score over every row, better scores over fewer and fewer rows.

    Funnels compare equal by value. The last stage keeps the k that a search asks for, so it has no
    `keep`; every other stage has one.

    Args:
        stages: at least one Stage; dims must not shrink and keeps must not grow along the way.

    Raises:
        TypeError: if a stage is not a Stage.
        ValueError: for stages that do not fit together.
    """

    stages: tuple[Stage, ...]

    def __init__(self, stages: Iterable[Stage]) -> None:
        """Check the stages and how they fit together."""
        stages = tuple(stages)
        for stage in stages:
            if not isinstance(stage, Stage):
                raise TypeError(f"stages must be Stage objects, got {type(stage).__name__}")
        _check_sequence(stages)
        object.__setattr__(self, "stages", stages)
        core = [(s.dims, s.precision, s.symmetric, s.keep or 0) for s in stages]
        object.__setattr__(self, "_core", core)

    @classmethod
    def matryoshka(
        cls,
        dim: int,
        *,
        keeps: Sequence[int] = (10_000, 2_500, 500, 100),
        trained_dims: Sequence[int] = (),
    ) -> Funnel:
        """Return the literature's float schedule: 1/32, 1/16, 1/8, 1/4 of the dims, then all.

        Args:
            dim: full dim.
            keeps: rows passed on by the four prefix stages.
            trained_dims: the dims the model was trained at. No stage reads fewer than the smallest
                of them: below it a prefix ranks by noise. Without them only dim bounds the prefix
                (at least 1 dim).

        Returns:
            Up to five f32 stages; prefixes that the clamping makes equal are one stage, with the
            smaller keep. Source: Kusupati et al., arXiv 2205.13147, "funnel retrieval".
        """
        dim = as_count(dim, "dim")
        smallest = min((as_count(trained, "trained_dims") for trained in trained_dims), default=1)
        if len(keeps) != 4:
            raise ValueError(f"keeps must have 4 values, got {len(keeps)}")
        kept_at: dict[int, int] = {}
        for divisor, keep in zip((32, 16, 8, 4), keeps, strict=True):
            kept_at[max(dim // divisor, min(smallest, dim), 1)] = keep
        kept_at.pop(dim, None)
        return cls([*(Stage(d, "f32", keep) for d, keep in kept_at.items()), Stage(dim, "f32")])

    @classmethod
    def two_stage(cls, dim: int, first: int = 256, keep: int = 1000) -> Funnel:
        """Return adaptive retrieval: `keep` rows by the first dims, then all dims.

        Args:
            dim: full dim.
            first: dims of the first stage, clamped to dim.
            keep: rows it passes on.

        Returns:
            Two f32 stages; one if `first` is all of them.
        """
        dim = as_count(dim, "dim")
        if as_count(first, "first") >= dim:
            return cls([Stage(dim, "f32")])
        return cls([Stage(first, "f32", keep), Stage(dim, "f32")])

    @classmethod
    def parse(cls, text: str) -> Funnel:
        """Return the funnel that `str(funnel)` printed, like "b1@256>3000 i8@1024>30 f32@1024".

        Raises:
            TypeError: it is no str.
            ValueError: naming the stage that cannot be read, or as Funnel does.
        """
        if not isinstance(text, str):
            raise TypeError(f"text must be a str like 'b1@256>3000 f32@1024', got {text!r}")
        stages = []
        for word in text.split():
            match = _STAGE.fullmatch(word)
            if match is None:
                raise ValueError(f"funnel stages must look like b1@256>3000, got {word!r}")
            precision: Any = match["precision"]
            keep = None if match["keep"] is None else int(match["keep"])
            stages.append(Stage(int(match["dims"]), precision, keep, bool(match["symmetric"])))
        return cls(stages)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data that JSON can hold and `from_dict` reads."""
        return {
            "stages": [
                {"dims": s.dims, "precision": s.precision, "keep": s.keep, "symmetric": s.symmetric}
                for s in self.stages
            ]
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Funnel:
        """Return the funnel that `to_dict` described.

        Raises:
            ValueError: if the data has another form.
        """
        try:
            stages = [{**stage} for stage in data["stages"]]
            for stage in stages:
                if unknown := stage.keys() - {"dims", "precision", "keep", "symmetric"}:
                    raise KeyError(*unknown)
            return cls(Stage(**stage) for stage in stages)
        except (KeyError, TypeError) as error:
            raise ValueError(f"funnel data must be what to_dict() returns: {error}") from None

    def __str__(self) -> str:
        """Return the funnel as `parse` reads it."""
        return " ".join(map(str, self.stages))

    def __repr__(self) -> str:
        """Return the call that makes the funnel."""
        return f"Funnel.parse({str(self)!r})"

    def to_core(self) -> list[StageTuple]:
        """Return the stages as the C++ core takes them."""
        core: list[StageTuple] = self.__dict__["_core"]
        return core


@lru_cache(maxsize=64)  # a search may ask each time
def grown(funnel: Funnel, times: float) -> Funnel:
    """Return the funnel for an index with so many times the rows; never a narrower one."""
    if times <= 1:
        return funnel
    return Funnel(
        stage if stage.keep is None else replace(stage, keep=math.ceil(stage.keep * times))
        for stage in funnel.stages
    )


def _check_sequence(stages: tuple[Stage, ...]) -> None:
    if not stages:
        raise ValueError("funnel must have at least one stage, got none")
    if stages[-1].keep is not None:
        raise ValueError(f"the last stage must keep None (it keeps k), got {stages[-1].keep}")
    previous: Stage | None = None
    for number, stage in enumerate(stages, 1):
        if stage.keep is None and number < len(stages):
            raise ValueError(f"stage {number} must say how many rows it keeps, got keep=None")
        if previous is not None and stage.dims < previous.dims:
            raise ValueError(
                f"stage {number} must read at least the {previous.dims} dims of the stage before, "
                f"got {stage.dims}"
            )
        if previous is not None and stage.keep is not None and stage.keep > (previous.keep or 0):
            raise ValueError(
                f"stage {number} must keep at most the {previous.keep} rows of the stage before, "
                f"got {stage.keep}"
            )
        previous = stage
