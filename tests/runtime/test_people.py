"""People: whom an id means, and for whom it means nobody."""

from __future__ import annotations

import asyncio

import pytest
from msgspec import Raw, structs

from sojourn.engine.decisions import Decision
from sojourn.runtime.deciding import Question
from sojourn.runtime.finding import Who
from tests.runtime.counters import Counter, play

# Whom an id means


def test_a_person_is_found_by_a_user_id_and_by_a_device_named_or_not() -> None:
    """An application has whichever id its own system has."""

    async def story(counter: Counter) -> None:
        await counter.post("Started", "?phone")
        assert await counter.state("phone") == "waiting"
        await counter.post("$identify", "ann", anonymous_id="phone")
        await counter.post("Helped", "ann")
        assert [await counter.state(each) for each in ("phone", "ann")] == ["assisted", "assisted"]

    play(story)


def test_a_user_id_that_stands_for_another_by_an_alias_is_followed() -> None:
    """As the events sent under it are."""

    async def story(counter: Counter) -> None:
        await counter.post("Started", "old")
        await counter.post("Started", "new")
        await counter.post("Helped", "new")
        await counter.post("$alias", "new", previous_id="old")
        assert await counter.state(Who(user_ids=("old",))) == "assisted"

    play(story)


def test_of_an_id_that_is_a_users_and_a_devices_the_users_person_is_meant() -> None:
    """In memory or not: an answer must not depend on who was seen lately."""

    async def story(counter: Counter) -> None:
        await counter.post("Started", "?both")
        assert await counter.state("both") == "waiting"
        await counter.post("Seen", "both")
        assert await counter.state("both") == ""

    for cache in (0, 50_000):
        play(story, cache=cache)


def test_somebody_nobody_knows_is_a_device_unless_the_application_says_that_it_is_a_user() -> None:
    """A profile made of a device's id would stand before its person for ever."""

    async def story(counter: Counter) -> None:
        for who in (Who(user_ids=("a",), anonymous_ids=("a",)), Who(user_ids=("b",), is_user=True)):
            await counter.ask("share", who)

    assert [(one.user_id, one.anonymous_id) for one in play(story).said] == [(None, "a"), ("b", None)]


def test_a_user_nobody_knows_is_not_whoever_else_has_their_device() -> None:
    """A computer of several people: an event that names a user is that user's, and so is a question."""

    async def story(counter: Counter) -> None:
        await counter.post("Started", "bob", anonymous_id="laptop")
        eve = Who(user_ids=("eve",), anonymous_ids=("laptop",), is_user=True)
        assert await counter.state(eve) == ""
        await counter.ask("share", eve)
        assert await counter.state("laptop") == "waiting"

    assert [one.user_id for one in play(story).said] == ["eve"]


def test_an_id_that_is_a_users_is_no_device_for_whoever_may_ask_of_devices_only() -> None:
    """Whoever may ask of devices only is told what is told of somebody unknown, and exposes nobody."""

    async def story(counter: Counter) -> None:
        await counter.post("Started", "old@example.com")
        await counter.post("Started", "ann")
        await counter.post("$alias", "ann", previous_id="old@example.com")
        guessed = Who(anonymous_ids=("old@example.com",))
        assert await counter.state(guessed) == ""
        await counter.post("Seen", "cat", anonymous_id="cat")  # a server that has no id of the device
        await counter.post("Started", "cat")
        assert await counter.state(Who(anonymous_ids=("cat",))) == ""
        await counter.ask("share", guessed)
        assert await counter.state("old@example.com") == "waiting"

    assert play(story).said == []


# Who believes nothing that events say of who is who

STRANGER = Who(anonymous_ids=("phone",), trusts_events=False)


async def all_of(counter: Counter, who: Who) -> tuple[list[Decision], Decision]:
    """Ask for all flags, and for one that is drawn."""
    every, _ = await counter.deciding.decide_all(Question(who=who))
    return every, await counter.ask("share", who)


@pytest.mark.parametrize("cache", [0, 50_000])
def test_a_device_that_events_tie_to_a_user_is_a_strangers_for_whoever_does_not_believe_them(
    cache: int,
) -> None:
    """Whoever guesses a user's id can say that a device is theirs: they learn nothing, and expose nobody."""

    async def story(counter: Counter) -> None:
        nobody = await all_of(counter, Who(anonymous_ids=("phone",), trusts_events=False))
        for name in ("Started", "Helped"):
            await counter.post(name, "ann")
        await counter.post("$identify", "ann", anonymous_id="phone")
        every, one = await all_of(counter, STRANGER)
        for was, now in [*zip(nobody[0], every, strict=True), (nobody[1], one)]:
            assert now.metadata == {**was.metadata, "stranger": "unsigned-device"}
            assert (now.value, now.variant, now.reason) == (was.value, was.variant, was.reason)
        believed, _ = await all_of(counter, structs.replace(STRANGER, trusts_events=True))
        assert "assisted" in [decision.value for decision in believed]

    said = play(story, cache=cache).said
    assert [one.anonymous_id for one in said if one.user_id is None] == ["phone"]  # as it was unnamed


def test_a_device_nobody_named_is_its_own_for_whoever_believes_nothing() -> None:
    """A visitor who never signs in is answered as ever."""

    async def story(counter: Counter) -> None:
        await counter.post("Started", "?phone")
        decision = await counter.ask("journey.rescue.state", STRANGER)
        assert (decision.value, decision.metadata.get("stranger")) == ("waiting", None)

    play(story)


def test_a_user_id_that_an_alias_makes_anothers_is_a_strangers_for_whoever_does_not_believe_it() -> None:
    """Somebody signed in as eve could else say that eve is ann, and be told what ann is."""

    async def story(counter: Counter) -> None:
        await counter.post("Started", "ann")
        await counter.post("$alias", "ann", previous_id="eve")
        eve = Who(user_ids=("eve",), is_user=True, trusts_events=False)
        decision = await counter.ask("journey.rescue.state", eve)
        assert (decision.value, decision.metadata["stranger"]) == ("", "alias")
        await counter.ask("share", eve)
        await counter.post("$alias", "ann", previous_id="eve", properties=Raw(b'{"undo": true}'))
        await counter.post("Started", "eve")
        assert await counter.state(eve) == "waiting"

    assert play(story).said == []


def test_why_somebody_is_a_stranger_does_not_tell_that_an_id_is_a_users() -> None:
    """A guessed id that was some user's before an alias is answered as one that nobody ever had."""

    async def story(counter: Counter) -> None:
        await counter.post("Started", "old@example.com")
        await counter.post("$alias", "ann", previous_id="old@example.com")
        await counter.post("Seen", "cat", anonymous_id="cat")
        for guess in ("old@example.com", "cat", "never@example.com"):
            who = Who(anonymous_ids=(guess,), trusts_events=False)
            assert "stranger" not in (await counter.ask("journey.rescue.state", who)).metadata

    play(story)


# Under which id somebody is exposed


def test_of_aliases_in_a_row_an_exposure_is_of_whoever_is_answered() -> None:
    """The events of an id go one alias far; what was told of it goes the same way, and stays there."""

    async def story(counter: Counter) -> None:
        await counter.post("Started", "b")
        await counter.post("$alias", "b", previous_id="a")
        await counter.post("$alias", "c", previous_id="b")
        await counter.post("Seen", "a")
        a = Who(user_ids=("a",), is_user=True)
        assert await counter.state(a) == "waiting"  # b's life
        told = await counter.ask("share", a)
        await asyncio.sleep(0.2)
        found, _ = await counter.people.find(a)
        assert found.life is not None
        assert found.life.variants == {"shares": told.variant}

    play(story)


def test_a_user_who_was_asked_about_before_their_first_event_is_one_person() -> None:
    """An id alone may be a device's, and is taken for one; the next exposure under it says whose it was."""

    async def story(counter: Counter) -> None:
        first = await counter.ask("share", "ann")
        await asyncio.sleep(0.1)
        await counter.post("Seen", "ann")
        await counter.ask("share", "ann")
        await asyncio.sleep(0.1)
        found, _ = await counter.people.find(Who(user_ids=("ann",)))
        assert found.life is not None
        assert (found.life.anonymous_ids, found.life.variants) == (["ann"], {"shares": first.variant})

    said = play(story).said
    assert [(one.user_id, one.anonymous_id) for one in said] == [(None, "ann"), ("ann", "ann")]


def test_a_device_that_has_done_something_is_not_the_user_of_the_same_id() -> None:
    """They are two people: what one met says nothing of the other."""

    async def story(counter: Counter) -> None:
        await counter.post("Seen", "?both")
        await counter.ask("share", Who(anonymous_ids=("both",)))
        await counter.post("Seen", "both")
        await counter.ask("share", "both")

    said = play(story).said
    assert [(one.user_id, one.anonymous_id) for one in said] == [(None, "both"), ("both", None)]
