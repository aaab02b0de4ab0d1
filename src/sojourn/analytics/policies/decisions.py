"""Decisions: what was drawn for whom, with which probability, and what came of it, as numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sojourn.model.errors import InputError

Floats = NDArray[np.float64]
Codes = NDArray[np.int32]
Half = Literal["first", "second"]

SURE = 1e-9  # what a sum of probabilities may miss 1 by: they were written with 6 digits or more
_ROUNDED = 1e-3  # what probabilities that somebody else wrote may miss it by


@dataclass(frozen=True, slots=True, eq=False)
class Decisions:
    """Logged decisions of one experiment. Arrays have the shape (n_decisions,) unless they say otherwise."""

    variants: tuple[str, ...]
    contexts: tuple[str, ...]
    """Cells of the context; one empty name where there is none."""
    variant: Codes
    """What was drawn: a place in `variants`."""
    context: Codes
    reward: Floats
    propensity: Floats
    """The probability with which that was drawn, above 0 and at most 1."""
    person: Codes
    """Whose decision it was, from 0: decisions of one person are not independent."""
    n_people: int
    drawn_from: Codes | None = None
    """A row of `eligible`; None where the log does not say what else could have been drawn."""
    eligible: Floats | None = None
    """Shape (n_distinct, n_variants): the probability of each variant."""
    half: NDArray[np.bool_] | None = None
    """Whether a decision is of the second half of the people, by a hash; None where nobody is named."""
    left_out: Mapping[str, int] | None = None
    """Rows that are no decisions to learn from, by reason."""

    def __len__(self) -> int:
        """Count the decisions."""
        return len(self.variant)


def encode(
    *,
    variant: list[Any],
    reward: ArrayLike,
    propensity: ArrayLike,
    context: Sequence[Any] | None = None,
    person: Sequence[Any] | None = None,
    eligible: Sequence[Mapping[str, float] | None] | None = None,
    left_out: Mapping[str, int] | None = None,
    place: str = "the decisions",
) -> Decisions:
    """Encode decisions, all columns in the same order.

    Args:
        variant: Names of what was drawn.
        reward: What came of each.
        propensity: The probability with which it was drawn.
        context: Names of cells of the context; None: there is one.
        person: Whose each is; None: each is of another person.
        eligible: Variant -> probability; None where a row, or the log, does not say.
        left_out: Carried along.
        place: Where they come from, for messages.

    Raises:
        InputError: There is none, a number is outside its bounds, or a distribution contradicts itself.
    """
    n = len(variant)
    if not n:
        raise InputError("no-decisions", "holds no decision to learn from", path=place, status=404)
    if None in variant:
        raise InputError("bad-decision", f"row {variant.index(None) + 1}: says no variant", path=place)
    names = [str(name) for name in variant]
    sets = _distinct(eligible)
    variants = tuple(sorted({*names, *(name for shares in sets for name, _ in shares)}))
    index = {name: i for i, name in enumerate(variants)}
    cells, cell = _codes(
        [""] * n if context is None else ["" if one is None else str(one) for one in context]
    )
    people, whose = (n, np.arange(n, dtype=np.int32)) if person is None else _people(person)
    rows, table = _eligible(eligible, sets, index)
    decisions = Decisions(
        variants=variants,
        contexts=cells,
        variant=np.array([index[name] for name in names], dtype=np.int32),
        context=cell,
        reward=_floats(reward, n),
        propensity=_floats(propensity, n),
        person=whose,
        n_people=people,
        half=None if person is None else _halves(person),
        drawn_from=rows,
        eligible=table,
        left_out=left_out,
    )
    _check(decisions, place)
    return decisions


def rows_of_half(decisions: Decisions, which: Half) -> NDArray[np.int64]:
    """Return the rows of one half of the people: learn from one, judge by the other.

    Who is in which is a hash of who they are; where nobody is named, it goes by the row.
    """
    is_second = np.arange(len(decisions)) % 2 == 1 if decisions.half is None else decisions.half
    return np.flatnonzero(is_second == (which == "second"))


def of_rows(decisions: Decisions, rows: NDArray[np.int64]) -> Decisions:
    """Return some of the decisions; raise InputError where there are none."""
    if not len(rows):
        raise InputError("no-decisions", "this half of the people has none", path="the decisions", status=404)
    people, person = np.unique(decisions.person[rows], return_inverse=True)
    changes: dict[str, Any] = {
        name: None if column is None else column[rows]
        for name in ("variant", "context", "reward", "propensity", "drawn_from", "half")
        for column in (getattr(decisions, name),)
    }
    return replace(decisions, person=person.astype(np.int32), n_people=len(people), **changes)


def _halves(person: Sequence[Any]) -> NDArray[np.bool_]:
    """Halve the people; who is nobody known goes by the row."""
    known = {one: sha256(str(one).encode()).digest()[0] & 1 for one in set(person) if one is not None}
    return np.array([known.get(one, i & 1) for i, one in enumerate(person)], dtype=bool)


def _floats(values: ArrayLike, n: int) -> Floats:
    found = np.asarray(values, dtype=np.float64)
    assert found.shape == (n,), "columns differ in length"
    return found


def _codes(names: Sequence[str]) -> tuple[tuple[str, ...], Codes]:
    distinct = tuple(sorted(set(names)))
    index = {name: i for i, name in enumerate(distinct)}
    return distinct, np.array([index[name] for name in names], dtype=np.int32)


def _people(person: Sequence[Any]) -> tuple[int, Codes]:
    """Number the people; who is nobody known is a person of their own."""
    names = [f"={i}" if one is None else f"+{one}" for i, one in enumerate(person)]
    index = {name: i for i, name in enumerate(dict.fromkeys(names))}
    return len(index), np.array([index[name] for name in names], dtype=np.int32)


def _distinct(
    eligible: Sequence[Mapping[str, float] | None] | None,
) -> list[tuple[tuple[str, float], ...]]:
    if eligible is None or not all(eligible):
        return []
    return list(dict.fromkeys(tuple(sorted(shares.items())) for shares in eligible if shares))


def _eligible(
    eligible: Sequence[Mapping[str, float] | None] | None,
    sets: Sequence[tuple[tuple[str, float], ...]],
    index: Mapping[str, int],
) -> tuple[Codes | None, Floats | None]:
    """Encode what could have been drawn; nothing where any row does not say."""
    if eligible is None or not sets:
        return None, None
    table = np.zeros((len(sets), len(index)))
    for row, shares in enumerate(sets):
        for name, share in shares:
            table[row, index[name]] = share
    rows = {shares: row for row, shares in enumerate(sets)}
    codes = [rows[tuple(sorted(shares.items()))] for shares in eligible if shares]
    return np.array(codes, dtype=np.int32), table


def _check(decisions: Decisions, place: str) -> None:
    """Raise InputError with the first row that cannot be right."""
    chances, gains = decisions.propensity, decisions.reward
    _refuse((chances > 0) & (chances <= 1 + SURE), chances, place, "a propensity above 0, at most 1")
    _refuse(np.isfinite(gains), gains, place, "a finite reward")
    if decisions.eligible is None or decisions.drawn_from is None:
        return
    told = decisions.eligible[decisions.drawn_from, decisions.variant]
    apart = np.abs(told - chances) > _ROUNDED
    if apart.any():
        row = int(np.flatnonzero(apart)[0])
        reason = (
            f"row {row + 1}: its propensity is {chances[row]:g}, and {told[row]:g} in what was eligible; "
            "one of them was logged wrongly"
        )
        raise InputError("bad-decision", reason, path=place)
    total = decisions.eligible.sum(axis=1)[decisions.drawn_from]
    _refuse(np.abs(total - 1) <= _ROUNDED, total, place, "eligible shares that sum to 1")


def _refuse(is_good: NDArray[np.bool_], values: Floats, place: str, expected: str) -> None:
    if not is_good.all():
        row = int(np.flatnonzero(~is_good)[0])
        raise InputError(
            "bad-decision", f"row {row + 1}: expected {expected}, got {values[row]:g}", path=place
        )
