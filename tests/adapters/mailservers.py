"""A mail server for tests: aiosmtpd on a free port, with a certificate of its own, as a test has it."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USERNAME, PASSWORD = "shop", "hunter2-and-more"


class MailServer:
    """What it was given, and what it answers to each command."""

    def __init__(self, **answers: str) -> None:
        self.answers = answers
        """By command: `mail`, `rcpt` or `data`."""
        self.mails: list[tuple[Envelope, EmailMessage]] = []
        self.n_connections = 0
        self.n_open = 0
        self.peak = 0
        self.is_slow = False
        self.port = 0

    def message(self) -> EmailMessage:
        """The only mail."""
        ((_, message),) = self.mails
        return message

    def action_ids(self) -> list[str]:
        return [message["Message-ID"].strip("<>").partition("@")[0] for _, message in self.mails]

    async def handle_MAIL(  # noqa: N802 - the library's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if "mail" in self.answers:
            return self.answers["mail"]
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(  # noqa: N802 - the library's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if "rcpt" in self.answers:
            return self.answers["rcpt"]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.is_slow:
            await asyncio.sleep(30)
        if "data" in self.answers:
            return self.answers["data"]
        content = envelope.content
        assert isinstance(content, bytes)
        parser = BytesParser(EmailMessage, policy=default)
        self.mails.append((envelope, parser.parsebytes(content.replace(b"\r\n", b"\n"))))
        return "250 OK"

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: Any
    ) -> AuthResult:
        assert isinstance(given, LoginPassword)
        is_right = (given.login, given.password) == (USERNAME.encode(), PASSWORD.encode())
        return AuthResult(success=is_right, handled=False)


class _Counted(SMTP):
    """Counts connections."""

    def __init__(self, mail_server: MailServer, **options: Any) -> None:
        super().__init__(mail_server, **options)
        self._mail_server = mail_server
        self._is_counted = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not self._is_counted:  # STARTTLS makes the connection a second time.
            self._is_counted = True
            server = self._mail_server
            server.n_connections += 1
            server.n_open += 1
            server.peak = max(server.peak, server.n_open)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._mail_server.n_open -= 1
        super().connection_lost(error)


@asynccontextmanager
async def mail_server(
    security: str = "none", *, with_login: bool = False, **answers: str
) -> AsyncIterator[MailServer]:
    """Serve mails."""
    server = MailServer(**answers)
    context = None if security == "none" else tls_context()

    def connect() -> SMTP:
        warnings.simplefilter("ignore", UserWarning)  # of a login without STARTTLS: it is TLS from the start
        return _Counted(
            server,
            loop=asyncio.get_running_loop(),
            tls_context=context if security == "starttls" else None,
            require_starttls=security == "starttls",
            auth_required=with_login,
            auth_require_tls=security == "starttls",
            authenticator=server.authenticate if with_login else None,
        )

    listener = await asyncio.get_running_loop().create_server(
        connect, "127.0.0.1", 0, ssl=context if security == "tls" else None
    )
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()


def tls_context() -> ssl.SSLContext:
    """Return what a server shows its certificate with."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    folder = certificate().parent
    context.load_cert_chain(certificate(), folder / "key.pem")
    return context


@cache
def certificate() -> Path:
    """Make a certificate for 127.0.0.1, once; return its file."""
    if shutil.which("openssl") is None:
        pytest.skip("a certificate is made with openssl, which is not installed")
    folder = Path(mkdtemp())
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-keyout", "key.pem", "-out", "cert.pem", "-days", "2", *names],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip
    return folder / "cert.pem"
