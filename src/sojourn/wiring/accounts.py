"""Accounts: who may sign in, opened for the server and for the command line."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address

import structlog

from sojourn.adapters.sqlite import SqliteAccounts
from sojourn.config import Config
from sojourn.model.ports import Accounts
from sojourn.server.access.gate import Access, AccessSettings

log = structlog.get_logger("sojourn")


@contextmanager
def open_accounts(config: Config) -> Iterator[Accounts]:
    """Open a data folder's accounts, beside whatever else has them open."""
    accounts = SqliteAccounts(config.data)
    try:
        yield accounts
    finally:
        accounts.close()


@contextmanager
def open_access(config: Config) -> Iterator[Access]:
    """Open what decides who may ask a server's API."""
    settings = AccessSettings(
        admin_token=config.admin_token.reveal() if config.admin_token else None,
        is_studio=config.studio.enabled,
        idle_ms=config.studio.session_idle_ms,
        length_ms=config.studio.session_length_ms,
        n_proxies=config.http.proxies,
    )
    with open_accounts(config) as accounts:
        access = Access(accounts, settings, now_ms=lambda: time.time_ns() // 1_000_000)
        try:
            yield access
        finally:
            access.close()


async def tell_access(config: Config, access: Access) -> None:
    """Say at the start what will not work, or is not safe, and what to do."""
    if await access.is_shut():
        log.warning("the API is off", do="set admin_token, or `sojourn account add NAME`")
    elif config.studio.enabled and config.http.proxies == 0 and not is_here(config.http.host):
        do = "put a proxy with TLS before the server, and set http.proxies; or studio.enabled: false"
        log.warning("who signs in from another machine may send their password in the clear", do=do)


def is_here(host: str) -> bool:
    """Tell whether nobody but this machine reaches a host; of a name, only `localhost` says so."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
