"""Explaining: why a person did, or did not, get what a journey sends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from sojourn.definitions.chart import State, Transition
from sojourn.definitions.journey import Catalogue, Journey
from sojourn.engine.judging import judge
from sojourn.engine.state import Enrolment, Life
from sojourn.engine.view import View
from sojourn.model.fact import Delivered, Entered, Exited, Fact, Judged, NotEntered, StepTaken
from sojourn.model.ports import Store
from sojourn.model.turn import Key
from sojourn.model.views import AwaitedView, ExplanationView, RunView
from sojourn.runtime.reading import find_life, timeline

MAX_FACTS = 10_000  # looked at, of one person: years of an ordinary one.


def explain(store: Store, catalogue: Catalogue, any_id: str, journey: str) -> ExplanationView | None:
    """Say why a person did or did not get what a journey sends; None where nobody has the id.

    A journey that nobody knows is answered too: the hints say so.
    """
    found = find_life(store, any_id)
    if found is None:
        return None
    key, life = found
    facts = timeline(store, key, MAX_FACTS)
    definition = catalogue.journeys.get(journey)
    now = max(store.progress().clock, life.last_seen_at)
    view = View(life, catalogue, at=now, unit=key[1])
    person = _Person(facts, life, view, catalogue)
    return ExplanationView(
        profile_id=_profile_id(key),
        journey=journey,
        runs=[_run(each, person) for each in _entered(facts, journey)],
        refusals=[fact for fact in facts if isinstance(fact, NotEntered) and fact.journey == journey],
        entry=_entry_guard(definition, view),
        hints=list(_hints(journey, definition, facts)),
        is_cut=len(facts) >= MAX_FACTS,
    )


def _profile_id(key: Key) -> str:
    return ("u:" if key[0] == "profile" else "a:") + key[1]


def _entered(facts: Iterable[Fact], journey: str) -> Iterator[Entered]:
    return (fact for fact in facts if isinstance(fact, Entered) and fact.journey == journey)


class _Person(NamedTuple):
    """Whoever is asked about."""

    facts: Sequence[Fact]
    life: Life
    view: View
    catalogue: Catalogue


def _run(entered: Entered, person: _Person) -> RunView:
    own = [fact for fact in person.facts if _enrolment_of(fact) == entered.enrolment_id]
    positions = {fact.position for fact in own if fact.position}
    actions = {getattr(fact, "action_id", None) for fact in own} - {None}
    told = [
        fact
        for fact in person.facts
        if _enrolment_of(fact) == entered.enrolment_id
        or (isinstance(fact, StepTaken) and fact.position in positions)
        or (isinstance(fact, Delivered) and fact.action_id in actions)
    ]
    inside = next((one for one in person.life.enrolments if one.id == entered.enrolment_id), None)
    return RunView(
        id=entered.enrolment_id,
        version=entered.version if inside is None else inside.version,
        key=entered.key,
        is_over=any(isinstance(fact, Exited) for fact in own),
        facts=told,
        awaits=[] if inside is None else list(_awaits(inside, person)),
    )


def _enrolment_of(fact: Fact) -> str | None:
    return getattr(fact, "enrolment_id", None)


def _awaits(enrolment: Enrolment, person: _Person) -> Iterator[AwaitedView]:
    """Yield every way out of the states an enrolment is in, innermost first."""
    journey = person.catalogue.versions.get((enrolment.journey, enrolment.version))
    if journey is None:
        return
    chart, view = journey.chart, person.view
    states = chart.standing(enrolment.machine.active)
    view.enrolment, view.data = enrolment, enrolment.machine.data
    view.active = frozenset(state.id for state in states)
    timers = {timer.event: timer.due for timer in enrolment.machine.timers}
    for state in states:
        for way in state.transitions:
            awaited = _awaited(state, way, timers)
            awaited.to = [chart.states[target].id for target in way.targets]
            awaited.guards = [] if way.when is None else [judge(way.when, view)]
            yield awaited


def _awaited(state: State, way: Transition, timers: Mapping[str, int]) -> AwaitedView:
    due = next((timers[name] for name in way.names if name in timers), None)
    is_timer = any(name.startswith("after(") for name in way.names)
    return AwaitedView(
        state=state.id, to=[], event="" if is_timer else ", ".join(sorted(way.names)), due_at=due
    )


def _entry_guard(journey: Journey | None, view: View) -> list[Judged]:
    if journey is None or journey.entry.when is None:
        return []
    view.enrolment = None
    return [judge(journey.entry.when, view)]


def _hints(journey: str, definition: Journey | None, facts: Sequence[Fact]) -> Iterator[str]:
    """Say what no fact tells: why nothing at all happened."""
    has_entered = any(_entered(facts, journey))
    if definition is None:
        yield (
            f"no journey {journey!r} lets anybody in now"
            if has_entered
            else f"there is no journey {journey!r}; `sojourn journeys` lists those in force"
        )
        return
    names = definition.entry.names
    if has_entered or not names:
        return
    came = [fact for fact in facts if isinstance(fact, StepTaken) and fact.name in names]
    listed = " or ".join(map(repr, sorted(names)))
    if not came:
        yield f"the person never did {listed}, which lets people in"
    elif not any(isinstance(fact, NotEntered) and fact.journey == journey for fact in facts):
        yield (
            f"the person did {came[-1].name!r}, and did not enter: the journey was not yet in force then, "
            "the event was history, or the entry's `when` was false"
        )
