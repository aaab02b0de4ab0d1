"""Charting: a journey as a value that others draw: the same picture, with the id of every state and way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sojourn.definitions.chart import Chart, State, Want
from sojourn.definitions.drawing.picture import Arrow, Box, Picture, picture_of
from sojourn.definitions.drawing.wording import entry_words, exit_words, goal_words, holdout_words
from sojourn.definitions.experiment import Experiment
from sojourn.definitions.internal_events import DONE_CALL, DONE_STATE
from sojourn.definitions.journey import Call, Do, Journey
from sojourn.definitions.way_ids import ENTRY, EXIT, GOAL, way_id
from sojourn.model.charts import ChartState, ChartView, ChartWay, StepKind, Trigger


def chart_of(journey: Journey) -> ChartView:
    """Lay a journey out for whoever draws it."""
    picture = picture_of(journey)
    chart = journey.chart
    ways = [
        _entry_way(journey, picture),
        *_ways(journey, (*picture.arrows, *picture.loops)),
        *_ways_out(journey),
    ]
    return ChartView(
        journey=journey.name,
        version=journey.version,
        states=[
            _state(journey, chart.states[box.index], box, is_initial=starts)
            for box, starts in _boxes(picture.root, starts=False)
            if box.kind != "root"
        ],
        ways=ways,
        entry=entry_words(journey),
        goal=goal_words(journey),
        exits=exit_words(journey),
        holdout=holdout_words(journey),
    )


def _boxes(box: Box, *, starts: bool) -> Iterator[tuple[Box, bool]]:
    """Yield each box, in the order of the file, and whether what is around it starts in it."""
    yield box, starts
    for inner in box.inside:
        yield from _boxes(inner, starts=inner.is_region or inner.index in box.starts_in)


def _state(journey: Journey, state: State, box: Box, *, is_initial: bool) -> ChartState:
    assert state.kind != "root", "the root is the page"
    parent = journey.chart.states[state.parent].id if state.parent > 0 else None
    return ChartState(
        id=state.id,
        label=box.title,
        kind=state.kind,
        step=_step(state, box),
        parent=parent,
        is_initial=is_initial,
        does=list(box.lines),
        line=journey.lines.get(state.id),
    )


def _step(state: State, box: Box) -> StepKind:
    """Say which of the common steps a state is like, by what runs: authors may have written it otherwise."""
    if state.kind != "atomic":
        return "exit" if state.kind == "final" and state.parent == 0 else ""
    wanted = [content.body for content in state.entry if isinstance(content, Want)]
    if any(isinstance(body, Experiment) for body in wanted):
        return "split"
    if any(isinstance(body, Do | Call) for body in wanted):
        return "send"
    if box.is_choice:
        return "branch"
    causes = {_trigger(journey_event) for journey_event in _events(state)}
    return "wait_for" if "event" in causes else "wait" if "after" in causes else ""


def _events(state: State) -> Iterator[str]:
    for way in state.transitions:
        yield from way.names or (("*",) if way.is_any or way.prefixes else ("",))


def _trigger(event: str) -> Trigger:
    if not event:
        return "guard"
    if event.startswith("after("):
        return "after"
    return "done" if event.startswith((DONE_STATE, DONE_CALL)) else "event"


def _ways(journey: Journey, arrows: Iterable[Arrow]) -> list[ChartWay]:
    """List the ways between states; those that share an id are one, with what each says."""
    chart, found = journey.chart, dict[str, ChartWay]()
    for arrow in arrows:
        way = _way(journey, chart, arrow)
        known = found.setdefault(way.id, way)
        if known is not way and way.label not in known.label.split("; or "):
            known.label += f"; or {way.label}"
    return list(found.values())


def _way(journey: Journey, chart: Chart, arrow: Arrow) -> ChartWay:
    source, target = chart.states[arrow.source].id, chart.states[arrow.target].id
    name = way_id(source, target, arrow.event)
    return ChartWay(
        id=name,
        source=source,
        target=target,
        label=arrow.label,
        trigger=_trigger(arrow.event),
        line=journey.lines.get(name),
    )


def _entry_way(journey: Journey, picture: Picture) -> ChartWay:
    first = journey.chart.states[picture.root.starts_in[0]].id
    label = picture.entry or "; ".join(
        words for name, words in entry_words(journey).items() if name in ("segment", "schedule", "api")
    )
    line = journey.lines.get(ENTRY)
    return ChartWay(id=ENTRY, source="", target=first, label=label, trigger="entry", line=line)


def _ways_out(journey: Journey) -> Iterator[ChartWay]:
    if journey.goal is not None:
        label, line = goal_words(journey), journey.lines.get(GOAL)
        yield ChartWay(id=GOAL, source="", target="", label=label, trigger="goal", line=line)
    if journey.exits:
        label, line = "; or ".join(exit_words(journey)), journey.lines.get(EXIT)
        yield ChartWay(id=EXIT, source="", target="", label=label, trigger="exit", line=line)
