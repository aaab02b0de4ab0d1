"""Live = replay = partitioned, with every feature in force, and people who publish, pause and stop it all."""

from __future__ import annotations

from collections import Counter
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.definitions.publishing import catalogue_of
from sojourn.model.event import Entry
from sojourn.runtime import sweeping
from tests.laws import catalogues, flagged, histories, paced, test_friction_laws, test_steps_equality
from tests.laws.edited import Edit, edits_of, in_force_of, live
from tests.laws.runtimes import partitioned, sequential
from tests.laws.test_equality import end_of, same
from tests.laws.test_everything import SEGMENTS, TEXTS, drawn
from tests.soak import tries

POLICY = f"{paced.POLICY.rstrip()}\n  friction: {{ effects: $effect, stall_after: 8m }}\n"
SHARED = [*SEGMENTS, *flagged.FLAGS, POLICY]
OTHERS = (
    SHARED,
    [SEGMENTS[0].replace(">= 2", ">= 3").replace("minutes(40)", "minutes(9)"), *SHARED[1:]],
    [SEGMENTS[0], SEGMENTS[1].replace("within='9m'", "within='40m'"), flagged.PRICE, POLICY],
    [*SEGMENTS, flagged.BUTTON.replace("coverage: 70%", "coverage: 30%\n      version: 1"), POLICY],
    [
        *SEGMENTS,
        flagged.BUTTON.replace("holdout: 10%", "holdout: 40%").replace("40m", "4m"),
        POLICY.replace("00:30", "09:00").replace("most: 2", "most: 1"),
    ],
)
FORECASTS = (
    test_friction_laws.CATALOGUE.forecasts,
    {"Order Completed": {"Viewed": 0.4, "Shipping": 0.2, "(other)": 0.05}},
)
ALLOCATIONS = (*flagged.ALLOCATIONS, {"button": {"(other)": [0.4, 0.6]}})
EDITS: tuple[Edit, ...] = (
    (histories.RESCUE.replace("waiting", "postponed"), {"waiting": "postponed"}),
    (histories.RESCUE, {"postponed": "waiting"}),
    (histories.PATHS.replace("40m: idle", "4m: idle"), {"deep": "bought", "shallow": "browsing"}),
    (histories.PATIENT.replace("3h: done", "1h: resting"), {"thanked": "done"}),
    (catalogues.BUSY.replace("20m: helped", "5m: helped"), {}),
    (catalogues.NUDGE.replace("segment: target", "segment: busy"), {}),
    (catalogues.DIGEST.replace("INTERVAL=3", "INTERVAL=2"), {"told": "done"}),
    (catalogues.WEEKLY.replace("told", "asked"), {"told": "asked"}),
    (catalogues.CHILD.replace("working", "helping"), {"working": "helping"}),
    (catalogues.CHILD, {"helping": "working"}),
    (catalogues.PARENT.replace("5m: calling", "9m: calling"), {"calling": "resting"}),
    (catalogues.RIVAL.replace("priority: 3", "priority: -3"), {}),
    (paced.NIGHTLY.replace("topic: news, expires: 6h", "expires: 1h"), {}),
    (test_friction_laws.HELPED.replace("9m: cold", "2m: cold"), {"hot": "told"}),
    (test_friction_laws.ABANDONED.replace("20m: mailed", "2m: mailed"), {"waiting": "deciding"}),
    (test_friction_laws.COMFORTED.replace("segment: troubled", "segment: lost"), {}),
    (test_steps_equality.SHOPPING.replace("times: 3", "times: 2"), {}),
    (test_steps_equality.VISITING.replace("2h: done", "20m: done"), {"away": "helped"}),
    (flagged.TUNED.replace("holdout: 60%", "holdout: 20%").replace("25m: done", "3m: done"), {}),
)
ALL_EDITS = edits_of(
    EDITS,
    TEXTS,
    removable=["once", "rival", "weekly", "comforted"],
    shared=OTHERS,
    learnt=[*({"forecasts": each} for each in FORECASTS), *({"allocations": each} for each in ALLOCATIONS)],
)
FIRST = in_force_of(TEXTS, shared=SHARED, forecasts=FORECASTS[0], allocations=ALLOCATIONS[0])
CATALOGUE, PROBLEMS = catalogue_of(FIRST)

seeds = st.integers(0, 2**32)
lengths = st.integers(0, 60)


def edited(seed: int, n_events: int) -> tuple[Random, list[Entry]]:
    """Draw a log of everything, with controls in it."""
    random = Random(seed)
    return random, ALL_EDITS.among(random, drawn(random, n_events=n_events))


@settings(max_examples=tries(50), deadline=None)
@given(seeds, lengths, st.sampled_from((1, 2, 512)))
def test_live_is_replay(seed: int, n_events: int, n_slice: int) -> None:
    """Whenever somebody is asked about a change, and across restarts: the same facts."""
    random, entries = edited(seed, n_events)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sweeping.Sweep.take, "__defaults__", (n_slice,))
        patch.setattr(sweeping, "PAGE", n_slice * 2)
        found = live(entries, random, FIRST)
    same(found, sequential(entries, CATALOGUE, until=end_of(entries), in_force=FIRST))


@settings(max_examples=tries(50), deadline=None)
@given(seeds, lengths, st.integers(1, 3))
def test_partitioned_is_replay(seed: int, n_events: int, n_partitions: int) -> None:
    """Each partition hears of a control at its position, at its own pace: the same facts."""
    random, entries = edited(seed, n_events)
    until = end_of(entries)
    expected = sequential(entries, CATALOGUE, until=until, in_force=FIRST)
    found = partitioned(
        entries, CATALOGUE, until=until, n_partitions=n_partitions, random=random, in_force=FIRST
    )
    same(found, expected)


def test_histories_reach_what_controls_change() -> None:
    """Else the laws would hold for nothing."""
    assert PROBLEMS == []
    found: Counter[str] = Counter()
    for seed in range(40):
        _, entries = edited(seed, 60)
        for raw in sequential(entries, CATALOGUE, until=end_of(entries), in_force=FIRST).facts:
            fact = msgspec.json.decode(raw)
            found[f"{fact['type']} {fact.get('reason', '')}".strip()] += 1
            found[fact["type"]] += 1
    wanted = (
        "migrated", "not_entered paused", "action", "action_deferred", "action_withheld cap", "friction",
        "segment_entered", "segment_left", "exited parent", "exited merged", "goal",
        "exposed", "rewarded",
    )  # fmt: skip
    assert min(found[one] for one in wanted) > 2, {one: found[one] for one in wanted}
