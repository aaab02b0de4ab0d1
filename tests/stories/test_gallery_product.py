"""Stories of the gallery: tips, tours and surveys inside the product."""

from __future__ import annotations

from sojourn.testing import Story
from tests.stories.gallery import gallery


def exporting(n_exports: int = 3) -> Story:
    """A person who exports by hand."""
    story = gallery("feature-adoption").given("Signed Up")
    for _ in range(n_exports):
        story.when("Report Exported")
    return story


def test_who_exports_by_hand_is_shown_the_report_builder_three_times_at_most() -> None:
    """At the third export, and then a week apart."""
    story = exporting()
    story.then.sent("app", tip="report-builder", times=1)
    story.after("7d").then.sent("app", times=2)
    story.after("30d").then.sent("app", times=3).sent_nothing("crm").left("final")


def test_who_tries_it_gets_the_guide_and_no_more_hints() -> None:
    """Two days later, when the questions have come."""
    story = exporting().after("1d").when("Report Builder Opened").after("2d")
    story.then.sent("crm", template="report-builder-guide", times=1)
    story.after("20d").then.sent("app", times=1)


def test_who_exports_now_and_then_or_builds_reports_already_is_not_bothered() -> None:
    """Two exports are no habit."""
    exporting(2).then.sent_nothing().is_out()
    story = gallery("feature-adoption").when("Report Built")
    for _ in range(3):
        story.when("Report Exported")
    story.then.sent_nothing().is_out()


def test_who_builds_a_report_has_learnt_it() -> None:
    """The goal ends the hints."""
    story = exporting().when("Report Built").after("30d")
    story.then.reached_goal("feature-adoption").sent("app", times=1)


def test_a_tour_shows_the_next_tip_when_the_last_one_was_followed() -> None:
    """All four of them, though two in-app messages a day is the cap: who takes a tour has asked for it."""
    story = gallery("in-app-tour").when("Tour Started")
    story.then.sent("app", tip="open-a-board", times=1)
    story.when("Board Opened").when("Card Created").when("Board Shared")
    story.then.sent("app", tip="well-done").sent("app", times=4)
    story.when("Tour Finished").then.reached_goal("in-app-tour").is_out()


def test_who_gets_stuck_is_helped_and_goes_on_where_they_were() -> None:
    """No tip is shown twice."""
    story = gallery("in-app-tour").when("Tour Started").when("Board Opened").when("Help Opened")
    story.then.is_in("helped").sent("support", stuck=True)
    story.when("Help Closed").then.is_in("card").sent("app", tip="write-a-card", times=1).sent("app", times=2)
    story.when("Card Created").then.is_in("share")


def test_who_forgets_to_close_help_goes_on_after_twenty_minutes() -> None:
    """A tour must not end in a side room."""
    story = gallery("in-app-tour").when("Tour Started").when("Help Opened").after("20m")
    story.then.is_in("board").sent("app", times=1)


def test_who_wanders_off_or_dismisses_the_tour_is_not_chased() -> None:
    """Half an hour without the next step ends it."""
    gallery("in-app-tour").when("Tour Started").after("30m").then.sent("app", times=1).is_out()
    gallery("in-app-tour").when("Tour Started").when("Tour Dismissed").then.left("exit").is_out()


def customer(starts: str = "2026-04-01 09:00", zone: str = "Europe/Berlin") -> Story:
    """A customer who bought and was here this month, some days before the quarter's survey."""
    story = gallery("nps", starts=starts).given(traits={"time_zone": zone})
    story.given("Order Completed", ago="40d").given("Page Viewed", ago="2d")
    return story.when("Consent Updated", channel="push", granted=True)


def test_a_customer_is_asked_on_the_fifth_at_ten_by_their_own_clock() -> None:
    """Ten in New York is sixteen in Berlin."""
    story = customer(zone="America/New_York").at("2026-04-05 15:59")
    story.then.sent_nothing()
    story.at("2026-04-05 16:00").then.sent("crm", template="nps", times=1)


def test_who_does_not_answer_is_asked_once_more_and_not_before_the_next_quarter() -> None:
    """By email, then by push; the visits go on."""
    story = customer().at("2026-04-10 10:00")
    story.then.sent("crm", template="nps-short", times=1)
    story.at("2026-06-20 10:00").when("Page Viewed")
    story.then.sent("crm", times=2).is_out("nps")
    story.at("2026-07-05 10:00").then.sent("crm", template="nps", times=2)


def test_who_is_happy_is_thanked_by_silence_and_who_is_not_is_called() -> None:
    """Seven and more is the goal."""
    story = customer().at("2026-04-05 11:00").when("Survey Answered", score=9).after("30d")
    story.then.reached_goal("nps", value=9).sent("crm", times=1).sent_nothing("support")
    story = customer().at("2026-04-05 11:00").when("Survey Answered", score=3).after("30d")
    story.then.sent("support", call="ann", score=3, times=1).sent("crm", times=1)


def test_who_never_bought_or_is_gone_is_not_asked() -> None:
    """Only active customers."""
    story = gallery("nps", starts="2026-04-01 09:00").when("Page Viewed").at("2026-04-20 10:00")
    story.then.sent_nothing()
    story = gallery("nps", starts="2026-04-01 09:00").given("Order Completed", ago="90d")
    story.given("Page Viewed", ago="60d").at("2026-04-20 10:00").then.sent_nothing()


def test_a_survey_gives_way_where_enough_was_sent_that_week() -> None:
    """Four emails in seven days are the cap, all journeys together."""
    story = gallery("nps", "checkout-rescue", starts="2026-04-01 09:00")
    story.given("Order Completed", ago="40d").given("Page Viewed", ago="2d")
    for day in (1, 2, 3, 4):
        story.at(f"2026-04-0{day} 12:00").when("Checkout Started", cart_id=f"c-{day}", total=20).after("1h")
    story.at("2026-04-05 10:00")
    story.then.sent("crm", template="cart-reminder", times=4).withheld("cap").sent("crm", times=4)
