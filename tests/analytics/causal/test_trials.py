"""First opportunities: who counts for which hold-out, and who for none."""

from __future__ import annotations

from tests.analytics.causal.making import Act, rows_of, trials_from

PEOPLE = ["ann", "bob", "cid", "dan"]


def rows(*acts: Act, kind: str = "channel") -> list[tuple[str, int, bool]]:
    """Return (person, first at, whether held) of the trials of one kind."""
    found = rows_of(trials_from(acts, PEOPLE), PEOPLE)
    return [row[1:] for row in found if row[0].startswith(kind)]


def test_who_is_held_out_and_enters_again_counts_once_from_the_first_time() -> None:
    """Re-entry makes many ghosts of one person."""
    found = rows(Act("ann", 10, "channel"), Act("ann", 20, "channel"), Act("bob", 15), Act("bob", 5))
    assert found == [("ann", 10, True), ("bob", 5, False)]


def test_what_another_hold_out_keeps_back_tells_nothing_of_this_one() -> None:
    """In neither arm: whom the journey's keeps back is left out of the channel's trial, held or not."""
    acts = (
        Act("ann", 10, "channel"),
        Act("bob", 10, "journey"),
        Act("cid", 10, "journey,channel"),
        Act("dan", 10),
    )
    assert rows(*acts) == [("ann", 10, True), ("dan", 10, False)]
    assert rows(*acts, kind="journey") == [("bob", 10, True), ("dan", 10, False)]


def test_the_first_opportunity_is_the_first_that_only_this_hold_out_decides() -> None:
    """A person the global hold-out keeps back today may be met tomorrow, when its share is smaller."""
    assert rows(Act("ann", 10, "global"), Act("ann", 20, "channel"), Act("bob", 5)) == [
        ("ann", 20, True),
        ("bob", 5, False),
    ]


def test_nodes_journeys_and_everything_have_trials_of_their_own() -> None:
    """Each by the word of its hold-out."""
    acts = [Act("ann", 1, "node"), Act("bob", 1), Act("cid", 1, "global"), Act("dan", 1, "journey")]
    found = rows_of(trials_from(acts, PEOPLE), PEOPLE)
    assert found == [
        ("everything", "bob", 1, False),
        ("everything", "cid", 1, True),
        ("journey welcome", "bob", 1, False),
        ("journey welcome", "dan", 1, True),
        ("node welcome/greeted", "ann", 1, True),
        ("node welcome/greeted", "bob", 1, False),
    ]


def test_what_no_hold_out_ever_kept_back_is_no_trial() -> None:
    """A channel without a hold-out has no other arm."""
    assert rows(Act("ann", 1), Act("bob", 2)) == []


def test_what_consent_or_a_cap_stopped_is_no_opportunity() -> None:
    """It would not have gone in either arm."""
    acts = (
        Act("ann", 1, reason="consent"),
        Act("bob", 1, reason="cap"),
        Act("cid", 3, "channel"),
        Act("dan", 4),
    )
    assert rows(*acts) == [("cid", 3, True), ("dan", 4, False)]


def test_a_receipt_is_sent_to_all_and_is_no_opportunity() -> None:
    """Transactional actions pass hold-outs: who gets one is not treated by it."""
    acts = (
        Act("ann", 1, "channel", state="receipt", is_owed=True),
        Act("bob", 1, state="receipt"),
        Act("ann", 5, "channel"),
        Act("bob", 6),
    )
    assert rows(*acts) == [("ann", 5, True), ("bob", 6, False)]


def test_a_state_that_never_asks_the_hold_out_is_known_by_the_ghosts_it_lacks() -> None:
    """Where the lake does not say that it is transactional, and enough people passed it."""
    people = [f"p{n}" for n in range(400)]
    acts = [Act(who, 1, state="receipt") for who in people]
    acts += [Act(who, 2, "channel" if n % 10 == 0 else "") for n, who in enumerate(people)]
    found = rows_of(trials_from(acts, people), people)
    assert {at for _, _, at, _ in found} == {2}


def test_of_a_person_who_was_assigned_both_ways_the_first_counts_and_is_marked() -> None:
    """Two lives became one: an anonymous one that was met, and a named one that is held out."""
    trials = trials_from([Act("ann", 1), Act("ann", 9, "channel"), Act("bob", 1, "channel")], PEOPLE)
    assert rows_of(trials, PEOPLE) == [("channel email", "ann", 1, False), ("channel email", "bob", 1, True)]
    assert trials.is_mixed.tolist() == [True, False]


def test_an_older_lake_says_in_its_detail_who_kept_back() -> None:
    """Before it had the column `holdouts`."""
    acts = (
        Act("ann", 1, "channel", is_old=True),
        Act("bob", 1, "journey", is_old=True),
        Act("cid", 1, is_old=True),
    )
    assert rows(*acts) == [("ann", 1, True), ("cid", 1, False)]


def test_versions_are_those_of_the_first_opportunity() -> None:
    """A journey that changed in the middle."""
    acts = [Act("ann", 1, version="v1"), Act("ann", 2, version="v2"), Act("bob", 3, "channel", version="v2")]
    trials = trials_from(acts, PEOPLE)
    assert [trials.versions[code] for code in trials.version] == ["v1", "v2"]


def test_robots_are_told() -> None:
    """By their user agent, at any time."""
    assert trials_from([Act("ann", 1), Act("bob", 1, "channel")], PEOPLE, bots=["bob"]).bots.tolist() == [1]


def test_what_is_hashed_is_the_id_a_person_had_when_first_asked() -> None:
    """Ann was named before anybody asked; bob was asked as a device; cid never was."""
    acts = [Act("ann", 1), Act("bob", 1, "channel", profile="a:device-2"), Act("bob", 5, "channel")]
    first_ids = {"ann": "device-1", "bob": "device-2", "cid": "device-3"}
    assert list(trials_from(acts, PEOPLE, first_ids=first_ids).ids) == ["ann", "device-2", "device-3", "dan"]


def test_what_was_left_out_is_counted() -> None:
    """By why."""
    acts = [
        Act("ann", 1, "journey,channel"),
        Act("bob", 1, "channel", is_owed=True),
        Act("cid", 1, "channel"),
    ]
    assert trials_from(acts, PEOPLE).left_out == {"kept-by-several-hold-outs": 1, "owed-whatever-hold-out": 1}
