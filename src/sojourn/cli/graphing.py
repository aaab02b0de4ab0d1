"""The journey graph: `sojourn graph` shows what people really do, step after step."""

from __future__ import annotations

from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from sojourn.cli.events_options import EventsOption, MapOption, StepsOption, read_asked
from sojourn.cli.options import JsonOption
from sojourn.cli.output import say_json, show, table
from sojourn.model.errors import ConfigError

if TYPE_CHECKING:
    from sojourn.analytics.events import Events
    from sojourn.analytics.graph.journey_graph import JourneyGraph
    from sojourn.analytics.graph.step_matrix import StepMatrix

UnitOption = Annotated[Literal["person", "session"], typer.Option("--by", help="Follow people, or sessions.")]
GoalOption = Annotated[
    list[str] | None,
    typer.Option("--goal", metavar="STEP", help="A conversion: how likely it is from each step. Repeatable."),
]
LimitOption = Annotated[
    int, typer.Option("--limit", min=0, max=2_000, help="So many steps, the most frequent; the rest is one.")
]
EdgesOption = Annotated[
    int, typer.Option("--edges", min=0, max=100_000, help="So many transitions; the rest is one row.")
]
CollapseOption = Annotated[
    bool, typer.Option("--collapse", help="Take equal steps right after one another as one.")
]
MatrixOption = Annotated[
    int | None,
    typer.Option(
        "--matrix", metavar="N", min=1, max=200, help="Where people are at each of their first N steps."
    ),
]
AgainstOption = Annotated[
    str | None,
    typer.Option(
        "--compare",
        metavar="ATTRIBUTE=A:B",
        help="Which transitions A has more of than B, and whether that is real: device=mobile:desktop.",
    ),
]
HtmlOption = Annotated[
    Path | None, typer.Option("--html", metavar="FILE", help="Write a page of its own, with plots.")
]

MATRIX_STEPS = 15


def graph(  # noqa: PLR0913 - the options of a command
    *,
    events: EventsOption,
    map: MapOption = None,
    rules: StepsOption = None,
    by: UnitOption = "person",
    goal: GoalOption = None,
    limit: LimitOption = 30,
    edges: EdgesOption = 40,
    collapse: CollapseOption = False,
    matrix: MatrixOption = None,
    compare: AgainstOption = None,
    html: HtmlOption = None,
    json: JsonOption = False,
) -> None:
    """Show the steps people take and how they go from one to the next.

    Nothing is cut off in silence: what is not shown is one row, and every view adds up. How likely a
    conversion is from a step is a forecast from what people did there, not an effect of the step.
    """
    from sojourn.analytics.graph.journey_graph import Asked, journey_graph  # noqa: PLC0415 - help needs no numbers
    from sojourn.analytics.graph.step_matrix import step_matrix  # noqa: PLC0415

    read = read_asked(events, _with_compared(map, compare), rules)
    if compare is not None:
        _compare(read, compare, unit=by, collapse=collapse, limit=edges, json=json)
        return
    positions = step_matrix(read, n_columns=matrix or 10, limit=MATRIX_STEPS, unit=by, collapse=collapse)
    if matrix is not None and html is None:
        _show_matrix(positions, json=json)
        return
    ranks = {} if rules is None else _ranks(rules, read)
    asked = Asked(
        unit=by, goal=tuple(goal or ()), ranks=ranks, limit=limit, edge_limit=edges, collapse=collapse
    )
    found = journey_graph(read, asked)
    if html is not None:
        html.write_text(_page(found, positions), encoding="utf-8")
        typer.echo(f"{html} is written; open it in a browser")
    elif json:
        say_json(
            {"definition": found.definition, "nodes": found.nodes.to_dicts(), "edges": found.edges.to_dicts()}
        )
    else:
        show(*_for_people(found))


def _with_compared(columns: str | None, compare: str | None) -> str | None:
    """Read the attribute that is compared, too, where nobody said which column it is."""
    attribute = (compare or "").partition("=")[0].strip()
    if not attribute or f"{attribute}=" in (columns or ""):
        return columns
    return ",".join(filter(None, [columns, f"{attribute}={attribute}"]))


def _ranks(rules: Path, read: Events) -> dict[str, int]:
    from sojourn.analytics.reading import load_steps  # noqa: PLC0415 - as above

    return {step: rank for step, rank in load_steps(rules).ranks.items() if step in read.steps}


def _for_people(found: JourneyGraph) -> list[Any]:
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
            _duration(row["dwell_p50_ms"]),
            *((_share(row["conversion"]), _number(row["steps_to_convert"])) if says["goal"] else ()),
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
            _duration(row["dwell_p50_ms"]),
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
    notes = [f"{n:,} rows left out: {reason}" for reason, n in says["left_out"].items() if n]
    if says["goal"]:
        notes.append("converts: a forecast from the step alone (absorbing chain), not an effect of it")
    return notes


def _compare(read: Events, text: str, *, unit: Any, collapse: bool, limit: int, json: bool) -> None:
    from sojourn.analytics.graph.difference import difference  # noqa: PLC0415 - as above
    from sojourn.analytics.selecting import Selection, Where, select  # noqa: PLC0415

    attribute, equals, values = text.partition("=")
    one, colon, other = values.partition(":")
    if not equals or not colon or not one or not other:
        raise ConfigError(f"--compare {text!r}: expected attribute=A:B, as in device=mobile:desktop")
    a, b = (
        select(read, Selection(where=(Where(attribute=attribute, values=(value,)),), of=unit))
        for value in (one, other)
    )
    found = difference(a, b, unit=unit, collapse=collapse)
    if json:
        say_json({"definition": found.definition, "edges": found.to_dicts()})
        return
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
    says = found.definition
    show(
        f"{one}: {says['n_one']:,}, {other}: {says['n_other']:,}, by {unit}",
        table(("from", "to", one, other, "difference", "people", "q", ""), rows),
        f"{max(0, len(found) - limit):,} more transitions are not shown; --edges shows more.",
    )


def _show_matrix(found: StepMatrix, *, json: bool) -> None:
    if json:
        rows = found.table()
        say_json({"definition": rows.definition, "positions": rows.to_dicts()})
        return
    n_cases = max(1, found.n_cases)
    shares = [[f"{count / n_cases:.1%}" for count in row] for row in found.count.tolist()]
    lines = [(name, *row) for name, row in zip(found.names, shares, strict=True)]
    show(table(("step", *(str(i + 1) for i in range(found.count.shape[1]))), lines))


def _page(found: JourneyGraph, positions: StepMatrix) -> str:
    from sojourn.analytics.report import Bar, Cell, Section, bars, heat, page  # noqa: PLC0415 - as above

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


def _duration(ms: float | None) -> str:
    if ms is None or isnan(ms):
        return ""
    for unit, name in ((86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s")):
        if ms >= unit:
            return f"{ms / unit:.3g} {name}"
    return f"{ms:.0f} ms"


def _share(value: float) -> str:
    return "" if isnan(value) else f"{value:.1%}"


def _number(value: float) -> str:
    return "" if isnan(value) else f"{value:.1f}"
