"""The journey graph: `sojourn graph` shows what people really do, step after step."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from sojourn.cli.events_options import EventsOption, MapOption, StepsOption, read_asked
from sojourn.cli.options import JsonOption
from sojourn.cli.output import say_json, show
from sojourn.cli.selection_options import (
    DidOption,
    NeverOption,
    SinceOption,
    UntilOption,
    WhereOption,
    instant_ms,
    selection_of,
)
from sojourn.model.errors import ConfigError

if TYPE_CHECKING:
    from sojourn.analytics.events import Events
    from sojourn.analytics.graph.journey_graph import Asked
    from sojourn.analytics.selecting import Selection

UnitOption = Annotated[Literal["person", "session"], typer.Option("--by", help="Follow people, or sessions.")]
GapOption = Annotated[
    str | None,
    typer.Option(
        "--gap",
        metavar="DURATION",
        help="Cut sessions where a person is silent for longer, as 30m, where none are recorded.",
    ),
]
GoalOption = Annotated[
    list[str] | None,
    typer.Option("--goal", metavar="STEP", help="A conversion: how likely it is from each step. Repeatable."),
]
LimitOption = Annotated[
    int | None,
    typer.Option(
        "--limit",
        min=0,
        max=2_000,
        help="So many steps, the most frequent; the rest is one. By default 30; in JSON all.",
        show_default=False,
    ),
]
EdgesOption = Annotated[
    int | None,
    typer.Option(
        "--edges",
        min=0,
        max=100_000,
        help="So many transitions; the rest is one row. By default 40; in JSON all.",
        show_default=False,
    ),
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
        help="Which transitions A has more of than B, and whether that is real: device=mobile:desktop. "
        "Without B: than all others. A time compares from then on with before.",
    ),
]
MermaidOption = Annotated[
    bool, typer.Option("--mermaid", help="Write a Mermaid flowchart, for a page that draws it.")
]
HtmlOption = Annotated[
    Path | None, typer.Option("--html", metavar="FILE", help="Write a page of its own, with plots.")
]

SHOWN_STEPS, SHOWN_EDGES = 30, 40  # to people: what a screen or two holds.


def graph(  # noqa: PLR0913 - the options of a command
    *,
    events: EventsOption,
    map: MapOption = None,
    rules: StepsOption = None,
    by: UnitOption = "person",
    gap: GapOption = None,
    where: WhereOption = None,
    did: DidOption = None,
    never: NeverOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    goal: GoalOption = None,
    limit: LimitOption = None,
    edges: EdgesOption = None,
    collapse: CollapseOption = False,
    matrix: MatrixOption = None,
    compare: AgainstOption = None,
    mermaid: MermaidOption = False,
    html: HtmlOption = None,
    json: JsonOption = False,
) -> None:
    """Show the steps people take and how they go from one to the next.

    Nothing is cut off in silence: what is not shown is one row, and every view adds up. How likely a
    conversion is from a step is a forecast from what people did there, not an effect of the step.
    """
    from sojourn.analytics.graph.journey_graph import Asked  # noqa: PLC0415 - help needs no numbers
    from sojourn.analytics.selecting import select  # noqa: PLC0415

    selection = selection_of(where=where, did=did, never=never, since=since, until=until, of=by)
    sides = [] if compare is None else _sides(compare, of=by)
    attributes = [one.attribute for each in (selection, *(side for _, side in sides)) for one in each.where]
    read = _in_sessions(read_asked(events, map, rules, attributes=attributes), by, gap)
    chosen = select(read, selection)
    if sides:
        shown = SHOWN_EDGES if edges is None else edges
        _compare(chosen, sides, selection=selection, collapse=collapse, limit=shown, json=json)
        return
    asked = Asked(
        unit=by,
        goal=tuple(goal or ()),
        ranks={} if rules is None else _ranks(rules, chosen),
        limit=limit if limit is not None or json else SHOWN_STEPS,
        edge_limit=edges if edges is not None or json else SHOWN_EDGES,
        collapse=collapse,
    )
    if html is None and matrix is not None:
        _show_matrix(chosen, asked, n_columns=matrix, selection=selection, json=json)
    elif html is None:
        _show(chosen, asked, selection=selection, mermaid=mermaid, json=json)
    else:
        _write_page(chosen, asked, html, n_columns=matrix or 10)


def _show(events: Events, asked: Asked, *, selection: Selection, mermaid: bool, json: bool) -> None:
    from sojourn.analytics.graph.drawing import mermaid_of  # noqa: PLC0415 - as above
    from sojourn.analytics.graph.journey_graph import journey_graph  # noqa: PLC0415
    from sojourn.cli.graph_report import for_people  # noqa: PLC0415

    found = journey_graph(events, asked)
    if json:
        definition = {**found.definition, "selection": selection.words()}
        say_json({"definition": definition, "nodes": found.nodes.to_dicts(), "edges": found.edges.to_dicts()})
    elif mermaid:
        typer.echo(mermaid_of(found), nl=False)
    else:
        show(*for_people(found))


def _show_matrix(events: Events, asked: Asked, *, n_columns: int, selection: Selection, json: bool) -> None:
    from sojourn.analytics.graph.step_matrix import step_matrix  # noqa: PLC0415 - as above
    from sojourn.cli.graph_report import MATRIX_STEPS, show_matrix  # noqa: PLC0415

    found = step_matrix(
        events, n_columns=n_columns, limit=MATRIX_STEPS, unit=asked.unit, collapse=asked.collapse
    )
    found.definition["selection"] = selection.words()
    show_matrix(found, json=json)


def _write_page(events: Events, asked: Asked, path: Path, *, n_columns: int) -> None:
    from sojourn.analytics.graph.journey_graph import journey_graph  # noqa: PLC0415 - as above
    from sojourn.analytics.graph.step_matrix import step_matrix  # noqa: PLC0415
    from sojourn.cli.graph_report import MATRIX_STEPS, page_of  # noqa: PLC0415

    places = step_matrix(
        events, n_columns=n_columns, limit=MATRIX_STEPS, unit=asked.unit, collapse=asked.collapse
    )
    path.write_text(page_of(journey_graph(events, asked), places), encoding="utf-8")
    typer.echo(f"{path} is written; open it in a browser")


def _in_sessions(events: Events, by: str, gap: str | None) -> Events:
    """Cut sessions where they are asked for, and a silence is given that ends one."""
    from sojourn.analytics.sessions import with_sessions  # noqa: PLC0415 - as above
    from sojourn.definitions.durations import parse_duration  # noqa: PLC0415

    if gap is None:
        return events
    if by != "session" or events.session is not None:
        reason = "people are followed" if by != "session" else "the events have sessions of their own"
        raise ConfigError(f"--gap: cuts no sessions, since {reason}; leave it out")
    try:
        return with_sessions(events, gap_ms=parse_duration(gap))
    except ValueError as error:
        raise ConfigError(f"--gap: {error}") from None


def _ranks(rules: Path, read: Events) -> dict[str, int]:
    from sojourn.analytics.reading import load_steps  # noqa: PLC0415 - as above

    return {step: rank for step, rank in load_steps(rules).ranks.items() if step in read.steps}


def _sides(text: str, *, of: Any) -> list[tuple[str, Selection]]:
    """Read what is compared: two values, one with all others, or since a time with before it."""
    from sojourn.analytics.selecting import Selection, Where, parse_where  # noqa: PLC0415 - as above

    attribute, equals, values = text.partition("=")
    if not equals:
        at_ms = instant_ms(text, "--compare")
        return [("since", Selection(since_ms=at_ms, of=of)), ("before", Selection(until_ms=at_ms, of=of))]
    one, colon, other = values.partition(":")
    if not attribute.strip() or not one.strip() or (colon and not other.strip()):
        raise ConfigError(
            f"--compare {text!r}: expected attribute=A:B, as device=mobile:desktop, or a time as 2026-03-01"
        )
    chosen = parse_where(f"{attribute}={one}", "--compare")
    against = (
        parse_where(f"{attribute}={other}", "--compare")
        if colon
        else Where(attribute=chosen.attribute, values=chosen.values, is_not=True)
    )
    return [
        (one.strip(), Selection(where=(chosen,), of=of)),
        (other.strip() if colon else "others", Selection(where=(against,), of=of)),
    ]


def _compare(
    events: Events,
    sides: list[tuple[str, Selection]],
    *,
    selection: Selection,
    collapse: bool,
    limit: int,
    json: bool,
) -> None:
    from sojourn.analytics.graph.difference import difference  # noqa: PLC0415 - as above
    from sojourn.analytics.selecting import select  # noqa: PLC0415
    from sojourn.cli.graph_report import for_comparison  # noqa: PLC0415

    (one, first), (other, second) = sides
    found = difference(select(events, first), select(events, second), unit=selection.of, collapse=collapse)
    if not json:
        show(*for_comparison(found, one, other, limit=limit))
        return
    says = {
        **found.definition,
        "selection": selection.words(),
        "one": first.words(),
        "other": second.words(),
    }
    say_json({"definition": says, "edges": found.to_dicts()})
