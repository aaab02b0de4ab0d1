"""Forests: effects with their intervals around a line of no difference, and how they came to be."""

from __future__ import annotations

import math
from collections.abc import Sequence

from msgspec import Struct

from sojourn.analytics.report.charts import LABEL, ROW, WIDTH
from sojourn.analytics.report.svg import line, picture, rect, shortened, text

TOLD = 230.0  # px right of the intervals, for what is written.
PATH_HEIGHT = 180.0
DOT = 7.0


class Effect(Struct, frozen=True):
    """One row of a forest: an estimate with its interval; bounds may be infinite."""

    label: str
    estimate: float
    low: float
    high: float
    told: str
    is_clear: bool = False


def forest(title: str, rows: Sequence[Effect]) -> str:
    """Draw intervals below one another around no difference; one that is not clear is shown as doubtful."""
    reach = _reach([bound for row in rows for bound in (row.low, row.high, row.estimate)])
    room = WIDTH - LABEL - TOLD
    zero = LABEL + room / 2

    def place(value: float) -> float:
        return zero + room / 2 * max(-1.0, min(1.0, value / reach))

    height = len(rows) * ROW
    parts = [line(zero, 0, zero, height, css="whisker")]
    for i, row in enumerate(rows):
        middle = i * ROW + ROW / 2
        parts.append(text(LABEL - 8, middle + 4, shortened(row.label, LABEL - 16), anchor="end"))
        parts.append(text(LABEL + room + 10, middle + 4, shortened(row.told, TOLD - 10), css="told"))
        if math.isnan(row.estimate):
            continue
        parts += [line(place(row.low), middle, place(row.high), middle, css="whisker")]
        parts += [
            line(place(x), middle - 4, place(x), middle + 4, css="whisker") for x in (row.low, row.high)
        ]
        css = "bar" if row.is_clear else "bar doubtful"
        at = place(row.estimate) - DOT / 2
        parts.append(rect(at, middle - DOT / 2, DOT, DOT, css=css, told=f"{row.label}: {row.told}"))
    return picture(WIDTH, height, title, parts)


def narrowing(title: str, rows: Sequence[Effect]) -> str:
    """Draw how an interval became narrower, look by look from left to right."""
    known = [row for row in rows if not math.isnan(row.estimate)]
    # The first looks are wider than a page: the later half sets the scale.
    reach = _reach([bound for row in known[len(known) // 2 :] for bound in (row.low, row.high)])
    zero, step = PATH_HEIGHT / 2, (WIDTH - 60) / max(1, len(rows))

    def place(value: float) -> float:
        return zero - (zero - 12) * max(-1.0, min(1.0, value / reach))

    parts = [line(0, zero, WIDTH - 60, zero, css="whisker"), text(WIDTH - 54, zero + 4, "none", css="told")]
    for i, row in enumerate(rows):
        if math.isnan(row.estimate):
            continue
        x = (i + 0.5) * step
        css = "bar" if row.is_clear else "bar doubtful"
        parts.append(line(x, place(row.low), x, place(row.high), css="whisker"))
        parts.append(rect(x - 3, place(row.estimate) - 3, 6, 6, css=css, told=f"{row.label}: {row.told}"))
    if rows:
        parts.append(text(0, PATH_HEIGHT + 14, rows[0].label, css="told"))
        parts.append(text(WIDTH - 60, PATH_HEIGHT + 14, rows[-1].label, anchor="end", css="told"))
    return picture(WIDTH, PATH_HEIGHT + 18, title, parts)


def _reach(values: Sequence[float]) -> float:
    return max((abs(value) for value in values if math.isfinite(value)), default=1.0) or 1.0
