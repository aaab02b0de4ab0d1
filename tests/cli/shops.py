"""Shops: tables of events to import, one of our own making, and what naive counting says of them."""

from __future__ import annotations

import csv
import gzip
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import groupby, pairwise
from pathlib import Path
from typing import NamedTuple

STAGES = ("catalog", "product_view", "add_to_cart", "shipping_details", "payment_details", "purchase")

ENTRY, GOAL = "shipping_details", "purchase"
WITHIN_MS, REMIND_MS, DONE_MS = 86_400_000, 1_800_000, 86_400_000

JOURNEY = """\
journey: checkout-rescue
entry: { on: shipping_details, reentry: after_exit }
goal:  { on: purchase, within: 1d }
states:
  waiting:
    after: { 30m: reminded }
  reminded:
    do:
      - webhook: support
        body: { user: "{{ profile.user_id }}", platform: "{{ entry.properties.platform }}" }
    after: { 1d: done }
"""

T0_S = 1_704_067_200  # 2024-01-01


class Step(NamedTuple):
    """One row."""

    user: str
    session: str
    name: str
    at: int
    """Milliseconds since 1970."""


class Rescue(NamedTuple):
    """What became of a journey."""

    entered: int = 0
    refused: int = 0
    """Entry events of people who were in it already."""
    reminded: int = 0
    goals: int = 0
    ended: int = 0
    """By themselves, at the last state."""


def make(path: Path, *, seed: int, n_users: int = 60) -> None:
    """Write a shop's events: visits with ties, loops and long rests, lines not quite in time order."""
    chance = random.Random(seed)
    lines: list[tuple[int, int, str]] = []
    n_sessions = 0
    for n in range(n_users):
        at = T0_S + chance.randrange(40 * 86_400)
        for _ in range(chance.randint(1, 6)):
            n_sessions += 1
            for name in _visit(chance):
                written = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")
                platform = "mobile" if n % 3 else "desktop"
                row = f"user_{n:04},sess_{n_sessions:06},{name},{written},{platform},email"
                lines.append((at + chance.randrange(3_600), len(lines), row))  # not quite in time order
                at += chance.choice((0, 5, 40, 300, 1_500))
            at += chance.choice((600, 1_800, 7_200, 86_400, 90_000, 400_000))
    lines.sort()
    header = "user_id,session_id,event,timestamp,platform,acquisition_channel"
    path.write_bytes(gzip.compress("\n".join([header, *(row for _, _, row in lines)]).encode()))


def _visit(chance: random.Random) -> list[str]:
    names = ["home"]
    reached = chance.choices(range(1, 7), weights=(3, 3, 2, 3, 3, 4))[0]
    for stage in STAGES[:reached]:
        names += [stage] * chance.choice((1, 1, 1, 2))
        if chance.random() < 0.3:
            names.append(chance.choice((*STAGES[:4], "cart", "help")))
    return names


def read(path: Path) -> list[Step]:
    """Read a table's rows in time order; of equals, in the file's."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        steps = [
            Step(row["user_id"], row["session_id"], row["event"], _milliseconds(row["timestamp"]))
            for row in csv.DictReader(lines)
        ]
    return sorted(steps, key=lambda step: step.at)


def _milliseconds(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


def paths(steps: Iterable[tuple[str, str]]) -> list[list[str]]:
    """Gather (whose, name) in their order; return each one's names."""
    gathered: dict[str, list[str]] = {}
    for whose, name in steps:
        gathered.setdefault(whose, []).append(name)
    return list(gathered.values())


def funnel(walked: Iterable[Sequence[str]]) -> tuple[int, ...]:
    """Count how many reached each stage after the one before it."""
    reached = Counter(_n_stages(names) for names in walked)
    return tuple(sum(n for depth, n in reached.items() if depth > stage) for stage in range(len(STAGES)))


def _n_stages(names: Sequence[str]) -> int:
    depth = 0
    for name in names:
        if depth < len(STAGES) and name == STAGES[depth]:
            depth += 1
    return depth


def transitions(walked: Iterable[Sequence[str]]) -> tuple[int, int]:
    """Count transitions, and distinct ones."""
    pairs = [pair for names in walked for pair in pairwise(names)]
    return len(pairs), len(set(pairs))


def rescue(steps: Sequence[Step]) -> Rescue:
    """Say what JOURNEY comes to, person by person, up to the last event of all."""
    until = max(step.at for step in steps)
    total = Counter[str]()
    for _, walked in groupby(sorted(steps, key=lambda step: step.user), key=lambda step: step.user):
        total += _rescue_of(list(walked), until)
    return Rescue(**total)


def _rescue_of(walked: list[Step], until: int) -> Counter[str]:
    total = Counter[str]()
    entered_at: int | None = None
    is_reminded = False
    for name, at in [*((step.name, step.at) for step in walked), ("", until)]:
        if entered_at is not None and not is_reminded and at >= entered_at + REMIND_MS:
            total["reminded"] += 1
            is_reminded = True
        if entered_at is not None and at >= entered_at + REMIND_MS + DONE_MS:
            total["ended"] += 1
            entered_at = None
        if name == GOAL and entered_at is not None and at - entered_at <= WITHIN_MS:
            total["goals"] += 1
            entered_at = None
        if name == ENTRY:
            total["entered" if entered_at is None else "refused"] += 1
            if entered_at is None:
                entered_at, is_reminded = at, False
    return total
