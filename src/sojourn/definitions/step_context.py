"""Step context: one step of a list while it is turned into a state, and what it may ask for meanwhile."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from sojourn.definitions.drafting import DONE, EXIT, FINISHED, Drafting
from sojourn.definitions.drafts import Cause, Draft, Way
from sojourn.definitions.reading import Reading
from sojourn.definitions.schema_parts import STATE_NAME_PATTERN
from sojourn.definitions.yaml import AnyNode, Node

RESERVED = (DONE, EXIT, FINISHED)
_NAME = re.compile(STATE_NAME_PATTERN)

Place = Callable[[], Draft]
"""A state that is known only once all are there."""


class Lists(Protocol):
    """Turns lists of steps into drafts (see `steps.Steps`)."""

    def add(self, parent: Draft, node: AnyNode, *, after: Place) -> Place:
        """Add the steps of a list inside a state; return where it begins."""
        ...

    def add_path(self, step: Context, node: AnyNode | None, label: str) -> Place:
        """Add steps that a step leads to, in a state beside it; return where they begin."""
        ...


@dataclass(slots=True, eq=False)
class Context:
    """One step while it is turned into a state."""

    drafting: Drafting
    lists: Lists
    parent: Draft
    draft: Draft
    """Its state."""
    node: AnyNode
    """What stands after its kind."""
    following: Place
    """Where it falls through to."""
    join: AnyNode | None = None

    @property
    def reading(self) -> Reading:
        """Where problems are noted."""
        return self.drafting.reading

    def lead(self, cause: Cause, to: Draft, place: Node | None = None, **fields: Any) -> None:
        """Add a way out of its state."""
        self.draft.ways.append(Way(cause, to, place or self.draft.place, **fields))


class Kind(NamedTuple):
    """One kind of step."""

    add: Callable[[Context], None]
    """Makes its state; what needs the names of others is left for later."""
    target: Callable[[Context, AnyNode], Draft | None] = lambda _step, _node: None
    """Of a jump: where it leads."""
    is_jump: bool = False


def step_name(place: Node, name: str, reading: Reading) -> str:
    """Return a name an author gave to a step, or to one of parallel ones; empty where it cannot be one."""
    if name in RESERVED:
        reading.refuse(place, f"{name} is where steps end; choose another name", "bad-name")
        return ""
    if name and not _NAME.fullmatch(name):
        message = f"a step's name is a letter, then letters, digits, - and _; got {name[:40]!r}"
        reading.refuse(place, message, "bad-name")
        return ""
    return name
