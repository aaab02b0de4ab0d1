"""Letters: events that were refused, and actions that were given up."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Sized
from typing import Annotated

import typer

from sojourn.cli.asking import ask
from sojourn.cli.options import ConfigOption, DataOption, JsonOption, LimitOption, configuration
from sojourn.cli.output import complain, instant, say_json, show, table
from sojourn.model.action import Letter
from sojourn.model.errors import ConfigError
from sojourn.model.event import FailedEvent
from sojourn.model.operating import FailedKind, FailedRetried
from sojourn.server.asked import FailedRetriedList, Retried

UrlOption = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="Ask the server there. By default the one that works in the data folder, if one does.",
        show_default=False,
    ),
]

BeforeOption = Annotated[
    int | None, typer.Option(help="Only those with a lower number: the next page.", show_default=False)
]

failed = typer.Typer(help="Events that were refused, each with its reason.", no_args_is_help=True)
dead = typer.Typer(help="Actions that were given up, each with its last error.", no_args_is_help=True)


@failed.command("list", epilog="`sojourn failed list --limit 20`")
def list_failed(
    *,
    limit: LimitOption = 100,
    before: BeforeOption = None,
    data: DataOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """List events that were refused, newest first."""
    from sojourn import wiring  # noqa: PLC0415 - help needs no database

    with wiring.open_readings(configuration(config, data)) as house:
        events = house.failed(limit=limit, before=before)
    show_failed(events, limit=limit, json=json)


def show_failed(events: Sequence[FailedEvent], *, limit: int, json: bool) -> None:
    """Show failed events."""
    if json:
        say_json(events)
        return
    columns = ("number", "received (UTC)", "source", "where", "why")
    rows = [
        (
            str(each.id or ""),
            instant(each.received_at),
            each.source,
            each.path,
            f"{each.reason} [{each.code}]",
        )
        for each in events
    ]
    show(table(columns, rows) if rows else "No event was refused.")
    _tell_limit(rows, limit)


@failed.command("summary", epilog="`sojourn failed summary`")
def count_failed(*, data: DataOption = None, config: ConfigOption = None, json: JsonOption = False) -> None:
    """Count events that were refused, by reason and source; those retried with success are left out."""
    from sojourn import wiring  # noqa: PLC0415 - help needs no database
    from sojourn.wiring.looking import look  # noqa: PLC0415

    settings = configuration(config, data)
    with wiring.open_readings(settings) as house:
        kinds = look(settings, house).failed_kinds()
    show_failed_kinds(kinds, json=json)


def show_failed_kinds(kinds: Sequence[FailedKind], *, json: bool) -> None:
    """Show how many failed events there are of each kind."""
    if json:
        say_json(kinds)
        return
    rows = [(one.code, one.source, f"{one.n:,}", instant(one.last_at)) for one in kinds]
    show(table(("why", "source", "events", "last (UTC)"), rows) if rows else "No event was refused.")


@failed.command("retry", epilog="`sojourn failed retry 17 18`")
def retry_failed(
    numbers: Annotated[
        list[int], typer.Argument(metavar="NUMBER...", help="As `sojourn failed list` shows them.")
    ],
    *,
    url: UrlOption = None,
    data: DataOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Read events that were refused again, as the door does now, and take those that read well.

    Each is taken once, under its own message id, and comes now: journeys see it at this instant.
    """
    asked = {"ids": numbers}
    path = "/api/v1/failed-events/retry"
    show_retried(ask(configuration(config, data), path, asked, FailedRetriedList, url=url).retried, json=json)


def show_retried(found: Sequence[FailedRetried], *, json: bool) -> None:
    """Show what came of failed events; end with 1 where one was not taken."""
    if json:
        say_json(found)
    else:
        show(table(("number", "", "why"), [(str(one.id), one.verdict, one.reason) for one in found]))
    if any(one.verdict in ("failed", "refused") for one in found):
        raise typer.Exit(1)


@dead.command("list", epilog="`sojourn dead list`")
def list_dead(
    *,
    limit: LimitOption = 100,
    data: DataOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """List actions that were given up, newest first."""
    from sojourn import wiring  # noqa: PLC0415 - help needs no database

    with wiring.open_readings(configuration(config, data)) as house:
        letters = house.dead(limit=limit)
    show_dead(letters, limit=limit, json=json)


def show_dead(letters: Sequence[Letter], *, limit: int, json: bool) -> None:
    """Show dead letters."""
    if json:
        say_json(letters)
        return
    columns = ("action", "sink", "journey", "person", "given up (UTC)", "attempts", "last error")
    rows = [
        (
            each.action.id,
            each.action.sink,
            f"{each.action.journey}: {each.action.state}",
            each.action.profile_id,
            instant(each.dead_at or 0),
            str(each.attempts),
            each.last_error,
        )
        for each in letters
    ]
    show(table(columns, rows) if rows else "No action was given up.")
    _tell_limit(rows, limit)


@dead.command("retry", epilog="`sojourn dead retry --all`")
def retry_dead(
    actions: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ACTION]...", help="Ids, as `sojourn dead list` shows them."),
    ] = None,
    *,
    is_all: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
    url: UrlOption = None,
    data: DataOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Put actions that were given up back on their way, as if never tried.

    The receiver sees the same idempotency key as before. A server is asked over HTTP, with the admin_token of
        the configuration.
    """

    def revive(chosen: list[str] | None) -> int:
        path = "/api/v1/dead-letters/retry"
        return ask(configuration(config, data), path, {"action_ids": chosen}, Retried, url=url).revived

    revive_dead(revive, actions, is_all=is_all, of="", json=json)


def revive_dead(
    revive: Callable[[list[str] | None], int], actions: list[str] | None, *, is_all: bool, of: str, json: bool
) -> None:
    """Put dead letters back on their way, and say so; end with 1 where one named is none.

    Args:
        revive: Does it to some, or to all, and returns to how many.
        actions: Their ids.
        is_all: All of them, and none is named.
        of: What the commands begin with: nothing, or `cluster `.
        json: For a program.
    """
    if bool(actions) == is_all:
        raise ConfigError(f"{of}dead retry: name the actions to retry, or say --all")
    n_revived = revive(actions or None)
    if json:
        say_json({"revived": n_revived})
    else:
        runs = "cluster work" if of else "serve"
        typer.echo(f"{n_revived} on their way again; they go out while `sojourn {runs}` runs")
    if n_revived < (n_named := len(set(actions or ()))):
        complain(
            f"{n_named - n_revived} of {n_named} are no dead letters; `sojourn {of}dead list` shows their ids"
        )
        raise typer.Exit(1)


def _tell_limit(rows: Sized, limit: int) -> None:
    """Say that there may be more than is shown."""
    if len(rows) == limit:
        typer.echo(f"These are the newest {limit}; --limit shows more.")
