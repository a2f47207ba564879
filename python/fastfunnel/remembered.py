"""Default funnels by k, for as long as they suit the number of rows, and as plain data."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Literal, TypeAlias, get_args

from fastfunnel.funnel import Funnel, grown

EXACT_BELOW = 20_000  # rows; below this exact search takes a millisecond or two

# What the first stage of a funnel may read: sign bits too, or int8 values alone.
Kind: TypeAlias = Literal["by_signs", "by_int8"]

_GROWTH = 2.0  # times more rows, or fewer, before a funnel is chosen anew
_CHOOSER = 2  # another number says that funnels are chosen otherwise now: stored ones are dropped


class Remembered:
    """Funnels by k, until an index has twice or half the rows that they were chosen for.

    Choosing takes tenths of a second, a search fractions of a millisecond. In between keeps grow
    with the rows: as many times more of them outrank a neighbour at most.
    """

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._funnels: dict[int, tuple[int, Funnel | None]] = {}

    def funnel(self, k: int, n_rows: int, choose: Callable[[], Funnel | None]) -> Funnel | None:
        """Return the funnel for the top k of so many rows, chosen now if it is not known.

        None means exact search, as for few rows and for a large share of them.
        """
        if n_rows < EXACT_BELOW or 8 * k > n_rows:
            return None
        known = self._funnels.get(k)
        if known is None or not _suits(known[0], n_rows):
            known = self._funnels[k] = (n_rows, choose())
        return _grown(known, n_rows)

    def known(self, k: int, n_rows: int, otherwise: Funnel | None) -> Funnel | None:
        """Return the funnel for the top k of so many rows, or the other if none is known."""
        known = self._funnels.get(k)
        return _grown(known, n_rows) if known and _suits(known[0], n_rows) else otherwise

    def forget(self) -> None:
        """Know no funnel any more."""
        self._funnels = {}

    def to_list(self) -> list[dict[str, Any]]:
        """Return plain data for JSON."""
        return [
            {"k": k, "n_rows": n_rows, "funnel": None if funnel is None else str(funnel)}
            for k, (n_rows, funnel) in sorted(self._funnels.copy().items())
        ]

    def take(self, data: list[Mapping[str, Any]], dim: int, codes: Collection[str]) -> None:
        """Remember what `to_list` said, of an index of so many dims that keeps these codes.

        Raises:
            KeyError, TypeError, ValueError: for other data. Nothing changes then.
        """
        taken: dict[int, tuple[int, Funnel | None]] = {}
        for known in data:
            k, n_rows, text = known["k"], known["n_rows"], known["funnel"]
            if not (type(k) is type(n_rows) is int and 0 < k <= n_rows < 2**63):
                raise ValueError(f"k={k!r} of n_rows={n_rows!r} cannot be")
            funnel = None if text is None else Funnel.parse(text)
            if funnel is not None:
                _check(funnel, k, n_rows, dim, codes)
            taken[k] = (n_rows, funnel)
        self._funnels.update(taken)


class DefaultFunnels:
    """What an index chose for itself, as its manifest keeps it.

    by_rows: what its rows asked for.
    by_queries: what its first queries made of that.
    doubted: whether those asked for so much more that further ones are to be heard.
    """

    def __init__(self) -> None:
        """Remember nothing yet."""
        self.by_rows: dict[Kind, Remembered] = {kind: Remembered() for kind in get_args(Kind)}
        self.by_queries: dict[Kind, Remembered] = {kind: Remembered() for kind in get_args(Kind)}
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


def _suits(chosen_for: int, n_rows: int) -> bool:
    return 1 / _GROWTH < n_rows / chosen_for < _GROWTH


def _grown(known: tuple[int, Funnel | None], n_rows: int) -> Funnel | None:
    chosen_for, funnel = known
    return None if funnel is None else grown(funnel, n_rows / chosen_for)


def _check(funnel: Funnel, k: int, n_rows: int, dim: int, codes: Collection[str]) -> None:
    *before, last = funnel.stages
    if (last.dims, last.precision) != (dim, "f32"):
        raise ValueError(f"{funnel} must end with all {dim} dims")
    for stage in before:
        if stage.precision not in codes or not k <= (stage.keep or 0) <= n_rows:
            raise ValueError(f"{funnel} does not suit k={k}, {n_rows} rows, codes {codes}")
