"""Naive oracles of funnels: every way to pass the steps is enumerated, and the rules are read off."""

from __future__ import annotations

from itertools import combinations, pairwise, permutations
from typing import Any, NamedTuple

from sojourn.analytics.events import MISSING, Events
from sojourn.analytics.funnel import Funnel


class Pass(NamedTuple):
    """One way to pass the first steps: the events that do it, in the order of time."""

    depth: int
    events: tuple[int, ...]


class Naive(NamedTuple):
    """What is counted of one case: how far it got, and the events of each step, where it left and what came
    next."""

    person: int
    depth: int
    moments: tuple[int, ...]
    left: int
    next: str | None


def cases_by_hand(events: Events, unit: str) -> list[tuple[int, list[int]]]:
    """List (person, its events) for people, or for sessions in the order of their people and beginnings."""
    cases: dict[tuple[int, int], list[int]] = {}
    for i, person in enumerate(events.person().tolist()):
        if unit == "session":
            assert events.session is not None
            if events.session[i] != MISSING:
                cases.setdefault((person, int(events.session[i])), []).append(i)
        else:
            cases.setdefault((person, 0), []).append(i)
    return [(person, inside) for (person, _), inside in sorted(cases.items(), key=lambda case: case[1][0])]


def all_passes(events: Events, case: list[int], funnel: Funnel) -> list[Pass]:
    """Enumerate every pass of every depth; events are counted by their place in the case."""
    names = [events.steps[events.step[i]] for i in case]
    at = [int(events.at[i]) for i in case]
    found = []
    for depth in range(1, len(funnel.steps) + 1):
        for places in combinations(range(len(case)), depth):
            is_soon = funnel.within_ms is None or at[places[-1]] - at[places[0]] <= funnel.within_ms
            if is_soon and _fits(places, names, funnel) and not _is_excluded(places, names, funnel):
                found.append(Pass(depth, places))
    return found


def _fits(places: tuple[int, ...], names: list[str], funnel: Funnel) -> bool:
    if funnel.order == "any":
        return any(_matches(order, names, funnel) for order in permutations(places))
    is_next = all(b == a + 1 for a, b in pairwise(places))
    return _matches(places, names, funnel) and (funnel.order != "strict" or is_next)


def _matches(places: tuple[int, ...], names: list[str], funnel: Funnel) -> bool:
    return all(names[place] in kind.names for place, kind in zip(places, funnel.steps, strict=False))


def _is_excluded(places: tuple[int, ...], names: list[str], funnel: Funnel) -> bool:
    for exclusion in funnel.without:
        for k, (a, b) in enumerate(pairwise(places), start=1):
            # Between steps k and k + 1; in any order, events of the pass itself are between too, but steps.
            if exclusion.after <= k < (exclusion.before or len(funnel.steps)) and any(
                names[place] in exclusion.kind.names for place in range(a + 1, b)
            ):
                return True
        if funnel.order == "any" and any(
            names[place] in exclusion.kind.names for place in range(places[0] + 1, places[-1])
        ):
            return True
    return False


def moments_by_hand(events: Events, case: list[int], funnel: Funnel, passes: list[Pass]) -> tuple[int, ...]:
    """Of passes of one depth that begin and end alike, take each step as early as it can be."""
    depth, places = min(passes, key=lambda one: one.events)
    if funnel.order != "any":
        return places
    names = [events.steps[events.step[i]] for i in case]
    done = []
    for k in range(1, depth + 1):
        done.append(
            next(
                last
                for last in range(places[0], len(case))
                if any(
                    _matches(order, names, funnel) for order in permutations(range(places[0], last + 1), k)
                )
            )
        )
    return tuple(done)


def count_by_hand(events: Events, funnel: Funnel) -> list[Naive]:
    """Count all cases, or attempts, that got to the first step."""
    counted = []
    for person, case in cases_by_hand(events, "session" if funnel.per == "session" else "person"):
        passes = all_passes(events, case, funnel)
        chosen = _attempts(passes, len(funnel.steps)) if funnel.per == "attempt" else _deepest(passes)
        for i, (depth, first, last) in enumerate(chosen):
            alike = [p for p in passes if (p.depth, p.events[0], p.events[-1]) == (depth, first, last)]
            until = chosen[i + 1][1] if i + 1 < len(chosen) else len(case)
            left = max(p.events[-1] for p in passes if p.depth == depth and p.events[-1] < until)
            after = events.steps[events.step[case[left + 1]]] if left + 1 < len(case) else None
            places = moments_by_hand(events, case, funnel, alike)
            counted.append(Naive(person, depth, tuple(case[place] for place in places), case[left], after))
    return counted


def _deepest(passes: list[Pass]) -> list[tuple[int, int, int]]:
    if not passes:
        return []
    depth = max(p.depth for p in passes)
    last, first = min((p.events[-1], -p.events[0]) for p in passes if p.depth == depth)
    return [(depth, -first, last)]


def _attempts(passes: list[Pass], n_steps: int) -> list[tuple[int, int, int]]:
    """Choose passes that do not overlap, the deepest first, and of those what ends first."""
    chosen: list[tuple[int, int, int]] = []
    for depth in range(n_steps, 0, -1):
        spans = {(p.events[-1], -p.events[0]) for p in passes if p.depth == depth}
        for last, minus_first in sorted(spans):
            if all(last < a or b < -minus_first for _, a, b in chosen):
                chosen.append((depth, -minus_first, last))
    return sorted(chosen, key=lambda span: span[1])


def most_disjoint(spans: set[tuple[int, int]]) -> int:
    """Return how many spans can be chosen so that no two overlap, by trying."""
    if not spans:
        return 0
    first, last = min(spans)
    others = spans - {(first, last)}
    return max(most_disjoint(others), 1 + most_disjoint({s for s in others if s[0] > last or s[1] < first}))


def as_naive(answer: Any) -> list[Naive]:
    """Read an answer as the oracle's rows."""
    counted, relevant, events = answer.counted, answer.relevant, answer.events
    rows = []
    for i, depth in enumerate(counted.depth.tolist()):
        inside = cases_by_hand(events, "session" if answer.funnel.per == "session" else "person")
        case = inside[counted.case[i]][1]
        left = int(relevant.event[counted.left[i]])
        place = case.index(left) + 1
        rows.append(
            Naive(
                int(answer.person[i]),
                depth,
                tuple(relevant.event[answer.moments[:depth, i]].tolist()),
                left,
                events.steps[events.step[case[place]]] if place < len(case) else None,
            )
        )
    return rows
