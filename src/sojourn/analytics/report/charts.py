"""Charts: bars with intervals, heat maps, flows and spans of days, each as one SVG picture."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from msgspec import Struct

from sojourn.analytics.report.svg import band, line, picture, rect, shortened, text

WIDTH = 860.0
LABEL = 220.0  # px left of bars.
ROW = 26.0
NODE = 12.0  # px, how wide the nodes of flows are.
GAP = 14.0
FLOWS_HEIGHT = 420.0
SHADES = 6  # of a heat map: classes in the page's style.


class Bar(Struct, frozen=True):
    """One row of a bar chart."""

    label: str
    value: float
    told: str = ""
    """What is written behind it; empty: the value."""
    low: float | None = None
    high: float | None = None
    """The interval, drawn as a whisker."""
    is_marked: bool = False
    """Shown as doubtful: too little stands behind it."""


class Cell(Struct, frozen=True):
    """One cell of a heat map."""

    share: float | None
    """From 0 to 1; None: not known, and left empty."""
    told: str = ""


class Link(Struct, frozen=True):
    """One flow, from a node of one column to a node of the next."""

    column: int
    source: str
    target: str
    count: int


class Span(Struct, frozen=True):
    """One row of a timeline."""

    label: str
    first: date
    last: date
    told: str = ""


def bars(title: str, rows: Sequence[Bar]) -> str:
    """Draw horizontal bars from zero, in the order given."""
    most = max((max(row.value, row.high or 0.0) for row in rows), default=0.0) or 1.0
    room = WIDTH - LABEL - 170
    parts = []
    for i, row in enumerate(rows):
        y = i * ROW
        css = "bar doubtful" if row.is_marked else "bar"
        told = row.told or f"{row.value:,.10g}"
        parts += [
            text(LABEL - 8, y + 17, shortened(row.label, LABEL - 16), anchor="end"),
            rect(
                LABEL, y + 4, room * max(row.value, 0.0) / most, ROW - 8, css=css, told=f"{row.label}: {told}"
            ),
        ]
        if row.low is not None and row.high is not None:
            x1, x2 = (LABEL + room * max(0.0, x) / most for x in (row.low, row.high))
            middle = y + ROW / 2
            parts += [line(x1, middle, x2, middle, css="whisker")]
            parts += [line(x, middle - 4, x, middle + 4, css="whisker") for x in (x1, x2)]
        reach = max(row.value, row.high or 0.0, 0.0)
        parts.append(text(LABEL + room * reach / most + 8, y + 17, told, css="told"))
    return picture(WIDTH, len(rows) * ROW, title, parts)


def heat(title: str, labels: Sequence[str], columns: Sequence[str], cells: Sequence[Sequence[Cell]]) -> str:
    """Draw a matrix, darker where the share is larger; rows as `labels`."""
    left = 180.0
    width = min(64.0, (WIDTH - left) / max(len(columns), 1))
    parts = [
        text(left + (j + 0.5) * width, 14, name, anchor="middle", css="told")
        for j, name in enumerate(columns)
    ]
    for i, (label, row) in enumerate(zip(labels, cells, strict=True)):
        y = 22 + i * ROW
        parts.append(text(left - 8, y + 17, shortened(label, left - 16), anchor="end"))
        for j, cell in enumerate(row):
            if cell.share is None:
                continue
            shade = min(SHADES - 1, int(cell.share * SHADES))
            words = f"{label}, {columns[j]}: {cell.told or f'{cell.share:.1%}'}"
            parts.append(
                rect(left + j * width + 1, y + 1, width - 2, ROW - 2, css=f"shade{shade}", told=words)
            )
            if width >= 40:
                css = "light" if shade >= SHADES // 2 else "dark"
                parts.append(
                    text(left + (j + 0.5) * width, y + 17, f"{cell.share:.0%}", anchor="middle", css=css)
                )
    return picture(left + width * len(columns), 26 + len(labels) * ROW, title, parts)


def flows(title: str, links: Sequence[Link]) -> str:
    """Draw flows between columns of nodes (a sankey diagram), the thickest of each column on top."""
    sizes = _sizes(links)
    n_columns = 1 + max((column for column, _ in sizes), default=0)
    total = max(
        (sum(size for (at, _), size in sizes.items() if at == column) for column in range(n_columns)),
        default=0,
    )
    n_most = max((sum(at == column for at, _ in sizes) for column in range(n_columns)), default=1)
    scale = (FLOWS_HEIGHT - GAP * (n_most - 1)) / max(total, 1)
    step = (WIDTH - 140) / max(n_columns - 1, 1)
    tops = _tops(sizes, scale, n_columns)
    out, into = dict(tops), dict(tops)
    parts = []
    for link in sorted(
        links, key=lambda one: (one.column, tops[one.column, one.source], tops[one.column + 1, one.target])
    ):
        source, target = (link.column, link.source), (link.column + 1, link.target)
        width = link.count * scale
        start = (link.column * step + NODE, out[source] + width / 2)
        end = ((link.column + 1) * step, into[target] + width / 2)
        out[source] += width
        into[target] += width
        told = f"{link.source} → {link.target}: {link.count:,}"
        parts.append(band(start, end, width, css="flow", told=told))
    for (column, name), size in sizes.items():
        x, y = column * step, tops[column, name]
        parts.append(rect(x, y, NODE, size * scale, css="bar", told=f"{name}: {size:,}"))
        parts.append(text(x + NODE + 4, y + min(size * scale / 2 + 4, 14), shortened(name, step - NODE - 8)))
    return picture(WIDTH, FLOWS_HEIGHT + 10, title, parts)


def spans(title: str, rows: Sequence[Span]) -> str:
    """Draw spans of days below one another, over the days they all cover."""
    if not rows:
        return picture(WIDTH, ROW, title, [text(0, 17, "none")])
    first, last = min(row.first for row in rows), max(row.last for row in rows)
    room, n_days = WIDTH - LABEL - 10, (last - first).days + 1
    parts = []
    for i, row in enumerate(rows):
        x = LABEL + room * (row.first - first).days / n_days
        width = max(3.0, room * ((row.last - row.first).days + 1) / n_days)
        told = f"{row.label}: {row.first} to {row.last}. {row.told}".strip()
        parts.append(text(LABEL - 8, i * ROW + 17, shortened(row.label, LABEL - 16), anchor="end"))
        parts.append(rect(x, i * ROW + 4, width, ROW - 8, css="bar", told=told))
    y = len(rows) * ROW + 16
    parts += [
        text(LABEL, y, str(first), css="told"),
        text(LABEL + room, y, str(last), anchor="end", css="told"),
    ]
    return picture(WIDTH, y + 6, title, parts)


def _sizes(links: Sequence[Link]) -> dict[tuple[int, str], int]:
    """Return how much passes each node: the larger of what comes and what goes."""
    gone: dict[tuple[int, str], int] = {}
    come: dict[tuple[int, str], int] = {}
    for link in links:
        source, target = (link.column, link.source), (link.column + 1, link.target)
        gone[source] = gone.get(source, 0) + link.count
        come[target] = come.get(target, 0) + link.count
    return {node: max(gone.get(node, 0), come.get(node, 0)) for node in {**gone, **come}}


def _tops(sizes: dict[tuple[int, str], int], scale: float, n_columns: int) -> dict[tuple[int, str], float]:
    tops = {}
    for column in range(n_columns):
        y = 0.0
        nodes = [(size, name) for (at, name), size in sizes.items() if at == column]
        for size, name in sorted(nodes, key=lambda node: (-node[0], node[1])):
            tops[column, name] = y
            y += size * scale + GAP
    return tops
