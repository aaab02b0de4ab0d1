"""Selection: the options that say whose events, and when, a question is about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sojourn.model.errors import ConfigError

if TYPE_CHECKING:
    from sojourn.analytics.selecting import Selection

WhereOption = Annotated[
    list[str] | None,
    typer.Option(
        "--where",
        metavar="ATTRIBUTE=VALUE",
        help="Only people (sessions, by session) with an event that has the value; != is who has none; "
        "country=SE|DE is either. Repeatable: all hold.",
    ),
]
DidOption = Annotated[
    list[str] | None,
    typer.Option(
        "--did", metavar="STEP", help="Only who took this step; 'Help > Buy': before the first Buy."
    ),
]
NeverOption = Annotated[
    list[str] | None, typer.Option("--never", metavar="STEP", help="Only who never took this step.")
]
SinceOption = Annotated[
    str | None, typer.Option("--since", metavar="TIME", help="Only events from then on, as 2026-03-01 (UTC).")
]
UntilOption = Annotated[str | None, typer.Option("--until", metavar="TIME", help="Only events before then.")]

_BEFORE = " > "


def selection_of(
    *,
    where: Sequence[str] | None,
    did: Sequence[str] | None,
    never: Sequence[str] | None,
    since: str | None,
    until: str | None,
    of: Any,
) -> Selection:
    """Put the options together.

    Raises:
        ConfigError: One of them says nothing that can be selected by.
    """
    from sojourn.analytics.selecting import Selection, parse_where  # noqa: PLC0415 - help needs no numbers

    since_ms, until_ms = instant_ms(since, "--since"), instant_ms(until, "--until")
    if since_ms is not None and until_ms is not None and since_ms >= until_ms:
        raise ConfigError("--since: expected an instant before --until")
    return Selection(
        since_ms=since_ms,
        until_ms=until_ms,
        where=tuple(parse_where(text, "--where") for text in where or ()),
        did=(
            *(_did(text, "--did", is_not=False) for text in did or ()),
            *(_did(text, "--never", is_not=True) for text in never or ()),
        ),
        of=of,
    )


def instant_ms(text: str | None, option: str) -> int | None:
    """Read an instant as the import does, UTC where it has no zone."""
    from sojourn.runtime.importing.instants import parse_instant  # noqa: PLC0415 - help needs no engine

    if text is None:
        return None
    try:
        return parse_instant(text)
    except ValueError as error:
        raise ConfigError(f"{option}: {error}; write it as 2026-03-01 or 2026-03-01T09:00:00Z") from None


def _did(text: str, option: str, *, is_not: bool) -> Any:
    from sojourn.analytics.selecting import Did  # noqa: PLC0415 - as above

    step, arrow, before = text.partition(_BEFORE)
    if not step.strip() or (arrow and not before.strip()):
        raise ConfigError(f"{option} {text!r}: expected a step, or 'STEP > BEFORE WHICH'")
    return Did(step=step.strip(), before=before.strip(), is_not=is_not)
