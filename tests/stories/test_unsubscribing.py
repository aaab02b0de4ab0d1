"""The story of a click: from a mail, by its link, to the mails that are not sent any more."""

from __future__ import annotations

import json
from email.parser import BytesParser
from email.policy import default

from msgspec import Raw
from msgspec.structs import replace

from sojourn.adapters.mail import Letterhead, read_address, write_mail
from sojourn.model.action import Action
from sojourn.model.optout import OptOut, read, sign
from sojourn.server.unsubscribe import consent_event
from sojourn.testing import Story

SECRET = "a secret of the house"
TIPS = """
journey: tips
entry: { on: Signed Up }
states:
  first: { do: [ { sink: mail, topic: tips, body: { template: first } } ], after: { 1d: second } }
  second:
    do:
      - { sink: mail, topic: tips, body: { template: second } }
      - { sink: mail, topic: news, body: { template: news } }
    after: { 1d: done }
"""
POLICY = """
policy:
  holdout: off
  channels: { email: { sinks: [mail] } }
"""


def link_in_the_mail_of(action: Action) -> str:
    """Write the mail and read it as its recipient's program does."""
    link = "https://shop.example/u/" + sign(OptOut(*action.whose(), action.channel, action.topic), SECRET)
    body = Raw(json.dumps({"to": "ann@person.example", "subject": "A tip", "text": "Begin."}).encode())
    head = Letterhead(sender=read_address("shop@shop.example"), reply_to=None)
    mail = write_mail(replace(action, body=body), head, link=link)
    return str(BytesParser(policy=default).parsebytes(mail.content)["List-Unsubscribe"]).strip("<>")


def test_who_clicks_in_a_mail_gets_no_more_of_its_topic_and_the_rest_still() -> None:
    """The click is an event in the log; the decision it stops says so."""
    story = Story(TIPS, policy=POLICY).when("Signed Up")
    (action,) = story.actions()
    wish = read(link_in_the_mail_of(action).removeprefix("https://shop.example/u/"), SECRET)
    assert wish == OptOut("ann", None, "email", "tips")
    story.after("1h").take(consent_event(wish, now=story.now)).after("1d")
    story.then.withheld("consent").sent(template="first").sent(template="news").sent("mail", times=2)
