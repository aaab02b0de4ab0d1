"""What release 0.1 wrote is read, and lived on with, as if today's code had written it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from msgspec import Struct

from sojourn.engine.state import decode, decode_life, encode
from sojourn.model.errors import ConfigError
from sojourn.model.turn import Named
from sojourn.runtime.shards.records import decode_inputs
from tests.evolution import installed
from tests.evolution.goldens import (
    BEHIND,
    N_SHARDS,
    Golden,
    follow,
    goldens,
    in_todays_words,
    lived_on,
    read,
    restored,
)
from tests.evolution.older import NOTE, older_copy
from tests.evolution.shapes import shapes
from tests.laws.runtimes import Outcome
from tests.laws.sharded import Run
from tests.laws.test_equality import same

GOLDENS = goldens()
decode_bare = msgspec.msgpack.Decoder().decode
CHANGED = """\
{name}: today's code lives on with it and comes to something else than the release did. Was that meant? Then
say so in the change log, and `python -m tests.evolution.goldens --tails` writes what follows anew.
"""
SELDOM = {
    "Tie.is_shared", "WaitingClick.is_shadow", "Deadline.is_shadow", "Burst.is_told", "Trail.is_backtracking",
    "Machine.is_done", "Friction.clicks", "Met.has_conflict", "Wanted.node_holdout",
}  # fmt: skip
"""Fields that no golden's states have set."""


@pytest.mark.parametrize("name", GOLDENS)
def test_it_goes_on_as_the_release_did(name: str) -> None:
    """States, inputs that wait, timers and controls, as they lay there: the same facts and actions."""
    golden = GOLDENS[name]
    found = lived_on(restored(golden), golden)
    then = in_todays_words(golden.facts, golden.actions)
    assert found.facts == then.facts, CHANGED.format(name=name)
    assert found.actions == then.actions, CHANGED.format(name=name)
    assert len(then.facts) > 100


@pytest.mark.parametrize("name", GOLDENS)
def test_it_goes_on_as_if_today_had_written_it(name: str) -> None:
    """The same history, lived by today's code alone up to the cut."""
    golden = GOLDENS[name]
    same(lived_on(restored(golden), golden), todays(golden))


def todays(golden: Golden) -> Outcome:
    """Live a golden's history with today's code alone; return what that comes to after the cut."""
    in_force, before, _ = golden.read()
    run = Run(in_force, n_shards=N_SHARDS, n_tasks=1, random=Random(2))
    follow(run, before, behind=BEHIND)
    return lived_on(run, golden)


def test_a_shorter_layout_is_lived_on_with(tmp_path: Path) -> None:
    """Written by a copy of the code whose enrolments and memories end earlier."""
    code = f"import tests.evolution.goldens as g; g.write(g.Path({str(tmp_path)!r}, 'old.json.gz'), g.cut(7))"
    path = f"{older_copy(tmp_path)}{os.pathsep}{installed.FOLDER.parents[1]}"
    told = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": path}, check=True, capture_output=True
    )
    assert NOTE.encode() in told.stdout
    golden = read(tmp_path / "old.json.gz")
    enrolments = [
        decode_bare(raw)[8] for shelf in golden.stages["profile"].shelves for _, raw in shelf.states.values()
    ]
    assert {len(one) for each in enrolments for one in each} == {15}
    same(lived_on(restored(golden), golden), todays(golden))


@pytest.mark.parametrize("file", sorted(installed.FOLDER.glob("release-*/one-machine.tar.xz")), ids=str)
def test_one_machines_folder_goes_on(file: Path, tmp_path: Path) -> None:
    """Log, states, outbox and what is in force, in SQLite's files: the rest of the log comes to the same."""
    found, replayed = installed.gone_on(file, tmp_path)
    same(found, replayed)
    assert len(found.actions) > 3


def test_goldens_hold_everything_that_is_kept() -> None:
    """Whoever adds to the states adds a golden that has it; what is seldom is named here."""
    kept = shapes().structs
    found = {place for golden in GOLDENS.values() for place in set_in(golden)}
    roots = {"Tie", "Pointer", "Life", "Arrived", "Named", "Aliased"}
    reached = {place.partition(".")[0] for place in found} | roots
    wanted = {f"{name}.{field.name}" for name in reached for field in kept[name].fields}
    said = {one for one in wanted if one.startswith(("Event.", "Geo.", "Device."))}  # as the door read it
    assert wanted - found - said - SELDOM == set()


def set_in(golden: Golden) -> Iterator[str]:
    """Name the fields that something in a golden has set to other than their defaults."""
    for stage, stopped in golden.stages.items():
        for shelf in stopped.shelves:
            for _, raw in shelf.states.values():
                yield from _set(decode(stage, raw))
            for _, given in decode_inputs(shelf.waiting):
                yield from _set(given)
                if isinstance(given, Named) and given.life is not None:
                    yield from _set(decode_life(given.life))


def _set(value: Any) -> Iterator[str]:
    if isinstance(value, Struct):
        for field in msgspec.structs.fields(value):
            held = getattr(value, field.name)
            if held != (field.default if field.required or field.default is not msgspec.NODEFAULT
                        else field.default_factory()):  # fmt: skip
                yield f"{type(value).__name__}.{field.name}"
                yield from _set(held)
    elif isinstance(value, dict | list | tuple):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _set(one)


@pytest.mark.parametrize("stage", ["identity", "alias", "profile"])
def test_a_state_that_cannot_be_read_is_not_thrown_away(stage: Any) -> None:
    """The error says which, why and what to do; of a later layout it says the number."""
    with pytest.raises(ConfigError, match=rf"stage {stage} cannot be read: .*\[state-unreadable\]"):
        decode(stage, msgspec.msgpack.encode([{"not": "ours"}, {}, "x", "y"]))
    with pytest.raises(ConfigError, match="it is of layout 2, and this release reads layout 1; nothing was"):
        decode(stage, b"\x02" + msgspec.msgpack.encode([]))
    with pytest.raises(ConfigError, match="stage profile cannot be read"):
        decode_life(encode(decode("profile", b"\x90"))[:-1])
