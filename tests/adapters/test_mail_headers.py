"""Headers of mails: what a template put into them arrives to the letter, and nothing else does."""

from __future__ import annotations

from email.header import decode_header, make_header
from email.parser import BytesParser
from email.policy import compat32
from email.utils import parseaddr

import pytest

from tests.adapters.mailservers import MailServer
from tests.adapters.test_email import deliver, mailing, refusal


def test_a_reply_goes_to_one_address() -> None:
    """Whatever a template made of it: one that is none would break the headers apart, or name others."""
    server, _ = deliver(mailing(headers={"Reply-To": "Ann <ann@bücher.example>"}))
    assert server.message()["Reply-To"] == "Ann <ann@xn--bcher-kva.example>"
    for wrong in (
        ",|x(|;;=\ufeff%x'@éx%\U0001f642{[ć):",
        ",??@",
        "a@b.example, c@d.example",
        "all: a@b.example;",
    ):
        error = refusal(action=mailing(headers={"reply-to": wrong}))
        assert (error.retry, "expected one address" in error.reason) == (False, True)


def test_headers_of_a_resent_mail_are_refused() -> None:
    """They name senders and recipients too, and this mail was not resent."""
    assert "set by Sojourn itself" in refusal(action=mailing(headers={"Resent-To": "a@b.example"})).reason


WORDS = "=?utf-8?q?a=0d=0aBcc:_all@shop.example=0d=0a=0d=0aNew_password?="


@pytest.mark.parametrize("text", [WORDS, f"x {WORDS}", "x" * 60 + f" {WORDS} " + "y" * 60, f"é {WORDS}"])
def test_encoded_words_stand_for_themselves(text: str) -> None:
    """Decoded on the way, they would end the headers and begin a body of whoever chose the name."""
    server, _ = deliver(mailing(to=f"{text} <ann@person.example>", subject=text, headers={"X-A": text}))
    message = server.message()
    assert sorted(message) == sorted([*CONTENT, "From", "To", "Subject", "Date", "Message-ID", "X-A"])
    assert (message["Subject"], message["X-A"]) == (text, text)
    assert recipient(server) == (text, "ann@person.example")
    assert message.get_content() == "It waits.\n"


def recipient(server: MailServer) -> tuple[str, str]:
    """Read the only recipient: Python's newer parser puts blanks between encoded words (RFC 2047, 6.2)."""
    raw = BytesParser(policy=compat32).parsebytes(server.mails[0][0].content)["To"]
    name, address = parseaddr(raw.replace("\r\n", ""))
    return str(make_header(decode_header(name))), address


CONTENT = ("MIME-Version", "Content-Type", "Content-Transfer-Encoding")


@pytest.mark.parametrize(
    "text",
    [
        "waiting, die café today) Grüße cart — is aus % Tage Köln alle aus Tage München Tage schöne",
        "你好 today) waiting, café “quoted” is 你好",
        "words " * 30 + "and an end",
        "a" * 200,
        'Ann "The Cart" O\\Neill, (Ltd.)',
        "two  blanks " + "x" * 80,
    ],
)
def test_names_and_subjects_arrive_to_the_letter(text: str) -> None:
    """Blanks between words too, however they are folded."""
    server, _ = deliver(mailing(to=f"{text} <ann@person.example>", subject=text))
    message = server.message()
    assert (message["Subject"], recipient(server)) == (text, (text, "ann@person.example"))
    assert all(len(line) <= 78 for line in server.mails[0][0].content.splitlines())


def test_nobody_can_write_what_ends_a_part() -> None:
    """The boundary is none that a text could hold."""
    first, _ = deliver(mailing(html="<p>x</p>"))
    boundary = first.message().get_boundary()
    second, _ = deliver(mailing(text=f"--{boundary}\n\nmine\n", html="<p>x</p>"))
    assert len(list(second.message().iter_parts())) == 2
