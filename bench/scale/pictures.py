"""Pictures of the model, as SVG: lines on axes of powers of ten, points that were simulated, bars."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from math import log10

Point = tuple[float, float]
WIDTH, HEIGHT = 720, 360
LEFT, RIGHT, TOP, BOTTOM = 70, 200, 44, 50
COLOURS = ("#3b5b7a", "#b4552d", "#4f7f52", "#7a4f7f")
STYLE = (
    'text { font-family: system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; '
    "fill: #1c2733; font-size: 12px; } "
    ".title { font-size: 14px; font-weight: 600; } .axis { stroke: #d5dbe1; } "
    ".middle { text-anchor: middle; } .end { text-anchor: end; }"
)


@dataclass(frozen=True)
class Series:
    """One thing shown."""

    name: str
    line: Sequence[Point] = ()
    points: Sequence[Point] = ()


@dataclass(frozen=True)
class Axis:
    """An axis of powers of ten."""

    name: str
    low: float
    high: float

    def place(self, value: float, *, first: float, last: float) -> float:
        """Return where a value lies between two places."""
        share = (log10(value) - log10(self.low)) / (log10(self.high) - log10(self.low))
        return first + (last - first) * min(1.0, max(0.0, share))

    def marks(self) -> list[float]:
        """Return the values that are named."""
        found = [base * 10.0**power for power in range(-3, 10) for base in (1, 2, 5)]
        inside = [value for value in found if self.low <= value <= self.high]
        return inside if len(inside) < 8 else [value for value in inside if f"{value:e}"[0] == "1"]


def chart(title: str, x: Axis, y: Axis, series: Sequence[Series]) -> str:
    """Draw lines and points; the lines are formulas."""
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM

    def at_x(value: float) -> float:
        return x.place(value, first=LEFT, last=right)

    def at_y(value: float) -> float:
        return y.place(value, first=bottom, last=TOP)

    parts = [_text(LEFT, 24, title, "title")]
    for value in x.marks():
        parts.append(_line(at_x(value), TOP, at_x(value), bottom))
        parts.append(_text(at_x(value), bottom + 18, _said(value), "middle"))
    for value in y.marks():
        parts.append(_line(LEFT, at_y(value), right, at_y(value)))
        parts.append(_text(LEFT - 8, at_y(value) + 4, _said(value), "end"))
    parts.append(_text((LEFT + right) / 2, HEIGHT - 10, x.name, "middle"))
    parts.append(_text(12, TOP - 8, y.name))
    for n, (one, colour) in enumerate(zip(series, COLOURS, strict=False)):
        parts += _drawn(one, colour, at_x, at_y)
        parts.append(f'<circle cx="{right + 16}" cy="{TOP + 20 * n - 4}" r="4" fill="{colour}"/>')
        parts.append(_text(right + 26, TOP + 20 * n, one.name))
    return _svg(title, HEIGHT, parts)


def bars(title: str, groups: Sequence[tuple[str, Sequence[float]]], names: Sequence[str], limit: str) -> str:
    """Draw bars in groups, from a thousandth of a limit to a thousand times it."""
    x = Axis(limit, 1e-3, 1e3)
    left, right, row = 250, WIDTH - 20, 11
    height = TOP + 30 + len(groups) * (row * len(names) + 10) + 30
    at_one = x.place(1, first=left, last=right)
    parts = [_text(20, 24, title, "title")]
    for n, name in enumerate(names):
        parts.append(f'<rect x="{20 + 235 * n}" y="34" width="10" height="10" fill="{COLOURS[n]}"/>')
        parts.append(_text(36 + 235 * n, 43, name))
    top = TOP + 20
    for name, uses in groups:
        parts.append(_text(left - 8, top + row * len(names) / 2 + 4, name, "end"))
        for n, use in enumerate(uses):
            width = x.place(max(use, x.low), first=0, last=right - left)
            size = f'width="{width:.1f}" height="{row - 2}"'
            parts.append(f'<rect x="{left}" y="{top + n * row}" {size} fill="{COLOURS[n]}"/>')
        top += row * len(names) + 10
    parts.append(f'<path d="M{at_one:.1f} {TOP + 14}V{top}" stroke="#1c2733" stroke-dasharray="4 3"/>')
    parts.append(_text(at_one, top + 16, limit, "middle"))
    return _svg(title, height, parts)


def _drawn(
    one: Series, colour: str, at_x: Callable[[float], float], at_y: Callable[[float], float]
) -> list[str]:
    parts = [
        f'<circle cx="{at_x(a):.1f}" cy="{at_y(b):.1f}" r="4" fill="none" stroke="{colour}"/>'
        for a, b in one.points
    ]
    if one.line:
        path = " ".join(f"{at_x(a):.1f},{at_y(b):.1f}" for a, b in one.line)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
    return parts


def _svg(title: str, height: float, parts: Sequence[str]) -> str:
    inside = "\n  ".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
        f'height="{height}" role="img" aria-labelledby="name">\n  <title id="name">{escape(title)}</title>\n'
        f"  <style>{STYLE}</style>\n"
        f'  <rect x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="12" fill="#ffffff" '
        f'stroke="#d5dbe1"/>\n  {inside}\n</svg>\n'
    )


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="axis"/>'


def _text(x: float, y: float, text: str, name: str = "") -> str:
    kind = f' class="{name}"' if name else ""
    return f'<text x="{x:.1f}" y="{y:.1f}"{kind}>{escape(text)}</text>'


def _said(value: float) -> str:
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"
