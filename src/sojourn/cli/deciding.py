"""Deciding: what an application is told of a person now, by any flag."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from sojourn.cli.asking import server_of
from sojourn.cli.options import ConfigOption, DataOption, JsonOption, configuration
from sojourn.cli.output import complain, say_json, show, table
from sojourn.model.errors import ConfigError, InputError

if TYPE_CHECKING:
    from sojourn.config import Config

ASK_S = 30
_USUAL = ("decision_id", "held_out")


class Told(msgspec.Struct):
    """What one flag says."""

    key: str
    value: Any
    variant: str
    reason: str
    metadata: dict[str, Any] = {}


class _All(msgspec.Struct):
    flags: list[Told]


def decide(
    person: Annotated[str, typer.Argument(metavar="ID", help="A user id or an anonymous id.")],
    flag: Annotated[
        str | None, typer.Argument(metavar="[FLAG]", help="Its key; by default all flags.")
    ] = None,
    *,
    context: Annotated[
        list[str] | None,
        typer.Option(
            "--context", metavar="NAME=VALUE", help="An attribute that the application sends; several may be."
        ),
    ] = None,
    url: Annotated[
        str | None,
        typer.Option("--url", metavar="URL", help="A server to ask; by default the folder is read."),
    ] = None,
    expose: Annotated[
        bool,
        typer.Option("--expose", help="Let the server take it as an exposure, as when an application asks."),
    ] = False,
    data: DataOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Say what an application is told of a person now: each flag with its variant, and why.

    It reads the data folder, beside a server too, and nobody is exposed to anything by it. With --expose the
    folder's own server is asked for one flag, as an application would ask.
    """
    settings = configuration(config, data)
    asked: dict[str, Any] = {"targetingKey": person, **dict(_attributes(context or ()))}
    if expose and flag is None:
        raise ConfigError("--expose: expected the flag that the person is exposed to [no-flag]")
    if expose or url is not None:
        told = _ask_server(url or server_of(settings), settings, asked, flag if expose else None)
    else:
        told = _read_folder(settings, person, asked)
    found = [one for one in told if flag in (None, one.key)]
    if flag is not None and not found:
        complain(f"{flag}: there is no such flag; `sojourn decide {person}` shows those there are")
        raise typer.Exit(1)
    if json:
        say_json(found if flag is None else found[0])
    else:
        show(table(("flag", "value", "variant", "why", ""), map(_row, found)))


def _attributes(pairs: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """Read NAME=VALUE; a value that is JSON is taken as that, any other as a text."""
    for pair in pairs:
        name, separator, text = pair.partition("=")
        if not (name and separator):
            raise ConfigError(f"--context: expected NAME=VALUE, got {pair[:40]!r} [bad-context]")
        try:
            yield name, msgspec.json.decode(text)
        except msgspec.DecodeError:
            yield name, text


def _read_folder(settings: Config, person: str, context: dict[str, Any]) -> list[Told]:
    from sojourn import wiring  # noqa: PLC0415 - help needs no database

    with wiring.open_readings(settings) as house:
        return [msgspec.convert(one, Told, from_attributes=True) for one in house.decide(person, context)]


def _ask_server(url: str, settings: Config, context: dict[str, Any], flag: str | None) -> list[Told]:
    """Ask by the protocol that applications use, with the admin token; one flag is an exposure."""
    import httpx  # noqa: PLC0415 - only where a server is asked

    token = settings.admin_token
    path = "/ofrep/v1/evaluate/flags" + ("" if flag is None else f"/{flag}")
    try:
        answer = httpx.post(
            url.rstrip("/") + path,
            json={"context": context},
            headers={"authorization": f"Bearer {token.reveal()}"} if token else {},
            timeout=ASK_S,
        )
        said = msgspec.json.decode(answer.content)
        if answer.is_success:
            kind: Any = _All if flag is None else Told
            told = msgspec.convert(said, kind)
            return told.flags if isinstance(told, _All) else [told]
        details = str(said["errorDetails"])
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f"{url}: {error}; is a server of ours there? If not, name it with --url, or in http.host and "
            "http.port"
        ) from None
    if answer.status_code in (400, 404):
        raise InputError(str(said.get("errorCode", "refused")), details)
    raise ConfigError(f"{url}: {details}")


def _row(told: Told) -> tuple[str, str, str, str, str]:
    value = told.value if isinstance(told.value, str) else msgspec.json.encode(told.value).decode()
    more = [
        f"{name}={word}"
        for name, word in told.metadata.items()
        if name not in _USUAL and name[-8:] != "_version"
    ]
    held_out = ["held out"] if told.metadata.get("held_out") else []
    return told.key, value, told.variant, told.reason, " ".join([*held_out, *more])
