"""Signals: what struggling looks like in a walk: who could show it, and who did.

The rules are those the engine's own signals follow where names of steps are enough to tell (see
`definitions/friction_rules.py` for the live ones); each is told of a case once, however often it happens.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sojourn.analytics.friction.walks import Flags, Walks

Kind = Literal["error", "help", "ping-pong", "loop", "backtrack", "stall", "drop"]

ERRORS = re.compile(
    r"error|fail|bug\b|exception|crash|declin|denied|reject|invalid|time[ _-]?out|\b[45]\d\d\b|unavailable",
    re.IGNORECASE,
)
HELP = re.compile(r"support|\bhelp|chat\b|complain|contact[ _-]?us|\bfaq\b", re.IGNORECASE)

LOOP_ENTRIES = 3  # as the engine's own signal `loop`.
MIN_CASES = 20  # fewer say nothing, and make a long list.
MAX_PER_KIND = 40  # signals of one kind, those of most cases; how many were left is told.
PRECEDENCE = 0.8  # how often a step comes first before another that going back to it is going back.
STALL_QUANTILE = 0.95
MAX_NAMED = 0.5  # of all cases, that a step may have and its name still be a sign.
MOST = 0.6  # of the cases with an error, that were at the step it belongs to.


@dataclass(frozen=True, slots=True)
class Signal:
    """One way to struggle, in one place."""

    kind: Kind
    steps: tuple[int, ...]
    """Codes: where; of a ping-pong or a way back, from and to."""
    at_risk: Flags
    """The cases in which it could have happened, shape (n_cases,)."""
    hit: Flags
    """Those in which it did; never where there was no risk."""
    n_times: int
    """How often in all."""


@dataclass(frozen=True, slots=True)
class Signals:
    """What was looked for, and found at least MIN_CASES times."""

    found: list[Signal]
    n_rare: int
    """How many more there were in fewer cases than MIN_CASES."""
    n_more: int
    """How many more there were than MAX_PER_KIND of a kind."""


def signals_of(
    walks: Walks, steps: Sequence[str], *, goal: Flags | None, ranks: NDArray[np.int64] | None = None
) -> Signals:
    """Look for every signal.

    Args:
        walks: What people did.
        steps: The names of steps by code.
        goal: Which steps are conversions, shape (n_kinds,); None: nobody said, and nothing is a drop.
        ranks: Stage rank by step, -1 where it has none; None: what usually comes first is before.
    """
    every = [
        *_named(walks, steps, "error", ERRORS),
        *_named(walks, steps, "help", HELP),
        *_ping_pongs(walks),
        *_loops(walks, ranks),
        *_backtracks(walks, ranks),
        *_stalls(walks, goal),
        *(_drops(walks, goal) if goal is not None else ()),
    ]
    every = [signal for signal in every if signal.n_times]
    often = [signal for signal in every if signal.hit.sum() >= MIN_CASES]
    kept: dict[str, list[Signal]] = {}
    for signal in sorted(often, key=lambda signal: (-int(signal.hit.sum()), signal.steps)):
        kept.setdefault(signal.kind, []).append(signal)
    found = [signal for each in kept.values() for signal in each[:MAX_PER_KIND]]
    return Signals(found, n_rare=len(every) - len(often), n_more=len(often) - len(found))


def _named(walks: Walks, steps: Sequence[str], kind: Kind, pattern: re.Pattern[str]) -> Iterator[Signal]:
    """Find steps by what they are called; at risk is who came to the step they belong to.

    A step that half of all come to is no sign of anything, whatever it is called.
    """
    for code, name in enumerate(steps):
        if not pattern.search(name.replace("_", " ")):
            continue
        there = walks.step == code
        hit = walks.has(there)
        if hit.sum() <= MAX_NAMED * walks.n_cases:
            where = _belongs_to(walks, code) if kind == "error" else None
            risk = (
                np.ones(walks.n_cases, dtype=np.bool_)
                if where is None
                else hit | walks.has(walks.step == where)
            )
            yield Signal(kind, (code,) if where is None else (where, code), risk, hit, int(there.sum()))


def _belongs_to(walks: Walks, code: int) -> int | None:
    """Return the step an error is of, where most of those hit had been and few others; None: no such."""
    first = np.flatnonzero(_is_first_time(walks))
    of_all = np.bincount(walks.step[first], minlength=walks.n_kinds)
    erring = first[walks.step[first] == code]
    since = np.full(walks.n_cases, -1, dtype=np.int64)
    since[walks.case[erring]] = erring
    before = first[first < since[walks.case[first]]]
    of_hit = np.bincount(walks.step[before], minlength=walks.n_kinds)
    share = np.where(of_hit >= MOST * len(erring), of_hit / np.maximum(of_all, 1), 0)
    best = int(share.argmax())
    return best if share[best] > 0 else None


def _ping_pongs(walks: Walks) -> Iterator[Signal]:
    """Find A > B > A; at risk is who went from A to B."""
    step, follows = walks.step, walks.follows
    if len(step) < 3:
        return
    there_and_back = follows[:-1] & follows[1:] & (step[:-2] == step[2:]) & (step[:-2] != step[1:-1])
    at = np.flatnonzero(there_and_back)
    pairs = _pairs(walks, step[:-1], step[1:])
    wanted = pairs[at]
    for pair, where in _grouped(wanted, at):
        risk = walks.has(np.flatnonzero(follows & (pairs == pair)))
        yield Signal("ping-pong", divmod(pair, walks.n_kinds), risk, walks.has(where), len(where))


def _loops(walks: Walks, ranks: NDArray[np.int64] | None) -> Iterator[Signal]:
    """Find steps entered three times and more with nothing new gained from the first time on.

    New is a step the case did not have before; with ranks, one that is further than any before.
    """
    entered = np.ones(len(walks.step), dtype=np.bool_)
    entered[1:] = ~walks.follows | (walks.step[1:] != walks.step[:-1])
    progress = _progress(walks, ranks)
    at = np.flatnonzero(entered)
    order = at[np.lexsort((at, walks.step[at], walks.case[at]))]
    gap = LOOP_ENTRIES - 1
    early, late = order[:-gap], order[gap:]
    is_loop = (
        (walks.case[early] == walks.case[late])
        & (walks.step[early] == walks.step[late])
        & (progress[early] == progress[late])
    )
    found = early[is_loop]
    for code, where in _grouped(walks.step[found], found):
        yield Signal("loop", (code,), walks.has(walks.step == code), walks.has(where), len(where))


def _progress(walks: Walks, ranks: NDArray[np.int64] | None) -> NDArray[np.int64]:
    """Count, along each case, how often it got somewhere new, shape (n_steps,)."""
    if ranks is None:
        return np.cumsum(_is_first_time(walks))
    rank = ranks[walks.step]
    base = walks.case.astype(np.int64) * (int(ranks.max(initial=0)) + 2)
    return np.maximum.accumulate(rank + 1 + base)


def _is_first_time(walks: Walks) -> Flags:
    """Tell where a case comes to a step for the first time, shape (n_steps,)."""
    keys = walks.case.astype(np.int64) * walks.n_kinds + walks.step
    is_first = np.zeros(len(keys), dtype=np.bool_)
    is_first[np.unique(keys, return_index=True)[1]] = True
    return is_first


def _backtracks(walks: Walks, ranks: NDArray[np.int64] | None) -> Iterator[Signal]:
    """Find ways back to what comes earlier, by rank or as it usually does; at risk is who was there."""
    follows = walks.follows
    is_back = _is_before(walks) if ranks is None else _is_lower(ranks)
    source, target = walks.step[:-1], walks.step[1:]
    at = np.flatnonzero(follows & is_back[target, source])
    pairs = _pairs(walks, source, target)[at]
    for pair, where in _grouped(pairs, at):
        here, there = divmod(pair, walks.n_kinds)
        risk = walks.has(walks.step == here)
        yield Signal("backtrack", (here, there), risk, walks.has(where), len(where))


def _is_lower(ranks: NDArray[np.int64]) -> Flags:
    known = ranks >= 0
    both = known[:, None] & known[None, :]
    lower: Flags = both & (ranks[:, None] < ranks[None, :])
    return lower


def _is_before(walks: Walks) -> Flags:
    """Tell of two steps whether the first is, in PRECEDENCE of the cases with both, there first."""
    first = np.flatnonzero(_is_first_time(walks))
    n = walks.n_kinds
    before = np.zeros((n, n), dtype=np.int64)
    # First visits of a case lie in order, at most n of them: compare each with the one k places later.
    case, step = walks.case[first], walks.step[first]
    for k in range(1, n):
        same = case[k:] == case[:-k]
        if not same.any():
            break
        before += np.bincount(step[:-k][same] * n + step[k:][same], minlength=n * n).reshape(n, n)
    both = before + before.T
    is_before: Flags = (both >= MIN_CASES) & (before >= PRECEDENCE * both)
    return is_before


def _stalls(walks: Walks, goal: Flags | None) -> Iterator[Signal]:
    """Find stays longer than those of nearly everybody who converts; at risk is who went on from there."""
    follows = walks.follows
    stay = np.diff(walks.at)
    leaves = np.flatnonzero(follows & (walks.step[1:] != walks.step[:-1]))
    converts = walks.has(goal[walks.step]) if goal is not None else np.ones(walks.n_cases, dtype=np.bool_)
    for code, where in _grouped(walks.step[:-1][leaves], leaves):
        usual = stay[where][converts[walks.case[where]]]
        if len(usual) < MIN_CASES:
            continue
        limit = np.quantile(usual, STALL_QUANTILE)
        long = where[stay[where] > limit]
        yield Signal("stall", (code,), walks.has(where), walks.has(long), len(long))


def _drops(walks: Walks, goal: Flags) -> Iterator[Signal]:
    """Find where cases end that came there and never converted after; at risk is who came there."""
    is_goal = goal[walks.step]
    last_goal = np.full(walks.n_cases, -1, dtype=np.int64)
    at_goal = np.flatnonzero(is_goal)
    last_goal[walks.case[at_goal]] = at_goal
    first = np.flatnonzero(_is_first_time(walks) & ~is_goal)
    for code, where in _grouped(walks.step[first], first):
        case = walks.case[where]
        lost = where[last_goal[case] < where]
        yield Signal("drop", (code,), walks.has(where), walks.has(lost), len(lost))


def _pairs(walks: Walks, source: NDArray[np.int32], target: NDArray[np.int32]) -> NDArray[np.int64]:
    pairs: NDArray[np.int64] = source.astype(np.int64) * walks.n_kinds + target
    return pairs


def _grouped(keys: NDArray[np.integer], places: NDArray[np.int64]) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Yield each key with the places that have it."""
    order = np.argsort(keys, kind="stable")
    sorted_keys = keys[order]
    borders = np.flatnonzero(np.diff(sorted_keys)) + 1
    for group in np.split(order, borders):
        if len(group):
            yield int(keys[group[0]]), places[group]
