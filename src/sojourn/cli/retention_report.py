"""The report of retention: how it is laid out for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sojourn.cli.figures import bar, interval, percent
from sojourn.cli.funnel_report import nulls
from sojourn.cli.output import table

if TYPE_CHECKING:
    from sojourn.analytics.retention import RetentionAnswer
    from sojourn.analytics.stickiness import StickinessAnswer

_MARKS = {"over": "", "partly": " *", "running": " ~", "ahead": ""}


def for_people(answer: RetentionAnswer) -> Iterator[Any]:
    """Lay out retention: all together with intervals, then cohort by cohort."""
    said = answer.definition
    none = f"{said['n_without_first']:,} had none"
    yield f"{said['n_followed']:,} people, from their first event of {said['first']}; {none}."
    yield (
        f"In column n, by {said['period']} ({said['zone']}): "
        f"who {said['counting_means']}, with {said['returning']}."
    )
    yield _overall(answer)
    yield _cohorts(answer)
    yield (
        "~ not over: so far. * over for some of the people: of these. Nothing: not begun. Intervals: "
        + said["intervals"]
        + "."
    )


def active_days_for_people(answer: StickinessAnswer) -> Iterator[Any]:
    """Lay out how many days people are active, and the ratios of day, week and month."""
    said = answer.definition
    active = f"{said['n_active']:,} of {said['n_people']:,} people were active ({said['active']})"
    yield f"{active}; days by the clock of {said['zone']}."
    periods: dict[str, list[dict[str, Any]]] = {}
    for row in nulls(answer.active_days()):
        periods.setdefault(row["period"], []).append(row)
    rows = []
    for name, of_period in periods.items():
        mean, active = of_period[0]["mean_days"], of_period[0]["active"]
        counts = [(row["days"], row["people"]) for row in of_period if row["people"]]
        rows.append(
            (
                name + (" ~" if of_period[0]["status"] == "partial" else ""),
                f"{active:,}",
                "" if mean is None else f"{mean:.2f}",
                ", ".join(f"{days} d: {people:,}" for days, people in counts),
            )
        )
    yield table(
        (said["period"], "active people", "mean days", "people by their days"), rows, title="active days"
    )
    yield _ratios(answer)
    yield "~ some days of it are before the data, or not over."


def _overall(answer: RetentionAnswer) -> Any:
    rows = []
    for row in nulls(answer.overall()):
        counted = f"{row['count']:,} of {row['of']:,}" if row["of"] else "not yet"
        rows.append(
            (row["n"], counted, percent(row["share"]), interval(row["low"], row["high"]), bar(row["share"]))
        )
    return table((answer.retention.period, "came back", "share", "interval", ""), rows, title="all cohorts")


def _cohorts(answer: RetentionAnswer) -> Any:
    cells = answer.cells
    statuses = cells.status().tolist()
    rows = []
    for i, (kind, name) in enumerate(answer.cohorts):
        row = [name or f"({kind})", f"{answer.sizes[i]:,}"]
        for j, status in enumerate(statuses[i]):
            so_far = status == "running"
            count, of = (cells.count_so_far, cells.of_so_far) if so_far else (cells.count, cells.of)
            row.append(percent(count[i, j] / of[i, j]) + _MARKS[status] if status != "ahead" else "")
        rows.append(row)
    return table(("cohort", "people", *answer.retention.labels), rows, title="by cohort")


def _ratios(answer: StickinessAnswer) -> Any:
    whole = [row for row in nulls(answer.daily()) if row["status"] == "whole"]
    rows = []
    for name, over, under in (
        ("day of the week's", "active_day", "active_week"),
        ("day of the month's", "active_day", "active_month"),
        ("week of the month's", "active_week", "active_month"),
    ):
        n, of = sum(row[over] for row in whole), sum(row[under] for row in whole)
        rows.append(
            (name, percent(n / of) if of else "not yet: it takes 30 days", bar(n / of if of else None))
        )
    return table(("people", "on average", ""), rows, title=f"who is there, over {len(whole):,} whole days")
