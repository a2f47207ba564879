"""A diagnosis in words: what was found and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastfunnel.diagnosis import Diagnosis, PrefixQuality

SMALL_SET = 100_000  # rows; below, exact search takes milliseconds

_CLEAR = 0.05  # recall that a prefix must have over a random rotation to be called trained
_COLLAPSE = 0.5  # recall below which a prefix is too poor to start from
_BITS_FINE, _BITS_GOOD = 0.8, 0.95  # recall among 4 k candidates by sign bits


def advice(found: Diagnosis) -> Iterator[str]:
    """Yield a sentence for each finding."""
    yield _matryoshka(found)
    yield _usable(found)
    if (better := _rotation(found)) is not None:
        yield better
    yield _signs(found)
    yield _lengths(found)
    if found.zero_rows:
        yield (
            f"{found.zero_rows:,} rows are all zeros: they have cosine 0 with everything. Leave "
            "them out."
        )
    if found.duplicate_rows:
        yield (
            f"{found.duplicate_rows:,} rows repeat an earlier one exactly: they crowd the answers. "
            "Remove them unless every copy should be found."
        )
    if found.n_rows < SMALL_SET:
        yield (
            f"{found.n_rows:,} rows are few: below about {SMALL_SET:,} exact search takes "
            "milliseconds, so search(..., exact=True) may be all you need."
        )


def is_matryoshka(found: Diagnosis) -> bool:
    """Return whether prefixes keep clearly more neighbours than those of a random rotation."""
    telling = [p for p in found.prefixes if p.random < 0.9]
    gains = [p.recall - p.random for p in telling]
    return bool(gains) and max(gains) >= _CLEAR and sum(gains) > 0


def _matryoshka(found: Diagnosis) -> str:
    if not found.prefixes:
        return "One dim has no prefixes."
    best = max(found.prefixes, key=lambda p: p.recall - p.random)
    compared = f"{best.dims} dims keep {best.recall:.0%} of the top {found.k}, {best.random:.0%}"
    if is_matryoshka(found):
        return f"Matryoshka: the first dims carry the neighbours ({compared} rotated at random)."
    return (
        "Not Matryoshka: prefixes keep no more neighbours than those of the same vectors rotated "
        f"at random ({compared} rotated)."
    )


def _usable(found: Diagnosis) -> str:
    good = [p.dims for p in found.prefixes if p.recall >= _COLLAPSE]
    poor = [p.dims for p in found.prefixes if p.recall < _COLLAPSE]
    if not good:
        return f"No prefix keeps half of the top {found.k}: score all dims, as bits or int8."
    worth = ", ".join(map(str, good))
    ends = f"; at {max(poor)} and below they collapse" if poor else ""
    return f"Prefixes of {worth} dims keep at least half of the top {found.k}{ends}."


def _rotation(found: Diagnosis) -> str | None:
    def gain(prefix: PrefixQuality) -> float:
        return prefix.principal - prefix.recall

    best = max(found.prefixes, key=gain, default=None)
    if best is None or gain(best) < _CLEAR:
        return None
    helped = (
        f"A rotation would help prefixes: {best.dims} dims keep {best.recall:.0%} now, "
        f"{best.principal:.0%} after ff.fit_rotation(vectors); pass it as Index(dim, rotation=...)"
    )
    if found.sign_recall < _BITS_GOOD:
        return f"{helped}."
    return (
        f"{helped}. Sign bits of all dims are good without one, so it may not make searches "
        "faster: Index.tune says what it gains."
    )


def _signs(found: Diagnosis) -> str:
    plain, centred = found.sign_recall, found.centred_sign_recall
    measured = f"the best {4 * found.k} by them hold {plain:.0%} of the top {found.k}"
    if found.one_sided_dims > 0.2 or centred - plain > _CLEAR:
        return (
            f"Sign bits are weak here: {measured}, {centred:.0%} if each dim were centred, and "
            f"{found.one_sided_dims:.0%} of the dims have one sign almost always. Use int8 or f32 "
            "stages, or fit_rotation; Index.tune chooses."
        )
    if plain < _BITS_FINE:
        return f"Sign bits are centred but coarse: {measured}, so they need long shortlists."
    return f"Sign bits work: {measured}, and the dims are centred."


def _lengths(found: Diagnosis) -> str:
    if found.unit_share > 0.999:
        return "Rows are normalised."
    least, middle, most = found.lengths
    return (
        f"Rows are not normalised (lengths {least:.3g} to {most:.3g}, median {middle:.3g}): "
        "fastfunnel normalises, inner-product libraries would not."
    )
