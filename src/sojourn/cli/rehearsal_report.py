"""Reports of rehearsals, for people: differences first, then each version, then what looks wrong."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from sojourn.cli.output import instant, printable, table
from sojourn.runtime.rehearsal.suspicions import counted, lasting
from sojourn.runtime.telling import tell_story

if TYPE_CHECKING:
    from sojourn.runtime.rehearsal import Example, JourneyReport, Report, VersionReport

KIND_TITLES = {
    "only-draft": "only in the draft",
    "only-published": "only as published",
    "other-time": "at another time",
    "other-content": "with other content",
}
BARS = "▁▂▃▄▅▆▇█"
MAX_LINES = 14  # of a person's story in a report; --person tells all.
MAX_BARS = 60  # days side by side; more are joined.


def lay_out(report: Report) -> list[Any]:
    """Lay out the report of a replay."""
    span = f"{report.events:,} events from {instant(report.since)} to {instant(report.until)} UTC"
    return [f"{span}; {_sum(report)}", *_body(report)]


def lay_out_simulation(report: Report, *, n_days: int) -> list[Any]:
    """Lay out the report of a simulation."""
    lived = f"{report.groups:,} people lived {n_days:,} days and did {report.events:,} things"
    return [f"{lived}; {_sum(report)}", *_body(report)]


def lay_out_person(examples: Sequence[Example], *, limit: int | None = None) -> list[Any]:
    """Lay out people's two stories, side by side by time; `limit` lines of each at most."""
    parts: list[Any] = []
    for example in examples:
        rows = _side_by_side(_lines(example.draft), _lines(example.published))
        is_alone = not example.published and not example.differences
        columns = (
            f"{printable(example.person)} (UTC)",
            "in the draft",
            *([] if is_alone else ["as published"]),
        )
        shown = [row[: len(columns)] for row in rows[:limit]]
        if len(shown) < len(rows):
            more = f"{len(rows) - len(shown):,} more lines: --person {printable(example.person[2:])}"
            shown.append(("", more, *([] if is_alone else [""])))
        parts.append(table(columns, shown))
    return parts or ["Nobody with this id comes near these journeys."]


def _sum(report: Report) -> str:
    entered = f"{report.people:,} people entered"
    if not report.is_compared:
        return f"{entered}. There is nothing to compare with."
    if not report.affected:
        return f"{entered}. The draft makes no difference to anybody."
    return f"{entered}, and to {report.affected:,} the draft makes a difference."


def _body(report: Report) -> list[Any]:
    parts = _differences(report) if report.is_compared else []
    for journey in report.journeys:
        parts += _journey(journey, report)
    if report.suspicions:
        rows = [(each.journey, each.code, each.message) for each in report.suspicions]
        parts.append(table(("what looks wrong", "", ""), rows))
    for example in report.examples:
        parts += lay_out_person([example], limit=MAX_LINES)
    if report.broken:
        whose = "; ".join(report.broken_groups)
        parts.append(f"{report.broken:,} groups of people were left out, by a bug of ours: {whose}")
    return parts


def _differences(report: Report) -> list[Any]:
    rows = [
        (journey.journey, what, KIND_TITLES.get(kind, kind), f"{n:,}", f"{journey.affected[what][kind]:,}")
        for journey in report.journeys
        for what, kinds in journey.differences.items()
        for kind, n in kinds.items()
    ]
    return [table(("differences", "what", "", "how many", "people"), rows)] if rows else []


def _journey(journey: JourneyReport, report: Report) -> list[Any]:
    sides = [journey.draft, *([journey.published] if report.is_compared else [])]
    columns = (journey.journey, "draft", *(["published"] if report.is_compared else []))
    rows: dict[str, list[str]] = {}
    for place, side in enumerate(sides):
        for name, text in _facts_of(side):
            rows.setdefault(name, ["" for _ in sides])[place] = text
    return [table(columns, [(name, *cells) for name, cells in rows.items()])]


def _facts_of(side: VersionReport | None) -> Iterable[tuple[str, str]]:
    if side is None:
        yield "version", "none"
        return
    yield "version", side.version
    yield (
        "entered",
        f"{side.entered:,}" + (f" by {side.people:,} people" if side.people != side.entered else ""),
    )
    yield from _counts("held out", side.held_out)
    yield from _counts("did not enter", side.not_entered)
    for where, n in side.actions.items():
        yield f"sent: {where}", f"{n:,}"
    for title, wheres in (("not sent", side.withheld), ("put off", side.deferred)):
        for where, reasons in wheres.items():
            yield f"{title}: {where}", counted(reasons)
    if side.actions_by_day:
        yield "sent, day by day", sparkline(side.actions_by_day)
    yield "goals", _goals(side)
    if side.to_goal is not None:
        quantiles = (side.to_goal.p10_ms, side.to_goal.p50_ms, side.to_goal.p90_ms)
        yield "time to goal (10, 50, 90 %)", ", ".join(map(lasting, quantiles))
    yield from _counts("left", side.exits)
    yield from _counts("at the end in", side.waiting)
    for state, stays in side.stays.items():
        if stays.p90_ms:
            quantiles = (stays.p10_ms, stays.p50_ms, stays.p90_ms)
            yield f"stayed in {state} (10, 50, 90 %)", ", ".join(map(lasting, quantiles))
    yield from _counts("variants", side.exposures)
    yield from _counts("besides", side.others)
    if side.errors:
        yield "went wrong", f"{side.errors:,}: {printable(side.error_details[0])}"


def _counts(title: str, counts: dict[str, int]) -> Iterable[tuple[str, str]]:
    if counts:
        yield title, counted(counts)


def _goals(side: VersionReport) -> str:
    share = f" ({side.goals / side.entered:.1%})" if side.entered else ""
    after = f", {side.goals_after_exit:,} of them after the end" if side.goals_after_exit else ""
    worth = f", worth {side.value:,.2f}" if side.value else ""
    return f"{side.goals:,}{share}{after}{worth}"


def sparkline(counts: Sequence[int]) -> str:
    """Draw counts as bars; neighbours are joined where there are more than fit.

    >>> sparkline([0, 1, 4, 8])
    '▁▁▄█'
    """
    width = -(-len(counts) // MAX_BARS)
    sums = [sum(counts[start : start + width]) for start in range(0, len(counts), width)]
    top = max(sums)
    return "".join(BARS[0 if not top else max(0, -(-n * len(BARS) // top) - 1)] for n in sums)


def _lines(story: Sequence[Any]) -> list[tuple[str, str]]:
    return [(instant(fact.at), line) for fact, line in zip(story, tell_story(story), strict=True)]


def _side_by_side(
    ours: Sequence[tuple[str, str]], theirs: Sequence[tuple[str, str]]
) -> list[tuple[str, str, str]]:
    """Join two stories by their instants."""
    rows: list[tuple[str, str, str]] = []
    instants = sorted({at for at, _ in (*ours, *theirs)})
    for at in instants:
        mine = [line for when, line in ours if when == at]
        other = [line for when, line in theirs if when == at]
        rows += [(at, left, right) for left, right in zip_longest(mine, other, fillvalue="")]
    return rows
