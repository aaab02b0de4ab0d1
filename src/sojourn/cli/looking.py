"""Looking: who is there, where actions go, and who sends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from sojourn.cli.options import ConfigOption, DataOption, JsonOption, configuration, now_ms
from sojourn.cli.output import relative, say_json, show, table

if TYPE_CHECKING:
    from pathlib import Path

    from sojourn.model.operating import SourceView
    from sojourn.wiring.looking import Looking


def search(
    query: Annotated[
        str, typer.Argument(metavar="[QUERY]", help="An id, how one begins, or a part of a name or e-mail.")
    ] = "",
    *,
    limit: Annotated[int, typer.Option("--limit", min=1, max=100, help="At most so many.")] = 20,
    data: DataOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Find people by any id, or by how one begins; without a query, the people seen last.

    Names and e-mails are looked for among the people of the newest 5,000 events only.
    """
    with _looking(config, data) as house:
        found = house.people(query, limit=limit)
    if json:
        say_json(found)
        return
    now = now_ms()
    rows = [
        (
            each.id,
            each.name,
            each.email,
            f"{len(each.anonymous_ids):,}",
            f"{each.n_events:,}",
            relative(each.last_seen_at, now),
        )
        for each in found
    ]
    columns = ("profile", "name", "e-mail", "devices", "events", "last seen")
    show(table(columns, rows) if rows else "Nobody is found.")


def sinks(*, data: DataOption = None, config: ConfigOption = None, json: JsonOption = False) -> None:
    """List where actions go, and how each destination does.

    Counts are those the server kept last: every ten seconds, and when it stops.
    """
    with _looking(config, data) as house:
        found = house.sinks()
    if json:
        say_json(found)
        return
    now = now_ms()
    rows = [
        (
            each.name,
            each.type,
            each.state,
            f"{each.waiting:,}",
            f"{each.dead:,}",
            f"{each.delivered:,}",
            _when(each.last_delivered_at, now),
            each.last_error,
        )
        for each in found
    ]
    columns = ("sink", "type", "", "waiting", "given up", "delivered", "last", "last error")
    show(table(columns, rows))


def sources(*, data: DataOption = None, config: ConfigOption = None, json: JsonOption = False) -> None:
    """List who sends, by which library and version, and what each sent last.

    Counts are those the server kept last: every ten seconds, and when it stops.
    """
    with _looking(config, data) as house:
        found = house.sources()
    if json:
        say_json(found)
        return
    now = now_ms()
    rows = [row for each in found for row in _rows(each, now)]
    columns = ("source", "library", "version", "events", "last event", "last")
    show(table(columns, rows) if rows else "No source is configured; add one under `sources`.")


@contextmanager
def _looking(config: Path | None, data: Path | None) -> Iterator[Looking]:
    from sojourn import wiring  # noqa: PLC0415 - help needs no database
    from sojourn.wiring.looking import look  # noqa: PLC0415

    settings = configuration(config, data)
    with wiring.open_readings(settings) as house:
        yield look(settings, house)


def _rows(source: SourceView, now: int) -> Iterator[tuple[str, ...]]:
    if not source.sdks:
        yield source.name, "", "", "0", "", "nothing yet"
    for sdk in source.sdks:
        yield source.name, sdk.name, sdk.version, f"{sdk.n:,}", sdk.last_event, relative(sdk.last_at, now)


def _when(at: int | None, now: int) -> str:
    return "" if at is None else relative(at, now)
