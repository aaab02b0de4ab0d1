"""Headers of mails: each says what it was given, in whatever language, and nothing more.

The standard library reads encoded words (RFC 2047) in a header that it is given, and writes out what they
stand for, line breaks too: a name that somebody chose could end the headers. So here the text is taken as it
is, and encoded as a whole where it is not plain.
"""

from __future__ import annotations

import re
from email.header import Header
from email.headerregistry import (
    BaseHeader,
    ContentTransferEncodingHeader,
    ContentTypeHeader,
    DateHeader,
    HeaderRegistry,
    MIMEVersionHeader,
    UnstructuredHeader,
)
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from typing import Any

LINE_CHARS = 78  # RFC 5322, 2.1.1: no line should be longer; a long text is folded.

_NAMED = re.compile(r"(?P<name>[^<>]*) <(?P<address>[^<>]+)>")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*", re.ASCII)  # RFC 5322, 3.2.3: needs no quotes.
_ENCODED = "=?"
"""How an encoded word begins; in a text that means itself, it is encoded too."""


class _Text(UnstructuredHeader, BaseHeader):
    """A header of any text."""

    value_parser = staticmethod(str)  # type: ignore[assignment]  # the library's would decode

    def fold(self, *, policy: Any) -> str:
        return f"{self.name}: {_written(str(self), str(self.name), policy.linesep)}{policy.linesep}"


class _Mailbox(_Text):
    """A header of one address: `ann@shop.example`, or `Ann <ann@shop.example>`."""

    def fold(self, *, policy: Any) -> str:
        named = _NAMED.fullmatch(str(self))
        if named is None:
            return f"{self.name}: {self}{policy.linesep}"
        name = named["name"]
        if _is_plain(name) and not _ATOMS.fullmatch(name):
            name = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
        said, address = _written(name, str(self.name), policy.linesep), f" <{named['address']}>"
        is_short = len(f"{self.name}: {said}{address}") <= LINE_CHARS
        return f"{self.name}: {said}{'' if is_short else policy.linesep}{address}{policy.linesep}"


class _Unfolded(_Text):
    """A header whose line stays whole: folded, a long link would be no link."""

    def fold(self, *, policy: Any) -> str:
        return f"{self.name}: {self}{policy.linesep}"


def mail_policy() -> EmailPolicy[EmailMessage]:
    """Return how messages are written: 7bit, for a server that cannot take eight is no special case."""
    registry = HeaderRegistry(default_class=_Text, use_default_map=False)  # type: ignore[arg-type]
    for name, kind in {
        "date": DateHeader,
        "mime-version": MIMEVersionHeader,
        "content-type": ContentTypeHeader,
        "content-transfer-encoding": ContentTransferEncodingHeader,
        "from": _Mailbox,
        "to": _Mailbox,
        "reply-to": _Mailbox,
        "list-unsubscribe": _Unfolded,
        "message-id": _Unfolded,
    }.items():
        registry.map_to_type(name, kind)
    return SMTP.clone(header_factory=registry, cte_type="7bit")


def _is_plain(text: str) -> bool:
    return text.isascii() and _ENCODED not in text


def _written(text: str, name: str, linesep: str) -> str:
    """Write a text behind a header's name: as it is where that is plain and short, else in encoded words."""
    if _is_plain(text) and len(f"{name}: {text}") <= LINE_CHARS:
        return text
    is_folded = _is_plain(text) and max(map(len, text.split(" "))) < LINE_CHARS and "  " not in text
    charset = "us-ascii" if is_folded and text == text.strip() else "utf-8"
    return Header(text, charset, maxlinelen=LINE_CHARS, header_name=name).encode(linesep=linesep)
