"""Letters: events that were refused, and actions that were given up."""

from __future__ import annotations

from collections.abc import Sized
from typing import TYPE_CHECKING, Annotated

import typer

from sojourn.cli.options import ConfigOption, DataOption, JsonOption, LimitOption, configuration, now_ms
from sojourn.cli.output import complain, instant, say_json, show, table
from sojourn.model.errors import ConfigError, FolderInUseError

if TYPE_CHECKING:
    from sojourn.config import Config

TIMEOUT_S = 30  # reviving a million letters is one statement.
EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - as an operator says that everybody may connect

failed = typer.Typer(help="Events that were refused, each with its reason.", no_args_is_help=True)
dead = typer.Typer(help="Actions that were given up, each with its last error.", no_args_is_help=True)


@failed.command("list", epilog="`sojourn failed list --limit 20`")
def list_failed(
    *,
    limit: LimitOption = 100,
    before: Annotated[
        int | None, typer.Option(help="Only those with a lower number: the next page.", show_default=False)
    ] = None,
    data: DataOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """List events that were refused, newest first."""
    from sojourn import wiring  # noqa: PLC0415 - help needs no database

    with wiring.open_readings(configuration(config, data)) as house:
        events = house.failed(limit=limit, before=before)
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
    url: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Ask the server there. By default the one that works in the data folder, if one does.",
            show_default=False,
        ),
    ] = None,
    data: DataOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Put actions that were given up back on their way, as if never tried.

    The receiver sees the same idempotency key as before. A server is asked over HTTP, with the admin_token of
        the configuration.
    """
    if bool(actions) == is_all:
        raise ConfigError("dead retry: name the actions to retry, or say --all")
    n_revived = _revive(actions or None, configuration(config, data), url)
    if json:
        say_json({"revived": n_revived})
    else:
        typer.echo(f"{n_revived} on their way again; they go out while `sojourn serve` runs")
    if n_revived < (n_named := len(set(actions or ()))):
        complain(
            f"{n_named - n_revived} of {n_named} are no dead letters; `sojourn dead list` shows their ids"
        )
        raise typer.Exit(1)


def _tell_limit(rows: Sized, limit: int) -> None:
    """Say that there may be more than is shown."""
    if len(rows) == limit:
        typer.echo(f"These are the newest {limit}; --limit shows more.")


def _revive(actions: list[str] | None, settings: Config, url: str | None) -> int:
    """Revive in the data folder where it is free, else by whoever works in it."""
    from sojourn import wiring  # noqa: PLC0415 - help needs no database

    if url is not None:
        return _ask(url, actions, settings)
    try:
        with wiring.open_house(settings) as house:
            return house.outbox.revive(actions, now=now_ms())
    except FolderInUseError:
        host = "127.0.0.1" if settings.http.host in EVERYWHERE else settings.http.host
        place = f"[{host}]" if ":" in host else host
        return _ask(f"http://{place}:{settings.http.port}", actions, settings)


def _ask(url: str, actions: list[str] | None, settings: Config) -> int:
    """Have a server revive."""
    import httpx  # noqa: PLC0415 - only where a server is asked

    token = settings.admin_token
    try:
        answer = httpx.post(
            f"{url.rstrip('/')}/api/v1/dead-letters/retry",
            json={"action_ids": actions},
            headers={"authorization": f"Bearer {token.reveal()}"} if token else {},
            timeout=TIMEOUT_S,
        )
        told = answer.json()
        if answer.is_success:
            return int(told["revived"])
        reason = f"{told['message']}; {told['do']}"
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError) as error:
        reason = f"{error}; is a server of ours there? Name it with --url"
    raise ConfigError(f"{url}: {reason}")
