"""SVG: a placed picture as one self-contained file, readable on light and on dark pages, always the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from itertools import pairwise

from sojourn.definitions.drawing.lettering import text_width, wrap
from sojourn.definitions.drawing.picture import Box, Picture
from sojourn.definitions.drawing.placing import (
    LINE_HEIGHT,
    LINE_SIZE,
    PADDING,
    TITLE_HEIGHT,
    TITLE_SIZE,
    Page,
    Placed,
    Point,
    box_title,
    people_words,
    place,
)
from sojourn.definitions.drawing.wording import plain_text

MARGIN = 24.0
NAME_SIZE, NAME_HEIGHT = 16.0, 24.0
HEAD_GAP = 16.0
MIN_WIDTH = 420.0
HEAD = 8.0  # the length of an arrow's head.

_STYLE = """\
    text { font-family: system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
    text { fill: #1c2733; font-size: 11px; }
    .name { font-size: 16px; font-weight: 600; } .title { font-size: 13px; font-weight: 600; }
    .soft { font-size: 11px; font-weight: 400; fill: #52606d; } .label { text-anchor: middle; }
    .over { paint-order: stroke; stroke-width: 4px; stroke-linejoin: round; stroke: #f3f5f7; }
    .page { fill: #ffffff; stroke: #d5dbe1; } .pill { fill: #ffffff; stroke: #c3ccd6; }
    .box { fill: #e8f1fa; stroke: #3b5b7a; } .around { fill: #f3f5f7; stroke: #8a97a5; }
    .region { fill: #f3f5f7; stroke: #8a97a5; stroke-dasharray: 5 4; }
    .choice { fill: #fff6e0; stroke: #9a6b00; }
    .end { fill: #eaf6ec; stroke: #2f7d43; } .ring { fill: none; stroke: #2f7d43; }
    .arrow { fill: none; stroke: #52606d; stroke-width: 1.3; } .dot { fill: #52606d; }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3; } .soft { fill: #9aa7b4; } .over { stroke: #1a222b; }
      .page { fill: #0f151b; stroke: #303a45; } .pill { fill: #0f151b; stroke: #465261; }
      .box { fill: #1b2c3f; stroke: #7ba4cf; } .around, .region { fill: #1a222b; stroke: #6b7885; }
      .choice { fill: #37290a; stroke: #d3a339; }
      .end { fill: #15301d; stroke: #5fb878; } .ring { stroke: #5fb878; }
      .arrow { stroke: #9aa7b4; } .dot { fill: #9aa7b4; }
    }
"""


def svg_of(picture: Picture) -> str:
    """Draw a picture: boxes in boxes, arrows, labels, the rules at its head. No script, no font, no link."""
    page = place(picture)
    name_width = text_width(f"{picture.title} {picture.version}", NAME_SIZE)
    width = max(page.width, MIN_WIDTH, name_width)
    rules = [line for rule in picture.rules for line in wrap(rule, width=width, size=LINE_SIZE, max_lines=4)]
    head = MARGIN + NAME_HEIGHT + LINE_HEIGHT * len(rules) + HEAD_GAP
    corner = f"{_n(MARGIN + (width - page.width) / 2)} {_n(head)}"
    parts = [
        *_opening(picture, _n(width + 2 * MARGIN), _n(head + page.height + MARGIN)),
        f'  <text x="{_n(MARGIN)}" y="{_n(MARGIN + 14)}" class="name">{_text(picture.title)} '
        f'<tspan class="soft">{_text(picture.version)}</tspan></text>',
        *_texts((MARGIN, MARGIN + NAME_HEIGHT + 12), rules, "soft"),
        f'  <g transform="translate({corner})">',
        *(f"    {line}" for line in _drawn(page)),
        "  </g>",
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _opening(picture: Picture, width: str, height: str) -> Iterator[str]:
    """Write what it is called for whoever cannot see it, how it looks, and the page it stands on."""
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    yield f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="name about">'
    yield f'  <title id="name">The journey {_text(picture.title)}</title>'
    yield f'  <desc id="about">{_text("; ".join(picture.rules))}</desc>'
    yield "  <defs>"
    yield (
        '    <marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" '
        'orient="auto"><path d="M0 1 L9 5 L0 9 z" class="dot"/></marker>'
    )
    yield f"    <style>\n{_STYLE}    </style>"
    yield "  </defs>"
    yield '  <rect width="100%" height="100%" rx="10" class="page"/>'


def _drawn(page: Page) -> Iterator[str]:
    """Draw boxes below lines below labels; names of boxes that hold others come above the lines."""
    for placed in page.boxes:
        yield from _box(placed)
    for x, y in page.dots:
        yield f'<circle cx="{_n(x)}" cy="{_n(y)}" r="5" class="dot"/>'
    for line in page.lines:
        yield f'<path d="{_path(line)}" class="arrow" marker-end="url(#head)"/>'
    for placed in page.boxes:
        yield from _box_text(placed)
    for placed in page.labels:
        yield from _label(placed)


def _box(placed: Placed) -> Iterator[str]:
    box = placed.box
    assert box is not None
    if box.is_choice:
        yield f'<path d="{_pointed(placed)}" class="choice"/>'
        return
    radius = placed.height / 2 if box.kind == "history" else 7
    yield _rect(placed, 0, radius, _class_of(box))
    if box.kind == "final":
        yield _rect(placed, 3, radius - 2, "ring")


def _class_of(box: Box) -> str:
    if box.inside:
        return "region" if box.is_region else "around"
    return "end" if box.kind == "final" else "box"


def _rect(placed: Placed, inset: float, radius: float, name: str) -> str:
    x, y = placed.x + inset, placed.y + inset
    width, height = placed.width - 2 * inset, placed.height - 2 * inset
    place = f'x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}"'
    return f'<rect {place} rx="{_n(radius)}" class="{name}"/>'


def _pointed(placed: Placed) -> str:
    """Draw a box with a point on either side: here the way divides."""
    left, right, top, bottom = placed.x, placed.x + placed.width, placed.y, placed.y + placed.height
    middle = (top + bottom) / 2
    corners = [
        (left + 7, top),
        (right - 7, top),
        (right + 4, middle),
        (right - 7, bottom),
        (left + 7, bottom),
    ]
    return "M" + " L".join(f"{_n(x)} {_n(y)}" for x, y in [*corners, (left - 4, middle)]) + " z"


def _box_text(placed: Placed) -> Iterator[str]:
    box = placed.box
    assert box is not None
    over = " over" if box.inside else ""
    is_alone = not (placed.lines or box.inside or box.n_people is not None)
    x, y = placed.x + PADDING, placed.y + PADDING + TITLE_SIZE - 1
    if is_alone:
        middle = f'x="{_n(placed.x + placed.width / 2)}" y="{_n(placed.y + placed.height / 2 + 4.5)}"'
        yield f'<text {middle} text-anchor="middle" class="title">{_text(box_title(box))}</text>'
    else:
        yield f'<text x="{_n(x)}" y="{_n(y)}" class="title{over}">{_text(box_title(box))}</text>'
    if box.n_people is not None:
        right = placed.x + placed.width - PADDING
        yield (
            f'<text x="{_n(right)}" y="{_n(y)}" text-anchor="end" class="soft{over}">'
            f"{_text(people_words(box))}</text>"
        )
    yield from _texts(
        (x, placed.y + PADDING + TITLE_HEIGHT + LINE_SIZE - 1), placed.lines, f"line{over}", indent=""
    )


def _label(placed: Placed) -> Iterator[str]:
    yield f"<g><title>{_text(placed.text)}</title>"
    yield f"  {_rect(placed, 0, 8, 'pill')}"
    x, y = placed.x + placed.width / 2, placed.y + LINE_SIZE + 2.5
    yield from _texts((x, y), placed.lines, "label")
    yield "</g>"


def _texts(at: Point, lines: Sequence[str], name: str, *, indent: str = "  ") -> Iterator[str]:
    for i, line in enumerate(lines):
        place = f'x="{_n(at[0])}" y="{_n(at[1] + i * LINE_HEIGHT)}"'
        yield f'{indent}<text {place} class="{name}">{_text(line)}</text>'


def _path(points: Sequence[Point]) -> str:
    """Draw a line: straight where it goes straight down or up, else as an S; straight under its head."""
    steps = [f"M{_n(points[0][0])} {_n(points[0][1])}"]
    (x, y), (_, before) = points[-1], points[-2]
    neck = y - HEAD if y > before else y + HEAD
    for (x0, y0), (x1, y1) in pairwise([*points[:-1], (x, neck), (x, y)]):
        if _n(x0) == _n(x1):
            steps.append(f"V{_n(y1)}")
        else:
            middle = _n((y0 + y1) / 2)
            steps.append(f"C{_n(x0)} {middle} {_n(x1)} {middle} {_n(x1)} {_n(y1)}")
    return " ".join(steps)


def _n(number: float) -> str:
    """Write a coordinate to half a pixel, so that no machine's rounding shows."""
    return f"{round(number * 2) / 2:g}"


def _text(text: str) -> str:
    """Make text from anybody harmless in XML."""
    return escape(plain_text(text))
