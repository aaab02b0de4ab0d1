"""Gate: who somebody is: by the operator's token, by a session's cookie, or by signing in.

Of a session's token only a digest is kept, and the token against forged requests is derived from it, so
whoever reads the database can neither take a session over nor forge a request of one.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import structlog
from msgspec import Struct

from sojourn.model.account import OPERATOR, Account, Session
from sojourn.model.errors import InputError, UnavailableError
from sojourn.model.ports import Accounts
from sojourn.server.access.attempts import Attempts
from sojourn.server.access.callers import Caller
from sojourn.server.access.passwords import Cost, hash_password, is_password, normal_name

TOKEN_BYTES = 32  # 256 bits: nobody guesses it.
MAX_TOKEN_CHARS = 64
MAX_SESSIONS = 10
"""Of one account: the browsers somebody has, and some that were not signed out."""
SEEN_EVERY_MS = 60_000
"""That somebody is there is noted once in a while, not at every request: each note is a commit."""
MAX_HASHING = 16
"""Passwords that wait to be hashed: who comes then is asked to come again, before it takes seconds."""

HOUR_MS, DAY_MS = 3_600_000, 86_400_000

log = structlog.get_logger("sojourn")
T = TypeVar("T")


class AccessSettings(Struct, frozen=True, kw_only=True):
    """What the configuration says of access."""

    admin_token: str | None = None
    is_studio: bool = True
    """Whether people may sign in; else only the admin token opens anything."""
    idle_ms: int = 12 * HOUR_MS
    length_ms: int = 7 * DAY_MS
    n_proxies: int = 0
    cost: Cost = Cost()


class TooManyAttemptsError(Exception):
    """Somebody who guesses is to wait."""

    def __init__(self, wait_ms: int) -> None:
        super().__init__(wait_ms)
        self.wait_s = -(-wait_ms // 1_000)


class Access:
    """Accounts and sessions, asked off the event loop; for one server."""

    def __init__(self, accounts: Accounts, settings: AccessSettings, *, now_ms: Callable[[], int]) -> None:
        self.accounts = accounts
        self.settings = settings
        self.now_ms = now_ms
        self.attempts = Attempts()
        self._hashing = ThreadPoolExecutor(1, thread_name_prefix="passwords")
        self._n_hashing = 0
        self._nobody = hash_password(secrets.token_urlsafe(), settings.cost)
        accounts.end_sessions(OPERATOR)  # The token may be another since.

    def close(self) -> None:
        """Release the thread; accounts are their opener's."""
        self._hashing.shutdown(cancel_futures=True)

    async def is_shut(self) -> bool:
        """Tell whether nobody at all can get in."""
        if self.settings.admin_token is not None:
            return False
        accounts = await asyncio.to_thread(self.accounts.all)
        return not (self.settings.is_studio and accounts)

    def is_operator(self, token: bytes) -> bool:
        """Tell whether something is the admin token."""
        expected = self.settings.admin_token
        return expected is not None and hmac.compare_digest(token, expected.encode())

    async def resume(self, token: str, *, is_there: bool = True) -> Caller | None:
        """Return who has a session's token; None where there is no such session, or no more.

        `is_there`: somebody asks just now; False where only an answer goes on that was begun before.
        """
        if not self.settings.is_studio or not token or len(token) > MAX_TOKEN_CHARS:
            return None
        return await asyncio.to_thread(self._resume, token, is_there=is_there)

    def _resume(self, token: str, *, is_there: bool) -> Caller | None:
        found = self.accounts.session(_mark(token))
        if found is None:
            return None
        session, account = found
        now = self.now_ms()
        if now >= session.seen_at + self.settings.idle_ms or now >= self._end_of(session):
            self.accounts.end_session(session.mark)
            return None
        if session.account == OPERATOR:
            if self.settings.admin_token is None:
                return None
        elif account is None:
            return None
        if is_there and now - session.seen_at >= SEEN_EVERY_MS:
            self.accounts.see(session, now)
        return self._caller(token, session, account)

    def _caller(self, token: str, session: Session, account: Account | None) -> Caller:
        return Caller(
            name=session.account,
            role="admin" if account is None else account.role,
            mark=session.mark,
            csrf=_csrf(token),
            expires_at=self._end_of(session),
        )

    def _end_of(self, session: Session) -> int:
        return session.started_at + self.settings.length_ms

    async def sign_in(self, name: str, password: str, *, address: str) -> tuple[str, Caller] | None:
        """Begin a session for a name and its password; return its token, and who has it.

        None where they are not right, whichever it is, after the same work. Raises TooManyAttemptsError, and
        UnavailableError where too many wait.
        """
        try:
            name = normal_name(name)
        except InputError:
            name = ""  # of nobody; what comes then takes as long as for anybody
        account = await self.verify(name, password, address=address)
        return None if account is None else await self._start(account.name, account)

    async def verify(self, name: str, password: str, *, address: str) -> Account | None:
        """Return the account of a name and its password; as `sign_in`."""
        self._begin(name, address)
        account = await asyncio.to_thread(self.accounts.find, name)
        kept = self._nobody if account is None else account.password
        try:
            is_right = await self._hash(lambda: is_password(password, kept))
        except UnavailableError:
            self.attempts.take_back(name, address)
            raise
        if account is None or not is_right:
            log.warning("a sign-in failed", account=None if account is None else account.name)
            return None
        self.attempts.succeeded(name, address)
        return account

    async def sign_in_operator(self, token: str, *, address: str) -> tuple[str, Caller] | None:
        """Begin a session for whoever has the admin token; as `sign_in`."""
        self._begin(OPERATOR, address)
        if not self.is_operator(token.encode("utf-8", "surrogatepass")):
            log.warning("a sign-in failed", account=OPERATOR)
            return None
        self.attempts.succeeded(OPERATOR, address)
        return await self._start(OPERATOR, None)

    def _begin(self, name: str, address: str) -> None:
        wait_ms = self.attempts.begin(name, address, now=self.now_ms())
        if wait_ms > 0:
            raise TooManyAttemptsError(wait_ms)

    async def _start(self, name: str, account: Account | None) -> tuple[str, Caller] | None:
        token, now = secrets.token_urlsafe(TOKEN_BYTES), self.now_ms()
        session = Session(mark=_mark(token), account=name, started_at=now, seen_at=now)
        password = None if account is None else account.password

        def start() -> bool:
            self.accounts.expire(
                started_before=now - self.settings.length_ms, seen_before=now - self.settings.idle_ms
            )
            is_open = self.accounts.open_session(session, password=password, most=MAX_SESSIONS)
            if is_open:
                self.accounts.see(session, now)
            return is_open

        if not await asyncio.to_thread(start):
            return None
        log.info("signed in", account=name)
        return token, self._caller(token, session, account)

    async def sign_out(self, caller: Caller) -> None:
        """End the session of a caller."""
        if caller.mark is not None:
            await asyncio.to_thread(self.accounts.end_session, caller.mark)

    async def hash(self, password: str) -> str:
        """Return what is kept of a password; raises UnavailableError where too many wait."""
        return await self._hash(lambda: hash_password(password, self.settings.cost))

    async def _hash(self, work: Callable[[], T]) -> T:
        """Work at a password, one at a time: each takes its memory, and a core."""
        if self._n_hashing >= MAX_HASHING:
            raise UnavailableError("too many sign in at once", retry_after_s=2)
        self._n_hashing += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._hashing, work)
        finally:
            self._n_hashing -= 1


def _mark(token: str) -> bytes:
    """Return what is kept of a token; it has 256 random bits, so nothing slower than SHA-256 is needed."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _csrf(token: str) -> str:
    """Derive the token against forged requests from the session's."""
    key = token.encode("utf-8", "surrogatepass")
    return hmac.new(key, b"sojourn csrf", hashlib.sha256).hexdigest()
