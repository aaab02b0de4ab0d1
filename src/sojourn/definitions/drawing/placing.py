"""Placing: where every box, label and line of a picture stands on the page, inner boxes first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from sojourn.definitions.drawing.layers import Item, Join, arrange
from sojourn.definitions.drawing.lettering import text_width, wrap
from sojourn.definitions.drawing.lifting import BORDER, DOT, Lifted, Link, Plan, lift
from sojourn.definitions.drawing.picture import Box, Picture

TITLE_SIZE, LINE_SIZE = 13.0, 11.0
TITLE_HEIGHT, LINE_HEIGHT = 18.0, 15.0
PADDING = 10.0
LAYER_GAP = 20.0
DOT_SIZE = 12.0
BOX_WIDTH = 96.0  # at least: short names make no ragged column.
TEXT_WIDTH = 230.0  # of a line in a box, at most.
LABEL_WIDTH = 170.0
MAX_LINES = 5  # of one action or label; the whole text is shown when a mouse rests on it.
END_GAP = 16.0  # between lines that end at one side of a box.

Point = tuple[float, float]


@dataclass(slots=True)
class Placed:
    """A box or a label, in its place."""

    x: float
    y: float
    width: float
    height: float
    lines: list[str]
    """Text as it is broken: of a box, what stands below its title."""
    box: Box | None = None
    """None: a label."""
    text: str = ""
    """All of a label."""
    depth: int = 0


@dataclass(slots=True)
class Page:
    """The whole drawing, placed."""

    width: float
    height: float
    boxes: list[Placed] = field(default_factory=list)
    """Outer ones first."""
    labels: list[Placed] = field(default_factory=list)
    dots: list[Point] = field(default_factory=list)
    """Middles of the marks that say where a box starts."""
    lines: list[list[Point]] = field(default_factory=list)
    """From the source to the target; two points are joined by a straight or an S-shaped line."""


def place(picture: Picture) -> Page:
    """Lay a picture out."""
    lifted = lift(picture)
    root = _Layout(picture.root, lifted)
    page = Page(root.item.width, root.item.height)
    layouts: dict[int, _Layout] = {}
    root.put_down((0.0, 0.0), page, layouts)
    for route in lifted.routes:
        page.lines.append([point for index, link in route for point in layouts[index].trail(link)])
    return page


class _Layout:
    """One box, laid out: its size first, its place later."""

    def __init__(self, box: Box, lifted: Lifted) -> None:
        self.box = box
        self.is_page = box.kind == "root"
        self.lines = [] if self.is_page else _box_lines(box)
        self.inside = {inner.index: _Layout(inner, lifted) for inner in box.inside}
        self.labels: list[tuple[Item, Link]] = []
        self.chains: dict[int, list[Join]] = {}
        self.ends: dict[int, Item] = {}
        self.dot: Item | None = None
        self.corner: Point = (0.0, 0.0)
        """Of what is inside, on the page; known once it is put down."""
        inner_width, inner_height = self._arrange(lifted.plans[box.index]) if box.inside else (0.0, 0.0)
        self.head = 0.0 if self.is_page else PADDING + TITLE_HEIGHT + LINE_HEIGHT * len(self.lines)
        padding = 0.0 if self.is_page else PADDING
        width = max(_text_width(box, self.lines), inner_width + 2 * padding)
        self.inset = ((width - inner_width) / 2, self.head + (padding if box.inside else 0.0))
        self.item = Item(width=width, height=self.inset[1] + inner_height + padding)

    def end_dx(self, n: int) -> float | None:
        """Say where a line crosses this border, from the middle; None where it ends at it."""
        end = self.ends.get(n)
        return None if end is None else self.inset[0] + end.x - self.item.width / 2

    def put_down(self, at: Point, page: Page, layouts: dict[int, _Layout], depth: int = 0) -> None:
        """Place the box and all that is inside it on the page."""
        x, y = at
        layouts[self.box.index] = self
        if not self.is_page:
            size = self.item.width, self.item.height
            page.boxes.append(Placed(x, y, *size, self.lines, box=self.box, depth=depth))
        self.corner = left, top = x + self.inset[0], y + self.inset[1]
        if self.dot is not None:
            page.dots.append((left + self.dot.x, top + self.dot.y + DOT_SIZE / 2))
        for item, link in self.labels:
            place = (left + item.x - item.width / 2, top + item.y, item.width, item.height)
            page.labels.append(Placed(*place, _label_lines(link.label), text=link.label))
        for inner in self.inside.values():
            corner = (left + inner.item.x - inner.item.width / 2, top + inner.item.y)
            inner.put_down(corner, page, layouts, depth + 1)

    def trail(self, link: Link) -> list[Point]:
        """Return the points of a line inside this box, on the page, in the direction of its arrow."""
        left, top = self.corner
        joins = self.chains[link.n]
        points = [(left + joins[0].upper.x + joins[0].upper_dx, top + _bottom(joins[0].upper))]
        for join, following in pairwise([*joins, None]):
            assert join is not None
            points.append((left + join.lower.x + join.lower_dx, top + join.lower.y))
            if following is not None:
                points.append((points[-1][0], top + _bottom(join.lower)))
        is_leaving, is_entering = link.target == BORDER, link.source == BORDER
        if is_leaving if link.is_upward else is_entering:
            points.insert(0, (points[0][0], top - self.inset[1]))
        if is_entering if link.is_upward else is_leaving:
            points.append((points[-1][0], top - self.inset[1] + self.item.height))
        return points[::-1] if link.is_upward else points

    def _arrange(self, plan: Plan) -> tuple[float, float]:
        items = {index: inner.item for index, inner in self.inside.items()}
        if DOT in plan.things:
            self.dot = items[DOT] = Item(width=DOT_SIZE, height=DOT_SIZE)
        if plan.box.kind == "parallel":
            tallest = max(item.height for item in items.values())
            for item in items.values():
                item.height = tallest
        last = 2 * max(plan.ranks.values()) + 4
        layers: list[list[Item]] = [[] for _ in range(last + 1)]
        for thing in plan.things:
            layers[2 * plan.ranks[thing] + 2].append(items[thing])
        for link in plan.links:
            self._chain(link, plan, items, layers)
        joins = [join for chain in self.chains.values() for join in chain]
        size = arrange([layer for layer in layers if layer], joins, LAYER_GAP)
        for item in items.values():
            _spread(item, [join for join in joins if join.upper is item], is_below=True)
            _spread(item, [join for join in joins if join.lower is item], is_below=False)
        for index, inner in self.inside.items():  # what crosses a border ends where it crosses
            for link in plan.links:
                self._fix(link, index, inner)
        return size

    def _chain(self, link: Link, plan: Plan, items: dict[int, Item], layers: list[list[Item]]) -> None:
        """Add the bends and the label of a line, one for each layer between its ends."""
        ends = (link.target, link.source) if link.is_upward else (link.source, link.target)
        layer_of = [
            (0, len(layers) - 1)[i] if end == BORDER else 2 * plan.ranks[end] + 2
            for i, end in enumerate(ends)
        ]
        chain: list[Item] = []
        for i, end in enumerate(ends):
            if end == BORDER:
                self.ends[link.n] = Item()
                layers[layer_of[i]].append(self.ends[link.n])
            chain.append(self.ends[link.n] if end == BORDER else items[end])
        between = [Item(is_bend=True) for _ in range(layer_of[0] + 1, layer_of[1])]
        if link.label:
            label = _label(link.label)
            between[-1 if link.is_upward else 0] = label
            self.labels.append((label, link))
        for layer, item in zip(layers[layer_of[0] + 1 :], between, strict=False):
            layer.append(item)
        self.chains[link.n] = [Join(*pair) for pair in pairwise([chain[0], *between, chain[1]])]
        for end in ends:
            if end in self.inside:
                self._fix(link, end, self.inside[end])

    def _fix(self, link: Link, index: int, inner: _Layout) -> None:
        dx = inner.end_dx(link.n)
        if dx is None or index not in (link.source, link.target):
            return
        chain = self.chains[link.n]
        if chain[0].upper is inner.item:
            chain[0].upper_dx = dx
        else:
            chain[-1].lower_dx = dx


def _bottom(item: Item) -> float:
    return item.y + item.height


def _spread(item: Item, joins: list[Join], *, is_below: bool) -> None:
    """Let lines end side by side at a box, each as near to where it leads as there is room."""

    def other(join: Join) -> float:
        return join.lower.x + join.lower_dx if is_below else join.upper.x + join.upper_dx

    joins = sorted(joins, key=other)
    room = item.width / 2 - 8 if item.width > DOT_SIZE else 0.0
    wishes = [min(max(other(join) - item.x, -room), room) for join in joins]
    if any(right - left < END_GAP for left, right in pairwise(wishes)):
        gap = min(END_GAP * 2, 2 * room / len(joins))
        middle = min(
            max(sum(wishes) / len(wishes), -room + gap * len(joins) / 2), room - gap * len(joins) / 2
        )
        wishes = [middle + gap * (i - (len(joins) - 1) / 2) for i in range(len(joins))]
    for join, dx in zip(joins, wishes, strict=True):
        if is_below:
            join.upper_dx = dx
        else:
            join.lower_dx = dx


def _label(text: str) -> Item:
    lines = _label_lines(text)
    width = max(text_width(line, LINE_SIZE) for line in lines) + 14
    return Item(width=width, height=LINE_HEIGHT * len(lines) + 5, is_label=True)


def _label_lines(text: str) -> list[str]:
    return wrap(text, width=LABEL_WIDTH, size=LINE_SIZE, max_lines=MAX_LINES)


def _box_lines(box: Box) -> list[str]:
    return [
        line
        for text in box.lines
        for line in wrap(text, width=TEXT_WIDTH, size=LINE_SIZE, max_lines=MAX_LINES)
    ]


def _text_width(box: Box, lines: Sequence[str]) -> float:
    if box.kind == "root":
        return 0.0
    title = text_width(box_title(box), TITLE_SIZE) * 1.08 + text_width(people_words(box), LINE_SIZE)
    return max(
        [BOX_WIDTH, *(text_width(line, LINE_SIZE) + 2 * PADDING for line in lines), title + 3 * PADDING]
    )


def box_title(box: Box) -> str:
    """Say the name of a state as its box shows it; a history state is marked as in a statechart."""
    mark = ("H* " if box.is_deep else "H ") if box.kind == "history" else ""
    return mark + box.title


def people_words(box: Box) -> str:
    """Say how many are in a state; nothing where nobody counted."""
    if box.n_people is None:
        return ""
    return "1 person" if box.n_people == 1 else f"{box.n_people:,} people"
