"""Makers for rehearsals: histories from short lines, and what a replay of them comes to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from sojourn.definitions.catalogue import build_catalogue
from sojourn.definitions.compile import compile_journey
from sojourn.definitions.journey import Catalogue
from sojourn.definitions.policy import Policy
from sojourn.model.event import Entry, Event
from sojourn.runtime.rehearsal import Frame, Plan, Window, build_report, gather, replay
from sojourn.runtime.rehearsal.collecting import Part
from sojourn.runtime.rehearsal.population import DAY_MS
from tests.engine.makers import event

REMIND = """
journey: remind
entry: { on: Began, reentry: after_exit }
goal: { on: Bought, value: properties.revenue }
holdout: 0%
states:
  waiting:
    after: { 30m: reminded }
  reminded:
    do: [ { sink: crm, body: { hello: "{{ profile.user_id }}" } } ]
    after: { 1d: done }
"""


def catalogue(*texts: str) -> Catalogue:
    """Compile journeys, under a policy that keeps nobody back."""
    journeys = [compile_journey(text, file=f"{n}.yaml") for n, text in enumerate(texts)]
    return build_catalogue(journeys, policy=Policy())


def entry(event: Event, position: int, **flags: Any) -> Entry:
    """Give an event its place, at its own time."""
    return Entry(position=position, at=event.occurred_at, event=event, **flags)


def entries(*done: tuple[float, str, str]) -> list[Entry]:
    """Make a log of (minute, user id, what they did)."""
    return [
        entry(event(name, at=at, user_id=who, message_id=f"m{n}", properties={"revenue": 10}), n)
        for n, (at, who, name) in enumerate(done, start=1)
    ]


def ignore(_: int) -> None:
    """Tell nobody."""


def run(
    log: Iterable[Entry],
    draft: Catalogue,
    published: Catalogue | None,
    *,
    scratch: Path,
    window: Window | None = None,
    n_processes: int = 1,
    **options: Any,
) -> Part:
    """Replay a log."""
    history = gather(log, tell=ignore, window=window, scratch=scratch)
    try:
        plan = Plan(draft=draft, published=published, **options)
        return replay(history, plan, n_processes=n_processes, tell=ignore, scratch=scratch)
    finally:
        history.close()


def report_of(part: Part, draft: Catalogue, published: Catalogue | None) -> bytes:
    """Return the report as `--json` says it."""
    names = frozenset(draft.journeys)
    frame = Frame(draft=draft, published=published, drafts=names, since=0, until=DAY_MS, deliver="yes")
    return msgspec.json.encode(build_report(part, frame))


def kinds(part: Part, journey: str = "remind") -> dict[str, dict[str, int]]:
    """Return how many differences there are, by what and kind."""
    return part.n_different.get(journey, {})


def facts_of(part: Part, side: str) -> Sequence[Any]:
    """Return the facts of everybody told of, on one side."""
    return [fact for example in part.examples for fact in getattr(example, side)]
