"""Playing: one group of people through the engine's turns, in memory; what comes of it is kept, not sent.

The engine's law is that facts and actions do not depend on how the inputs are cut into turns. So a group is
first played with one turn for each key, its whole life at once. Only where an action was decided, and a
journey can hear what becomes of one, is it played again step by step, with outcomes coming in between.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from typing import Literal

from msgspec import Struct

from sojourn.definitions.journey import Catalogue, Exit, Goal
from sojourn.engine.journeys import is_outcome
from sojourn.engine.objects import read_object
from sojourn.engine.turn import route, turn
from sojourn.model.action import Action, Delivery
from sojourn.model.event import OUTCOMES, Event
from sojourn.model.fact import Fact
from sojourn.model.turn import STAGES, Arrived, Input, Stage
from sojourn.runtime.outbox import outcome_event
from sojourn.runtime.rehearsal.walk import Walk

MAX_ANSWERS = 1_000  # assumed for one group: a journey that acts on its own outcomes may go on for years.

Deliver = Literal["yes", "no"]
"""What becomes of an action whose outcome the history does not have: delivered at once, or nothing."""


class Played(Struct, frozen=True):
    """What came of one group under one catalogue."""

    facts: list[Fact]
    """Those of one enrolment in the order in which they happened."""
    actions: list[Action]


def play(
    arrivals: Sequence[Arrived], catalogue: Catalogue, *, until: int, deliver: Deliver, hears: bool
) -> Played:
    """Play one group.

    Args:
        arrivals: its events, in the order of (at, position).
        catalogue: the definitions in force.
        until: the instant up to which timers fire.
        deliver: what becomes of an action whose outcome is not among the arrivals.
        hears: whether a journey can hear of an outcome (`hears_outcomes`).
    """
    own = [arrived for arrived in arrivals if not is_outcome(arrived.event)]
    played = _play_whole(own, catalogue, until=until)
    if not played.actions or not hears:
        return played
    return _play_step_by_step(arrivals, catalogue, until=until, deliver=deliver)


def hears_outcomes(catalogue: Catalogue) -> bool:
    """Tell whether anything in force can notice what becomes of an action; sure where the answer is no."""
    needs = catalogue.needs
    if OUTCOMES & {*catalogue.entries, *needs.counts, *needs.since}:
        return True
    for journey in catalogue.versions.values():
        rules: list[Goal | Exit] = [*journey.exits, *([journey.goal] if journey.goal else [])]
        if any(OUTCOMES & rule.names or not rule.names for rule in rules):
            return True
        if journey.chart.is_listening_to_any or OUTCOMES & journey.chart.names:
            return True
    return False


def _play_whole(arrivals: Sequence[Arrived], catalogue: Catalogue, *, until: int) -> Played:
    """Give each key its whole life in one turn."""
    inputs: dict[Stage, dict[str, list[Input]]] = {stage: {} for stage in STAGES}
    is_alias_said = False
    for arrived in arrivals:
        stage, key = route(arrived.event)
        inputs[stage].setdefault(key, []).append(arrived)
        is_alias_said |= arrived.event.kind == "alias"
    facts: list[Fact] = []
    actions: list[Action] = []
    for stage in STAGES:
        if stage == "alias" and not is_alias_said:  # every pointer would pass everything straight on
            for key, given in inputs["alias"].items():
                inputs["profile"].setdefault(key, []).extend(given)
            continue
        for key, given in inputs[stage].items():
            if stage != "identity":
                given.sort(key=_place)  # two devices of one person: the log's order holds
            result = turn(stage, key, None, given, until=until, catalogue=catalogue)
            for forward in result.forward:
                inputs[forward.stage].setdefault(forward.key, []).append(forward.input)
            facts += result.facts
            actions += result.actions
    return Played(facts, actions)


def _play_step_by_step(
    arrivals: Sequence[Arrived], catalogue: Catalogue, *, until: int, deliver: Deliver
) -> Played:
    """Play event by event and timer by timer; outcomes come when they came, or else at once."""
    living = Living(catalogue, Answers(arrivals, deliver=deliver))
    for arrived in arrivals:
        living.take(arrived)
    return living.end(until)


class Living:
    """A group that lives step by step, with what comes back of its actions."""

    def __init__(
        self, catalogue: Catalogue, answers: Answers, *, hear: Callable[[Action], None] = lambda _: None
    ) -> None:
        """`hear` is told of every action when it is decided."""
        self._walk = Walk(catalogue)
        self._answers = answers
        self._hear = hear
        self._position = 0

    def take(self, arrived: Arrived) -> None:
        """Live up to an event, and through it."""
        self.settle(arrived.at)
        self._position = arrived.position
        if self._answers.is_heard(arrived.event):
            self._note(self._walk.take(arrived))

    def settle(self, until: int) -> None:
        """Live up to an instant: timers, which come before any input, and assumed outcomes."""
        while True:
            due, answered = self._walk.next_wake(), self._answers.next_at()
            if due is not None and due <= until and (answered is None or due <= answered):
                self._note(self._walk.wake(due))
            elif answered is not None and answered <= until:
                at, event = self._answers.pop()
                self._note(self._walk.take(Arrived(at, self._position, event)))
            else:
                return

    def end(self, until: int) -> Played:
        """Live up to the end; return all that came of it."""
        self.settle(until)
        return Played(self._walk.facts, self._walk.actions)

    def _note(self, actions: Sequence[Action]) -> None:
        self._answers.note(actions)
        for action in actions:
            self._hear(action)


class Answers:
    """What becomes of actions: as the history has it, or, where it has nothing, as is assumed."""

    def __init__(self, arrivals: Sequence[Arrived], *, deliver: Deliver) -> None:
        self._recorded = {_action_of(arrived.event) for arrived in arrivals if is_outcome(arrived.event)}
        self._is_assuming = deliver == "yes"
        self._decided: set[str] = set()
        self._waiting: list[tuple[int, int, Event]] = []
        self._n_assumed = 0

    def note(self, actions: Sequence[Action]) -> None:
        """Hear of actions just decided."""
        for action in actions:
            self._decided.add(action.id)
            if self._is_assuming and action.id not in self._recorded and self._n_assumed < MAX_ANSWERS:
                self._n_assumed += 1
                event = outcome_event(action, Delivery(outcome="delivered", attempts=1), now=action.at)
                heappush(self._waiting, (action.at, self._n_assumed, event))

    def is_heard(self, event: Event) -> bool:
        """Tell whether an event happens here: an outcome, only where its action was decided."""
        return not is_outcome(event) or _action_of(event) in self._decided

    def next_at(self) -> int | None:
        """Return when the next assumed outcome comes."""
        return self._waiting[0][0] if self._waiting else None

    def pop(self) -> tuple[int, Event]:
        """Take it."""
        at, _, event = heappop(self._waiting)
        return at, event


def _action_of(event: Event) -> str:
    return str(read_object(event.properties).get("action_id", ""))


def _place(given: Input) -> tuple[int, int]:
    return given.at, given.position
