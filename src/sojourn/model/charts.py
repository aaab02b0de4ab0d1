"""Charts: a journey as whoever draws it is shown it: its states, and the ways between them."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

StepKind = Literal["send", "wait", "wait_for", "branch", "split", "exit", ""]
Trigger = Literal["event", "after", "guard", "done", "goal", "exit", "entry"]


class ChartState(Struct, kw_only=True):
    """One state of a chart."""

    id: str
    """With those of the states around it: `checkout.waiting`; counts are told by it."""
    label: str
    """Its own name."""
    kind: Literal["atomic", "compound", "parallel", "final", "history"]
    step: StepKind
    """What it is like among the common steps; empty where it is like none."""
    parent: str | None
    """The state it stands in; null: the journey's own."""
    is_initial: bool
    """What is around it starts in it."""
    does: list[str]
    """What it does when it is entered and left, and what it answers without being left."""
    line: int | None
    """Where it stands in the file, from 1; null where nobody knows."""


class ChartWay(Struct, kw_only=True):
    """One way of a chart; traffic and rehearsals count by its id."""

    id: str
    """Steady as long as states and what takes it are called the same."""
    source: str
    """Empty: from outside (`entry`), or from wherever the person stands (`goal`, `exit`)."""
    target: str
    """Empty: out of the journey."""
    label: str
    """What takes it, under which condition, and what is done on it."""
    trigger: Trigger
    line: int | None


class ChartView(Struct, kw_only=True):
    """One version of one journey, as it is drawn."""

    journey: str
    version: str
    states: list[ChartState]
    """In the order of the file, a state before those inside it."""
    ways: list[ChartWay]
    entry: dict[str, str]
    """What lets people in, in words, by the keyword that says so: `on`, `when`, `key`, `reentry`, ..."""
    goal: str
    """Empty where there is none."""
    exits: list[str]
    holdout: str
    """The share of people who are held out, such as `10%`; empty: none."""
