"""Asking: what changes a data folder is done in it where it is free, else by the server that works in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from sojourn.model.errors import ConfigError, FolderInUseError, InputError

if TYPE_CHECKING:
    from sojourn.config import Config

TIMEOUT_S = 60  # a publishing waits for a sweep of the one before it, where that must be over.
EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - as an operator says that everybody may connect
MISTAKES = (404, 422)  # of whoever asks; the folder would refuse the same, as an InputError.

T = TypeVar("T", bound=msgspec.Struct)


class _Refusal(msgspec.Struct):
    """What the API says where it refuses."""

    code: str
    message: str
    do: str


def ask(settings: Config, path: str, asked: dict[str, Any], kind: type[T], *, url: str | None = None) -> T:
    """Do what a path of the API does, and return its answer.

    Args:
        settings: Name the folder, where its server listens, and the admin token.
        path: Of the API, as `/api/v1/holds`.
        asked: The body.
        kind: What the path answers with.
        url: A server to ask, whoever works in the folder; None: the folder's own, where one works in it.

    Raises:
        ConfigError: No server of ours answers, or it does not take the token.
        InputError, DefinitionError: What is asked for is refused.
    """
    from sojourn.wiring.folder import answer  # noqa: PLC0415 - help needs no database

    if url is not None:
        return _ask_server(url, path, asked, kind, settings=settings, hint="name it with --url")
    try:
        told = answer(settings, path, asked)
    except FolderInUseError:
        hint = "name it in http.host and http.port, or SOJOURN_HTTP_HOST and SOJOURN_HTTP_PORT"
        return _ask_server(server_of(settings), path, asked, kind, settings=settings, hint=hint)
    assert isinstance(told, kind)
    return told


def server_of(settings: Config) -> str:
    """Return where the server of this configuration listens."""
    host = "127.0.0.1" if settings.http.host in EVERYWHERE else settings.http.host
    place = f"[{host}]" if ":" in host else host
    return f"http://{place}:{settings.http.port}"


def _ask_server(
    url: str, path: str, asked: dict[str, Any], kind: type[T], *, settings: Config, hint: str
) -> T:
    """Post to the API with the configuration's admin token; what is not of our shape is no server of ours."""
    import httpx  # noqa: PLC0415 - only where a server is asked

    token = settings.admin_token
    try:
        answer = httpx.post(
            f"{url.rstrip('/')}{path}",
            json=asked,
            headers={"authorization": f"Bearer {token.reveal()}"} if token else {},
            timeout=TIMEOUT_S,
        )
        if answer.is_success:
            return msgspec.json.decode(answer.content, type=kind)
        refusal = msgspec.json.decode(answer.content, type=_Refusal)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise ConfigError(f"{url}: {error}; is a server of ours there? If not, {hint}") from None
    reason = f"{url}: {refusal.message}; {refusal.do}"
    raise InputError(refusal.code, reason) if answer.status_code in MISTAKES else ConfigError(reason)
