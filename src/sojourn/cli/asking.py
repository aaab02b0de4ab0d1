"""Asking: what a command cannot do in the data folder, the server that works in it is asked to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sojourn.model.errors import ConfigError

if TYPE_CHECKING:
    from sojourn.config import Config

TIMEOUT_S = 60  # a publishing waits for a sweep of the one before it, where that must be over.
EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - as an operator says that everybody may connect


def server_of(settings: Config) -> str:
    """Return where the server of this configuration listens."""
    host = "127.0.0.1" if settings.http.host in EVERYWHERE else settings.http.host
    place = f"[{host}]" if ":" in host else host
    return f"http://{place}:{settings.http.port}"


def ask_server(settings: Config, path: str, body: Any, *, url: str | None = None) -> Any:
    """Post to the API with the configuration's admin token; a refusal is a ConfigError with what to do."""
    import httpx  # noqa: PLC0415 - only where a server is asked

    place = (url or server_of(settings)).rstrip("/")
    token = settings.admin_token
    try:
        answer = httpx.post(
            f"{place}{path}",
            json=body,
            headers={"authorization": f"Bearer {token.reveal()}"} if token else {},
            timeout=TIMEOUT_S,
        )
        told = answer.json()
        if answer.is_success:
            return told
        reason = f"{told['message']}; {told['do']}"
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError) as error:
        reason = f"{error}; is a server of ours there?"
    raise ConfigError(f"{place}: {reason}")
