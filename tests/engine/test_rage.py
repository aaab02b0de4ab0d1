"""Rage clicks: PostHog's preset against PostHog's own code, the others against their rules told naively."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from itertools import pairwise
from math import hypot
from random import Random

import pytest

from sojourn.definitions.friction_rules import RAGE_PRESETS
from sojourn.engine.rage import Click, press
from tests.clients.installing import node_modules
from tests.server.test_ingest_clients import NODE_CLIENTS

N_STREAMS = 10_000
RUN_S = 60

Stream = list[Click]


def stream(random: Random) -> Stream:
    """Draw clicks near the borders of every rule, as they come from a page."""
    at = 0
    clicks = []
    for _ in range(random.randrange(1, 14)):
        at += random.choice((0, 50, 200, 299, 300, 301, 400, 500, 999, 1_000, 1_001))
        reach = random.choice((1, 20, 31, 51, 101))
        place = (float(random.randrange(reach)), float(random.randrange(reach)))
        clicks.append(Click(at, random.choice(("a", "a", "a", "a", "b")), place))
    return clicks


def found(preset: str, clicks: Stream) -> list[int]:
    """Return the indexes of the clicks at which a preset says: rage."""
    burst, indexes = None, []
    for index, click in enumerate(clicks):
        burst, is_rage = press(burst, click, RAGE_PRESETS[preset])
        if is_rage:
            indexes.append(index)
    return indexes


def test_the_preset_of_posthog_agrees_with_posthogs_own_code() -> None:
    """Its RageClick class, unmodified, on the same 10,000 streams: all of them, click by click."""
    modules = node_modules(NODE_CLIENTS)
    random = Random(1)
    streams = [stream(random) for _ in range(N_STREAMS)]
    done = subprocess.run(
        ["node", str(NODE_CLIENTS / "rage.cjs")],
        input=json.dumps([[(*click.place, click.at) for click in clicks] for clicks in streams]),
        env={**os.environ, "NODE_PATH": str(modules)},
        capture_output=True,
        text=True,
        timeout=RUN_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    theirs = json.loads(done.stdout)
    ours = [found("posthog", clicks) for clicks in streams]
    differing = [index for index in range(N_STREAMS) if ours[index] != theirs[index]]
    assert differing == []
    assert sum(map(bool, ours)) > N_STREAMS / 10


def first_of_each(chains: list[list[int]], is_rage: Callable[[list[int]], bool]) -> list[int]:
    """Return of each chain of clicks the first one at which it is rage: one signal a burst."""
    firsts = []
    for chain in chains:
        lengths = (n for n in range(1, len(chain) + 1) if is_rage(chain[:n]))
        firsts += [chain[n - 1] for n in [next(lengths, 0)] if n]
    return firsts


def chained(clicks: Stream, *, max_gap: int, far: Callable[[Click, Click], bool]) -> list[list[int]]:
    """Cut a stream wherever a click is too late after, or too far from, the one before."""
    chains = [[0]]
    for index, (before, click) in enumerate(pairwise(clicks), start=1):
        if click.at - before.at > max_gap or far(before, click):
            chains.append([])
        chains[-1].append(index)
    return chains


def apart(one: Click, other: Click) -> float:
    """Measure as the crow flies."""
    assert one.place is not None
    assert other.place is not None
    return hypot(one.place[0] - other.place[0], one.place[1] - other.place[1])


def naive_sojourn(clicks: Stream) -> list[int]:
    def far(a: Click, b: Click) -> bool:
        return a.target != b.target or apart(a, b) >= 30

    return first_of_each(chained(clicks, max_gap=999, far=far), lambda chain: len(chain) >= 3)


def naive_mixpanel(clicks: Stream) -> list[int]:
    """Four in a row, and then it begins anew: a long burst tells several times."""
    chains = chained(clicks, max_gap=999, far=lambda a, b: apart(a, b) >= 30)
    return [index for chain in chains for index in chain[3::4]]


def naive_datadog(clicks: Stream) -> list[int]:
    """Any three of a chain within a second, ends included."""

    def far(a: Click, b: Click) -> bool:
        return a.target != b.target or apart(a, b) > 100

    def is_rage(chain: list[int]) -> bool:
        return any(clicks[chain[i + 2]].at - clicks[chain[i]].at <= 1_000 for i in range(len(chain) - 2))

    return first_of_each(chained(clicks, max_gap=1_000, far=far), is_rage)


def naive_openreplay(clicks: Stream) -> list[int]:
    chains = chained(clicks, max_gap=299, far=lambda a, b: a.target != b.target)
    return first_of_each(chains, lambda chain: len(chain) >= 3)


def naive_amplitude(clicks: Stream) -> list[int]:
    """A window of clicks on one element in a box of 50 px, its newest four within a second."""
    window: Stream = []
    indexes = []
    for index, click in enumerate(clicks):
        xs, ys = zip(*(one.place for one in [*window, click] if one.place), strict=True)
        is_out = max(xs) - min(xs) > 50 or max(ys) - min(ys) > 50
        is_late = bool(window) and click.at - window[max(0, len(window) - 3)].at >= 1_000
        if not window or window[-1].target != click.target or is_late or is_out:
            window = [click]
        else:
            window.append(click)
            if len(window) == 4:
                indexes.append(index)
    return indexes


@pytest.mark.parametrize(
    ("preset", "naive"),
    [
        ("sojourn", naive_sojourn),
        ("mixpanel", naive_mixpanel),
        ("datadog", naive_datadog),
        ("openreplay", naive_openreplay),
        ("amplitude", naive_amplitude),
    ],
)
def test_a_preset_is_the_rule_that_its_product_published(
    preset: str, naive: Callable[[Stream], list[int]]
) -> None:
    """Told again from each product's sources, over whole streams, on 10,000 of them."""
    n_found = 0
    for seed in range(N_STREAMS):
        clicks = stream(Random(seed))
        expected = naive(clicks)
        assert found(preset, clicks) == expected, f"seed {seed}"
        n_found += bool(expected)
    assert n_found > N_STREAMS / 100


def test_clicks_nobody_knows_the_place_of_are_compared_by_their_element() -> None:
    """A server gets no coordinates; of clicks that have neither, nothing can be said."""
    named = [Click(at, "pay", None) for at in (0, 100, 200)]
    unnamed = [Click(at, "", None) for at in (0, 100, 200)]
    assert {preset for preset in RAGE_PRESETS if found(preset, named)} == {
        "sojourn",
        "posthog",
        "datadog",
        "openreplay",
    }
    assert [found(preset, unnamed) for preset in RAGE_PRESETS] == [[]] * len(RAGE_PRESETS)
