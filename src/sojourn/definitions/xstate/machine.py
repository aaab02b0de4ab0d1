"""Machines: a machine of XState v5, read and its targets found, before anybody decides what it becomes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from msgspec import Struct

Kind = Literal["compound", "atomic", "parallel", "final", "history"]
Cause = Literal["event", "time", "always", "done"]
Path = tuple[str | int, ...]
"""Keys and positions from the root of the JSON down."""


class Action(Struct, frozen=True):
    """A named action, with what it is given."""

    name: str
    params: dict[str, Any] = {}


class Raised(Struct, frozen=True):
    """An event that a machine puts on its own queue."""

    event: str


Deed = Action | Raised


class Named(Struct, frozen=True):
    """A guard by its name."""

    name: str
    params: dict[str, Any]
    path: Path


class Combined(Struct, frozen=True):
    """A guard made of others."""

    word: Literal["not", "and", "or"]
    parts: tuple[Guard, ...]


class StateIn(Struct, frozen=True):
    """Whether a state is active."""

    state: int


Guard = Named | Combined | StateIn


class Way(Struct, frozen=True, kw_only=True):
    """One transition."""

    cause: Cause
    source: int
    event: str = ""
    after_ms: int = 0
    guard: Guard | None = None
    targets: tuple[int, ...] | None = None
    """None: it acts and leaves nothing."""
    is_reentering: bool = False
    deeds: tuple[Deed, ...] = ()
    path: Path


@dataclass(slots=True, eq=False)
class Vertex:
    """One state node, in its place."""

    key: str
    kind: Kind
    parent: int
    """-1 for the root."""
    path: Path
    id: str
    """As the machine calls it; without a name of its own, the machine's and its path."""
    children: list[int] = field(default_factory=list)
    """History states too, in the order of the file."""
    last: int = 0
    """The index of its last descendant."""
    initial: int | None = None
    initial_deeds: tuple[Deed, ...] = ()
    entry: tuple[Deed, ...] = ()
    exit: tuple[Deed, ...] = ()
    ways: list[Way] = field(default_factory=list)
    is_deep: bool = False
    defaults: tuple[int, ...] = ()
    """Of a history state: where it leads while it remembers nothing; empty: where its parent starts."""


@dataclass(slots=True, eq=False)
class Machine:
    """A whole machine; vertex 0 is its root, and indexes are document order."""

    id: str
    vertices: list[Vertex]

    def is_inside(self, inner: int, outer: int) -> bool:
        """Tell whether one state is a descendant of another (never of itself)."""
        return outer < inner <= self.vertices[outer].last

    def ancestors(self, index: int) -> Iterator[int]:
        """Yield the parent, and so on up to the root."""
        while (index := self.vertices[index].parent) >= 0:
            yield index

    def regions(self, index: int) -> list[int]:
        """List the children that are no history states."""
        return [each for each in self.vertices[index].children if self.vertices[each].kind != "history"]

    def ways(self) -> Iterator[Way]:
        """Yield every transition, in document order of its source."""
        for vertex in self.vertices:
            yield from vertex.ways

    def keys(self, index: int) -> tuple[str, ...]:
        """Return the keys that lead to a state from the root; of the root, none."""
        line = [index, *self.ancestors(index)]
        return tuple(self.vertices[each].key for each in reversed(line[:-1]))
