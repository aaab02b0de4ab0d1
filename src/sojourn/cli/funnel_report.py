"""The report of a funnel: how it is laid out for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sojourn.cli.figures import MANY, bar, interval, percent, span
from sojourn.cli.output import instant, table

if TYPE_CHECKING:
    from sojourn.analytics.funnel import FunnelAnswer
    from sojourn.analytics.graph.sankey import Sankey
    from sojourn.analytics.questions.answers.funnel import CountedAnswer
    from sojourn.analytics.tables import Table
    from sojourn.analytics.timing import ConversionAnswer


def for_people(counted: CountedAnswer) -> Iterator[Any]:
    """Lay out a funnel, view by view."""
    asked, answer = counted.asked, counted.found
    yield _meaning(answer)
    yield _steps(answer)
    yield _went_to(answer, asked.limit)
    if asked.by is not None:
        yield _by(answer, asked.by, asked.limit)
    if asked.after is not None:
        drawn = answer.after_drop_off(asked.after, limit=asked.limit)
        yield flows(
            drawn, title=f"after {answer.funnel.labels[asked.after - 1]}, of those who got no further"
        )
    for step, only_dropped in ((asked.reached, False), (asked.dropped, True)):
        if step is not None:
            yield from _passes(answer, step, only_dropped=only_dropped, limit=asked.limit)
    if counted.conversion is not None:
        yield from _conversion(counted.conversion)


def flows(drawn: Sankey, *, title: str) -> Any:
    """Lay out a sankey's links, column by column."""
    totals: dict[tuple[int, str, str | None], int] = {}
    for column, kind, name, count, _ in drawn.nodes.rows():
        totals[column, kind, name] = count
    rows = []
    for column, source_kind, source, target_kind, target, count, people in drawn.links.rows():
        share = count / totals[column, source_kind, source]
        rows.append(
            (
                f"{column + 1}",
                source or f"({source_kind})",
                target or f"({target_kind})",
                f"{count:,}",
                f"{people:,}",
                percent(share),
                bar(share),
            )
        )
    return table(("", "from", "to", "count", "people", "of those there", ""), rows, title=title)


def nulls(some: Table) -> list[dict[str, Any]]:
    """Return a table's rows with null where a number is none: JSON has no NaN."""
    return [
        {name: None if value != value else value for name, value in row.items()}  # noqa: PLR0124 - NaN is not itself
        for row in some.to_dicts()
    ]


def _meaning(answer: FunnelAnswer) -> str:
    said = answer.definition
    within = f" within {said['within']}" if said["within"] else ""
    without = f", without {', '.join(said['without'])}" if said["without"] else ""
    return (
        f"By {said['per']}, {said['order']}{within}{without}: {said['n_people']:,} people, "
        f"{said['n_events']:,} events; intervals {said['intervals']}."
    )


def _steps(answer: FunnelAnswer) -> Any:
    times = {row["n"]: row for row in answer.times().to_dicts()}
    rows = []
    for n, step in enumerate(answer.steps, start=1):
        took = times.get(n, {})
        rows.append(
            (
                str(n),
                step.step,
                f"{step.count:,}",
                *([f"{step.people:,}"] if answer.funnel.per != "person" else []),
                percent(step.from_start.share),
                interval(step.from_start.low, step.from_start.high),
                bar(step.from_start.share),
                percent(step.from_previous.share),
                f"{step.dropped:,}",
                span(took.get("from_previous_p50_ms")),
                span(took.get("from_previous_p90_ms")),
            )
        )
    people = ["people"] if answer.funnel.per != "person" else []
    counted = MANY[answer.funnel.per]
    columns = (
        "",
        "step",
        counted,
        *people,
        "of the first",
        "interval",
        "",
        "of the one before",
        "dropped",
        "half took",
        "90% took",
    )
    return table(columns, rows)


def _went_to(answer: FunnelAnswer, limit: int) -> Any:
    rows = [
        (
            row["after"],
            row["next"] or f"({row['kind']})",
            f"{row['count']:,}",
            percent(row["share"]),
            bar(row["share"]),
        )
        for row in answer.went_to(limit=limit).to_dicts()
    ]
    return table(
        ("got to", "and then", "count", "of the dropped", ""),
        rows,
        title="where those went who got no further",
    )


def _by(answer: FunnelAnswer, name: str, limit: int) -> Any:
    rows = [
        (
            (row[name] or f"({row['kind']})") if row["n"] == 1 else "",
            row["step"],
            f"{row['count']:,}",
            percent(row["from_start"]),
            interval(row["from_start_low"], row["from_start_high"]),
            bar(row["from_start"]),
        )
        for row in answer.by_attribute(name, limit=limit).to_dicts()
    ]
    return table(
        (name, "step", "count", "of the first", "interval", ""), rows, title=f"by {name} where they began"
    )


def _passes(answer: FunnelAnswer, step: int, *, only_dropped: bool, limit: int) -> Iterator[Any]:
    found = answer.passes(step, only_dropped=only_dropped)
    rows = [
        (
            row["person"],
            str(row["got_to"]),
            f"{instant(row['began_at'])} UTC",
            f"{instant(row['got_there_at'])} UTC",
        )
        for row, _ in zip(found.to_dicts(), range(limit), strict=False)
    ]
    what = f"got to step {step}" + (" and no further" if only_dropped else "")
    yield table(("person", "got to", "began", "got there"), rows, title=f"{len(found):,} {what}")
    if len(found) > limit:
        yield f"{len(found) - limit:,} more; --limit {len(found)} or --json shows them."


def _conversion(conversion: ConversionAnswer) -> Iterator[Any]:
    said = conversion.definition
    rows = [
        (
            percent(row["share"]),
            span(row["all_ms"]) or "not yet",
            f"{span(row['all_low_ms']) or 'not yet'} to {span(row['all_high_ms']) or 'not yet'}",
            span(row["converters_ms"]),
        )
        for row in conversion.quantiles().to_dicts()
    ]
    title = f"{said['first']} to {said['to']}: {said['n_started']:,} began, {said['n_converted']:,} got there"
    yield table(("share", "of all who started", "interval", "of those who got there"), rows, title=title)
    yield (
        "Of all: those still waiting count as long as they were looked at (Kaplan-Meier). "
        "The last column is too short while others still may get there."
    )
