"""The email sink against a real SMTP server, with TLS and without."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from msgspec import Raw
from msgspec.structs import replace

from sojourn.adapters import email as sink_of_mails
from sojourn.adapters.email import IDLE_S, MAX_CONNECTIONS, EmailSink
from sojourn.model.action import Action, Delivery
from sojourn.model.errors import ConfigError, SinkError
from sojourn.model.optout import OptOut, read
from sojourn.testing import check_sink, checked_action
from tests.adapters.mailservers import PASSWORD, USERNAME, MailServer, certificate, mail_server

BODY = {"to": "Ann <ann@person.example>", "subject": "Your cart", "text": "It waits.\n"}
SECRET = "a secret of the operator"
PLAIN = {"host": "127.0.0.1", "from": "Shop <hello@shop.example>", "security": "none"}


def mailing(**body: Any) -> Action:
    """Make an action whose body is that of a mail, changed so."""
    return replace(checked_action(1), channel="email", body=Raw(json.dumps(BODY | body).encode()))


def deliver(
    action: Action | None = None,
    *,
    security: str = "none",
    answers: dict[str, str] | None = None,
    **options: Any,
) -> tuple[MailServer, Delivery | SinkError]:
    """Deliver once."""

    async def story() -> tuple[MailServer, Delivery | SinkError]:
        async with mail_server(security, with_login="username" in options, **(answers or {})) as server:
            given = PLAIN | {"port": server.port, "security": security} | options
            sink = EmailSink("mail", given)
            try:
                return server, await sink.deliver(action or mailing())
            except SinkError as error:
                return server, error
            finally:
                await sink.close()

    return asyncio.run(story())


def refusal(**story: Any) -> SinkError:
    """Deliver where it is refused; return the error."""
    _, error = deliver(**story)
    assert isinstance(error, SinkError)
    return error


def test_a_mail_arrives_as_the_journey_wrote_it() -> None:
    """Its envelope and its headers name the same people, and its id is the action's."""
    server, delivery = deliver(mailing(headers={"X-Kind": "reminder"}), reply_to="help@shop.example")
    ((envelope, message),) = server.mails
    assert delivery == Delivery(outcome="delivered", attempts=1, status=250)
    assert (envelope.mail_from, envelope.rcpt_tos) == ("hello@shop.example", ["ann@person.example"])
    assert dict(message.items()) == {
        "From": "Shop <hello@shop.example>",
        "To": "Ann <ann@person.example>",
        "Subject": "Your cart",
        "Date": "Thu, 01 Jan 2026 00:00:00 +0000",
        "Message-ID": "<check-0001@shop.example>",
        "Reply-To": "help@shop.example",
        "X-Kind": "reminder",
        "MIME-Version": "1.0",
        "Content-Type": 'text/plain; charset="utf-8"',
        "Content-Transfer-Encoding": "7bit",
    }
    assert message.get_content() == "It waits.\n"


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_server_with_a_certificate_of_its_own_is_spoken_to_over_tls(security: str) -> None:
    """The password goes over no wire in the clear."""
    given = {"ca_file": str(certificate()), "username": USERNAME, "password": PASSWORD}
    server, delivery = deliver(security=security, **given)
    assert isinstance(delivery, Delivery), delivery
    assert server.message()["Subject"] == "Your cart"


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_that_nobody_vouches_for_ends_it_before_the_password_is_sent(security: str) -> None:
    """Who sits in between could be anybody; it may be mended, so the mails wait."""
    error = refusal(security=security, username=USERNAME, password=PASSWORD)
    assert "CERTIFICATE_VERIFY_FAILED" in error.reason
    assert error.retry


def test_a_server_without_starttls_gets_nothing() -> None:
    """Taking the encryption away is the oldest attack on mail."""

    async def story() -> tuple[MailServer, SinkError]:
        async with mail_server("none") as server:
            sink = EmailSink("mail", PLAIN | {"port": server.port, "security": "starttls"})
            with pytest.raises(SinkError) as caught:
                await sink.deliver(mailing())
            return server, caught.value

    server, error = asyncio.run(story())
    assert (error.retry, server.mails) == (True, [])
    assert "STARTTLS" in error.reason.upper()


def test_a_wrong_password_is_told_without_it_and_waits_to_be_mended() -> None:
    """It is the operator's mistake and no mail's: after it is mended, all of them go."""
    error = refusal(
        security="starttls", ca_file=str(certificate()), username=USERNAME, password="wrong-password"
    )
    assert (error.retry, error.status) == (True, 535)
    assert "wrong-password" not in error.reason


@pytest.mark.parametrize(
    ("answers", "retry", "status"),
    [
        ({"rcpt": "450 4.2.1 Mailbox busy"}, True, 450),
        ({"rcpt": "550 5.1.1 No such person"}, False, 550),
        ({"data": "451 4.3.0 Try later"}, True, 451),
        ({"data": "554 5.7.1 Looks like spam"}, False, 554),
        ({"mail": "552 5.3.4 Too large"}, False, 552),
        # Of the sender, which is the operator's, and of no mail.
        ({"mail": "550 5.7.1 You may not send as this"}, True, 550),
        ({"mail": "530 5.7.0 Authentication required"}, True, 530),
        ({"rcpt": "530 5.7.0 Authentication required"}, True, 530),
    ],
)
def test_the_servers_answer_says_whether_to_try_again(
    answers: dict[str, str], retry: bool, status: int
) -> None:
    """4xx is not now, 5xx is never."""
    error = refusal(answers=answers)
    assert (error.retry, error.status) == (retry, status)
    code, _, text = next(iter(answers.values())).partition(" ")
    assert error.reason == f"SMTP {code}: {text}"


@pytest.mark.parametrize("answer", ["what?", "250 " + "x" * 10_000_000])
def test_an_answer_that_is_none_is_no_refusal_of_the_mail(answer: str) -> None:
    """Another server answers next time, or this one is mended."""
    assert refusal(answers={"data": answer}).retry


def test_a_server_that_does_not_answer_in_time_is_tried_again() -> None:
    """The timeout is the operator's."""

    async def story() -> SinkError:
        async with mail_server() as server:
            server.is_slow = True
            sink = EmailSink("mail", PLAIN | {"port": server.port, "timeout_s": 0.05})
            with pytest.raises(SinkError) as caught:
                await sink.deliver(mailing())
            await sink.close()
            return caught.value

    error = asyncio.run(story())
    assert (error.retry, error.reason) == (True, "no answer within 0.05 s")


def test_a_server_that_is_not_there_is_tried_again() -> None:
    """Nothing listens."""

    async def story() -> SinkError:
        async with mail_server() as server:
            port = server.port
        sink = EmailSink("mail", PLAIN | {"port": port})
        with pytest.raises(SinkError) as caught:
            await sink.deliver(mailing())
        return caught.value

    assert asyncio.run(story()).retry


# -- What is written.


def test_text_and_html_are_alternatives_in_any_language() -> None:
    """The plain one first, as RFC 2046 has it."""
    server, _ = deliver(
        mailing(subject="Grüße, 你好", text="Hallo Jürgen 🙂\n", html="<p>Hallo Jürgen 🙂</p>\n")
    )
    message = server.message()
    assert message["Subject"] == "Grüße, 你好"
    assert message.get_content_type() == "multipart/alternative"
    parts = [
        (part.get_content_type(), part.get_content().replace("\r\n", "\n")) for part in message.iter_parts()
    ]
    assert parts == [("text/plain", "Hallo Jürgen 🙂\n"), ("text/html", "<p>Hallo Jürgen 🙂</p>\n")]


def test_every_attempt_sends_the_same_bytes() -> None:
    """A provider that drops repetitions compares them."""
    action = mailing(html="<p>It waits.</p>")
    first, second = (deliver(action)[0].mails[0][0].content for _ in range(2))
    assert first == second


def test_lines_that_begin_with_a_dot_arrive_so() -> None:
    """A dot alone ends a mail."""
    server, _ = deliver(mailing(text=".\n..\n.signature\n"))
    assert server.message().get_content() == ".\n..\n.signature\n"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"to": ""}, "expected one address such as ann@shop.example, got ''"),
        ({"to": "ann"}, "expected one address"),
        ({"to": "ann@shop.example, bob@shop.example"}, "expected one address"),
        ({"to": "ann@shop..example"}, "expected one address"),
        ({"to": ".ann@shop.example"}, "expected one address"),
        ({"to": "ann@" + "a" * 64 + ".example"}, "expected one address"),
        ({"to": "<ann@shop.example> <bob@shop.example>"}, "expected one address"),
        ({"to": "ann@shop.example\r\nBcc: all@shop.example"}, "no line break"),
        ({"to": "Ann\n<ann@shop.example>"}, "no line break"),
        ({"subject": "Hello\r\nBcc: all@shop.example"}, "no line break"),
        ({"subject": "Hello\rBcc: all@shop.example"}, "no line break"),
        ({"subject": "Hello\u2028Bcc: all@shop.example"}, "no line break"),
        ({"subject": "Hello\x00"}, "no control character"),
        ({"subject": ""}, "Expected `str` of length >= 1"),
        ({"headers": {"X-A": "b\r\nBcc: all@shop.example"}}, "no line break"),
        ({"headers": {"X-A\r\nBcc": "all@shop.example"}}, "is no name of a header"),
        ({"headers": {"X A": "b"}}, "is no name of a header"),
        ({"headers": {"Bcc": "all@shop.example"}}, "the header 'Bcc' is set by Sojourn itself"),
        ({"headers": {"Content-Type": "text/html"}}, "is set by Sojourn itself"),
        ({"headers": {"x-a": "1", "X-A": "2"}}, "stands there twice"),
        ({"cc": "bob@shop.example"}, "unknown field 'cc'; did you mean 'to'?"),
        ({"text": "to stop: %unsubscribe_url%"}, "%unsubscribe_url% stands for nothing"),
        ({"text": 7}, "Expected `str`, got `int`"),
    ],
)
def test_what_may_not_stand_in_a_mail_is_refused_and_final(change: dict[str, Any], said: str) -> None:
    """Templates are filled with what anybody sent: nobody may name another recipient by it."""
    server, error = deliver(mailing(**change))
    assert isinstance(error, SinkError)
    assert said.removesuffix("; did you mean 'to'?") in error.reason
    assert (error.retry, server.mails) == (False, [])


# -- Links to unsubscribe with.

LINKS = {"unsubscribe_url": "https://shop.example/u/{token}", "unsubscribe_secret": SECRET}


def token_in(link: str) -> str:
    """Return the token in a link."""
    assert link.startswith("https://shop.example/u/"), link
    return link.removeprefix("https://shop.example/u/")


def test_one_click_unsubscribes_the_person_from_what_the_mail_was_about() -> None:
    """RFC 8058: two headers, and the link says who, of which channel and topic."""
    server, _ = deliver(replace(mailing(), channel="mail", topic="newsletter"), **LINKS)
    link = server.message()["List-Unsubscribe"].strip("<>")
    assert read(token_in(link), SECRET) == OptOut("checked", None, "mail", "newsletter")
    assert server.message()["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_the_link_stands_where_the_text_asks_for_it() -> None:
    """The law in many places wants one that people see."""
    marked = mailing(text="Stop: %unsubscribe_url%\n", html='<a href="%unsubscribe_url%">Stop</a>\n')
    server, _ = deliver(marked, **LINKS)
    link = server.message()["List-Unsubscribe"].strip("<>")
    text, page = (part.get_content() for part in server.message().iter_parts())
    assert (text, page) == (f"Stop: {link}\n", f'<a href="{link}">Stop</a>\n')


def test_a_long_link_stays_one_line() -> None:
    """Folded into encoded words it would be no link any more."""
    server, _ = deliver(replace(mailing(), user_id="u" * 600), **LINKS)
    link = server.message()["List-Unsubscribe"].strip("<>")
    assert read(token_in(link), SECRET) == OptOut("u" * 600, None, "email")
    assert f"List-Unsubscribe: <{link}>\r\n".encode() in server.mails[0][0].content


def test_a_link_that_no_header_can_hold_is_told() -> None:
    """Rather than a mail that nobody can unsubscribe from."""
    error = refusal(action=replace(mailing(), user_id="u" * 1_000), **LINKS)
    assert (error.retry, "too long for a header" in error.reason) == (False, True)


def test_what_is_owed_to_the_person_has_no_link() -> None:
    """Who unsubscribes from a receipt would lose the next one."""
    server, _ = deliver(mailing(unsubscribe=False), **LINKS)
    assert "List-Unsubscribe" not in server.message()


def test_what_goes_by_no_channel_has_no_link() -> None:
    """Nothing would heed the click: consent is asked for by channel."""
    loose = replace(mailing(), channel="")
    assert "List-Unsubscribe" not in deliver(loose, **LINKS)[0].message()
    error = refusal(action=replace(mailing(text="Stop: %unsubscribe_url%"), channel=""), **LINKS)
    assert (error.retry, "name the action's channel" in error.reason) == (False, True)


def test_without_https_there_is_no_one_click() -> None:
    """RFC 8058 knows no other; people can still follow the link."""
    server, _ = deliver(**LINKS | {"unsubscribe_url": "http://localhost:8080/u/{token}"})
    assert "List-Unsubscribe" in server.message()
    assert "List-Unsubscribe-Post" not in server.message()


# -- Connections.


def test_connections_are_used_again_and_are_no_more_than_allowed() -> None:
    """A handshake for each mail would cost more than the mail."""

    async def story() -> tuple[int, int, int]:
        async with mail_server() as server:
            sink = EmailSink("mail", PLAIN | {"port": server.port, "max_connections": 3})
            await asyncio.gather(*(sink.deliver(mailing()) for _ in range(12)))
            await sink.deliver(mailing())
            await sink.close()
            return len(server.mails), server.n_connections, server.peak

    assert asyncio.run(story()) == (13, 3, 3)


def test_a_refused_mail_leaves_its_connection_usable() -> None:
    """One address that does not exist is no reason to shake hands again."""

    async def story() -> tuple[int, int]:
        async with mail_server(rcpt="550 No such person") as server:
            sink = EmailSink("mail", PLAIN | {"port": server.port})
            with pytest.raises(SinkError):
                await sink.deliver(mailing())
            server.answers.clear()
            await sink.deliver(mailing())
            await sink.close()
            return len(server.mails), server.n_connections

    assert asyncio.run(story()) == (1, 1)


@pytest.mark.parametrize(("idle_s", "n_connections"), [(IDLE_S - 1, 1), (IDLE_S + 1, 2)])
def test_a_connection_that_was_idle_for_long_is_not_trusted(idle_s: float, n_connections: int) -> None:
    """A firewall in between may have forgotten it."""
    now = 0.0

    async def story() -> int:
        nonlocal now
        async with mail_server() as server:
            sink = EmailSink("mail", PLAIN | {"port": server.port}, clock=lambda: now)
            await sink.deliver(mailing())
            now = idle_s
            await sink.deliver(mailing())
            await sink.close()
            return server.n_connections

    assert asyncio.run(story()) == n_connections


def test_a_connection_carries_a_bounded_number_of_mails(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers close it after some, in the middle of one."""
    monkeypatch.setattr(sink_of_mails, "MAX_MAILS", 2)

    async def story() -> int:
        async with mail_server() as server:
            sink = EmailSink("mail", PLAIN | {"port": server.port})
            for _ in range(5):
                await sink.deliver(mailing())
            await sink.close()
            return server.n_connections

    assert asyncio.run(story()) == 3


def test_a_delivery_that_is_given_up_takes_its_connection_along() -> None:
    """Nobody knows what the server waits for; the next mail must not end up inside this one."""

    async def story() -> tuple[int, int]:
        async with mail_server() as server:
            server.is_slow = True
            sink = EmailSink("mail", PLAIN | {"port": server.port})
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await sink.deliver(mailing())
            server.is_slow = False
            await sink.deliver(mailing())
            await sink.close()
            return len(server.mails), server.n_connections

    assert asyncio.run(story()) == (1, 2)


# -- What the operator configured.


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"host": ""}, "host must be a name or an address"),
        ({"from": "shop"}, "from: expected one address"),
        ({"reply_to": "a\nb@c.d"}, "reply_to: a header is one line"),
        ({"port": 70_000}, "port must be from 0 to 65535"),
        ({"security": "ssl"}, "Invalid enum value 'ssl'"),
        ({"host": "mail.example"}, "say that you mean it with allow_cleartext: true"),
        ({"username": "shop"}, "username and password go together"),
        ({"password": PASSWORD}, "username and password go together"),
        ({"username": "shop", "password_env": "NO_SUCH_PASSWORD"}, "variable NO_SUCH_PASSWORD is not set"),
        ({"timeout_s": 0}, "timeout_s must be above 0"),
        ({"max_connections": 0}, "max_connections must be from 1 to 100"),
        ({"unsubscribe_url": "https://a.example/{token}"}, "needs a secret that signs its tokens"),
        (LINKS | {"unsubscribe_url": "https://a.example/"}, "with {token} in it"),
        (LINKS | {"unsubscribe_url": "https://a.example/>{token}"}, "with {token} in it"),
        ({"security": "tls", "ca_file": "/no/such/file"}, "ca_file /no/such/file: No such file"),
        ({"hots": "a"}, "unknown option 'hots'; did you mean 'host'?"),
    ],
)
def test_wrong_options_are_refused_with_what_to_do(options: dict[str, Any], said: str) -> None:
    """At the start, where the operator looks, and never with the password."""
    with pytest.raises(ConfigError, match="sink 'mail': ") as caught:
        EmailSink("mail", PLAIN | options)
    assert said in str(caught.value)
    assert PASSWORD not in str(caught.value)


def test_cleartext_beyond_this_machine_can_be_meant() -> None:
    """A relay in the same private network."""
    sink = EmailSink("mail", PLAIN | {"host": "relay.internal", "allow_cleartext": True})
    assert repr(sink) == "EmailSink('mail', host='relay.internal')"


def test_it_passes_the_battery_for_sinks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same that third parties' sinks pass."""
    monkeypatch.setenv("MAIL_PASSWORD", PASSWORD)

    async def story() -> int:
        async with (
            mail_server("starttls", with_login=True) as server,
            mail_server("starttls", with_login=True, data=f"554 you said {PASSWORD}") as broken,
        ):
            options = (
                PLAIN
                | LINKS
                | {
                    "security": "starttls",
                    "ca_file": str(certificate()),
                    "username": USERNAME,
                    "password_env": "MAIL_PASSWORD",
                }
            )
            await check_sink(
                EmailSink,
                options | {"port": server.port},
                arrived=server.action_ids,
                broken=options | {"port": broken.port},
                secrets=[PASSWORD, SECRET],
                bodies=[json.dumps(BODY).encode(), json.dumps(BODY | {"html": "<p>ü</p>"}).encode()],
            )
            return server.n_connections

    assert 0 < asyncio.run(story()) <= MAX_CONNECTIONS
