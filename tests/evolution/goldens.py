"""Goldens: histories cut in their middle by an older release, as bytes of its own.

`python -m tests.evolution.goldens` writes the shapes; with a FOLDER a release's goldens, too; with `--tails`
what follows from the goldens there are, where today's code means to decide otherwise.
"""

from __future__ import annotations

import gzip
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from random import Random
from typing import Any

import msgspec
from msgspec import Struct

from sojourn.definitions.controls import is_control
from sojourn.definitions.publishing import InForce
from sojourn.model.action import Action
from sojourn.model.event import Entry
from sojourn.model.fact import Fact
from sojourn.model.turn import STAGES, Stage
from sojourn.runtime.shards.chronicle import Mark
from sojourn.runtime.shards.records import decode_control, decode_inputs, encode_control, encode_inputs
from sojourn.runtime.shards.worker import Kept
from tests.evolution.shapes import shapes
from tests.laws import test_everything_published as everything
from tests.laws.runtimes import Outcome
from tests.laws.sharded import DictShelf, Floor, Run
from tests.laws.test_equality import end_of

FOLDER = Path(__file__).parent
SHAPES = FOLDER / "shapes.json"
N_SHARDS = 2
N_EVENTS = 100
SEEDS = (5, 12, 20, 21, 90, 92)
AT_REST: Mapping[Stage, int] = dict.fromkeys(STAGES, 0)
BEHIND: Mapping[Stage, int] = {"identity": 3, "alias": 6, "profile": 12}
"""Entries that each stage has not come to when the history is cut: they wait."""


class Shelf(Struct):
    """One shard's shelf."""

    mark: Mark
    states: dict[str, tuple[int, bytes]]
    """Key -> when it wants to be woken, and its state."""
    due: dict[int, list[str]]
    waiting: bytes
    """A record of inputs."""
    asks: bool = False
    """Whether somebody is still to be asked about the last change."""


class Stopped(Struct):
    """One stage where it stood."""

    watermark: int
    timers: list[tuple[int, int]]
    shelves: list[Shelf]


class Golden(Struct):
    """One history; all of it is what a release wrote."""

    in_force: msgspec.Raw
    """What was in force before the first control."""
    entries: list[msgspec.Raw]
    n_before: int
    """Entries before the cut."""
    until: int
    stages: dict[Stage, Stopped]
    facts: list[msgspec.Raw]
    actions: list[msgspec.Raw]
    """What that release came to from the cut on, sorted."""

    def read(self) -> tuple[InForce, list[Entry], list[Entry]]:
        """Return what was in force, and the entries before and after the cut."""
        in_force = msgspec.json.decode(self.in_force, type=InForce)
        entries = [msgspec.json.decode(one, type=Entry) for one in self.entries]
        return in_force, entries[: self.n_before], entries[self.n_before :]


def cut(seed: int) -> Golden:
    """Live a history, and write down where it stood in its middle and what came after."""
    _, entries = everything.edited(seed, N_EVENTS)
    half, until = len(entries) // 2, end_of(entries)
    run = Run(everything.FIRST, n_shards=N_SHARDS, n_tasks=1, random=Random(seed))
    follow(run, entries[:half], behind=BEHIND)
    stages = {stage: _stopped(run.floors[stage]) for stage in STAGES}
    before = run.outcome()
    follow(run, entries[half:])
    run.finish(until)
    tail = later(before, run.outcome())
    return Golden(
        in_force=_raw(everything.FIRST),
        entries=[_raw(entry) for entry in entries],
        n_before=half,
        until=until,
        stages=stages,
        facts=[msgspec.Raw(fact) for fact in tail.facts],
        actions=[msgspec.Raw(action) for action in tail.actions],
    )


def follow(run: Run, entries: list[Entry], *, behind: Mapping[Stage, int] = AT_REST) -> None:
    """Let a run take entries one by one, each stage some of them behind."""
    for at, entry in enumerate(entries):
        run.feed(entry)
        for stage, n_behind in behind.items():
            if at >= n_behind:
                run.advance(run.floors[stage], entries[at - n_behind].at - 1)


def restored(golden: Golden) -> Run:
    """Go on from what was written down: what is on the shelves, in today's hands."""
    in_force, before, _ = golden.read()
    run = Run(in_force, n_shards=N_SHARDS, n_tasks=1, random=Random(1))
    for entry in before:
        if is_control(entry.event):
            run.chronicle.hear(decode_control(encode_control(entry)))
    for stage, stopped in golden.stages.items():
        floor = run.floors[stage]
        floor.watermark = stopped.watermark
        for shelf, kept in zip(floor.shelves, stopped.shelves, strict=True):
            _restore(shelf, kept)
        floor.timers[:] = sorted(stopped.timers)
    return run


def later(before: Outcome, after: Outcome) -> Outcome:
    """Return what came to an outcome since an earlier one."""
    facts, actions = Counter(after.facts), Counter(after.actions)
    facts.subtract(before.facts)
    actions.subtract(before.actions)
    return Outcome(sorted(facts.elements()), sorted(actions.elements()), {})


def in_todays_words(facts: Iterable[bytes], actions: Iterable[bytes]) -> Outcome:
    """Read what a release said, and say it as today's code does: fields it did not know have defaults."""
    read_facts = [msgspec.json.decode(one, type=Fact) for one in facts]
    read_actions = [msgspec.json.decode(one, type=Action) for one in actions]
    encode = msgspec.json.encode
    return Outcome(sorted(map(encode, read_facts)), sorted(map(encode, read_actions)), {})


def goldens() -> dict[str, Golden]:
    """Read all there are, by their names."""
    files = sorted(FOLDER.glob("release-*/*.json.gz"))
    return {f"{one.parent.name}/{one.name[:-8]}": read(one) for one in files}


def read(file: Path) -> Golden:
    """Read one."""
    return msgspec.json.decode(gzip.decompress(file.read_bytes()), type=Golden)


def _stopped(floor: Floor) -> Stopped:
    return Stopped(floor.watermark, list(floor.timers), [_written(shelf) for shelf in floor.shelves])


def _written(shelf: DictShelf) -> Shelf:
    states = {key: (kept.wake, kept.state) for key, kept in shelf.kept.items()}
    return Shelf(shelf.mark, states, _apart(shelf.asleep), encode_inputs(shelf.waiting), bool(shelf.to_ask))


def _restore(shelf: DictShelf, kept: Shelf) -> None:
    shelf.mark = kept.mark
    shelf.kept = {key: Kept(state, wake) for key, (wake, state) in kept.states.items()}
    shelf.asleep = _apart(kept.due)
    shelf.waiting = decode_inputs(kept.waiting)
    if kept.asks:
        shelf.ask_all()


def _apart(due: Mapping[int, list[str]]) -> dict[int, list[str]]:
    """Copy who is due when: a shelf goes on writing into its own."""
    return {at: list(keys) for at, keys in due.items()}


def _raw(value: Any) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))


def lived_on(run: Run, golden: Golden) -> Outcome:
    """Take a run from the cut to its end; return what that came to."""
    before = run.outcome()
    follow(run, golden.read()[2])
    run.finish(golden.until)
    return later(before, run.outcome())


def _tell_anew() -> None:
    """Write what follows from each golden's cut as today's code tells it; the states stay a release's own."""
    for name, golden in goldens().items():
        tail = lived_on(restored(golden), golden)
        golden.facts = [msgspec.Raw(fact) for fact in tail.facts]
        golden.actions = [msgspec.Raw(action) for action in tail.actions]
        write(FOLDER / f"{name}.json.gz", golden)


def write(file: Path, golden: Golden) -> None:
    """Write one, small."""
    file.write_bytes(gzip.compress(msgspec.json.encode(golden), 9, mtime=0))


def main() -> None:
    """Write the shapes anew, and a release's goldens into a folder that is named."""
    SHAPES.write_bytes(msgspec.json.format(msgspec.json.encode(shapes()), indent=1) + b"\n")
    if "--tails" in sys.argv[1:]:
        _tell_anew()
        return
    for folder in map(Path, sys.argv[1:]):
        folder.mkdir()
        for seed in SEEDS:
            write(folder / f"everything-{seed}.json.gz", cut(seed))


if __name__ == "__main__":
    main()
