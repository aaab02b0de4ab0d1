"""The email sink: actions as mails, over SMTP.

    type: email
    host: smtp.example.com
    from: Shop <hello@shop.example>
    username: shop
    password_env: SMTP_PASSWORD

What an action's body says, and the links to unsubscribe with, are in `adapters/mail.py`. A mail is delivered
when the server has taken it; what becomes of it then, only its bounces tell. 4xx answers, and a connection
that fails or is refused, are tried again; 5xx answers to the mail itself are final. What a server says of us,
of a password it wants or of a sender it does not take, is the operator's to mend, and tried again too.
"""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Literal

import aiosmtplib
from msgspec import Struct, field

from sojourn.adapters.mail import Letterhead, Mail, read_address, write_mail
from sojourn.adapters.options import read_options, secret_of
from sojourn.adapters.reasons import clean
from sojourn.model.action import Action, Delivery
from sojourn.model.errors import ConfigError, SinkError
from sojourn.model.optout import OptOut, sign

Security = Literal["starttls", "tls", "none"]
PORTS: dict[Security, int] = {"starttls": 587, "tls": 465, "none": 25}

TIMEOUT_S = 20.0  # for each answer: within the 30 s that the outbox gives a delivery.
MAX_CONNECTIONS = 8  # What mail providers commonly allow one sender at once is 10 and more.
MAX_MAILS = 100  # over one connection: Postfix and others close it after as many.
IDLE_S = 30.0  # Servers wait some minutes; firewalls between forget sooner.
QUIT_S = 1.0

_OF_US = frozenset({530, 534, 535, 538})
"""Answers about who we are (RFC 4954), whatever they answer."""
_TOO_LARGE = 552
"""All that can be wrong with a mail when its sender is named (RFC 1870)."""
TOKEN = "{token}"  # noqa: S105 - where one stands, and none itself


class _Options(Struct, forbid_unknown_fields=True):
    host: str
    from_: str = field(name="from")
    port: int = 0
    """0: the usual one, 587, 465 or 25."""
    security: Security = "starttls"
    allow_cleartext: bool = False
    """Let `security: none` leave this machine."""
    ca_file: str = ""
    """Certificates to trust instead of the system's, for a server with one of its own."""
    username: str = ""
    password: str = ""
    password_env: str = ""
    reply_to: str = ""
    timeout_s: float = TIMEOUT_S
    max_connections: int = MAX_CONNECTIONS
    unsubscribe_url: str = ""
    """Where people unsubscribe; `{token}` in it says who from what. The house's own where left out."""
    unsubscribe_secret: str = ""
    """Signs the token. The house's own where left out."""


class EmailSink:
    """One SMTP server, over connections that are used again.

    Options: `host`, `from`; `port`, `security` (`starttls`, `tls`, `none`), `ca_file`; `username` and
    `password` or `password_env`; `reply_to`; `timeout_s`, `max_connections`; `unsubscribe_url`.
    """

    has_unsubscribe_links = True
    """The house gives it `unsubscribe_url` and `unsubscribe_secret`."""

    def __init__(
        self, name: str, options: Mapping[str, Any], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        chosen = read_options(name, options, _Options)
        password = secret_of(name, chosen.password_env) if chosen.password_env else chosen.password
        _check(name, chosen, password)
        self._name = name
        self._head = Letterhead(
            sender=_address(name, "from", chosen.from_),
            reply_to=_address(name, "reply_to", chosen.reply_to) if chosen.reply_to else None,
        )
        self._link = (chosen.unsubscribe_url, chosen.unsubscribe_secret)
        self._server = _Server(chosen, password, context=_tls_context(name, chosen), clock=clock)

    def __repr__(self) -> str:
        return f"EmailSink({self._name!r}, host={self._server.host!r})"

    async def deliver(self, action: Action) -> Delivery:
        """Hand the mail over once; raise SinkError saying whether another attempt makes sense."""
        return await self._server.send(write_mail(action, self._head, link=self._link_of(action)))

    async def close(self) -> None:
        """Close the connections; a later delivery opens new ones."""
        await self._server.close()

    def _link_of(self, action: Action) -> str | None:
        """Return the link of a mail; None for one that goes by no channel: nothing would heed the click."""
        url, secret = self._link
        if not url or not action.channel:
            return None
        user_id, anonymous_id = action.whose()
        wish = OptOut(user_id, anonymous_id, action.channel, action.topic)
        return url.replace(TOKEN, sign(wish, secret))


class _Connection(Struct):
    """One connection and how much it was used."""

    smtp: aiosmtplib.SMTP
    n_mails: int = 0
    used_at: float = 0.0


class _Server:
    """A server, a bounded number of connections to it, and what its answers mean."""

    def __init__(
        self, options: _Options, password: str, *, context: ssl.SSLContext | None, clock: Callable[[], float]
    ) -> None:
        self.host = options.host
        self._options = options
        self._password = password
        self._context = context
        self._clock = clock
        self._idle: list[_Connection] = []
        self._places: asyncio.Semaphore | None = None

    async def send(self, mail: Mail) -> Delivery:
        if self._places is None:
            self._places = asyncio.Semaphore(self._options.max_connections)
        async with self._places:
            connection = self._take() or await self._connect()
            try:
                await connection.smtp.sendmail(mail.sender, [mail.recipient], mail.content)
            except aiosmtplib.SMTPRecipientsRefused as error:
                self._give_back(connection)
                raise self._refusal(error.recipients[0]) from None  # which might echo the password
            except aiosmtplib.SMTPResponseException as error:
                if (
                    not 400 <= error.code < 600
                ):  # no answer of SMTP: whatever comes next may be no answer either
                    connection.smtp.close()
                    raise self._failure(error) from None
                self._give_back(connection)
                raise self._refusal(error) from None
            except (aiosmtplib.SMTPException, OSError) as error:
                connection.smtp.close()
                raise self._failure(error) from None
            except BaseException:
                connection.smtp.close()  # Cancelled in between: nobody knows what the server waits for.
                raise
            self._give_back(connection)
        return Delivery(outcome="delivered", attempts=1, status=250)

    async def close(self) -> None:
        idle, self._idle = self._idle, []
        for connection in idle:
            with suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
                await connection.smtp.quit(timeout=QUIT_S)
            connection.smtp.close()

    def _take(self) -> _Connection | None:
        """Return a connection that is open still; the newest, so that a quiet day leaves few."""
        while self._idle:
            connection = self._idle.pop()
            is_fresh = self._clock() - connection.used_at < IDLE_S
            if is_fresh and connection.smtp.is_connected:
                return connection
            connection.smtp.close()
        return None

    def _give_back(self, connection: _Connection) -> None:
        connection.n_mails += 1
        connection.used_at = self._clock()
        if connection.n_mails < MAX_MAILS and connection.smtp.is_connected:
            self._idle.append(connection)
        else:
            connection.smtp.close()

    async def _connect(self) -> _Connection:
        options = self._options
        smtp = aiosmtplib.SMTP(
            hostname=options.host,
            port=options.port or PORTS[options.security],
            timeout=options.timeout_s,
            use_tls=options.security == "tls",
            start_tls=options.security == "starttls",
            tls_context=self._context,
            username=options.username or None,
            password=self._password or None,
        )
        try:
            await smtp.connect()
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            smtp.close()
            # Whatever the server says here is of us, and of no mail: it may be mended, and the mails wait.
            raise self._failure(error) from None
        except BaseException:
            smtp.close()
            raise
        return _Connection(smtp)

    def _refusal(self, error: aiosmtplib.SMTPResponseException) -> SinkError:
        """Say what an answer to a mail means (RFC 5321, 4.2.1): 4xx not now, 5xx never, unless of us."""
        reason = clean(f"SMTP {error.code}: {error.message}", self._hidden())
        is_of_sender = isinstance(error, aiosmtplib.SMTPSenderRefused) and error.code != _TOO_LARGE
        is_of_us = is_of_sender or error.code in _OF_US
        return SinkError(reason, retry=error.code < 500 or is_of_us, status=error.code)

    def _failure(self, error: Exception) -> SinkError:
        if isinstance(error, TimeoutError):
            return SinkError(f"no answer within {self._options.timeout_s:g} s", retry=True)
        status = error.code if isinstance(error, aiosmtplib.SMTPResponseException) else None
        reason = clean(f"{self.host}: {type(error).__name__}: {error}", self._hidden())
        return SinkError(reason, retry=True, status=status)

    def _hidden(self) -> list[str]:
        return [self._password] if self._password else []


# -- What the operator configured.


def _check(name: str, options: _Options, password: str) -> None:
    for wrong, what in (
        (not options.host or any(c.isspace() for c in options.host), "host must be a name or an address"),
        (not 0 <= options.port <= 65_535, "port must be from 0 to 65535"),
        (not 0 < options.timeout_s <= 300, "timeout_s must be above 0 and at most 300"),
        (not 1 <= options.max_connections <= 100, "max_connections must be from 1 to 100"),
        (bool(options.password and options.password_env), "password and password_env say the same; keep one"),
        (bool(options.username) != bool(password), "username and password go together: give both, or none"),
        (
            options.security == "none" and not options.allow_cleartext and not _is_loopback(options.host),
            "security: none sends mails and passwords in the clear; use starttls or tls, or say that you "
            "mean it with allow_cleartext: true",
        ),
        (
            bool(options.unsubscribe_url) != bool(options.unsubscribe_secret),
            "unsubscribe_url needs a secret that signs its tokens: set unsubscribe.secret and "
            "unsubscribe.public_url of the house, or unsubscribe_secret of the sink",
        ),
        (
            bool(options.unsubscribe_url) and not _is_template(options.unsubscribe_url),
            f"unsubscribe_url must be http(s)://... with {TOKEN} in it",
        ),
    ):
        if wrong:
            raise ConfigError(f"sink {name!r}: {what} [bad-option]")


def _is_template(url: str) -> bool:
    is_plain = url.isascii() and url.isprintable() and not any(c in url for c in ' "<>')
    return is_plain and url.startswith(("https://", "http://")) and url.count(TOKEN) == 1


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _address(name: str, option: str, text: str) -> Any:
    try:
        return read_address(text)
    except ValueError as error:
        raise ConfigError(f"sink {name!r}: {option}: {error} [bad-option]") from None


def _tls_context(name: str, options: _Options) -> ssl.SSLContext | None:
    if options.security == "none":
        return None
    try:
        return ssl.create_default_context(cafile=options.ca_file or None)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"sink {name!r}: ca_file {options.ca_file}: {error.strerror or error} [bad-option]"
        ) from None
