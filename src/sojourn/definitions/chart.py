"""Charts: statecharts as tables, ready to run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from msgspec import Struct

from sojourn.definitions.expression import Expression

StateKind = Literal["root", "compound", "atomic", "parallel", "final", "history"]


class Raise(Struct, frozen=True):
    """Put an event on the internal queue."""

    event: str


class Send(Struct, frozen=True):
    """Send an event to oneself after a delay (0: to the external queue, at once)."""

    event: str
    after_ms: int = 0
    id: str = ""
    due: Expression | None = None
    """Instead of a delay: gives the instant it comes, ms; at once where that is past, or there is none."""


class Cancel(Struct, frozen=True):
    """Forget a delayed event."""

    id: str


class Assign(Struct, frozen=True):
    """Set a variable of the chart's data."""

    name: str
    value: Expression


class Want(Struct, frozen=True):
    """Something for the world outside the chart (an action, an exposure): the kernel only passes it on."""

    body: Any


Content = Raise | Send | Cancel | Assign | Want


Block = tuple[Content, ...]
"""Content that is run as one: an error in it skips the rest of it, and nothing else."""


class Route(Struct, frozen=True, kw_only=True):
    """Where a transition leads: what it spares and what it enters."""

    domain: int
    """The innermost compound state around source and targets: it stays, what is active inside is left."""
    entering: tuple[tuple[int, Block], ...]
    """The states entered, in document order, each with a block to run (with several, once for each)."""
    is_fixed: bool
    """False where a history state lies on the way: then this is the way as long as nothing is remembered."""


class Transition(Struct, frozen=True, kw_only=True):
    """One way out of a state."""

    names: frozenset[str] = frozenset()
    """Event names it answers to, exactly."""
    prefixes: tuple[str, ...] = ()
    """Event descriptors it answers to by SCXML's rule: the name itself, or the name and a dot before more."""
    is_any: bool = False
    """Answers to every event (`*`). With no names, prefixes and `is_any`, the transition is eventless."""
    when: Expression | None = None
    targets: tuple[int, ...] = ()
    """Indexes of states; empty: actions only, nothing is left or entered."""
    is_internal: bool = False
    content: Block = ()
    source: int = 0
    route: Route | None = None
    """Derived; None where there are no targets."""


class State(Struct, frozen=True, kw_only=True):
    """One state, by its index in document order."""

    id: str
    index: int
    kind: StateKind
    parent: int
    """-1 for the root."""
    children: tuple[int, ...] = ()
    """Without history states."""
    histories: tuple[int, ...] = ()
    ancestors: tuple[int, ...] = ()
    """From the parent up to the root."""
    last: int = 0
    """The index of its last descendant: `index <= x <= last` tells who lives inside."""
    initial: Transition | None = None
    """Of root and compound states; of a history state, its default."""
    is_deep: bool = False
    entry: Block = ()
    exit: Block = ()
    transitions: tuple[Transition, ...] = ()

    line: tuple[int, ...] = ()
    """Derived: itself and its ancestors up to the root, so in reverse document order."""
    answers: dict[str, tuple[Transition, ...]] = {}
    """Derived, of leaves: event name -> what may answer it, its ancestors' too, innermost first; `""` -> what
    needs no event."""
    wild: tuple[Transition, ...] = ()
    """Derived, of leaves: where one of these uses a prefix or `*`, all that need an event; else empty."""
    is_leaf: bool = False
    """Derived: atomic or final, so active with nothing inside."""


class Chart(Struct, frozen=True, kw_only=True):
    """A whole chart; state 0 is the root."""

    states: tuple[State, ...]
    by_id: dict[str, int]
    data: dict[str, Any] = {}
    """Initial values of its variables."""
    names: frozenset[str] = frozenset()
    """Every event name some transition answers to exactly."""
    is_listening_to_any: bool = False
    """True where a prefix, `*` or a guarded eventless transition is used: `names` does not tell all."""

    def standing(self, active: Iterable[str]) -> list[State]:
        """Return the states of these ids and those around them, innermost first, each once."""
        lines = [self.states[self.by_id[name]].line for name in active if name in self.by_id]
        return [self.states[index] for index in dict.fromkeys(index for line in lines for index in line)]
