"""SVG: a few elements, written so that no text of a user can be anything but text."""

from __future__ import annotations

from html import escape

CHAR_PX = 6.6  # of the page's font at 12 px, on average: enough to cut labels by.


def text(x: float, y: float, words: str, *, anchor: str = "start", css: str = "") -> str:
    """Write words at a point: `anchor` start, middle or end."""
    marked = f' class="{css}"' if css else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{marked}>{escape(words)}</text>'


def rect(x: float, y: float, width: float, height: float, *, css: str, told: str = "") -> str:
    """Draw a box; `told` is what it says when one points at it."""
    inner = f"<title>{escape(told)}</title>" if told else ""
    size = f'x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" height="{max(height, 0):.1f}"'
    return f'<rect {size} rx="2" class="{css}">{inner}</rect>'


def line(x1: float, y1: float, x2: float, y2: float, *, css: str) -> str:
    """Draw a line."""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{css}"/>'


def band(start: tuple[float, float], end: tuple[float, float], width: float, *, css: str, told: str) -> str:
    """Draw a ribbon between two points, as wide at both."""
    (x1, y1), (x2, y2) = start, end
    middle = (x1 + x2) / 2
    curve = f"M{x1:.1f},{y1:.1f} C{middle:.1f},{y1:.1f} {middle:.1f},{y2:.1f} {x2:.1f},{y2:.1f}"
    return (
        f'<path d="{curve}" class="{css}" stroke-width="{max(width, 0.5):.1f}">'
        f"<title>{escape(told)}</title></path>"
    )


def picture(width: float, height: float, title: str, parts: list[str]) -> str:
    """Put elements together; `title` is read out where nobody sees it."""
    return (
        f'<svg viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-label="{escape(title)}" '
        f'style="max-width:{width:.0f}px">{"".join(parts)}</svg>'
    )


def shortened(words: str, width_px: float) -> str:
    """Cut words to a width; what is cut shows an ellipsis."""
    n = max(1, int(width_px / CHAR_PX))
    return words if len(words) <= n else words[: n - 1] + "…"
