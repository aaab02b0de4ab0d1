"""Drafts: states and ways as an author wrote them, each with its place, before they become a chart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from sojourn.definitions.chart import Assign, StateKind
from sojourn.definitions.expression import Expression
from sojourn.definitions.yaml import Node

Cause = Literal["event", "time", "nothing"]
"""What lets a way be taken; a way for nothing is taken as soon as it may."""


@dataclass(slots=True, eq=False)
class Draft:
    """One state. The root is a draft without a name."""

    name: str
    id: str
    """Its name after those of its ancestors: `checkout.waiting`."""
    place: Node
    kind: StateKind = "atomic"
    parent: Draft | None = None
    children: list[Draft] = field(default_factory=list)
    ways: list[Way] = field(default_factory=list)
    initial: Draft | None = None
    """Where a root or compound state starts; None: in its first state."""
    is_deep: bool = False
    is_hidden: bool = False
    """A history state that no author wrote."""
    entry: list[Any] = field(default_factory=list)
    """What is wanted or assigned when it is entered: experiments, then actions."""
    exit: list[Any] = field(default_factory=list)

    @property
    def parent_id(self) -> str:
        """The id of the state it lies in; empty in the root."""
        return self.parent.id if self.parent is not None else ""

    def ancestors(self) -> Iterator[Draft]:
        """Yield its parent, and so on up to the root."""
        above = self.parent
        while above is not None:
            yield above
            above = above.parent

    def all(self) -> Iterator[Draft]:
        """Yield itself and all states inside, in document order."""
        yield self
        for child in self.children:
            yield from child.all()

    def starts(self) -> list[Draft]:
        """Return the children that are entered with it."""
        if self.kind == "parallel":
            return [child for child in self.children if child.kind != "history"]
        if self.initial is not None:
            return [self.initial]
        return [child for child in self.children if child.kind != "history"][:1]


@dataclass(slots=True, eq=False)
class Way:
    """One way out of a state."""

    cause: Cause
    to: Draft
    place: Node
    event: str = ""
    after_ms: int = 0
    due: Expression | None = None
    """Gives the instant it is taken, where that is computed on entry: `after_ms` is the least it can take."""
    may_be_at_once: bool = False
    """`due` may be past when the state is entered."""
    content: list[Assign] = field(default_factory=list)
    when: Expression | None = None
    """None also where the condition is always true."""
