"""Pages of funnels, retention and paths: what `--html` writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sojourn.analytics.report import Bar, Cell, Link, Section, bars, flows, heat, page
from sojourn.cli.figures import MANY, interval, percent, span, walk

if TYPE_CHECKING:
    from sojourn.analytics.graph.sankey import Sankey
    from sojourn.analytics.questions.answers.funnel import CountedAnswer
    from sojourn.analytics.questions.answers.paths import CommonAnswer, VariantsAnswer
    from sojourn.analytics.retention import RetentionAnswer
    from sojourn.analytics.tables import Table


def funnel_page(counted: CountedAnswer) -> str:
    """Write a funnel: bars with intervals, times, where the others went, and what else was asked for."""
    asked, answer = counted.asked, counted.found
    steps = [
        Bar(
            f"{n}. {step.step}",
            step.from_start.share or 0.0,
            f"{step.count:,}, {percent(step.from_start.share)}",
            step.from_start.low,
            step.from_start.high,
        )
        for n, step in enumerate(answer.steps, start=1)
    ]
    sections = [
        Section(
            "Steps",
            note=f"Of the {MANY[answer.funnel.per]} that got to the first step, with intervals.",
            picture=bars("Share that gets to each step", steps),
        ),
        _table("Counts", answer.table()),
        _table("How long steps took those who took them", answer.times()),
        _table("Where those went who got no further", answer.went_to(limit=asked.limit)),
    ]
    if asked.by is not None:
        sections.append(
            _table(f"By {asked.by} where they began", answer.by_attribute(asked.by, limit=asked.limit))
        )
    if asked.after is not None:
        drawn = answer.after_drop_off(asked.after, limit=asked.limit)
        sections.append(
            _flows(f"After {answer.funnel.labels[asked.after - 1]}, of those who got no further", drawn)
        )
    return page("Funnel", sections, definition=answer.definition)


def retention_page(answer: RetentionAnswer) -> str:
    """Write retention: all cohorts with intervals, and each as a row of a heat map."""
    overall = answer.overall()
    shown = [row for row in overall.to_dicts() if row["of"]]
    together = [
        Bar(f"{row['n']}", row["share"], f"{row['count']:,} of {row['of']:,}", row["low"], row["high"])
        for row in shown
    ]
    cells, statuses = answer.cells, answer.cells.status().tolist()
    rows = []
    for i, of_cohort in enumerate(statuses):
        row = []
        for j, status in enumerate(of_cohort):
            is_known = status in ("over", "partly")
            share = float(cells.count[i, j] / cells.of[i, j]) if is_known else None
            row.append(Cell(share, f"{cells.count[i, j]:,} of {cells.of[i, j]:,}, {status}"))
        rows.append(row)
    names = [
        f"{name or f'({kind})'}: {size:,}"
        for (kind, name), size in zip(answer.cohorts, answer.sizes, strict=True)
    ]
    note = "A cell whose period is not over is empty here; the table has what came back so far."
    return page(
        "Retention",
        [
            Section("All cohorts", picture=bars(f"Came back, by {answer.retention.period}", together)),
            Section("By cohort", note=note, picture=heat("Retention", names, answer.retention.labels, rows)),
            _table("All cells", answer.table()),
        ],
        definition=answer.definition,
    )


def variants_page(answer: VariantsAnswer) -> str:
    """Write the most frequent whole paths."""
    found = answer.found
    rows = [
        [
            walk(row["path"]) if row["path"] else f"{row['n_variants']:,} others",
            row["count"],
            percent(row["share"]),
            interval(row["low"], row["high"]),
            span(row["p50_ms"]),
        ]
        for row in answer.table().to_dicts()
    ]
    columns = ("path", MANY[found.unit], "share", "interval", "half last")
    return page("Paths", [Section("Whole paths", columns=columns, rows=rows)], definition=found.definition)


def patterns_page(answer: CommonAnswer) -> str:
    """Write the most widespread patterns."""
    found = answer.found
    rows = [
        [walk(row["pattern"]), row["count"], percent(row["share"]), interval(row["low"], row["high"])]
        for row in answer.table().to_dicts()
    ]
    columns = ("pattern", MANY[found.asked.unit], "share", "interval")
    return page("Paths", [Section("Patterns", columns=columns, rows=rows)], definition=found.definition)


def flows_page(drawn: Sankey, *, title: str) -> str:
    """Write a sankey."""
    return page("Paths", [_flows(title, drawn), _table("Links", drawn.links)], definition=drawn.definition)


def _flows(title: str, drawn: Sankey) -> Section:
    links = [
        Link(column, source or f"({source_kind})", target or f"({target_kind})", count)
        for column, source_kind, source, target_kind, target, count, _ in drawn.links.rows()
    ]
    return Section(title, picture=flows(title, links))


def _table(title: str, table: Table) -> Section:
    rows: list[list[Any]] = [list(row) for row in table.rows()]
    return Section(title, columns=table.names, rows=rows)
