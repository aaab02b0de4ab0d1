"""Migrating: a person inside an older version of a journey goes along with a publishing.

It happens at the publishing's own instant, whenever somebody comes to do it. What the person stands in is
not entered again; what is new around it, beside it or inside it is entered then. A timer that still runs
keeps the time already waited.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from sojourn.definitions.chart import Assign, Block, Chart, Send, State
from sojourn.definitions.internal_events import DONE_CALL, DONE_STATE
from sojourn.definitions.journey import Catalogue, Migration
from sojourn.definitions.moving import counterpart, route_to, together
from sojourn.engine import statechart
from sojourn.engine.enrolments import apply, end
from sojourn.engine.inside import Inside, journey_of, tell
from sojourn.engine.ledger import Ledger
from sojourn.engine.state import Enrolment, Life
from sojourn.engine.statechart import Machine, Timer
from sojourn.engine.view import View
from sojourn.model.fact import JourneyError, Migrated


class Placed(Struct, frozen=True):
    """A machine put into another chart, and what is left to be done there."""

    machine: Machine
    entering: list[tuple[int, Block]]
    """The content of what is entered anew, in document order."""
    done: list[str]
    """The `done.state` events that are due by the move, innermost first."""


def pending(enrolment: Enrolment, catalogue: Catalogue) -> Migration | None:
    """Return the first publishing that takes an enrolment along and has not yet."""
    for migration in catalogue.migrations.get((enrolment.journey, enrolment.version), ()):
        if enrolment.revision < migration.revision:
            return migration
    return None


def migrate(life: Life, enrolment: Enrolment, ledger: Ledger) -> None:
    """Take an enrolment along with what is pending; where its state has no counterpart, it stays, aloud."""
    catalogue = ledger.catalogue
    migration = pending(enrolment, catalogue)
    assert migration is not None
    enrolment.revision, ledger.position = migration.revision, migration.position
    old, new = journey_of(enrolment, ledger), catalogue.versions.get((enrolment.journey, migration.to))
    if old is None or new is None:
        return  # this release refuses one of them, and has said so
    named = [counterpart(old.chart, new.chart, one, migration.states) for one in enrolment.machine.active]
    targets = [name for name in named if name is not None]
    if len(targets) < len(named):
        detail = f"{', '.join(enrolment.machine.active)}: not in version {migration.to}; it stays [unmapped]"
        tell(enrolment, ledger, JourneyError, detail=detail)
        return
    if any(name not in new.chart.by_id for name in targets):
        end(life, enrolment, ledger, reason="final", state=enrolment.machine.active)
        return
    placed = place(old.chart, new.chart, enrolment.machine, migration.states, at=ledger.at)
    source, from_version = enrolment.machine.active, enrolment.version
    _rename_calls(life, enrolment, old.chart, new=new.chart, states=migration.states)
    enrolment.version = migration.to
    enrolment.n += 1
    fields = {"from_version": from_version, "n": enrolment.n, "source": source}
    tell(enrolment, ledger, Migrated, target=placed.machine.active, **fields)
    view = View(life, catalogue, at=ledger.at, unit=ledger.unit)
    view.enrolment = enrolment
    step = statechart.go_on(
        new.chart, placed.machine, view, at=ledger.at, entering=placed.entering, done=placed.done
    )
    apply(Inside(life, enrolment, new, view, ledger), step)


def _rename_calls(
    life: Life, parent: Enrolment, old: Chart, *, new: Chart, states: Mapping[str, str]
) -> None:
    """Let what a state has called come back to the state it is now."""
    for child in life.enrolments:
        if child.parent == parent.id and child.caller in old.by_id:
            child.caller = counterpart(old, new, child.caller, states) or child.caller


def place(old: Chart, new: Chart, machine: Machine, states: Mapping[str, str], *, at: int) -> Placed:
    """Put a machine of one chart into another; every active leaf must have a counterpart there.

    The configuration is legal: of counterparts that exclude each other the first counts, and regions that
    nothing stands in start.
    """
    named = [counterpart(old, new, leaf, states) for leaf in machine.active]
    targets = together(new, [new.by_id[name] for name in named if name is not None])
    history = _history(old, new, machine, states)
    remembered = {new.by_id[name]: [new.by_id[state] for state in inside] for name, inside in history.items()}
    route = route_to(new, targets, remembered)
    config = sorted({0, *(index for index, _ in route.entering)})
    before = _config(old, machine.active)
    kept = _kept(old, new, states, before=before, config=config)
    timers, begun = _timers(old, new, machine, kept, at=at)
    timers += _returns(old, new, machine, states)
    leaves = [new.states[index].id for index in config if new.states[index].is_leaf]
    n_timers = max([machine.n_timers, *(timer.n + 1 for timer in timers)])
    return Placed(
        Machine(leaves, history, _data(new, machine.data), sorted(timers), n_timers),
        sorted([*_entered(route.entering, kept), *begun], key=lambda block: block[0]),
        _done(old, new, kept, before=before, config=set(config)),
    )


def _config(chart: Chart, leaves: list[str]) -> set[int]:
    return {index for leaf in leaves for index in chart.states[chart.by_id[leaf]].line}


def _kept(
    old: Chart, new: Chart, states: Mapping[str, str], *, before: set[int], config: list[int]
) -> dict[int, State]:
    """Return what was active before under another index or name: new state -> old state."""
    kept = {0: old.states[0]}
    for index in sorted(before - {0}):
        state = old.states[index]
        place_there = new.by_id.get(states.get(state.id, state.id))
        if place_there in config and place_there is not None:
            kept.setdefault(place_there, state)
    return kept


def _entered(
    entering: tuple[tuple[int, Block], ...], kept: Mapping[int, State]
) -> Iterator[tuple[int, Block]]:
    """Yield the content to run: of a state that is kept, its entry is left out, not what starts inside."""
    seen: set[int] = set()
    for index, block in entering:
        is_entry = index not in seen
        seen.add(index)
        if block and not (is_entry and index in kept):
            yield index, block


# -- Timers.


def _timers(
    old: Chart, new: Chart, machine: Machine, kept: Mapping[int, State], *, at: int
) -> tuple[list[Timer], list[tuple[int, Block]]]:
    """Return the timers that run on, and those to be started anew, as content."""
    running = {timer.event: timer for timer in machine.timers}
    timers: list[Timer] = []
    begun: list[tuple[int, Block]] = []
    n_timers = machine.n_timers
    for index, before in kept.items():
        state = new.states[index]
        own = {_length(send, before): send for send in _own_timers(before)}
        entered_at = _entered_at(own.values(), running)
        for send in _own_timers(state):
            same = own.get(_length(send, state))
            if same is not None:  # one that does not run any more has fired, and does not again
                timer = running.get(same.event)
                timers += [Timer(timer.due, timer.n, send.event, send.id)] if timer else []
            elif send.after_ms and entered_at is not None:
                due = max(at, entered_at + send.after_ms)
                timers.append(Timer(due, n_timers, send.event, send.id))
                n_timers += 1
            else:
                begun.append((index, (send,)))
    owned = {send.event for state in old.states for send in _own_timers(state)}
    sent = {(send.event, send.id) for block in _blocks(new) for send in block if isinstance(send, Send)}
    timers += [one for one in machine.timers if one.event not in owned and (one.event, one.id) in sent]
    return timers, begun


def _returns(old: Chart, new: Chart, machine: Machine, states: Mapping[str, str]) -> list[Timer]:
    """Return what a caller that stands still has yet to hear of children that are over, by its new names."""
    found = []
    for timer in machine.timers:
        caller = timer.event.removeprefix(DONE_CALL)
        if caller != timer.event and caller in old.by_id:
            event = DONE_CALL + (counterpart(old, new, caller, states) or caller)
            found.append(Timer(timer.due, timer.n, event))
    return found


def _own_timers(state: State) -> list[Send]:
    """Return the timers a state starts on entry (`after`)."""
    sends = [content for content in state.entry if isinstance(content, Send)]
    return [send for send in sends if send.id == send.event and send.event.startswith(f"after({state.id},")]


def _length(send: Send, state: State) -> tuple[str, Any]:
    """Tell two timers of one state apart, whatever the state is called."""
    return send.event.removeprefix(f"after({state.id},"), send.due and send.due.source


def _entered_at(own: Any, running: Mapping[str, Timer]) -> int | None:
    """Work out when a state was entered from a timer of it that still runs."""
    for send in own:
        if send.after_ms and send.event in running:
            return running[send.event].due - int(send.after_ms)
    return None


# -- What is remembered.


def _history(old: Chart, new: Chart, machine: Machine, states: Mapping[str, str]) -> dict[str, list[str]]:
    """Take along what history states remember, where all of it is still in its place; forget the rest."""
    found: dict[str, list[str]] = {}
    for name, inside in machine.history.items():
        index = new.by_id.get(states.get(name, name))
        if index is None or new.states[index].kind != "history":
            continue
        named = [counterpart(old, new, state, states) for state in inside]
        places = sorted({new.by_id.get(one, 0) for one in named if one is not None})
        if len(places) == len(inside) and _fits(new, new.states[index], places):
            found[new.states[index].id] = [new.states[one].id for one in places]
    return found


def _fits(chart: Chart, history: State, places: list[int]) -> bool:
    parent = chart.states[history.parent]
    if history.is_deep:
        are_inside = all(parent.index < one <= parent.last and chart.states[one].is_leaf for one in places)
    else:
        are_inside = all(one in parent.children for one in places)
    return are_inside and sorted(together(chart, places)) == places


def _data(new: Chart, data: Mapping[str, Any]) -> dict[str, Any]:
    """Keep the variables the new chart has, by declaration or by assignment; the others begin."""
    assigned = {content.name for block in _blocks(new) for content in block if isinstance(content, Assign)}
    known = assigned | set(new.data)
    return {**new.data, **{name: value for name, value in data.items() if name in known}}


def _blocks(chart: Chart) -> Iterator[Block]:
    for state in chart.states:
        yield state.entry
        yield state.exit
        for transition in state.transitions:
            yield transition.content
        if state.initial is not None:
            yield state.initial.content


# -- What is over.


def _done(
    old: Chart, new: Chart, kept: Mapping[int, State], *, before: set[int], config: set[int]
) -> list[str]:
    """Name the states that are done in the new chart and were not, or were not there, in the old one."""
    found = []
    for index in sorted(config - {0}, reverse=True):
        state, was = new.states[index], kept.get(index)
        if _is_over(new, config, state) and not (was is not None and _is_over(old, before, was)):
            found.append(DONE_STATE + state.id)
    return found


def _is_over(chart: Chart, config: set[int], state: State) -> bool:
    children = [chart.states[child] for child in state.children]
    if state.kind == "parallel":
        return bool(children) and all(_is_over(chart, config, child) for child in children)
    return any(child.kind == "final" and child.index in config for child in children)
