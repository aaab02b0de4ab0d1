"""Accounts: who may sign in to the studio."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from sojourn.cli.options import ConfigOption, DataOption, JsonOption, configuration, now_ms
from sojourn.cli.output import complain, instant, relative, say_json, show, table
from sojourn.model.account import Account, Role
from sojourn.model.errors import ConfigError, InputError

account = typer.Typer(help="Who may sign in to the studio, and what they may do.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="A short name, or an e-mail address.")]
PasswordOption = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input, not from a prompt.")
]


@account.command(
    "add",
    epilog="Examples\n\n`sojourn account add ada --role admin`\n\n"
    "`sojourn account add ben@example.com --password-stdin < password.txt`",
)
def add_account(
    name: NameArgument,
    *,
    role: Annotated[
        Role,
        typer.Option(help="viewer: looks; editor: also publishes, pauses and retries; admin: everything."),
    ] = "viewer",
    from_stdin: PasswordOption = False,
    data: DataOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Let somebody sign in. The password is asked for; it is never an argument.

    A server that runs knows at once.
    """
    from sojourn.server.access.passwords import Cost, hash_password  # noqa: PLC0415 - help needs no server
    from sojourn.wiring.accounts import open_accounts  # noqa: PLC0415

    name = _checked_name(name)
    hashed = hash_password(_ask(name, from_stdin=from_stdin), Cost())
    made = Account(name=name, role=role, password=hashed, created_at=now_ms())
    with open_accounts(configuration(config, data)) as accounts:
        if not accounts.add(made):
            complain(f"{name}: there is such an account; choose another name, or remove it first")
            raise typer.Exit(1)
    if json:
        say_json(_view(made))
    else:
        typer.echo(f"{name} may sign in as {role}")


@account.command("list", epilog="`sojourn account list`")
def list_accounts(*, data: DataOption = None, config: ConfigOption = None, json: JsonOption = False) -> None:
    """List who may sign in, and when they were there last."""
    from sojourn.wiring.accounts import open_accounts  # noqa: PLC0415 - help needs no database

    with open_accounts(configuration(config, data)) as accounts:
        found = accounts.all()
    if json:
        say_json([_view(each) for each in found])
        return
    now = now_ms()
    rows = [
        (
            each.name,
            each.role,
            instant(each.created_at),
            "never" if each.last_seen_at is None else relative(each.last_seen_at, now),
        )
        for each in found
    ]
    none = "Nobody may sign in; sojourn account add NAME lets somebody."
    show(table(("name", "role", "since (UTC)", "last seen"), rows) if rows else none)


@account.command("password", epilog="`sojourn account password ada`")
def change_password(
    name: NameArgument,
    *,
    from_stdin: PasswordOption = False,
    data: DataOption = None,
    config: ConfigOption = None,
) -> None:
    """Give somebody another password; wherever they are signed in, they have to sign in again."""
    from sojourn.server.access.passwords import Cost, hash_password  # noqa: PLC0415 - help needs no server
    from sojourn.wiring.accounts import open_accounts  # noqa: PLC0415

    name = _checked_name(name)
    with open_accounts(configuration(config, data)) as accounts:
        if accounts.find(name) is None:
            raise _missing(name)
        hashed = hash_password(_ask(name, from_stdin=from_stdin), Cost())
        if not accounts.change_password(name, hashed):
            raise _missing(name)
    typer.echo(f"{name} has another password, and is signed out everywhere")


@account.command("remove", epilog="`sojourn account remove ada`")
def remove_account(name: NameArgument, *, data: DataOption = None, config: ConfigOption = None) -> None:
    """Let somebody sign in no more; wherever they are signed in, they are signed out."""
    from sojourn.wiring.accounts import open_accounts  # noqa: PLC0415 - help needs no database

    name = _checked_name(name)
    with open_accounts(configuration(config, data)) as accounts:
        if not accounts.remove(name):
            raise _missing(name)
    typer.echo(f"{name} may not sign in any more")


def _checked_name(name: str) -> str:
    from sojourn.server.access.passwords import normal_name  # noqa: PLC0415 - help needs no server

    try:
        return normal_name(name)
    except InputError as error:
        raise ConfigError(str(error)) from None


def _ask(name: str, *, from_stdin: bool) -> str:
    """Ask for a password, twice and without showing it, or read one line."""
    from sojourn.server.access.passwords import check_password  # noqa: PLC0415 - help needs no server

    if from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    elif sys.stdin.isatty():
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        raise ConfigError("account: no terminal to ask for the password; pipe it in with --password-stdin")
    try:
        check_password(password, name)
    except InputError as error:
        raise ConfigError(str(error)) from None
    return password


def _missing(name: str) -> typer.Exit:
    complain(f"{name}: there is no such account; `sojourn account list` shows who there is")
    return typer.Exit(1)


def _view(account: Account) -> dict[str, object]:
    return {
        "name": account.name,
        "role": account.role,
        "created_at": account.created_at,
        "last_seen_at": account.last_seen_at,
    }
