"""Paths: `sojourn paths` shows which ways people go: whole, in part, and from or to a step."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

import typer

from sojourn.cli.events_options import (
    EventsOption,
    HtmlOption,
    MapOption,
    StepsOption,
    read_asked,
    write_page,
)
from sojourn.cli.options import JsonOption
from sojourn.cli.output import say_json, show
from sojourn.model.errors import ConfigError

if TYPE_CHECKING:
    from sojourn.analytics.events import Events
    from sojourn.analytics.graph.patterns import Patterns

FromOption = Annotated[
    str | None, typer.Option("--from", metavar="EVENT", help="Where people go after their first such event.")
]
ToOption = Annotated[
    str | None, typer.Option("--to", metavar="EVENT", help="From where they come to their last such event.")
]
PatternsOption = Annotated[
    bool, typer.Option("--patterns", help="Runs of steps that many paths have in common.")
]
GapsOption = Annotated[bool, typer.Option("--gaps", help="With other steps between them.")]
LengthOption = Annotated[
    str, typer.Option(metavar="N-M", help="Of patterns: from how many steps to how many.")
]
ShareOption = Annotated[
    float,
    typer.Option("--min-share", min=0, max=1, help="Of patterns: in at least this share of the people."),
]
EveryOption = Annotated[bool, typer.Option("--all", help="Of patterns: those inside longer ones, too.")]
ColumnsOption = Annotated[int, typer.Option("--columns", min=1, max=50, help="Of --from and --to.")]
PerOption = Annotated[Literal["person", "session"], typer.Option(help="Whose paths.")]
CollapseOption = Annotated[
    bool, typer.Option("--collapse", help="Take equal steps right after one another as one.")
]
RowsOption = Annotated[
    int,
    typer.Option("--limit", min=0, max=100_000, help="So many rows; of --from and --to, steps of a column."),
]


def paths(  # noqa: PLR0913 - the options of a command
    *,
    events: EventsOption,
    map: MapOption = None,
    rules: StepsOption = None,
    from_: FromOption = None,
    to: ToOption = None,
    patterns: PatternsOption = False,
    gaps: GapsOption = False,
    length: LengthOption = "2-5",
    min_share: ShareOption = 0.05,
    every: EveryOption = False,
    columns: ColumnsOption = 5,
    per: PerOption = "person",
    collapse: CollapseOption = False,
    limit: RowsOption = 15,
    html: HtmlOption = None,
    json: JsonOption = False,
) -> None:
    """Show the ways people go: distinct whole paths, patterns in them, or the steps after or before one.

    What is beyond the limit is one row or one node, so that all adds up.
    """
    if sum((from_ is not None, to is not None, patterns)) > 1:
        raise ConfigError("--from, --to and --patterns are three questions: ask one of them")
    known = read_asked(events, map, rules, kinds=[from_ or to or "*"])
    if patterns:
        answer = _patterns(
            known,
            _asked(length, min_share=min_share, gaps=gaps, unit=per, collapse=collapse),
            limit=limit,
            only_maximal=not every,
        )
    elif from_ is not None or to is not None:
        answer = _flows(known, from_, to, n_columns=columns, limit=limit, unit=per, collapse=collapse)
    else:
        answer = _variants(known, limit=limit, unit=per, collapse=collapse)
    if html is not None:
        write_page(html, answer.page())
    elif json:
        say_json(answer.told)
    else:
        show(*answer.parts)


class Answer(NamedTuple):
    """One answer in each of its forms."""

    told: dict[str, Any]
    """For programs."""
    parts: Iterable[Any]
    """For people."""
    page: Callable[[], str]
    """In HTML."""


def _variants(events: Events, *, limit: int, **rules: Any) -> Answer:
    from sojourn.analytics.graph.variants import variants  # noqa: PLC0415 - help needs no numbers
    from sojourn.cli.answer_pages import variants_page  # noqa: PLC0415
    from sojourn.cli.funnel_report import nulls  # noqa: PLC0415
    from sojourn.cli.paths_report import variants_for_people  # noqa: PLC0415

    found = variants(events, **rules)
    told = {"definition": found.definition, "variants": nulls(found.table(limit=limit))}
    return Answer(told, variants_for_people(found, limit=limit), lambda: variants_page(found, limit=limit))


def _patterns(events: Events, asked: Patterns, *, limit: int, only_maximal: bool) -> Answer:
    from sojourn.analytics.graph.patterns import patterns  # noqa: PLC0415 - help needs no numbers
    from sojourn.cli.answer_pages import patterns_page  # noqa: PLC0415
    from sojourn.cli.funnel_report import nulls  # noqa: PLC0415
    from sojourn.cli.paths_report import patterns_for_people  # noqa: PLC0415

    found = patterns(events, asked)
    shown = found.table(limit=limit, only_maximal=only_maximal)
    told = {"definition": found.definition, "patterns": nulls(shown)}
    return Answer(
        told,
        patterns_for_people(found, limit=limit, only_maximal=only_maximal),
        lambda: patterns_page(found, limit=limit, only_maximal=only_maximal),
    )


def _flows(events: Events, from_: str | None, to: str | None, **rules: Any) -> Answer:
    from sojourn.analytics.graph.sankey import sankey  # noqa: PLC0415 - help needs no numbers
    from sojourn.analytics.kinds import parse_kind  # noqa: PLC0415
    from sojourn.cli.answer_pages import flows_page  # noqa: PLC0415
    from sojourn.cli.figures import MANY  # noqa: PLC0415
    from sojourn.cli.funnel_report import flows  # noqa: PLC0415

    around = parse_kind(from_ or to or "", events.steps)
    drawn = sankey(events, around=around, direction="forward" if to is None else "backward", **rules)
    said = drawn.definition
    where = "after" if to is None else "before"
    title = (
        f"{where} {around}: {said['n_cases']:,} {MANY[said['unit']]}; {said['n_cases_without']:,} without it"
    )
    told = {"definition": said, "nodes": drawn.nodes.to_dicts(), "links": drawn.links.to_dicts()}
    return Answer(told, [flows(drawn, title=title)], lambda: flows_page(drawn, title=title))


def _asked(length: str, **rules: Any) -> Patterns:
    """Read the length of patterns: `2-5`, or `3`."""
    from sojourn.analytics.graph.patterns import Patterns  # noqa: PLC0415

    shortest, _, longest = length.partition("-")
    if not (shortest.isdecimal() and (longest or shortest).isdecimal()):
        raise ConfigError(f"--length {length}: expected from how many steps to how many, as in 2-5")
    return Patterns(min_length=int(shortest), max_length=int(longest or shortest), **rules)
