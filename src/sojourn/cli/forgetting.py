"""Forgetting: a person is forgotten, everywhere that Sojourn keeps something of them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from sojourn.cli.asking import ask
from sojourn.cli.options import ConfigOption, DataOption, JsonOption, configuration
from sojourn.cli.output import instant, say_json, show, table
from sojourn.model.errors import ConfigError
from sojourn.model.views import ForgottenView

if TYPE_CHECKING:
    from sojourn.model.views import ForgottenRow

T = TypeVar("T")

ReasonOption = Annotated[
    str, typer.Option(help="Why, for the ledger: a ticket's number, and nothing personal.")
]
AlsoOption = Annotated[
    list[str] | None,
    typer.Option(help="A user whom an alias tied to them that was taken back.", show_default=False),
]


def forget(
    person: Annotated[str, typer.Argument(metavar="ID", help="A user id or an anonymous id of theirs.")],
    *,
    reason: ReasonOption = "",
    also: AlsoOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would go, and change nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")] = False,
    data: DataOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Forget a person (GDPR, Article 17): end their journeys, and erase all that is kept of them.

    It shows what it finds, and asks. There is no way back. A server that runs erases in the background.
    """
    from sojourn.server.forgetting import path_of  # noqa: PLC0415 - help needs no server

    settings = configuration(config, data)
    asked: dict[str, Any] = {"confirm": person, "reason": reason, "also": also or []}
    view = converse(
        lambda is_dry: ask(settings, path_of(person), {**asked, "dry_run": is_dry}, ForgottenView),
        lambda found: describe(found, person),
        lambda found: found.ids,
        dry_run=dry_run,
        yes=yes,
        json=json,
    )
    if view is None:
        return
    if json:
        say_json(view)
    elif view.done is None:
        typer.echo("Nothing is kept of them, so nothing was done.")
    else:
        show(*_outcome(view.done))


def converse(
    do: Callable[[bool], T],
    describe: Callable[[T], list[Any]],
    ids: Callable[[T], Sequence[str]],
    *,
    dry_run: bool,
    yes: bool,
    json: bool,
) -> T | None:
    """Show whom it is about, ask, and do it; `do` is told whether it is only to look.

    None where nothing was done, and that is said.
    """
    if dry_run or not yes:
        found = do(True)
        if not json:
            show(*describe(found))
        if dry_run or not ids(found):
            if json:
                say_json(found)
            return None
        if not sys.stdin.isatty():
            raise ConfigError("nobody is there to be asked; say --yes")
        typer.confirm("Forget this person? There is no way back.", abort=True, err=json)
    return do(False)


def describe(view: ForgottenView, person: str) -> list[Any]:
    """Lay out what is kept of a person."""
    if not view.ids:
        return [f"{person}: nothing is kept of anybody with this id"]
    rows = [(each, "stays others', who named it, too" if each in view.shared else "") for each in view.ids]
    kept = [
        ("events", f"{view.n_events:,}"),
        ("facts about them", f"{view.n_facts:,}"),
        ("actions on their way", f"{view.n_actions:,}"),
        ("journeys they are inside", f"{view.n_journeys:,}"),
        ("failed events that name them", f"{view.n_failed:,}"),
    ]
    return [table(("id", ""), rows), table(("kept", ""), kept)]


def _outcome(row: ForgottenRow) -> list[Any]:
    rows = [
        ("request", row.request_id),
        ("their life ended (UTC)", instant(row.at)),
        ("now", "erased everywhere" if row.stage == "done" else f"being erased: {row.stage}"),
    ]
    if row.stage == "done":
        rows += [
            ("events erased", f"{row.n_events:,}"),
            ("facts erased", f"{row.n_facts:,}"),
            ("failed events erased", f"{row.n_failed:,}"),
            ("actions withheld", f"{row.n_withheld:,}"),
            ("files of the lake written anew", f"{row.n_files:,}"),
        ]
    return [table(("forgotten", ""), rows)]
