"""Live = replay = partitioned, with every feature in force at once: where two meet, nobody planned it."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from sojourn.definitions.catalogue import build_catalogue, load_definitions
from sojourn.definitions.journey import Catalogue
from sojourn.engine import bounds
from sojourn.model.event import Entry
from sojourn.model.fact import (
    ActionDecided,
    ActionDeferred,
    ActionWithheld,
    AssignmentConflict,
    Exposed,
    FrictionFound,
    GoalReached,
    NotEntered,
    Rewarded,
    SegmentEntered,
    Transitioned,
)
from tests.laws import catalogues, flagged, histories, paced, test_friction_laws, test_steps_equality
from tests.laws.edited import RANKS
from tests.laws.histories import MINUTE
from tests.laws.runtimes import partitioned, sequential
from tests.laws.test_equality import end_of, live, same
from tests.soak import tries

seeds = st.integers(0, 2**32)
lengths = st.integers(0, 60)


TEXTS = (
    catalogues.BUSY, catalogues.NUDGE, catalogues.DIGEST, catalogues.WEEKLY, catalogues.CHILD,
    catalogues.PARENT, catalogues.RIVAL, catalogues.ECHO, histories.RESCUE, histories.PATHS, histories.ONCE,
    histories.PATIENT, paced.NIGHTLY, test_friction_laws.HELPED, test_friction_laws.ABANDONED,
    test_friction_laws.COMFORTED, test_steps_equality.SHOPPING, test_steps_equality.VISITING, flagged.TUNED,
)  # fmt: skip
SEGMENTS = (catalogues.SEGMENTS, test_friction_laws.SEGMENTS)
SHARED = (*SEGMENTS, *flagged.FLAGS)


def everything() -> Catalogue:
    """Compile the journeys, segments and policies of all the laws together."""
    definitions = load_definitions((f"{index}.yaml", text) for index, text in enumerate((*TEXTS, *SHARED)))
    built = build_catalogue(
        definitions.journeys,
        ranks=RANKS,
        session_gap_ms=20 * MINUTE,
        segments=definitions.segments,
        flags=definitions.flags,
        policy=replace(paced.paced_catalogue().policy, friction=test_friction_laws.RULES),
    )
    learnt = {"forecasts": test_friction_laws.CATALOGUE.forecasts, "allocations": flagged.ALLOCATIONS[0]}
    return replace(built, **learnt)


CATALOGUE = everything()
OFTEN = (3, 3, 3, 1)  # flags are met quickly: one exposure is all there is


def drawn(random: Random, *, n_events: int) -> list[Entry]:
    """Draw a log of everything: calls of the API, consent and travel, clicks and abandoned carts."""
    each = [
        catalogues.rich_history(Random(random.random()), n_events=n_events),
        paced.paced_history(Random(random.random()), n_events=n_events),
        test_friction_laws.rough(Random(random.random()), n_events=n_events),
        flagged.flagged_history(Random(random.random()), n_events=n_events),
    ]
    entries: list[Entry] = []
    clock = 0
    for position in range(1, n_events + 1):
        drawn = random.choices(each, OFTEN)[0][position - 1]
        clock = max(clock, drawn.at)
        entries.append(replace(drawn, at=clock))
    return entries


@settings(max_examples=tries(40), deadline=None)
@given(seeds, lengths)
def test_live_is_replay(seed: int, n_events: int) -> None:
    """However inputs are cut into batches, whenever the clock ticks, and across restarts: the same facts."""
    random = Random(seed)
    entries = drawn(random, n_events=n_events)
    same(live(entries, random, CATALOGUE), sequential(entries, CATALOGUE, until=end_of(entries)))


@settings(max_examples=tries(40), deadline=None)
@given(seeds, lengths, st.integers(1, 4))
def test_partitioned_is_replay(seed: int, n_events: int, n_partitions: int) -> None:
    """On any number of partitions, in any interleaving under a strict watermark: the same facts."""
    random = Random(seed)
    entries = drawn(random, n_events=n_events)
    until = end_of(entries)
    found = partitioned(entries, CATALOGUE, until=until, n_partitions=n_partitions, random=random)
    same(found, sequential(entries, CATALOGUE, until=until))


def with_near_bounds(patch: pytest.MonkeyPatch) -> None:
    """Let one action and one entry of the house's own be all that an hour holds."""
    patch.setattr(bounds, "MAX_ACTIONS", 1)
    patch.setattr(bounds, "MAX_OWN_ENTRIES", 1)


@settings(max_examples=tries(30), deadline=None)
@given(seeds, st.integers(20, 60))
def test_bounds_of_an_hour_are_met_alike_by_every_runtime(seed: int, n_events: int) -> None:
    """What is withheld, and who stays out, is a function of the log and of its clock."""
    random = Random(seed)
    entries = drawn(random, n_events=n_events)
    until = end_of(entries)
    with pytest.MonkeyPatch.context() as patch:
        with_near_bounds(patch)
        expected = sequential(entries, CATALOGUE, until=until)
        same(live(entries, random, CATALOGUE), expected)
        same(partitioned(entries, CATALOGUE, until=until, n_partitions=3, random=random), expected)


def test_histories_meet_the_bounds_of_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the law before would hold for nothing."""
    with_near_bounds(monkeypatch)
    told = b""
    for seed in range(30):
        entries = drawn(Random(seed), n_events=60)
        told += b"".join(sequential(entries, CATALOGUE, until=end_of(entries)).facts)
    for word, n in (("[action-limit]", 500), ("that no event from outside brought", 5)):
        assert told.count(word.encode()) > n, word


def test_histories_reach_every_feature() -> None:
    """A law over histories in which nothing happens would hold whatever the engine does."""
    told = b""
    for seed in range(60):
        entries = drawn(Random(seed), n_events=60)
        told += b"".join(sequential(entries, CATALOGUE, until=end_of(entries)).facts)
    for kind in (
        ActionDecided, ActionDeferred, ActionWithheld, AssignmentConflict, Exposed, FrictionFound,
        GoalReached, NotEntered, Rewarded, SegmentEntered, Transitioned,
    ):  # fmt: skip
        assert f'"type":"{kind.__struct_config__.tag}"'.encode() in told, kind
    for word in (
        "adaptive", "consent", "cap", "quiet-hours", "held-out", "cooldown", "excluded", "preempted",
        "parent",
    ):  # fmt: skip
        assert f'"{word}"'.encode() in told, word
    assert b",node" in told
