"""Watch: how often each guard of a draft was asked, and how often it was true."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from msgspec import Struct
from msgspec.structs import force_setattr

from sojourn.definitions.expression import Expression
from sojourn.definitions.journey import Journey


class Asked(Struct):
    """One guard: how often it was asked, and true."""

    n: int = 0
    n_true: int = 0


class Watch:
    """Counts the answers of all guards of some journeys from now on.

    The journeys are this rehearsal's own, compiled for it: their expressions are changed, once, to count.
    """

    def __init__(self, journeys: Iterable[Journey]) -> None:
        self.asked: dict[str, dict[str, Asked]] = {}
        """Journey -> where the guard stands, and what it says -> its answers."""
        for journey in journeys:
            own = self.asked.setdefault(journey.name, {})
            watched: set[int] = set()
            for where, expression in _guards(journey):
                if id(expression) not in watched:
                    watched.add(id(expression))
                    asked = own.setdefault(f"{where}: {expression.source}", Asked())
                    # What compiled it shares it between tables of the chart: one change reaches them all.
                    force_setattr(expression, "call", _counting(expression.call, asked))


def _counting(call: Callable[[Any], Any], asked: Asked) -> Callable[[Any], Any]:
    def counted(scope: Any) -> Any:
        asked.n += 1
        answer = call(scope)
        if answer:
            asked.n_true += 1
        return answer

    return counted


def _guards(journey: Journey) -> Iterator[tuple[str, Expression]]:
    if journey.entry.when is not None:
        yield "entry", journey.entry.when
    if journey.goal is not None and journey.goal.when is not None:
        yield "goal", journey.goal.when
    for rule in journey.exits:
        if rule.when is not None:
            yield "exit", rule.when
    states = journey.chart.states
    for state in states:
        for transition in state.transitions:
            if transition.when is not None:
                targets = ", ".join(states[target].id for target in transition.targets)
                yield f"{state.id or 'any state'} to {targets}", transition.when
