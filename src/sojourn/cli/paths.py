"""Paths: `sojourn paths` shows which ways people go: whole, in part, and from or to a step."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from sojourn.cli.options import JsonOption
from sojourn.cli.output import say_json, show
from sojourn.model.errors import ConfigError

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
    json: JsonOption = False,
) -> None:
    """Show the ways people go: the distinct whole paths, or patterns in them, or the steps after or before one.

    What is beyond the limit is one row or one node, so that all adds up.
    """
    if sum((from_ is not None, to is not None, patterns)) > 1:
        raise ConfigError("--from, --to and --patterns are three questions: ask one of them")
    events = EVENTS
    if patterns:
        asked = _asked(length, min_share=min_share, gaps=gaps, unit=per, collapse=collapse)
        _show_patterns(events, asked, only_maximal=not every, limit=limit, json=json)
    elif from_ is not None or to is not None:
        # Help needs no numbers.
        from sojourn.analytics.graph.sankey import sankey  # noqa: PLC0415
        from sojourn.analytics.kinds import parse_kind  # noqa: PLC0415
        from sojourn.cli.funnel_report import flows  # noqa: PLC0415

        around = parse_kind(from_ or to or "", events.steps)
        drawn = sankey(
            events,
            around=around,
            direction="forward" if to is None else "backward",
            n_columns=columns,
            limit=limit,
            unit=per,
            collapse=collapse,
        )
        if json:
            nodes, links = drawn.nodes.to_dicts(), drawn.links.to_dicts()
            say_json({"definition": drawn.definition, "nodes": nodes, "links": links})
        else:
            show(*_flows(drawn))
    else:
        _show_variants(events, unit=per, collapse=collapse, limit=limit, json=json)


def _asked(length: str, **rules: Any) -> Patterns:
    """Read the length of patterns: `2-5`, or `3`."""
    from sojourn.analytics.graph.patterns import Patterns  # noqa: PLC0415

    shortest, _, longest = length.partition("-")
    if not (shortest.isdecimal() and (longest or shortest).isdecimal()):
        raise ConfigError(f"--length {length}: expected from how many steps to how many, as in 2-5")
    return Patterns(min_length=int(shortest), max_length=int(longest or shortest), **rules)
