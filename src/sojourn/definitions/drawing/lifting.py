"""Lifting: each line of a picture, cut at the borders it crosses, so that every box can be laid out alone.

A line between two states is drawn in the innermost box around both, between the things directly inside it
that hold them. In each box further in, it leads from a state to the border or from the border to a state.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from sojourn.definitions.drawing.layers import rank_all
from sojourn.definitions.drawing.picture import Box, Picture

DOT = -1
"""Stands for the mark that says where a box starts."""
BORDER = -2
"""Stands for the border of the box itself, above or below."""

End = tuple[int, int]
"""A state and no box; or DOT and the box whose start it marks."""


@dataclass(slots=True, eq=False)
class Link:
    """One line, as one box sees it."""

    n: int
    """Which line of the picture."""
    source: int
    target: int
    """Things directly inside the box, or its border."""
    label: str = ""
    is_upward: bool = False


@dataclass(slots=True, eq=False)
class Plan:
    """What is directly inside one box: which things, in which ranks, and the lines between them."""

    box: Box
    things: list[int]
    links: list[Link] = field(default_factory=list)
    ranks: dict[int, int] = field(default_factory=dict)


@dataclass(slots=True)
class Lifted:
    """A whole picture, cut up."""

    plans: dict[int, Plan]
    """By the index of the box they are about: all that have something inside."""
    routes: list[list[tuple[int, Link]]]
    """For each line its parts, (box, link) each, from the source to the target."""


def lift(picture: Picture) -> Lifted:
    """Cut every line of a picture."""
    return _Lifting(picture).lifted()


class _Lifting:
    def __init__(self, picture: Picture) -> None:
        self.picture = picture
        self.lines: dict[int, tuple[int, ...]] = {picture.root.index: (picture.root.index,)}
        """State -> itself and what is around it, up to the root."""
        self.boxes = {picture.root.index: picture.root}
        self._enter(picture.root)
        self.plans = {index: _plan(box) for index, box in self.boxes.items() if box.inside}

    def lifted(self) -> Lifted:
        """Find the box each line belongs to, then rank, then cut what goes further in."""
        tops: list[tuple[int, Link, int, int]] = []
        for source, target, label in self._ways():
            home = self._home(source, target)
            link = Link(len(tops), self._thing(home, source[0]), self._thing(home, target), label)
            self.plans[home].links.append(link)
            tops.append((home, link, source[0], target))
        for plan in self.plans.values():
            _rank(plan)
        return Lifted(self.plans, [self._cut(*top) for top in tops])

    def _enter(self, box: Box) -> None:
        for inner in box.inside:
            self.lines[inner.index] = (inner.index, *self.lines[box.index])
            self.boxes[inner.index] = inner
            self._enter(inner)

    def _ways(self) -> Iterator[tuple[End, int, str]]:
        """Yield (source, target, label); the marks that say where a box starts come first."""
        for box in self.boxes.values():
            for target in box.starts_in:
                label = self.picture.entry if box.index == self.picture.root.index else ""
                yield (DOT, box.index), target, label
        for arrow in self.picture.arrows:
            yield (arrow.source, -1), arrow.target, arrow.label

    def _home(self, source: End, target: int) -> int:
        """Find the innermost box that holds both ends; one that is an end itself holds the other."""
        state, marked = source
        if state == DOT:
            return marked
        around = set(self.lines[target])
        return next(index for index in self.lines[state] if index in around)

    def _thing(self, home: int, state: int) -> int:
        """Find what is directly inside a box and holds a state; its own border, where it is the state."""
        if state == DOT:
            return DOT
        line = self.lines[state]
        at = line.index(home)
        return line[at - 1] if at else BORDER

    def _cut(self, home: int, link: Link, source: int, target: int) -> list[tuple[int, Link]]:
        """Add the parts of a line that lie further in, and return all its parts in its direction."""
        outwards = [
            (index, Link(link.n, self._thing(index, source), BORDER, is_upward=link.is_upward))
            for index in self._between(source, home)
        ]
        inwards = [
            (index, Link(link.n, BORDER, self._thing(index, target), is_upward=link.is_upward))
            for index in reversed(self._between(target, home))
        ]
        for index, part in (*outwards, *inwards):
            self.plans[index].links.append(part)
        return [*outwards, (home, link), *inwards]

    def _between(self, state: int, home: int) -> tuple[int, ...]:
        """List the boxes around a state that lie inside the home, the innermost first."""
        if state in (DOT, home):
            return ()
        line = self.lines[state]
        return line[1 : line.index(home)]


def _plan(box: Box) -> Plan:
    return Plan(box, [*([DOT] if box.starts_in else []), *(inner.index for inner in box.inside)])


def _rank(plan: Plan) -> None:
    """Rank the things of a box, and turn the lines that close a circle upwards."""
    position = {thing: i for i, thing in enumerate(plan.things)}
    between = [
        (position[link.source], position[link.target])
        for link in plan.links
        if BORDER not in (link.source, link.target)
    ]
    ranks = rank_all(len(plan.things), between)
    plan.ranks = {thing: ranks[i] for thing, i in position.items()}
    for link in plan.links:
        if BORDER not in (link.source, link.target):
            link.is_upward = plan.ranks[link.source] > plan.ranks[link.target]
