"""The report of what was brought about: how it is laid out for people, and as a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from sojourn.analytics.causal import words
from sojourn.cli.figures import percent
from sojourn.cli.output import table

if TYPE_CHECKING:
    from sojourn.analytics.causal.effects import Total
    from sojourn.analytics.causal.results import Report, UnitEffect
    from sojourn.analytics.report.charts import Bar

UNITS = ("what", "people", "kept back", "conversions brought about", "interval", "per 1,000", "q", "decision")
SEGMENTS = ("what", "segment", "people", "kept back", "conversions", "interval")
INSIDE = ("channel", "part", "conversions", "interval")


def for_people(report: Report) -> Iterator[Any]:
    """Lay out effects, shares, path credit beside them, and what not to conclude."""
    level = percent(report.definition["level"]).removesuffix(".0%").removesuffix("%")
    yield table(UNITS, map(_unit, report.units), title=f"What was brought about, with {level} % intervals")
    yield from (f"{unit}: {note}" for unit in report.units for note in unit.notes)
    if any(unit.value for unit in report.units):
        yield table(("what", "value brought about", "interval"), _values(report.units))
    yield from _shares(report)
    yield from _checks(report.units)
    if report.segments:
        yield table(SEGMENTS, _segments(report))
    if report.inside:
        title = "Inside channels: totals by the hold-out, spread by path credit"
        yield table(INSIDE, _inside(report), title=title)
    yield ""
    yield from _meaning(report)


def page_of(report: Report) -> str:
    """Write the report as a page of its own."""
    from sojourn.analytics.report.charts import bars  # noqa: PLC0415 - only where a page is written
    from sojourn.analytics.report.page import Section, page  # noqa: PLC0415

    told = [_unit(unit) for unit in report.units]
    sections = [Section("What was brought about", note=" ".join(report.cautions), columns=UNITS, rows=told)]
    if bars_of := _bars(report.units):
        picture = bars("Shares of all gains", bars_of)
        sections.append(
            Section("Shares of channels", note=f"Shares are {report.shares_note}.", picture=picture)
        )
    if report.path_credit:
        columns, rows = _beside(report)
        note = "Path credit says who stood on the way, not who brought it about."
        sections.append(Section("Path credit beside it", note=note, columns=columns, rows=rows))
    if report.segments:
        sections.append(Section("By segment", columns=SEGMENTS, rows=list(_segments(report))))
    if report.inside:
        note = "Totals by the hold-out, spread by path credit."
        sections.append(Section("Inside channels", note=note, columns=INSIDE, rows=list(_inside(report))))
    notes = [[str(unit), note] for unit in report.units for note in unit.notes]
    if notes:
        sections.append(Section("To know", columns=("what", "note"), rows=notes))
    return page("What was brought about", sections, definition=report.definition)


def _bars(units: Sequence[UnitEffect]) -> list[Bar]:
    """Draw what was gained; a loss is told by its number."""
    from sojourn.analytics.report.charts import Bar  # noqa: PLC0415 - as above

    return [
        Bar(
            unit.name,
            max(unit.share.share, 0.0),
            percent(unit.share.share),
            max(unit.share.low, 0.0),
            max(unit.share.high, 0.0),
        )
        for unit in units
        if unit.share is not None
    ]


def _unit(unit: UnitEffect) -> list[str]:
    estimate, span = _total(unit.incremental)
    effect = unit.effect.estimate
    return [
        str(unit),
        f"{unit.people:,}",
        f"{unit.held:,} ({percent(unit.ratio.observed)})",
        estimate,
        span,
        "" if effect is None else f"{1000 * effect:+.1f}",
        f"{unit.q:.2g}",
        words.decision(unit),
    ]


def _values(units: Sequence[UnitEffect]) -> Iterator[list[str]]:
    for unit in units:
        if unit.value is not None:
            yield [str(unit), *_total(unit.value)]


def _shares(report: Report) -> Iterator[Any]:
    shown = [unit for unit in report.units if unit.share is not None]
    if not report.path_credit:
        if shown:
            yield table(("channel", "share", "interval"), ([u.name, *_share(u)] for u in shown))
    else:
        columns, rows = _beside(report)
        yield table(columns, rows, title="Shares of channels: causal, and path credit (not causal) beside it")
        yield from _errors(report)
    if report.shares_note:
        yield f"Shares are {report.shares_note}."


def _beside(report: Report) -> tuple[list[str], list[list[str]]]:
    """Return the table of shares: a row a channel, a column a model, and how far off each is."""
    shown = [unit for unit in report.units if unit.kind == "channel"]
    columns = ["channel", "causal", "interval", *(one.model for one in report.path_credit)]
    rows = [
        [unit.name, *_share(unit), *(percent(one.channels[i].share) for one in report.path_credit)]
        for i, unit in enumerate(shown)
    ]
    off = ["distance from causal", "", ""]
    off += ["" if one.total_variation is None else f"{one.total_variation:.3f}" for one in report.path_credit]
    return columns, [*rows, off]


def _errors(report: Report) -> Iterator[Any]:
    """Say of each model by how much it over-credits each channel, in conversions."""
    shown = [unit for unit in report.units if unit.kind == "channel"]
    yield table(
        ("credit beside what was brought about", *(one.model for one in report.path_credit)),
        (
            [unit.name, *(_relative(one.channels[i].credit_error) for one in report.path_credit)]
            for i, unit in enumerate(shown)
        ),
    )


def _checks(units: Sequence[UnitEffect]) -> Iterator[Any]:
    rows = [
        [
            str(unit),
            *_total(unit.check.incremental),
            "yes" if unit.check.agrees else "no",
            "" if unit.check.times_people is None else f"{unit.check.times_people:.1f}",
        ]
        for unit in units
        if unit.check is not None
    ]
    if rows:
        columns = (
            "by everybody, as a check",
            "conversions",
            "interval",
            "agrees",
            "needs so many times the people",
        )
        yield table(columns, rows)


def _segments(report: Report) -> Iterator[list[str]]:
    for one in report.segments:
        name = f"{one.kind} {one.name}".rstrip()
        yield [name, one.segment, f"{one.people:,}", f"{one.held:,}", *_total(one.incremental)]


def _inside(report: Report) -> Iterator[list[str]]:
    for one in report.inside:
        yield [one.channel, one.part, *_total(one.incremental)]


def _meaning(report: Report) -> Iterator[str]:
    told = report.definition
    yield f"conversion: {told['conversion']}; {told['window']}"
    yield f"compared: {told['unit']}"
    yield f"estimate: {told['estimator']}; interval: {told['interval']}"
    yield from (f"left out: {n:,} {reason.replace('-', ' ')}" for reason, n in report.left_out.items())
    yield "What not to conclude:"
    yield from (f"  - {caution}" for caution in report.cautions)


def _share(unit: UnitEffect) -> list[str]:
    if unit.share is None:
        return ["", ""]
    return [percent(unit.share.share), f"{percent(unit.share.low)} to {percent(unit.share.high)}"]


def _total(total: Total) -> list[str]:
    estimate = "" if total.estimate is None else words.count(total.estimate)
    if total.low is None or total.high is None:
        return [estimate, "unbounded"]
    return [estimate, f"{words.count(total.low)} to {words.count(total.high)}"]


def _relative(number: float | None) -> str:
    return "" if number is None else f"{number:+.0%}"
