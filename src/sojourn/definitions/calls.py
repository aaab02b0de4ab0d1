"""Calls: which journey calls which, so that nobody goes round in circles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from sojourn.definitions.chart import Block, Chart, Want
from sojourn.definitions.journey import Call, Journey
from sojourn.definitions.suggestions import did_you_mean
from sojourn.model.errors import Problem


def check_calls(journeys: Sequence[Journey]) -> list[Problem]:
    """Say where a journey calls one that is not there, itself, or one that its own group excludes."""
    by_name = {journey.name: journey for journey in journeys}
    called = {journey.name: sorted(set(called_journeys(journey.chart))) for journey in journeys}
    problems: list[Problem] = []
    for journey in journeys:
        for name in called[journey.name]:
            if name not in by_name:
                message = f"it calls {name!r}, and no journey has this name{did_you_mean(name, by_name)}"
                problems.append(_problem(journey, message, "unknown-journey"))
        for name in _reached(journey.name, called):
            if name == journey.name:
                problems.append(
                    _problem(journey, "it calls itself, over others maybe; end the circle", "circle")
                )
            elif journey.group and name in by_name and by_name[name].group == journey.group:
                message = f"it calls {name!r} of its own group, which lets a person be in one of them only"
                problems.append(_problem(journey, message, "excluded"))
    return problems


def called_journeys(chart: Chart) -> Iterator[str]:
    """Yield the names of the journeys a chart may call."""
    for block in _blocks(chart):
        for content in block:
            if isinstance(content, Want) and isinstance(content.body, Call):
                yield content.body.journey


def _blocks(chart: Chart) -> Iterator[Block]:
    for state in chart.states:
        yield state.entry
        yield state.exit
        if state.initial is not None:
            yield state.initial.content
        for transition in state.transitions:
            yield transition.content


def _reached(start: str, called: Mapping[str, Iterable[str]]) -> list[str]:
    """Return all journeys that one calls, over others too, in order."""
    reached: set[str] = set()
    waiting = [start]
    while waiting:
        for name in called.get(waiting.pop(), ()):
            if name not in reached:
                reached.add(name)
                waiting.append(name)
    return sorted(reached)


def _problem(journey: Journey, message: str, code: str) -> Problem:
    return Problem(file=f"journey {journey.name}", line=1, column=1, message=message, code=code)
