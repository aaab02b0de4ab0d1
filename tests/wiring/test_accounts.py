"""What is said at a start about who may ask."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from sojourn.config import Config, Http, Secret, Studio
from sojourn.wiring.accounts import open_access, tell_access

TOKEN = Secret("an-admin-token-of-24-byte")
CLEAR = "who signs in from another machine may send their password in the clear"


def told(config: Config) -> list[str]:
    """Return what is said where a server starts so."""

    async def tell() -> None:
        with open_access(config) as access:
            await tell_access(config, access)

    with capture_logs() as said:
        asyncio.run(tell())
    return [each["event"] for each in said]


@pytest.mark.parametrize(
    ("http", "studio", "expected"),
    [
        (Http(), Studio(), []),
        (Http(host="::1"), Studio(), []),
        (Http(host="localhost"), Studio(), []),
        (Http(host="0.0.0.0"), Studio(), [CLEAR]),
        (Http(host="shop.example"), Studio(), [CLEAR]),
        (Http(host="0.0.0.0", proxies=1), Studio(), []),
        (Http(host="0.0.0.0"), Studio(enabled=False), []),
    ],
)
def test_passwords_in_the_clear_are_warned_of(
    tmp_path: Path, http: Http, studio: Studio, expected: list[str]
) -> None:
    """Where others reach the server, and no proxy is said to stand before it."""
    assert told(Config(data=tmp_path, admin_token=TOKEN, http=http, studio=studio)) == expected


def test_that_nobody_may_ask_is_said(tmp_path: Path) -> None:
    """Whoever listens to the world with neither a token nor an account has opened nothing."""
    assert told(Config(data=tmp_path, http=Http(host="0.0.0.0"))) == ["the API is off"]
