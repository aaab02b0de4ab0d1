"""Exposures: what was drawn for somebody and told to an application, said in the log.

An answer never waits for it: what is to be said is kept in a bounded queue, and goes into the log by the same
door as every event, many at once. A crash forgets what was not said yet; the same is said when the same is
asked again, under the same id, so that the log holds it once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import msgspec
from msgspec import Raw, structs

from sojourn.engine.decisions import Decision, split_key
from sojourn.model.errors import UnavailableError
from sojourn.model.event import EXPOSED, OUR_SOURCE, Event
from sojourn.model.ids import derive
from sojourn.model.turn import Key
from sojourn.runtime.finding import Found

MAX_WAITING = 10_000  # exposures: some seconds of an application that meets as many new people a second.
MAX_SAID = 100_000  # that are remembered until the engine has heard of them: some 20 MB.
MAX_AT_ONCE = 1_000  # in one append.
PAUSE_S = 0.05  # between two appends: what is told together is written together.


class Exposures:
    """Tells exposures to the log; once for each person and experiment."""

    def __init__(
        self, tell: Callable[[Sequence[Event]], Awaitable[object]], *, now: Callable[[], int]
    ) -> None:
        self._tell = tell
        self._now = now
        self._waiting: list[Event] = []
        self._said: dict[tuple[Key, str], None] = {}
        self._is_closing = False
        self._noted = asyncio.Event()
        self.n_logged = 0
        self.n_dropped = 0
        """For want of room, or because the log took no more."""

    def is_new(self, found: Found, decision: Decision) -> bool:
        """Tell whether somebody was told what was drawn for them, and nobody has noted it before."""
        choice = decision.choice
        if choice is None or found.is_hidden:
            return False
        if found.life is not None and choice.experiment in found.life.met:
            return False
        return (found.key, choice.experiment) not in self._said

    def note(self, found: Found, decision: Decision, *, was_a_device: bool = False) -> None:
        """Note what somebody was told, where it is new.

        `was_a_device`: what they were told before is said of a device with their id; it is named theirs.
        """
        if decision.choice is None or not self.is_new(found, decision):
            return
        once = (found.key, decision.choice.experiment)
        if len(self._waiting) >= MAX_WAITING:
            self.n_dropped += 1
            return
        if len(self._said) >= MAX_SAID:
            del self._said[next(iter(self._said))]
        self._said[once] = None
        event = exposure_event(found, decision, now=self._now())
        self._waiting.append(structs.replace(event, anonymous_id=found.by) if was_a_device else event)
        self._noted.set()

    async def run(self) -> None:
        """Tell what is noted, until `close`."""
        while not (self._is_closing and not self._waiting):
            await self._noted.wait()
            self._noted.clear()
            while self._waiting:
                batch, self._waiting = self._waiting[:MAX_AT_ONCE], self._waiting[MAX_AT_ONCE:]
                try:
                    await self._tell(batch)
                    self.n_logged += len(batch)
                except UnavailableError:
                    self.n_dropped += len(batch)
                if not self._is_closing:
                    await asyncio.sleep(PAUSE_S)

    def close(self) -> None:
        """Take no more; `run` returns when all that was noted is told."""
        self._is_closing = True
        self._noted.set()


def exposure_event(found: Found, decision: Decision, *, now: int) -> Event:
    """Say that somebody was told what was drawn for them, as an event for the log."""
    choice = decision.choice
    assert choice is not None, "only what was drawn is an exposure"
    stage, person = found.key
    said = {
        "flag": decision.key,
        "experiment": choice.experiment,
        "variant": choice.variant,
        "propensity": choice.propensity,
        "eligible": choice.eligible,
        "decision_id": decision.metadata["decision_id"],
        "context": choice.context,
        "journey": split_key(decision.key)[0],
        "version": decision.metadata.get("journey_version", ""),
    }
    return Event(
        source=OUR_SOURCE,
        message_id=derive("exposed", stage, person, choice.experiment),
        kind="track",
        name=EXPOSED,
        occurred_at=now,
        received_at=now,
        user_id=(found.by or person) if stage == "profile" else None,
        anonymous_id=person if stage == "identity" else None,
        properties=Raw(msgspec.json.encode(said)),
    )
