"""Stories of the gallery: first days of people and of workspaces."""

from __future__ import annotations

from tests.stories.gallery import gallery


def test_who_signs_up_and_does_nothing_is_nudged_in_office_hours() -> None:
    """A day after a Friday evening is a Saturday; the nudge comes on Monday at nine."""
    story = gallery("onboarding", starts="2026-01-09 17:00").when("Signed Up")
    story.then.sent("crm", template="welcome", times=1)
    story.at("2026-01-12 08:59").then.sent("crm", times=1).is_in("office-hours")
    story.at("2026-01-12 09:00").then.sent("crm", template="first-project", times=1)


def test_who_takes_the_tour_is_not_nudged_but_offered_help() -> None:
    """They began by themselves, and came no further in three days."""
    story = gallery("onboarding").when("Signed Up").when("Tour Finished").after("3d")
    story.then.sent("crm", template="first-project", times=0).sent("crm", template="can-we-help", times=1)


def test_who_works_a_lot_is_asked_to_bring_others() -> None:
    """Five uses in three days need no help."""
    story = gallery("onboarding").when("Signed Up").when("Tour Finished").after("2d")
    for _ in range(5):
        story.when("Feature Used")
    story.after("1d")
    story.then.sent("crm", template="invite-your-team", times=1).sent("crm", template="can-we-help", times=0)


def test_who_begins_a_project_is_left_in_peace() -> None:
    """That is what it was for."""
    story = gallery("onboarding").when("Signed Up").after("1h").when("Project Created").after("14d")
    story.then.left("goal").sent("crm", times=1)


def test_nobody_is_greeted_twice() -> None:
    """Onboarding and welcome both begin with a sign-up; a person is in one of them."""
    story = gallery("onboarding", "welcome").when("Signed Up")
    story.then.entered("onboarding").did_not_enter("excluded", journey="welcome").sent("crm", times=1)


def test_who_is_welcomed_and_does_not_begin_hears_once_more() -> None:
    """A day later, and then no more."""
    story = gallery("welcome").given(traits={"first_name": "Ann"}).when("Signed Up")
    story.then.sent("crm", text="Welcome, Ann!")
    story.after("1d").then.sent("crm", template="first-project", times=1)
    story.after("14d").then.sent("crm", times=2).left("final")


def test_who_explores_is_given_three_days_more() -> None:
    """Ten pages in a day are no reason to push."""
    story = gallery("welcome").when("Signed Up").after("23h")
    for _ in range(10):
        story.when("Page Viewed")
    story.after("1h").then.is_in("exploring").sent("crm", times=1)
    story.after("3d").then.sent("crm", template="first-project", times=1)


def test_who_deletes_the_account_is_not_written_to() -> None:
    """From wherever they stand."""
    story = gallery("welcome").when("Signed Up").when("Account Deleted").after("14d")
    story.then.left("exit").sent("crm", times=1)


def test_who_uses_the_product_in_the_trial_is_asked_to_stay() -> None:
    """Three uses in the week before the twelfth day; the others are asked why not."""
    story = gallery("trial-ending").given(traits={"seats": 4}, who="ann").given("Signed Up", who="bob")
    story.when("Trial Started", who="ann", workspace_id="w-1")
    story.when("Trial Started", who="bob", workspace_id="w-2").after("8d")
    for _ in range(3):
        story.when("Feature Used", who="ann")
    story.after("4d")
    story.then("ann").sent("crm", template="stay", seats=4).is_in("asked")
    story.then("bob").sent("crm", template="why-not").is_in("surveyed")


def test_who_waits_for_support_is_not_asked_to_pay() -> None:
    """An hour after it was solved, and not on the twelfth day."""
    story = gallery("trial-ending").when("Trial Started", workspace_id="w-1").after("11d")
    story.when("Support Requested").after("3d").then.is_in("paused").sent_nothing("crm")
    story.when("Support Solved").after("1h").then.sent("crm", template="stay", times=1)


def test_whose_trial_is_extended_by_a_week_is_not_bothered() -> None:
    """A day more changes nothing."""
    story = gallery("trial-ending").when("Trial Started", workspace_id="w-1")
    story.when("Trial Extended", days=1).then.is_in("trial")
    story.when("Trial Extended", days=7).then.left("exit").sent_nothing()


def test_a_workspace_that_grows_and_is_used_is_called_by_sales() -> None:
    """Twenty uses in a week, or one seat more: the first sign is enough."""
    used = gallery("b2b-account", "in-app-tour").when("Seat Added", workspace_id="w-1", seats=5)
    for _ in range(19):
        used.when("Feature Used")
    used.then.sent_nothing().is_in("heavy-use")
    used.when("Feature Used").then.sent("sales", workspace="w-1", seats=5, times=1).is_in("demo")
    grown = gallery("b2b-account", "in-app-tour").when("Seat Added", workspace_id="w-1", seats=5)
    grown.when("Seat Added", workspace_id="w-1", seats=6).then.sent("sales", times=1).is_in("demo")


def test_each_workspace_of_a_person_is_a_run_of_its_own() -> None:
    """A seat or a demo of one is no sign of the other."""
    story = gallery("b2b-account", "in-app-tour").when("Seat Added", workspace_id="w-1", seats=5)
    story.when("Seat Added", workspace_id="w-2", seats=9)
    story.then.entered("b2b-account", times=2).sent_nothing()
    story.when("Seat Added", workspace_id="w-2", seats=10)
    story.then.sent("sales", workspace="w-2", times=1).sent("sales", times=1)
    story.when("Demo Booked", workspace_id="w-2")
    story.then.is_in("negotiation", key="w-2").is_in("intent", key="w-1").is_in(
        "board", journey="in-app-tour"
    )


def test_a_small_or_idle_workspace_is_left_alone() -> None:
    """Four seats do not begin it, and a month without a sign of intent ends it."""
    story = gallery("b2b-account", "in-app-tour").when("Seat Added", workspace_id="w-1", seats=4)
    story.then.is_out("b2b-account")
    story.when("Seat Added", workspace_id="w-1", seats=5).after("30d")
    story.then.sent_nothing().is_out("b2b-account")
