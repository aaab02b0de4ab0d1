"""Oracles: attribution as its definitions read, in plain Python and exact fractions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from itertools import combinations
from math import factorial
from typing import NamedTuple


class Row(NamedTuple):
    """Journeys that took one path."""

    path: tuple[str, ...]
    conversions: int
    value: int = 0
    nulls: int = 0


Credit = dict[str, Fraction]
State = tuple[str, ...]
START, CONVERSION, NULL = ("(start)",), ("(conversion)",), ("(null)",)


def channels_of(rows: Iterable[Row]) -> list[str]:
    """Name the channels."""
    return sorted({channel for row in rows for channel in row.path})


def by_weights(rows: Sequence[Row], weigh: Callable[[int], Sequence[Fraction]]) -> Credit:
    """Share each path's conversions by weights of its touches, given how many there are."""
    credit = dict.fromkeys(channels_of(rows), Fraction(0))
    for row in rows:
        if row.path:
            weights = weigh(len(row.path))
            for channel, weight in zip(row.path, weights, strict=True):
                credit[channel] += row.conversions * Fraction(weight) / sum(weights)
    return credit


def u_shaped(length: int) -> list[Fraction]:
    """Weigh 40/20/40; two touches have half each."""
    if length <= 2:
        return [Fraction(1)] * length
    middle = Fraction(1, 5) / (length - 2)
    return [Fraction(2, 5), *[middle] * (length - 2), Fraction(2, 5)]


def w_shaped(length: int) -> list[Fraction]:
    """Weigh 30/30/30 and 10 for all others."""
    if length <= 2:
        return [Fraction(1)] * length
    rest = Fraction(1, 10) / max(length - 3, 1)
    weights = [rest] * length
    for place in (0, (length - 1) // 2, length - 1):
        weights[place] = Fraction(3, 10)
    return weights


def windows(path: tuple[str, ...], order: int) -> list[State]:
    """Walk a path through its windows; equal ones in a row are one."""
    if len(path) < order:
        return [path]
    walk: list[State] = []
    for i in range(len(path) - order + 1):
        window = path[i : i + order]
        if not walk or walk[-1] != window:
            walk.append(window)
    return walk


def markov(rows: Sequence[Row], order: int, *, nulls: bool = True) -> tuple[Credit, Credit, Credit, Fraction]:
    """Return (removal effects, conversions, value, P(conversion)), each channel removed in a dense solve."""
    rows = [row._replace(nulls=row.nulls if nulls else 0) for row in rows if row.path]
    flows: dict[State, dict[State, Fraction]] = {}
    worth: dict[State, Fraction] = {}

    def add(source: State, target: State, count: int) -> None:
        flows.setdefault(source, {}).setdefault(target, Fraction(0))
        flows[source][target] += count

    for row in rows:
        if not row.conversions + row.nulls:
            continue
        walk = windows(row.path, order)
        for source, target in zip([START, *walk], walk, strict=False):
            add(source, target, row.conversions + row.nulls)
        add(walk[-1], CONVERSION, row.conversions)
        add(walk[-1], NULL, row.nulls)
        worth[walk[-1]] = worth.get(walk[-1], Fraction(0)) + row.value
    conversions, value = (Fraction(sum(row[i] for row in rows)) for i in (1, 2))
    per_visit = {state: worth.get(state, Fraction(0)) / sum(flows[state].values()) for state in flows}
    chance, worth_all = _reached(flows, per_visit, None)
    lost = {channel: _reached(flows, per_visit, channel) for channel in channels_of(rows)}
    effects = {channel: 1 - left[0] / chance if chance else Fraction(0) for channel, left in lost.items()}
    of_value = {
        channel: 1 - left[1] / worth_all if worth_all else Fraction(0) for channel, left in lost.items()
    }
    return effects, _in_proportion(effects, conversions), _in_proportion(of_value, value), chance


def _reached(
    flows: dict[State, dict[State, Fraction]], per_visit: dict[State, Fraction], removed: str | None
) -> tuple[Fraction, Fraction]:
    """Return (chance of a conversion, expected value); states with the removed channel end in nothing."""
    states = [state for state in flows if removed not in state]
    place = {state: i for i, state in enumerate(states)}
    matrix = [[Fraction(int(i == j)) for j in range(len(states))] for i in range(len(states))]
    sides = [[Fraction(0), Fraction(0)] for _ in states]
    for state in states:
        mass = sum(flows[state].values())
        for target, count in flows[state].items():
            if target in place:
                matrix[place[state]][place[target]] -= count / mass
            elif target == CONVERSION:
                sides[place[state]][0] += count / mass
        sides[place[state]][1] = per_visit[state]
    solution = _solve(matrix, sides)
    first = solution[place[START]] if START in place else [Fraction(0), Fraction(0)]
    return first[0], first[1]


def _solve(matrix: list[list[Fraction]], sides: list[list[Fraction]]) -> list[list[Fraction]]:
    """Solve by elimination."""
    n = len(matrix)
    rows = [[*left, *right] for left, right in zip(matrix, sides, strict=True)]
    for i in range(n):
        pivot = next(j for j in range(i, n) if rows[j][i])
        rows[i], rows[pivot] = rows[pivot], rows[i]
        rows[i] = [cell / rows[i][i] for cell in rows[i]]
        for j in range(n):
            if j != i and rows[j][i]:
                rows[j] = [a - rows[j][i] * b for a, b in zip(rows[j], rows[i], strict=True)]
    return [row[n:] for row in rows]


def _in_proportion(effects: Credit, total: Fraction) -> Credit:
    whole = sum(effects.values())
    return {channel: effect / whole * total if whole else Fraction(0) for channel, effect in effects.items()}


def shapley(players: Sequence[str], worth: Callable[[frozenset[str]], Fraction]) -> Credit:
    """Return the Shapley value, coalition by coalition."""
    n = len(players)
    values = dict.fromkeys(players, Fraction(0))
    for player in players:
        others = [other for other in players if other != player]
        for size in range(n):
            weight = Fraction(factorial(size) * factorial(n - size - 1), factorial(n))
            for coalition in combinations(others, size):
                joined = frozenset(coalition)
                values[player] += weight * (worth(joined | {player}) - worth(joined))
    return values


def sum_worth(rows: Sequence[Row]) -> Callable[[frozenset[str]], Fraction]:
    """Worth of a coalition: the conversions of journeys that hold no channel outside it."""
    return lambda coalition: Fraction(
        sum(row.conversions for row in rows if row.path and set(row.path) <= coalition)
    )


def rate_worth(rows: Sequence[Row]) -> Callable[[frozenset[str]], Fraction]:
    """Worth of a coalition: the conversion rate of these journeys."""

    def worth(coalition: frozenset[str]) -> Fraction:
        inside = [row for row in rows if row.path and set(row.path) <= coalition]
        journeys = sum(row.conversions + row.nulls for row in inside)
        return Fraction(sum(row.conversions for row in inside), journeys) if journeys else Fraction(0)

    return worth


def ordered(rows: Sequence[Row]) -> dict[tuple[str, int], Fraction]:
    """Return what each channel gets at each place: each set's even share, by the times the channel is met."""
    credit: dict[tuple[str, int], Fraction] = {}
    for row in rows:
        for place, channel in enumerate(row.path):
            share = Fraction(row.conversions, len(set(row.path)) * row.path.count(channel))
            credit[channel, place] = credit.get((channel, place), Fraction(0)) + share
    return credit
