"""Mails: from the body of an action to the bytes of a message, strictly, and the same at every attempt.

    {"to": "Ann <ann@shop.example>", "subject": "...", "text": "...", "html": "...",
     "headers": {"X-Kind": "..."}}

Templates fill these with what anybody sent, so nothing in them may end a header line or name another
recipient. Where there is a link to unsubscribe with, the message says so in its headers (RFC 2369 and 8058:
one click), and `%unsubscribe_url%` in `text` and `html` stands for it.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from typing import Annotated

from msgspec import Meta, Struct

from sojourn.adapters.mail_headers import mail_policy
from sojourn.adapters.options import read_body
from sojourn.model.action import Action
from sojourn.model.errors import SinkError
from sojourn.model.ids import derive

LINE_CHARS = 998  # RFC 5322, 2.1.1: no line of a message is longer.
SUBJECT_CHARS = 900
PLACEHOLDER = "%unsubscribe_url%"  # as Mailgun and others write it; Liquid would render its own to nothing.

# The local part and the domain of a valid address, as the HTML standard has them for <input type=email>.
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*", re.ASCII)
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(\.{_LABEL})*", re.ASCII)
_NAMED = re.compile(r"(?P<name>[^<>]*)<(?P<address>[^<>]+)>")
_HEADER_NAME = re.compile(r"[!-9;-~]{1,76}", re.ASCII)  # RFC 5322, 3.6.8: printable, no colon.

_OURS = frozenset({
    "from", "to", "cc", "bcc", "sender", "subject", "date", "message-id", "mime-version", "return-path",
    "received", "dkim-signature", "list-unsubscribe", "list-unsubscribe-post",
})  # fmt: skip


_POLICY = mail_policy()


class Letterhead(Struct, frozen=True, kw_only=True):
    """What all mails of one sink have in common."""

    sender: Address
    reply_to: Address | None


class Mail(Struct, frozen=True):
    """A message, ready to be handed over."""

    sender: str
    recipient: str
    content: bytes


class _Body(Struct, forbid_unknown_fields=True):
    to: str
    subject: Annotated[str, Meta(min_length=1, max_length=SUBJECT_CHARS)]
    text: str
    html: str = ""
    headers: dict[str, str] = {}
    unsubscribe: bool = True
    """False for what is owed to the person: a receipt has no link that would forbid the next one."""


def write_mail(action: Action, head: Letterhead, *, link: str | None) -> Mail:
    """Return the message an action wants sent; `link` is where its reader unsubscribes.

    Raises SinkError, final, that says what is wrong in the body.
    """
    body = read_body(action, _Body)
    link = link if body.unsubscribe else None
    try:
        recipient = read_address(body.to)
        message = EmailMessage(policy=_POLICY)
        message["From"] = _mailbox(head.sender)
        message["To"] = _mailbox(recipient)
        message["Subject"] = _one_line(body.subject)
        message["Date"] = datetime.fromtimestamp(action.at / 1000, UTC)
        # Derived from the action: a provider that sees it twice may drop the second one.
        message["Message-ID"] = f"<{action.id}@{head.sender.domain}>"
        if head.reply_to is not None and "reply-to" not in map(str.lower, body.headers):
            message["Reply-To"] = _mailbox(head.reply_to)
        _add_headers(message, body.headers)
        _add_link(message, link)
        message.set_content(_with_link(body.text, link))
        if body.html:
            message.add_alternative(_with_link(body.html, link and html.escape(link)), subtype="html")
            # The same at every attempt, and nothing that the parts could hold.
            message.set_boundary("sojourn-" + derive("boundary", action.id, body.text, body.html))
    except ValueError as error:
        raise SinkError(f"the body of the action: {error} [bad-body]", retry=False) from None
    return Mail(head.sender.addr_spec, recipient.addr_spec, message.as_bytes())


def read_address(text: str) -> Address:
    """Read one address, with or without a name: `ann@shop.example`, `Ann <ann@shop.example>`.

    Raises ValueError saying what was expected.

    >>> read_address("Ann <ann@b\u00fccher.example>").addr_spec
    'ann@xn--bcher-kva.example'
    """
    text = _one_line(text).strip()
    named = _NAMED.fullmatch(text)
    name = named["name"].strip().strip('"') if named else ""
    local, _, domain = (named["address"] if named else text).rpartition("@")
    try:
        domain = domain.encode("idna").decode()
    except UnicodeError:
        domain = ""
    if not _LOCAL.fullmatch(local) or len(local) > 64 or not _DOMAIN.fullmatch(domain) or len(domain) > 253:
        raise ValueError(f"expected one address such as ann@shop.example, got {text[:80]!r}")
    return Address(name, local, domain)


def _mailbox(address: Address) -> str:
    return f"{address.display_name} <{address.addr_spec}>" if address.display_name else address.addr_spec


def _one_line(text: str) -> str:
    if any(ord(character) < 32 or ord(character) in (0x7F, 0x85, 0x2028, 0x2029) for character in text):
        raise ValueError("a header is one line; it may have no line break and no control character in it")
    return text


def _add_headers(message: EmailMessage, headers: Mapping[str, str]) -> None:
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name):
            raise ValueError(f"{name[:40]!r} is no name of a header")
        if name.lower() in _OURS or name.lower().startswith(("content-", "resent-")):
            raise ValueError(f"the header {name!r} is set by Sojourn itself")
        if name in message:
            raise ValueError(f"the header {name!r} stands there twice")
        is_address = name.lower() == "reply-to"
        message[name] = _mailbox(read_address(value)) if is_address else _one_line(value)[:LINE_CHARS]


def _add_link(message: EmailMessage, link: str | None) -> None:
    if link is None:
        return
    if len(link) > LINE_CHARS - len("List-Unsubscribe: <>"):
        raise ValueError("the link to unsubscribe with is too long for a header: so is the person's id")
    message["List-Unsubscribe"] = f"<{link}>"
    if link.startswith("https:"):  # RFC 8058 knows no other.
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"


def _with_link(text: str, link: str | None) -> str:
    if link is None and PLACEHOLDER in text:
        raise ValueError(
            f"{PLACEHOLDER} stands for nothing: configure unsubscribe.secret and unsubscribe.public_url, and "
            "name the action's channel"
        )
    return text.replace(PLACEHOLDER, link or "")
