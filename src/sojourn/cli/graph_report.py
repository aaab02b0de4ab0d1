"""The journey graph as people read it: tables, and a page with plots."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING, Any

from sojourn.cli.figures import percent, span
from sojourn.cli.output import table
from sojourn.definitions.counts import counted

if TYPE_CHECKING:
    from sojourn.analytics.graph.journey_graph import JourneyGraph
    from sojourn.analytics.graph.step_matrix import StepMatrix
    from sojourn.analytics.tables import Table


def for_people(found: JourneyGraph) -> list[Any]:
    says = found.definition
    nodes = [
        (
            row["name"],
            f"{row['count']:,}",
            f"{row['people']:,}",
            f"{row['share']:.1%}",
            f"{row['starts']:,}",
            f"{row['ends']:,}",
            f"{row['returns']:,}",
            span(row["dwell_p50_ms"]),
            *((percent(row["conversion"]), _number(row["steps_to_convert"])) if says["goal"] else ()),
        )
        for row in found.nodes.to_dicts()
    ]
    ahead = ("converts", "steps to it") if says["goal"] else ()
    edges = [
        (
            row["source"] or "(all other transitions)",
            row["target"] or "",
            f"{row['count']:,}",
            f"{row['people']:,}",
            f"{row['share']:.1%}",
            span(row["dwell_p50_ms"]),
            row["direction"] or "",
        )
        for row in found.edges.to_dicts()
    ]
    unit = "people" if says["unit"] == "person" else "sessions"
    return [
        f"{says['n_events']:,} events of {says['n_people']:,} people, by {says['unit']}",
        table(
            ("step", "times", "people", f"of {unit}", "start", "end", "returns", "median stay", *ahead), nodes
        ),
        table(("from", "to", "times", "people", "of those leaving", "median stay", ""), edges),
        *_notes(says),
    ]


def _notes(says: dict[str, Any]) -> list[str]:
    notes = [f"{counted(n, 'row')} left out: {reason}" for reason, n in says["left_out"].items() if n]
    if says["goal"]:
        notes.append("converts: a forecast from the step alone (absorbing chain), not an effect of it")
    return notes


def for_comparison(found: Table, one: str, other: str, *, limit: int) -> list[Any]:
    """Lay out the transitions of which two selections have unlike shares, the clearest first."""
    says = found.definition
    rows = [
        (
            row["source"],
            row["target"],
            f"{row['share_one']:.1%}",
            f"{row['share_other']:.1%}",
            f"{row['difference']:+.1%} ({row['low']:+.1%} to {row['high']:+.1%})",
            f"{row['people']:,}",
            "too few" if isnan(row["q"]) else f"{row['q']:.2g}",
            "real" if row["is_real"] else "",
        )
        for row in found.to_dicts()[:limit]
    ]
    n_more = max(0, len(found) - limit)
    more = [f"{n_more:,} more transitions are not shown; --edges shows more."] if n_more else []
    return [
        f"{one}: {says['n_one']:,}, {other}: {says['n_other']:,}, by {says['unit']}",
        table(("from", "to", one, other, "difference", "people", "q", ""), rows),
        *more,
    ]


def matrix(found: StepMatrix) -> Any:
    """Lay out where people are at each of their first steps."""
    n_cases = max(1, found.n_cases)
    shares = [[f"{count / n_cases:.1%}" for count in row] for row in found.count.tolist()]
    lines = [(name, *row) for name, row in zip(found.names, shares, strict=True)]
    return table(("step", *(str(i + 1) for i in range(found.count.shape[1]))), lines)


def page_of(found: JourneyGraph, positions: StepMatrix) -> str:
    from sojourn.analytics.questions.answers.graph import MATRIX_STEPS  # noqa: PLC0415 - help needs no numbers
    from sojourn.analytics.report import Bar, Cell, Section, bars, heat, page  # noqa: PLC0415

    nodes, edges = found.nodes.to_dicts(), found.edges.to_dicts()
    names = [row["name"] for row in nodes][:MATRIX_STEPS]
    leaving = {(row["source"], row["target"]): row for row in edges}
    moves = [
        [
            Cell(row["share"], f"{row['count']:,} times, {row['people']:,} people") if row else Cell(None)
            for row in (leaving.get((source, target)) for target in names)
        ]
        for source in names
    ]
    n_cases = max(1, positions.n_cases)
    places = [[Cell(count / n_cases, f"{count:,}") for count in row] for row in positions.count.tolist()]
    columns = [str(i + 1) for i in range(positions.count.shape[1])]
    steps = [
        Bar(row["name"], row["count"], f"{row['count']:,} times, {row['people']:,} people") for row in nodes
    ]
    shown = [column for column in found.nodes.names if column != "kind"]
    return page(
        "What people do",
        [
            Section("Steps", picture=bars("Steps by how often they are taken", steps)),
            Section(
                "From step to step",
                note="Of all that leave the step of a row, the share that goes to the step of a column.",
                picture=heat("Transitions", names, names, moves),
            ),
            Section(
                "Where people are",
                note="At their first, second, third step.",
                picture=heat("Step matrix", positions.names, columns, places),
            ),
            Section("All steps", columns=shown, rows=[[row[column] for column in shown] for row in nodes]),
            Section("Transitions", columns=found.edges.names, rows=list(found.edges.rows())),
        ],
        definition=found.definition,
    )


def _number(value: float) -> str:
    return "" if isnan(value) else f"{value:.1f}"
