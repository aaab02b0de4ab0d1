"""Stories of the gallery: carts left behind, and customers who went quiet."""

from __future__ import annotations

from sojourn.testing import Story
from tests.stories.gallery import gallery

CART = {"cart_id": "c-1"}


def shopper(starts: str = "2026-01-05 09:00") -> Story:
    """A person who has just put something into a cart, and allows push messages."""
    story = gallery("abandoned-cart", starts=starts)
    story.when("Consent Updated", channel="push", granted=True)
    return story.when("Product Added", properties=CART)


def test_who_leaves_a_cart_is_reminded_three_times_and_then_left_alone() -> None:
    """An hour later by email, then twice by push, about a day apart."""
    story = shopper().after("59m")
    story.then.sent_nothing().is_in("thinking")
    story.after("1m").then.sent("crm", cart="c-1", times=1)
    story.after("60h").then.sent("crm", template="cart-still-here", times=2)
    story.after("8d").then.sent("crm", times=3).left("final")


def test_who_buys_is_not_reminded_and_the_goal_knows_what_it_was_worth() -> None:
    """The order of another cart is no reason to forget this one."""
    story = shopper().when("Order Completed", cart_id="c-2", revenue=10)
    story.then.is_in("thinking")
    story.when("Order Completed", cart_id="c-1", revenue=40)
    story.then.reached_goal("abandoned-cart", value=40).is_out()
    story.after("8d").then.sent_nothing()


def test_each_cart_is_a_run_of_its_own() -> None:
    """Emptying one leaves the other where it is."""
    story = shopper().when("Product Added", cart_id="c-2").when("Cart Emptied", properties=CART)
    story.then.left("exit").is_in("thinking", key="c-2")
    story.after("1h").then.sent("crm", cart="c-2", times=1).sent("crm", cart="c-1", times=0)


def test_who_goes_to_the_checkout_is_looked_after_there() -> None:
    """Two journeys must not write about one cart."""
    shopper().when("Checkout Started", properties=CART).then.left("exit").is_out("abandoned-cart")


def test_a_reminder_that_falls_into_the_night_waits_for_the_morning() -> None:
    """Nine in the evening to eight, by the person's clock; Berlin's, where nobody knows it."""
    story = shopper(starts="2026-01-05 20:30").after("1h")
    story.then.put_off("quiet-hours").sent_nothing()
    story.at("2026-01-06 08:00").then.sent("crm", cart="c-1", times=1)


def test_who_never_allowed_push_gets_the_email_alone() -> None:
    """Push needs a yes."""
    story = gallery("abandoned-cart").when("Product Added", properties=CART).after("8d")
    story.then.sent("crm", times=1).withheld("consent", sink="crm")


def test_who_began_to_pay_and_stopped_is_reminded_after_half_an_hour() -> None:
    """Not everybody, though: an order in between ends it."""
    story = gallery("checkout-rescue").when("Checkout Started", cart_id="c-1", total=30).after("30m")
    story.then.sent("crm", template="cart-reminder", cart="c-1", times=1)
    story = gallery("checkout-rescue").when("Checkout Started", cart_id="c-1", total=30).after("10m")
    story.when("Order Completed", revenue=30).after("7d").then.sent_nothing().reached_goal(value=30)


def test_who_is_refused_twice_gets_a_person_and_not_a_mail() -> None:
    """A reminder to pay is an insult to who has been trying."""
    story = gallery("checkout-rescue").when("Checkout Started", cart_id="c-1", total=30)
    story.when("Payment Failed").when("Payment Failed").after("30m")
    story.then.sent("support", cart="c-1").sent_nothing("crm")


def test_who_opens_help_during_the_checkout_is_helped_at_once() -> None:
    """Help does not wait for a timer."""
    story = gallery("checkout-rescue").when("Checkout Started", cart_id="c-1").when("Help Opened")
    story.then.is_in("assisted").sent("support", cart="c-1", times=1)


def regular(last: str = "59d") -> Story:
    """A person who bought three times; the last time so long ago."""
    story = gallery("win-back", starts="2026-01-05 09:00")
    story.given("Order Completed", ago="200d").given("Order Completed", ago="100d")
    return story.given("Order Completed", ago=last)


def test_who_goes_quiet_gets_a_letter_on_a_tuesday_at_ten_and_an_offer_if_they_read_it() -> None:
    """Time alone makes a member: on Tuesday at nine the last order is sixty days ago."""
    story = regular().after("1d").after("1m")
    story.then.is_in_segment("gone-quiet").is_in("good-hour").sent_nothing()
    story.at("2026-01-06 10:00").then.sent("crm", template="we-miss-you", times=1)
    story.when("Email Opened").after("2d").then.sent("crm", template="ten-percent", times=1)
    story.after("20d").then.sent("crm", times=2).left("final")


def test_who_does_not_read_the_letter_hears_no_more() -> None:
    """Silence is an answer."""
    story = regular().after("30d")
    story.then.sent("crm", times=1).is_out("win-back")


def test_who_still_buys_is_not_told_that_we_miss_them() -> None:
    """Neither who bought last week, nor who bought only once."""
    regular(last="7d").after("30d").then.sent_nothing()
    story = gallery("win-back").given("Order Completed", ago="59d").after("30d")
    story.then.is_not_in_segment("gone-quiet").sent_nothing()


def test_who_comes_back_before_the_letter_gets_none() -> None:
    """The order is the goal, and worth something."""
    story = regular().after("1d").after("1m").when("Order Completed", revenue=25)
    story.then.reached_goal("win-back", value=25).is_out("win-back")
    story.after("30d").then.sent_nothing()


def test_who_goes_quiet_again_too_soon_is_left_in_peace() -> None:
    """Ninety days after the last letter at the earliest."""
    story = regular().after("2d").when("Order Completed", revenue=25).after("61d")
    story.then.is_in_segment("gone-quiet").did_not_enter("cooldown").sent("crm", times=1)


def test_who_closes_the_account_before_the_letter_gets_none() -> None:
    """The exit rule names no event: whatever takes them out of the segment ends it."""
    story = regular().after("1d").after("1m").when("$identify", traits={"status": "closed"})
    story.then.left("exit").is_not_in_segment("gone-quiet").is_out("win-back")


def test_who_is_filling_the_cart_right_now_is_not_pushed() -> None:
    """They are there already."""
    story = shopper().after("50m").when("Product Added", properties=CART).after("8d")
    story.then.sent("crm", times=1).left("final")


def test_a_cart_that_was_emptied_is_not_followed_again_on_the_same_day() -> None:
    """Who puts things in and out is deciding, and needs no second round of reminders."""
    story = shopper().when("Cart Emptied", properties=CART).after("1h").when("Product Added", properties=CART)
    story.then.did_not_enter("cooldown")
    story.after("24h").when("Product Added", properties=CART).then.is_in("thinking")
