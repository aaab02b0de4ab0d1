"""The questions of analytics as SQL, for an engine beyond this machine: `sojourn lake sql` prints them."""

from __future__ import annotations

from typing import Annotated, Literal

import typer
from msgspec import Struct

from sojourn.analytics import sql
from sojourn.definitions.durations import parse_duration
from sojourn.model.errors import ConfigError

Question = Literal["nodes", "edges", "matrix", "funnel", "retention", "paths", "credit"]

_ASKED_OF = {
    "step": ("funnel",),
    "within": ("funnel",),
    "conversion": ("paths", "credit"),
    "value": ("paths", "credit"),
    "lookback": ("paths", "credit"),
    "period": ("retention",),
}
"""Option -> the questions it is of."""


class _Asked(Struct, frozen=True):
    step: tuple[str, ...]
    within: str | None
    conversion: tuple[str, ...]
    value: str | None
    lookback: str | None
    period: Literal["day", "week", "month"] | None


def print_sql(  # noqa: PLR0913 - the options of a command
    question: Annotated[
        Question,
        typer.Argument(
            metavar="QUESTION",
            help="nodes, edges or matrix of the journey graph; funnel; retention; paths to conversions, or "
            "credit: what their first touch, their last and all alike are credited.",
        ),
    ],
    *,
    dialect: Annotated[Literal["duckdb", "spark"], typer.Option(help="Whose SQL.")] = "duckdb",
    by: Annotated[Literal["person", "session"], typer.Option(help="Whose walks are followed.")] = "person",
    step: Annotated[
        list[str] | None, typer.Option(metavar="STEP", help="Of a funnel: its steps, in order. Repeatable.")
    ] = None,
    within: Annotated[
        str | None, typer.Option(metavar="DURATION", help="Of a funnel: the conversion window, as 7d.")
    ] = None,
    conversion: Annotated[
        list[str] | None, typer.Option(metavar="STEP", help="Of paths and credit. Repeatable.")
    ] = None,
    value: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Of paths and credit: what a conversion is worth.")
    ] = None,
    lookback: Annotated[
        str | None,
        typer.Option(metavar="DURATION", help="Of paths and credit: touches at most so long before."),
    ] = None,
    period: Annotated[
        Literal["day", "week", "month"] | None, typer.Option(help="Of retention; by default month.")
    ] = None,
    table: Annotated[str, typer.Option(help="What stands behind FROM.")] = "steps",
    person: Annotated[
        str, typer.Option(help="Its column of who; in the lake's own files profile_id.")
    ] = "person_id",
) -> None:
    """Print a question about the lake's steps as SQL, for DuckDB or for Spark over the same Parquet.

    What it counts is what `sojourn graph`, `funnel`, `retention` and `attribution` count.
    """
    steps = sql.Steps(table=table, person=person)
    asked = _Asked(tuple(step or ()), within, tuple(conversion or ()), value, lookback, period)
    for option, questions in _ASKED_OF.items():
        if getattr(asked, option) and question not in questions:
            raise ConfigError(f"--{option} is of {' and '.join(questions)}; leave it out")
    if by == "session" and question not in ("nodes", "edges", "matrix", "funnel"):
        raise ConfigError(f"--by session: {question} is of people; leave it out")
    typer.echo(_text(question, asked, steps, by_session=by == "session", dialect=dialect), nl=False)


def _text(
    question: Question, asked: _Asked, steps: sql.Steps, *, by_session: bool, dialect: sql.DialectName
) -> str:
    match question:
        case "nodes":
            return sql.journey_nodes(steps, by_session=by_session, dialect=dialect)
        case "edges":
            return sql.journey_edges(steps, by_session=by_session, dialect=dialect)
        case "matrix":
            return sql.step_matrix(steps, by_session=by_session, dialect=dialect)
        case "funnel":
            within_ms = _duration(asked.within, "--within")
            return sql.funnel(asked.step, steps, within_ms=within_ms, by_session=by_session, dialect=dialect)
        case "retention":
            return sql.retention(steps, period=asked.period or "month", dialect=dialect)
        case "paths" | "credit":
            write = sql.touch_paths if question == "paths" else sql.position_credit
            lookback_ms = _duration(asked.lookback, "--lookback")
            return write(asked.conversion, steps, value=asked.value, lookback_ms=lookback_ms, dialect=dialect)


def _duration(text: str | None, option: str) -> int | None:
    try:
        return None if text is None else parse_duration(text)
    except ValueError as error:
        raise ConfigError(f"{option}: {error}") from None
