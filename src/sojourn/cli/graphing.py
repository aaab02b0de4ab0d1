"""The journey graph: `sojourn graph` shows what people really do, step after step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from msgspec.structs import replace

from sojourn.analytics.questions import Graph
from sojourn.cli.events_options import Given, HtmlOption, one_answer, read_asked, write_page
from sojourn.cli.options import JsonOption
from sojourn.cli.output import say_json, show
from sojourn.cli.questioning import question

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sojourn.analytics.events import Events
    from sojourn.analytics.questions.answers.graph import ComparisonAnswer, GraphAnswer, MatrixAnswer

    Answers = GraphAnswer | MatrixAnswer | ComparisonAnswer

MermaidOption = Annotated[
    bool, typer.Option("--mermaid", help="Write a Mermaid flowchart, for a page that draws it.")
]

SHOWN_STEPS, SHOWN_EDGES = 30, 40  # to people: what a screen or two holds.
PAGE_COLUMNS = 10  # of the step matrix on a page.


@question(Graph)
def graph(
    *,
    source: Given,
    asked: Graph,
    mermaid: MermaidOption = False,
    html: HtmlOption = None,
    json: JsonOption = False,
) -> None:
    """Show the steps people take and how they go from one to the next.

    Nothing is cut off in silence: what is not shown is one row, and every view adds up. How likely a
    conversion is from a step is a forecast from what people did there, not an effect of the step.
    """
    one_answer(html, json=json)
    from sojourn.analytics.questions.answers import graph as answers  # noqa: PLC0415 - help needs no numbers

    read, ranks = read_asked(asked, source)
    if not json:
        asked = _for_people(asked)
    if html is not None and asked.compare is None:
        _write_page(asked, read, ranks, html)
        return
    answer = answers.answer(asked, read, ranks)
    if json:
        say_json(answer.told())
    elif mermaid and isinstance(answer, answers.GraphAnswer):
        from sojourn.analytics.graph.drawing import mermaid_of  # noqa: PLC0415 - as above

        typer.echo(mermaid_of(answer.found), nl=False)
    else:
        _show(answer, n_edges=asked.edges)


def _for_people(asked: Graph) -> Graph:
    """Show as much as people read, unless they say how much."""
    return replace(
        asked,
        limit=SHOWN_STEPS if asked.limit is None else asked.limit,
        edges=SHOWN_EDGES if asked.edges is None else asked.edges,
    )


def _show(answer: Answers, *, n_edges: int | None) -> None:
    from sojourn.analytics.questions.answers import graph as answers  # noqa: PLC0415 - as above
    from sojourn.cli import graph_report as report  # noqa: PLC0415

    match answer:
        case answers.GraphAnswer():
            show(*report.for_people(answer.found))
        case answers.MatrixAnswer():
            show(report.matrix(answer.found))
        case answers.ComparisonAnswer():
            one, other = answer.one.name, answer.other.name
            show(*report.for_comparison(answer.found, one, other, limit=n_edges or 0))


def _write_page(asked: Graph, events: Events, ranks: Mapping[str, int], file: Path) -> None:
    from sojourn.analytics.questions.answers import graph as answers  # noqa: PLC0415 - as above
    from sojourn.cli.graph_report import page_of  # noqa: PLC0415

    steps = answers.answer(replace(asked, matrix=None), events, ranks)
    places = answers.answer(replace(asked, matrix=asked.matrix or PAGE_COLUMNS), events, ranks)
    assert isinstance(steps, answers.GraphAnswer)
    assert isinstance(places, answers.MatrixAnswer)
    write_page(file, page_of(steps.found, places.found))
