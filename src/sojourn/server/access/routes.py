"""Routes of access: signing in and out, and who may."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

from litestar import Request, Response, delete, get, post
from litestar.datastructures import State
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import ResponseSpec
from litestar.params import Body, Parameter
from msgspec import Meta, Struct

from sojourn.model.account import Account, Role
from sojourn.model.errors import InputError
from sojourn.server.access.callers import COOKIE, Caller, Line, caller_of
from sojourn.server.access.gate import Access, TooManyAttemptsError
from sojourn.server.access.passwords import MAX_CHARS, check_password, normal_name
from sojourn.server.refusing import Refusal, RefusedError

MAX_SIGN_IN_BYTES = 16_384
"""Nobody has signed in yet who sends this."""

Asked = Request[object, object, State]
Text = Annotated[str, Meta(max_length=MAX_CHARS)]
Name = Annotated[str, Parameter(description="An account's name.", max_length=MAX_CHARS)]


class SignIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """Who wants to sign in: a name and its password, or the configuration's admin token."""

    name: Text | None = None
    password: Text | None = None
    token: Text | None = None


class SignedInView(Struct, kw_only=True):
    """Who is signed in."""

    name: str
    """The account's; `$operator` for who signed in with the admin token."""
    role: Role
    csrf: str
    """What every request of this session that changes something carries as `X-CSRF-Token`."""
    expires_at: int | None
    """When one has to sign in again at the latest, ms since 1970 UTC; null for a token in the request."""


class SignedOut(Struct, kw_only=True):
    """Somebody is signed out."""

    name: str


class AccountView(Struct, kw_only=True):
    """Somebody who may sign in."""

    name: str
    role: Role
    created_at: int
    last_seen_at: int | None
    """About when the account was used last, ms since 1970 UTC."""


class NewAccount(Struct, kw_only=True, forbid_unknown_fields=True):
    """Somebody who is to sign in."""

    name: Text
    role: Role
    password: Text


class NewPassword(Struct, kw_only=True, forbid_unknown_fields=True):
    """A password to sign in with from now on."""

    password: Text
    current: Text | None = None
    """The one until now, which who changes their own has to know."""


def _says(description: str) -> ResponseSpec:
    return ResponseSpec(Refusal, description=description, generate_examples=False)


_TAKEN = _says("There is one of this name.")
_WAIT = _says("Too many tries; `Retry-After` says when.")
_BUSY = _says("Too many at once; try again.")

ACCESS_VIEWS = (SignIn, SignedInView, SignedOut, AccountView, NewAccount, NewPassword)


def access_routes(access: Access, on_entered: Callable[[], None]) -> list[HTTPRouteHandler]:
    """Make the routes; `on_entered` hears of whoever is let in."""
    return [*_session_routes(access, on_entered), *_account_routes(access), *_changing(access)]


def _session_routes(access: Access, on_entered: Callable[[], None]) -> list[HTTPRouteHandler]:
    @post(
        "/api/v1/session",
        summary="Sign in",
        request_max_body_size=MAX_SIGN_IN_BYTES,
        tags=["access"],
        status_code=200,
        responses={429: _WAIT, 503: _BUSY},
    )
    async def sign_in(request: Asked, data: Annotated[SignIn, Body()]) -> Response[SignedInView]:
        """Begin a session, whose cookie is answered; it opens the same routes as the admin token, by role."""
        line = Line.of(request.scope, n_proxies=access.settings.n_proxies)
        token, caller = await _signed_in(access, data, line)
        if before := await access.resume(line.token()):
            await access.sign_out(before)  # this browser's session of before is lost with its cookie
        on_entered()
        cookie = _cookie(token, line, max_age_s=access.settings.length_ms // 1_000)
        return Response(_show_caller(caller), headers={"set-cookie": cookie})

    @get("/api/v1/session", summary="Who is signed in", tags=["access"])
    async def get_session(request: Asked) -> SignedInView:
        """Who asks, and in which role."""
        on_entered()
        return _show_caller(caller_of(request.scope))

    @delete("/api/v1/session", summary="Sign out", tags=["access"], status_code=200)
    async def sign_out(request: Asked) -> Response[SignedOut]:
        """End this session; others of the account go on."""
        caller = caller_of(request.scope)
        await access.sign_out(caller)
        line = Line.of(request.scope, n_proxies=access.settings.n_proxies)
        return Response(SignedOut(name=caller.name), headers={"set-cookie": _cookie("", line, max_age_s=0)})

    return [sign_in, get_session, sign_out]


def _account_routes(access: Access) -> list[HTTPRouteHandler]:
    accounts = access.accounts

    @get("/api/v1/accounts", summary="Accounts", tags=["access"], sync_to_thread=True)
    def list_accounts() -> list[AccountView]:
        """Everybody who may sign in, by name."""
        return [_show(account) for account in accounts.all()]

    @post(
        "/api/v1/accounts",
        summary="Add an account",
        tags=["access"],
        status_code=200,
        responses={409: _TAKEN, 503: _BUSY},
    )
    async def add_account(data: Annotated[NewAccount, Body()]) -> AccountView:
        """Let somebody sign in."""
        name = normal_name(data.name)
        check_password(data.password, name)
        hashed = await access.hash(data.password)
        account = Account(name=name, role=data.role, password=hashed, created_at=access.now_ms())
        if not await asyncio.to_thread(accounts.add, account):
            do = "choose another name, or remove the account first"
            refusal = Refusal(code="account-exists", message=f"there is an account {name!r}", do=do)
            raise RefusedError(409, refusal)
        return _show(account)

    return [list_accounts, add_account]


def _changing(access: Access) -> list[HTTPRouteHandler]:
    """Make the routes that change an account there is."""
    accounts = access.accounts

    @post(
        "/api/v1/accounts/{name:str}/password",
        summary="Change a password",
        tags=["access"],
        status_code=200,
        responses={429: _WAIT, 503: _BUSY},
    )
    async def change_password(
        request: Asked, name: Name, data: Annotated[NewPassword, Body()]
    ) -> AccountView:
        """Give an account, one's own or as an admin anybody's, another password; its sessions end."""
        account = await _found(access, name)
        check_password(data.password, account.name)
        if caller_of(request.scope).name == account.name:
            line = Line.of(request.scope, n_proxies=access.settings.n_proxies)
            await _check_current(access, account.name, data.current or "", address=line.address)
        hashed = await access.hash(data.password)
        if not await asyncio.to_thread(accounts.change_password, account.name, hashed):
            raise _no_account(name)
        return _show(account)

    @delete("/api/v1/accounts/{name:str}", summary="Remove an account", tags=["access"], status_code=200)
    async def remove_account(name: Name) -> AccountView:
        """Let somebody sign in no more; their sessions end."""
        account = await _found(access, name)
        if not await asyncio.to_thread(accounts.remove, account.name):
            raise _no_account(name)
        return _show(account)

    return [change_password, remove_account]


async def _check_current(access: Access, name: str, password: str, *, address: str) -> None:
    """Refuse who does not know their own password: they may sit at somebody else's desk."""
    with _patience():
        if await access.verify(name, password, address=address) is None:
            do = "give `current`, the password until now; an admin can do without"
            raise RefusedError(
                403, Refusal(code="wrong-password", message="this is not your password", do=do)
            )


@contextmanager
def _patience() -> Iterator[None]:
    """Tell whoever tries too often how long to wait."""
    try:
        yield
    except TooManyAttemptsError as wait:
        do = f"wait {wait.wait_s} s, then try again"
        refusal = Refusal(code="too-many-attempts", message="too many tries did not succeed", do=do)
        raise RefusedError(429, refusal, {"retry-after": str(wait.wait_s)}) from None


async def _signed_in(access: Access, asked: SignIn, line: Line) -> tuple[str, Caller]:
    if not access.settings.is_studio:
        refusal = Refusal(code="studio-off", message="nobody can sign in here", do="set studio.enabled")
        raise RefusedError(403, refusal)
    with _patience():
        match asked:
            case SignIn(name=str(name), password=str(password), token=None):
                found = await access.sign_in(name, password, address=line.address)
            case SignIn(name=None, password=None, token=str(token)):
                found = await access.sign_in_operator(token, address=line.address)
            case _:
                raise InputError("bad-parameter", "expected name and password, or token alone", status=422)
    if found is None:
        message = "this is not the admin token" if asked.token else "name and password are not an account's"
        do = "try again; `sojourn account list` says who there is"
        raise RefusedError(401, Refusal(code="wrong-sign-in", message=message, do=do))
    return found


async def _found(access: Access, name: str) -> Account:
    account = await asyncio.to_thread(access.accounts.find, name.lower())
    if account is None:
        raise _no_account(name)
    return account


def _no_account(name: str) -> NotFoundException:
    return NotFoundException(f"there is no account {name[:64]!r}")


def _cookie(token: str, line: Line, *, max_age_s: int) -> str:
    """Write the session's cookie (RFC 6265): for this server alone, and out of the reach of scripts."""
    secure = "; Secure" if line.is_https else ""
    return f"{COOKIE}={token}; Path=/; Max-Age={max_age_s}; HttpOnly; SameSite=Strict{secure}"


def _show_caller(caller: Caller) -> SignedInView:
    return SignedInView(name=caller.name, role=caller.role, csrf=caller.csrf, expires_at=caller.expires_at)


def _show(account: Account) -> AccountView:
    return AccountView(
        name=account.name,
        role=account.role,
        created_at=account.created_at,
        last_seen_at=account.last_seen_at,
    )
