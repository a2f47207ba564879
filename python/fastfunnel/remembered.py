"""Default funnels by k, for as long as they suit the number of rows, and as plain data."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

from fastfunnel import _core
from fastfunnel.funnel import Funnel, grown

EXACT_BELOW = 20_000  # rows; below this exact search takes a millisecond or two

# What the first stage of a funnel may read: sign bits too, or int8 values alone.
Kind: TypeAlias = Literal["by_signs", "by_int8"]

_GROWTH = 2.0  # times fewer rows before a funnel is chosen anew, or more
_NEW = 0.5  # of the rows: so many may come, or take the place of others, before it is
_CHOOSER = 3  # another number says that funnels are chosen otherwise now: stored ones are dropped


class Extent(NamedTuple):
    """Rows of an index, and rows that were ever written to it."""

    n_rows: int
    n_written: int

    @classmethod
    def of(cls, core: _core.Index) -> Extent:
        """Return what an index has now."""
        return cls(*core.extent())


@dataclass(frozen=True)
class _Choice:
    funnel: Funnel | None
    when: Extent

    def suits(self, now: Extent) -> bool:
        """Return whether the rows are much the same: other rows may lie in another way."""
        new = now.n_written - self.when.n_written
        growth = now.n_rows / self.when.n_rows
        return 1 / _GROWTH < growth < _GROWTH and new <= _NEW * self.when.n_rows

    def grown(self, now: Extent) -> Funnel | None:
        return None if self.funnel is None else grown(self.funnel, now.n_rows / self.when.n_rows)


class Remembered:
    """Funnels by k, for as long as the rows are much the same as those they were chosen for.

    Choosing takes tenths of a second, a search fractions of a millisecond. In between keeps grow
    with the rows: as many times more of them outrank a neighbour at most.
    """

    def __init__(self, core: _core.Index) -> None:
        """Remember nothing of an index yet."""
        self._core = core
        self._choices: dict[int, _Choice] = {}

    def funnel(self, k: int, choose: Callable[[], Funnel | None]) -> Funnel | None:
        """Return the funnel for the top k, chosen now if it is not known.

        None means exact search, as for few rows and for a large share of them.
        """
        now = Extent.of(self._core)
        if now.n_rows < EXACT_BELOW or 8 * k > now.n_rows:
            return None
        choice = self._choices.get(k)
        if choice is None or not choice.suits(now):
            choice = self._choices[k] = _Choice(choose(), now)
        return choice.grown(now)

    def known(self, k: int, otherwise: Funnel | None) -> Funnel | None:
        """Return the funnel for the top k, or the other if none is known."""
        now, choice = Extent.of(self._core), self._choices.get(k)
        return choice.grown(now) if choice and choice.suits(now) else otherwise

    def forget(self) -> None:
        """Know no funnel any more."""
        self._choices = {}

    def to_list(self) -> list[dict[str, Any]]:
        """Return plain data for JSON."""
        n_written = Extent.of(self._core).n_written
        return [
            {
                "k": k,
                "n_rows": choice.when.n_rows,
                "written_since": n_written - choice.when.n_written,
                "funnel": None if choice.funnel is None else str(choice.funnel),
            }
            for k, choice in sorted(self._choices.copy().items())
        ]

    def take(self, data: list[Mapping[str, Any]], dim: int, codes: Collection[str]) -> None:
        """Remember what `to_list` said, of an index of so many dims that keeps these codes.

        Raises:
            KeyError, TypeError, ValueError: for other data. Nothing changes then.
        """
        n_written = Extent.of(self._core).n_written
        taken: dict[int, _Choice] = {}
        for known in data:
            k, n_rows, since, text = (
                known[name] for name in ("k", "n_rows", "written_since", "funnel")
            )
            if not (type(k) is type(n_rows) is type(since) is int):
                raise TypeError(f"k={k!r} of n_rows={n_rows!r}, {since!r} since, cannot be")
            if not (0 < k <= n_rows < 2**63 and 0 <= since < 2**63):
                raise ValueError(f"k={k} of n_rows={n_rows}, {since} since, cannot be")
            funnel = None if text is None else Funnel.parse(text)
            if funnel is not None:
                _check(funnel, k, n_rows, dim, codes)
            taken[k] = _Choice(funnel, Extent(n_rows, n_written - since))
        self._choices.update(taken)


class DefaultFunnels:
    """What an index chose for itself, as its manifest keeps it.

    by_rows: what its rows asked for.
    by_queries: what its first queries made of that.
    doubted: whether those asked for so much more that further ones are to be heard.
    """

    def __init__(self, core: _core.Index) -> None:
        """Remember nothing of an index yet."""
        self.by_rows: dict[Kind, Remembered] = {kind: Remembered(core) for kind in get_args(Kind)}
        self.by_queries: dict[Kind, Remembered] = {
            kind: Remembered(core) for kind in get_args(Kind)
        }
        self.doubted = False

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON, empty if nothing was chosen."""
        by_rows = _to_dict(self.by_rows)
        if not any(by_rows.values()):
            return {}
        by_queries = _to_dict(self.by_queries)
        return {
            "chooser": _CHOOSER,
            **by_rows,
            "by_queries": {**by_queries, "doubted": self.doubted},
        }

    def is_in(self, data: Mapping[str, Any]) -> bool:
        """Return whether `to_dict` said this with the same choices, whatever was written since."""
        return bool(_choices(data) == _choices(self.to_dict()))

    def take(self, data: Mapping[str, Any], dim: int, codes: Collection[str]) -> None:
        """Remember what `to_dict` said; what an older or newer chooser chose is chosen anew.

        Raises:
            KeyError, TypeError, ValueError: for other data.
        """
        if data.get("chooser") != _CHOOSER:
            return
        by_queries, doubted = data["by_queries"], data["by_queries"]["doubted"]
        if not isinstance(doubted, bool):
            raise TypeError(f"doubted cannot be {doubted!r}")
        for kind in self.by_rows:
            self.by_rows[kind].take(data[kind], dim, codes)
            self.by_queries[kind].take(by_queries[kind], dim, codes)
        self.doubted = doubted


def _to_dict(known: Mapping[Kind, Remembered]) -> dict[str, Any]:
    return {kind: funnels.to_list() for kind, funnels in known.items()}


def _choices(data: Any) -> Any:
    if isinstance(data, Mapping):
        return {name: _choices(value) for name, value in data.items() if name != "written_since"}
    return [_choices(value) for value in data] if isinstance(data, list) else data


def _check(funnel: Funnel, k: int, n_rows: int, dim: int, codes: Collection[str]) -> None:
    *before, last = funnel.stages
    if (last.dims, last.precision) != (dim, "f32"):
        raise ValueError(f"{funnel} must end with all {dim} dims")
    for stage in before:
        if stage.precision not in codes or not k <= (stage.keep or 0) <= n_rows:
            raise ValueError(f"{funnel} does not suit k={k}, {n_rows} rows, codes {codes}")
