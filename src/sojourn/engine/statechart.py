"""The statechart kernel: a machine, an event, and the machine it becomes.

Semantics are SCXML's (W3C Recommendation 2015, appendix D): one event runs to completion. A macrostep takes
what needs no event first, then what waits on the internal queue, microstep by microstep, until nothing
moves; then comes the next event of the external queue. It differs in four points: the root, which is never
left, may have content and transitions of its own; a parallel state inside a parallel state is done for its
parent as any region is; an error while `error.execution` is answered raises no further one; a transition to
a history state leaves all that the history state's parent holds, also from inside it (SCXML's own procedure
would enter states that it had not left).
"""

from __future__ import annotations

from bisect import insort
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any, assert_never

from msgspec import Struct

from sojourn.definitions.chart import (
    Assign,
    Block,
    Cancel,
    Chart,
    Raise,
    Route,
    Send,
    State,
    Transition,
    Want,
)
from sojourn.definitions.expression import Expression
from sojourn.definitions.internal_events import DONE_STATE
from sojourn.definitions.route import find_route, is_inside
from sojourn.engine.answering import answers, candidates, is_final, leaf_of, state_of
from sojourn.engine.judging import told
from sojourn.engine.scope import Scope
from sojourn.model.fact import Judged

MAX_MICROSTEPS = 1_000  # per macrostep: ten times the longest chain of the public conformance suites.
MAX_MACROSTEPS = 100  # per call: events a chart sends itself at once; more is a loop.
MAX_TIMERS = 1_000  # per machine, so that what is stored for a person stays small.
MAX_JUDGED = 16  # guards told per move, the last ones: what decided is among them.
MAX_INSTANT = 2**53  # ms; 285,000 years on, and the largest that every reader of JSON keeps exact.
MAX_ERRORS = 16  # told per call: the first ones tell the story.
ERROR_CHARACTERS = 300  # of one error: enough for an expression and what it said.

ERROR_EVENT = "error.execution"
NO_EVENT = ""
"""Stands for "no event" wherever an event's name stands: what moves eventless transitions."""


class Timer(Struct, frozen=True, order=True, array_like=True, gc=False):
    """A delayed event; of two due at once, the one sent first comes first."""

    due: int
    """The instant it fires, ms."""
    n: int
    """How many delayed events this machine had sent before it."""
    event: str
    id: str = ""


class Machine(Struct, frozen=True, array_like=True, gc=False):
    """Where one instance of a chart stands; it names states by id: their order may change."""

    active: list[str] = []
    """Active atomic and final states, in document order; once done, the final one, or none if it was left."""
    history: dict[str, list[str]] = {}
    """History state -> the states it remembers, in document order."""
    data: dict[str, Any] = {}
    timers: list[Timer] = []
    """The next one due first."""
    n_timers: int = 0
    """Delayed events sent so far."""
    is_done: bool = False


class Moved(Struct, frozen=True):
    """One microstep that left or entered a state."""

    source: list[str]
    """Atomic and final states left, in document order; empty at the start."""
    target: list[str]
    """Atomic and final states entered, in document order."""
    event: str
    """What moved it; empty for an eventless transition, and at the start."""
    judged: list[Judged] = []
    """The guards that were asked on the way, in order, at most MAX_JUDGED; the last that held decided."""


class Wanted(Struct, frozen=True):
    """A `Want` met on the way."""

    state: str
    """Whose entry, exit or transition wanted it."""
    body: Any


class Step(Struct, frozen=True):
    """What one call came to."""

    machine: Machine
    """The machine that came in, itself, where nothing changed."""
    effects: list[Moved | Wanted]
    """In the order they came about; a move stands before what is wanted in the course of it."""
    errors: list[str]
    """Expressions that failed and bounds that were met; the machine went on, see `send`."""


def start(chart: Chart, scope: Scope, *, at: int) -> Step:
    """Enter a chart and run to completion."""
    run = _Run(chart, Machine(data=dict(chart.data)), scope, at=at)
    run.begin()
    run.settle()
    return run.step()


def send(chart: Chart, machine: Machine, event: str, scope: Scope, *, at: int) -> Step:
    """Answer one external event and run to completion; a machine that is done answers nothing.

    A guard that raises counts as false. An assignment that raises assigns nothing and ends its block of
    content. Both put `error.execution` on the internal queue and are told in `errors`, as is a macrostep that
    does not come to rest: it ends where it is, its queues dropped.
    """
    if machine.is_done:
        return Step(machine, [], [])
    run = _Run(chart, machine, scope, at=at)
    run.external.append(event)
    run.settle()
    return run.step()


def next_due(machine: Machine) -> int | None:
    """Return when the earliest timer is due, ms; None where none runs."""
    return machine.timers[0].due if machine.timers else None


def fire(chart: Chart, machine: Machine, scope: Scope, *, at: int) -> Step:
    """Take the earliest timer, which must be due, and answer its event."""
    timer = machine.timers[0]
    assert timer.due <= at, f"timer {timer.event!r} is due at {timer.due}, not at {at}"
    run = _Run(chart, machine, scope, at=at)
    run.timers = machine.timers[1:]
    run.is_changed = True
    run.external.append(timer.event)
    run.settle()
    return run.step()


def leave(chart: Chart, machine: Machine, scope: Scope, *, at: int) -> Step:
    """Interrupt from outside: run all exit content, innermost and last first, drop the timers, be done."""
    if machine.is_done:
        return Step(machine, [], [])
    run = _Run(chart, machine, scope, at=at)
    run.close()
    run.atoms = []
    return run.step()


def go_on(
    chart: Chart,
    machine: Machine,
    scope: Scope,
    *,
    at: int,
    entering: Sequence[tuple[int, Block]],
    done: Sequence[str],
) -> Step:
    """Go on from where a machine was put: run content of states it is in by now, and to completion.

    `entering` are the blocks of what it enters anew, in document order; `done`, the `done.state` events that
    are due by it.
    """
    run = _Run(chart, machine, scope, at=at)
    run.resume(entering, done)
    run.settle()
    return run.step()


def listens(chart: Chart, machine: Machine, event: str) -> bool:
    """Tell whether an event could move a machine: an active state answers its name, or awaits a guard."""
    if machine.is_done:
        return False
    for name in machine.active:
        state = leaf_of(chart, name)
        if event in state.answers or NO_EVENT in state.answers:
            return True
        if state.wild and any(answers(transition, event) for transition in state.wild):
            return True
    return False


class _Run:
    """The working copy of one machine during one call, changed in place: nobody else sees it.

    What it shares with the machine that came in (`data`, `timers`, `history`) is replaced, never changed.
    """

    __slots__ = (
        "asked", "at", "atoms", "chart", "config", "data", "effects", "errors", "event", "external",
        "history", "internal", "is_active_stale", "is_changed", "is_done", "machine", "n_timers", "scope",
        "states", "timers",
    )  # fmt: skip

    def __init__(self, chart: Chart, machine: Machine, scope: Scope, *, at: int) -> None:
        self.chart = chart
        self.states = chart.states
        self.machine = machine
        self.scope = scope
        self.at = at
        self.atoms = [leaf_of(chart, name).index for name in machine.active]
        if len(self.atoms) > 1:
            self.atoms.sort()  # by this chart's document order: a later version may have another
        self.config: set[int] = set()
        for atom in self.atoms:
            self.config.update(self.states[atom].line)
        self.history = machine.history
        self.data = machine.data
        self.timers = machine.timers
        self.n_timers = machine.n_timers
        self.is_done = False
        self.internal: deque[str] = deque()
        self.external: deque[str] = deque()
        self.event = NO_EVENT
        self.effects: list[Moved | Wanted] = []
        self.errors: list[str] = []
        self.asked: list[tuple[Expression, bool]] = []
        self.is_changed = False
        self.is_active_stale = True

    def step(self) -> Step:
        """Close the books."""
        if not self.is_changed:
            return Step(self.machine, self.effects, self.errors)
        machine = Machine(
            self._names(self.atoms), self.history, self.data, self.timers, self.n_timers, self.is_done
        )
        return Step(machine, self.effects, self.errors)

    def begin(self) -> None:
        """Enter the root, and where it starts."""
        root = self.states[0]
        assert root.initial is not None
        route = self._route(root.initial)
        blocks = ((0, root.entry), (0, root.initial.content), *route.entering)
        self._shift((), (), blocks)
        self._macrostep([])

    def resume(self, entering: Sequence[tuple[int, Block]], done: Sequence[str]) -> None:
        """Run content in a configuration that stands already, and answer what comes of it."""
        self.is_changed = True
        for index, block in entering:
            self._perform(block, self.states[index].id)
        self.internal.extend(done)
        leaves = [self.states[atom] for atom in self.atoms]
        self.is_done = any(leaf.kind == "final" and leaf.parent == 0 for leaf in leaves)
        self._macrostep([])

    def settle(self) -> None:
        """Answer the external queue, event by event, each to completion."""
        for _ in range(MAX_MACROSTEPS):
            if not self.external or self.is_done:
                break
            self.event = self.external.popleft()
            self._macrostep(self._select(self.event))
        else:
            if self.external and not self.is_done:
                self._give_up(f"more than {MAX_MACROSTEPS:,} events sent to itself at once [macrostep-limit]")
        if self.is_done:
            self.close()

    def close(self) -> None:
        """Run the exit content of all that is active, and forget what was to come."""
        self._exit(sorted(self.config, reverse=True))
        self.timers = []
        self.is_done = self.is_changed = True

    def _macrostep(self, enabled: Sequence[Transition]) -> None:
        """Take microsteps until nothing moves, beginning with the transitions the event enabled."""
        n_microsteps = 0
        may_move = True  # without an event: asked after each change, and once after what came from outside
        while not self.is_done:
            if enabled:
                n_microsteps += 1
                if n_microsteps > MAX_MICROSTEPS:
                    self._give_up(f"no rest after {MAX_MICROSTEPS:,} microsteps [microstep-limit]")
                    return
                self._microstep(enabled)
                may_move = True
            if may_move:
                self.event, may_move = NO_EVENT, False
            elif self.internal:
                self.event = self.internal.popleft()
            else:
                return
            enabled = self._select(self.event)

    def _give_up(self, reason: str) -> None:
        self._tell(reason)
        self.internal.clear()
        self.external.clear()

    def _select(self, event: str) -> Sequence[Transition]:
        """Return the optimal enabled transition set, in document order of the active states."""
        if self.asked:
            self.asked = []
        enabled: list[Transition] = []
        for atom in self.atoms:
            for transition in candidates(self.states[atom], event):
                if transition.when is None or self._holds(transition):
                    if not any(transition is other for other in enabled):
                        enabled.append(transition)
                    break
        return enabled if len(enabled) < 2 else self._without_conflicts(enabled)

    def _without_conflicts(self, enabled: Iterable[Transition]) -> list[Transition]:
        """Where two would leave the same state, take the descendant's transition, else the earlier one."""
        chosen: list[Transition] = []
        for transition in enabled:
            rivals = [other for other in chosen if self._collide(transition, other)]
            if all(is_inside(self.states, transition.source, rival.source) for rival in rivals):
                chosen = [other for other in chosen if not any(other is rival for rival in rivals)]
                chosen.append(transition)
        return chosen

    def _collide(self, one: Transition, other: Transition) -> bool:
        if not (one.targets and other.targets):
            return False
        outer, inner = sorted((self._route(one).domain, self._route(other).domain))
        return inner <= self.states[outer].last

    def _microstep(self, enabled: Sequence[Transition]) -> None:
        """Leave, act, enter."""
        self.is_changed = True
        left: list[int] = []
        blocks: list[tuple[int, Block]] = []
        moving = [transition for transition in enabled if transition.targets]
        for domain in [self._route(transition).domain for transition in moving]:
            last = self.states[domain].last
            left += [index for index in self.config if domain < index <= last]
        left.sort(reverse=True)
        self._remember(left)
        for transition in moving:  # asked again: what was just left may be what a history state leads back to
            blocks += self._route(transition).entering
        if len(moving) > 1:
            blocks.sort(key=lambda block: block[0])
        self._shift(left, enabled, blocks)

    def _shift(
        self, left: Sequence[int], enabled: Iterable[Transition], blocks: Sequence[tuple[int, Block]]
    ) -> None:
        """Run exit, transition and entry content, and keep the configuration true all along."""
        states = self.states
        source = [index for index in reversed(left) if states[index].is_leaf]
        target = [index for index, _ in blocks if states[index].is_leaf]
        if left or blocks:
            judged = self._judged() if self.asked else []
            self.effects.append(Moved(self._names(source), self._names(target), self.event, judged))
            self.atoms = sorted([*(atom for atom in self.atoms if atom not in source), *target])
            self.is_changed = True
        self._exit(left)
        for transition in enabled:
            if transition.content:
                self._perform(transition.content, states[transition.source].id)
        for index, block in blocks:
            state = states[index]
            self.config.add(index)
            self.is_active_stale = True
            if block:
                self._perform(block, state.id)
            if state.kind == "final":
                self._finish(state)

    def _exit(self, left: Iterable[int]) -> None:
        for index in left:
            state = self.states[index]
            if state.exit:
                self._perform(state.exit, state.id)
            self.config.discard(index)
            self.is_active_stale = True

    def _finish(self, final: State) -> None:
        """Say that the parent of a final state is done, and the parallel states around it that now are."""
        if final.parent == 0:
            self.is_done = True
            return
        parent = self.states[final.parent]
        self.internal.append(DONE_STATE + parent.id)
        while (parent := self.states[parent.parent]).kind == "parallel":
            if not is_final(self.states, self.config, parent):
                return
            self.internal.append(DONE_STATE + parent.id)

    def _remember(self, left: Sequence[int]) -> None:
        """Write down what the history states of the states about to be left will lead back to."""
        for index in left:
            for history in self.states[index].histories:
                keeper = self.states[history]
                inside = self.atoms if keeper.is_deep else self.states[index].children
                last = self.states[index].last
                kept = [state for state in inside if index < state <= last and state in self.config]
                self.history = {**self.history, keeper.id: self._names(kept)}

    def _route(self, transition: Transition) -> Route:
        route = transition.route
        assert route is not None, "a transition without targets leads nowhere"
        if route.is_fixed or not self.history:
            return route
        chart = self.chart
        remembered = {
            state_of(chart, history).index: [state_of(chart, name).index for name in names]
            for history, names in self.history.items()
        }
        return find_route(self.states, transition, remembered)

    def _perform(self, block: Block, owner: str) -> None:
        """Run one block of content; an error ends it."""
        for content in block:
            match content:
                case Want():
                    self.effects.append(Wanted(owner, content.body))
                case Send():
                    self._send(content, owner)
                case Cancel():
                    self.timers = [timer for timer in self.timers if timer.id != content.id]
                case Raise():
                    self.internal.append(content.event)
                case Assign():
                    try:
                        value = self._value(content.value)
                    except Exception as error:  # whatever an expression raises is its author's, not ours
                        self._fail(owner, content.value, error)
                        return
                    self.data = {**self.data, content.name: value}
                case _:
                    assert_never(content)

    def _send(self, content: Send, owner: str) -> None:
        due = self.at + content.after_ms if content.due is None else self._due(content.due, owner)
        if due <= self.at:
            self.external.append(content.event)
        elif len(self.timers) >= MAX_TIMERS:
            self._tell(f"{owner}: {content.event} not sent, {MAX_TIMERS:,} timers run already [timer-limit]")
        else:
            self.timers = list(self.timers)
            insort(self.timers, Timer(due, self.n_timers, content.event, content.id))
            self.n_timers += 1

    def _due(self, instant: Expression, owner: str) -> int:
        """Compute when a delayed event comes; at once where the answer is no instant."""
        try:
            due = self._value(instant)
        except Exception as error:  # whatever an expression raises is its author's, not ours
            self._fail(owner, instant, error)
            return self.at
        if due is None:
            return self.at
        if type(due) is not int or due > MAX_INSTANT:
            self._tell(f"{owner}: {instant.source}: expected an instant in ms, got {due!r} [expression]")
            return self.at
        return due

    def _holds(self, transition: Transition) -> bool:
        guard = transition.when
        assert guard is not None
        try:
            held = bool(self._value(guard))
        except Exception as error:  # whatever an expression raises is its author's, not ours
            self._fail(self.states[transition.source].id, guard, error)
            held = False
        self.asked.append((guard, held))
        return held

    def _judged(self) -> list[Judged]:
        """Tell the guards that were asked, with what they see: it is read only now, as it was then."""
        asked, self.asked = self.asked[-MAX_JUDGED:], []
        return [told(guard, self.scope, held=held) for guard, held in asked]

    def _value(self, expression: Expression) -> Any:
        if self.is_active_stale:
            self.scope.active = frozenset(self._names(self.config))
            self.is_active_stale = False
        self.scope.data = self.data
        return expression.call(self.scope)

    def _fail(self, owner: str, expression: Expression, error: Exception) -> None:
        self._tell(f"{owner}: {expression.source}: {type(error).__name__}: {error} [expression]")
        if self.event != ERROR_EVENT:
            self.internal.append(ERROR_EVENT)

    def _tell(self, error: str) -> None:
        if len(self.errors) < MAX_ERRORS:
            self.errors.append(error[:ERROR_CHARACTERS])

    def _names(self, indexes: Iterable[int]) -> list[str]:
        states = self.states
        return [states[index].id for index in indexes]
