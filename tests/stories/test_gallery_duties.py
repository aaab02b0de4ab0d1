"""Stories of the gallery: what is owed to people, and is sent whatever the caps say."""

from __future__ import annotations

import pytest

from sojourn.definitions.catalogue import check_definitions
from sojourn.testing import Story
from tests.stories.gallery import FOLDER, gallery

TOLD = {
    "test_gallery_beginnings.py": ("b2b-account", "onboarding", "trial-ending", "welcome"),
    "test_gallery_carts.py": ("abandoned-cart", "checkout-rescue", "win-back"),
    "test_gallery_duties.py": ("kyc", "payment-failed"),
    "test_gallery_product.py": ("feature-adoption", "in-app-tour", "nps"),
}
"""Where each journey's stories stand."""


def test_every_journey_of_the_gallery_has_its_stories() -> None:
    """Examples are copied; one that nobody has tried is a trap."""
    there = {path.stem for path in FOLDER.glob("*.yaml")} - {"house", "checkout-button"}
    assert there == {name for names in TOLD.values() for name in names}


@pytest.mark.parametrize(("file", "names"), TOLD.items())
def test_the_stories_stand_where_they_are_said_to(file: str, names: tuple[str, ...]) -> None:
    """A list that nobody holds to its word is soon wrong."""
    text = (FOLDER.parent / "tests/stories" / file).read_text("utf-8")
    assert [name for name in names if f'gallery("{name}"' not in text] == []


def test_the_whole_gallery_is_in_order() -> None:
    """As `sojourn check journeys` judges it: no problem, and nothing to be warned of."""
    checked = check_definitions([(path.name, path.read_text("utf-8")) for path in FOLDER.glob("*.yaml")])
    assert (checked.problems, checked.warnings) == ([], [])


def refused(starts: str = "2026-01-05 09:00") -> Story:
    """A person whose card was refused."""
    return gallery("payment-failed", starts=starts).when("Payment Failed", invoice_id="i-1")


def test_whose_card_is_refused_is_told_at_once_even_at_night() -> None:
    """Quiet hours are for advertising."""
    refused(starts="2026-01-05 23:30").then.sent("crm", template="payment-failed", invoice="i-1", times=1)


def test_who_left_the_newsletter_is_told_all_the_same() -> None:
    """A no to email is a no to marketing."""
    story = gallery("payment-failed").when("Consent Updated", channel="email", granted=False)
    story.when("Payment Failed", invoice_id="i-1").then.sent("crm", template="payment-failed")


def test_a_new_card_is_charged_at_once_and_that_is_the_end_of_it() -> None:
    """Nobody who has paid is told of a suspension."""
    story = refused().after("1h").when("Card Updated")
    story.then.sent("billing", charge="i-1", times=1)
    story.when("Payment Succeeded", invoice_id="i-1", amount=29).after("30d")
    story.then.reached_goal("payment-failed", value=29).sent("crm", times=1).sent("billing", times=1)


def test_an_account_is_suspended_after_three_attempts_and_a_last_call() -> None:
    """Twenty days after the first refusal."""
    story = refused().after("15d")
    story.then.sent("billing", charge="i-1", times=3).sent("crm", template="account-on-hold", times=1)
    story.after("5d").then.sent("billing", suspend="ann", times=1).left("final")


def test_paying_one_invoice_does_not_pay_the_other() -> None:
    """The refusal of the other is no answer to this one's charge, either."""
    story = refused().when("Payment Failed", invoice_id="i-2").when("Card Updated")
    story.then.sent("billing", charge="i-1", times=1).sent("billing", charge="i-2", times=1)
    story.when("Payment Failed", invoice_id="i-2").when("Payment Succeeded", invoice_id="i-2", amount=5)
    story.then.reached_goal("payment-failed", value=5).is_in("outcome", key="i-1")


def opened() -> Story:
    """A person who has just opened an account."""
    return gallery("kyc").when("Account Opened", account_id="a-1")


def test_documents_and_address_are_checked_side_by_side() -> None:
    """Whichever comes last makes the account a verified one."""
    story = opened()
    story.then.sent("crm", template="send-documents", times=1).sent("post", letter="a-1", times=1)
    story.when("Documents Uploaded").when("Documents Approved").then.is_in("letter").sent_nothing("core")
    story.after("3d").when("Address Confirmed").then.sent("core", verify="a-1", times=1)
    story.when("Account Verified", account_id="a-1").then.reached_goal("kyc").is_out()


def test_who_is_held_up_comes_back_to_where_they_were() -> None:
    """In both halves, and nothing is asked or posted again."""
    story = opened().when("Documents Uploaded").when("Fraud Suspected")
    story.then.is_in("held").sent("support", review="a-1")
    story.after("10d").when("Fraud Cleared")
    story.then.is_in("reviewed").is_in("letter").sent("crm", times=1).sent("post", times=1)


def test_who_was_held_up_before_sending_documents_is_not_asked_again_at_once() -> None:
    """The five days begin anew."""
    story = opened().after("2d").when("Fraud Suspected").when("Fraud Cleared")
    story.then.is_in("sending").sent("crm", times=1)
    story.after("5d").then.sent("crm", template="documents-missing", times=1)


def test_who_does_not_answer_is_reminded_and_then_the_account_is_closed() -> None:
    """A mail after five days, a second letter after fourteen, the end after forty-five."""
    story = opened().after("14d")
    story.then.sent("crm", template="documents-missing", times=1).sent("post", times=2)
    story.after("31d").then.sent("core", close="a-1", times=1).sent("core", times=1)


def test_who_is_verified_already_or_closes_the_account_is_not_bothered() -> None:
    """The letter is on its way; no more follows."""
    story = opened().when("Account Closed", account_id="a-1").after("60d")
    story.then.left("exit").sent("crm", times=1).sent("post", times=1).sent_nothing("core")
