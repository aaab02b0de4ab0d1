"""The outbox worker: takes actions to their sinks, tries again, gives up with a reason, and tells what
became of them.

One lane per sink, each with its own places in flight: a slow or dead destination holds up nobody else's
actions. Delivery is at least once, with the same idempotency key (`action.id`) at every attempt. Nothing is
promised about the order of two actions.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection, Mapping
from concurrent.futures import Executor

import msgspec
from msgspec import Raw

from sojourn.model.action import Action, Delivery
from sojourn.model.errors import SinkError
from sojourn.model.event import OUR_SOURCE, Event
from sojourn.model.ids import ProfileId
from sojourn.model.ports import Outbox, Sink
from sojourn.runtime.lane import Gate, House, Lane, Meter, Policy

MAX_UNKNOWN_SINKS = 256
"""Lanes for sinks nobody configured; names come from journeys, of which there are fewer."""
LOOK_S = 0.02
DROP_S = 2.0  # For deliveries to notice that they were cancelled, and to tell the outbox of the others.


class OutboxWorker:
    """Delivers what the outbox holds until it is stopped.

    `outbox` is called on `executor` (a database's thread), or on the event loop without one. `on_outcome`
    is awaited for every action that is done with, before the outbox hears of it. `random` gives numbers in
    [0, 1).
    """

    def __init__(
        self,
        outbox: Outbox,
        sinks: Mapping[str, Sink],
        *,
        now: Callable[[], int],
        random: Callable[[], float],
        on_outcome: Callable[[Action, Delivery], Awaitable[None]],
        policy: Policy | None = None,
        meter: Meter | None = None,
        executor: Executor | None = None,
    ) -> None:
        self._house = House(
            outbox=outbox,
            now=now,
            random=random,
            on_outcome=on_outcome,
            policy=policy or Policy(),
            meter=meter or Meter(),
            executor=executor,
            gate=Gate(),
        )
        self._lanes = {name: Lane(name, sink, self._house) for name, sink in sinks.items()}
        self._n_configured = len(sinks)
        self._lane_tasks: set[asyncio.Task[None]] = set()
        self._group: asyncio.TaskGroup | None = None
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Deliver until `stop`.

        Raises an ExceptionGroup of what the outbox or `on_outcome` raised: where those fail nothing durable
        can be said, and the process had better end. Sinks fail without it. Closing the sinks is the
        caller's.
        """
        async with asyncio.TaskGroup() as group:
            self._group = group
            for lane in self._lanes.values():
                self._start(lane)
            await self._stopping.wait()

    def notify(self, sink: str) -> None:
        """Say that a commit added actions for a sink. Call it on the event loop.

        A name that no sink has gets a lane that turns its actions into dead letters, with what to do.
        """
        lane = self._lanes.get(sink)
        if lane is None:
            if len(self._lanes) - self._n_configured >= MAX_UNKNOWN_SINKS:
                return
            lane = self._lanes[sink] = Lane(sink, Nowhere(sink), self._house)
            if self._group is not None:
                self._start(lane)
        lane.wake()

    @property
    def is_held(self) -> bool:
        """Whether nothing is sent."""
        return self._house.gate.is_shut

    @property
    def lanes(self) -> Mapping[str, Lane]:
        """The lane of each sink: those configured, and those that letters wait for."""
        return self._lanes

    def hold(self, *, is_held: bool) -> None:
        """Send nothing more, or go on; what is in flight ends. Call it on the event loop.

        Letters wait; those that expired meanwhile are told so then.
        """
        self._house.gate.is_shut = is_held
        for lane in self._lanes.values():
            lane.wake()

    def withdraw(self, people: Collection[ProfileId]) -> None:
        """Send nothing more of what is read already and left the outbox; call it on the event loop.

        A delivery in flight ends, and nobody is told what came of it.
        """
        for lane in self._lanes.values():
            lane.withdraw(people)

    def release(self, action_ids: Collection[str]) -> None:
        """Let go of letters that the outbox gave up to another worker; call it on the event loop."""
        for lane in self._lanes.values():
            lane.release(action_ids)

    async def part(self, action_ids: Collection[str], *, grace_s: float) -> None:
        """Let go of letters that the outbox hands out no more; return when none is in flight, or late."""
        n_looks = 0  # The outbox may have handed them out just before, and the lane not have them yet.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace_s):
                while n_looks < 2:
                    self.release(action_ids)
                    is_held = any(lane.holds(action_ids) for lane in self._lanes.values())
                    n_looks = 0 if is_held else n_looks + 1
                    await asyncio.sleep(LOOK_S)

    async def stop(self, grace_s: float = 10.0) -> None:
        """Begin nothing new, let what is in flight end within the grace; the rest stays in the outbox."""
        self._stopping.set()
        for lane in self._lanes.values():
            lane.end()
        late = await _wait(self._lane_tasks, grace_s)
        if late:
            for lane in self._lanes.values():
                lane.drop()
            for task in await _wait(late, DROP_S):
                task.cancel()

    def _start(self, lane: Lane) -> None:
        assert self._group is not None
        if not self._stopping.is_set():
            task = self._group.create_task(lane.run(self._group))
            self._lane_tasks.add(task)
            task.add_done_callback(self._lane_tasks.discard)


async def _wait(tasks: set[asyncio.Task[None]], timeout_s: float) -> set[asyncio.Task[None]]:
    """Wait for tasks; return those that are still running."""
    if not tasks:
        return set()
    _, late = await asyncio.wait(set(tasks), timeout=timeout_s)
    return late


def outcome_event(action: Action, delivery: Delivery, *, now: int) -> Event:
    """Say what became of an action, as an event for the log.

    Its message id is derived from the action and the outcome, so that telling it twice adds nothing.
    """
    properties = {
        "action_id": action.id,
        "sink": action.sink,
        "journey": action.journey,
        "version": action.version,
        "enrolment_id": action.enrolment_id,
        "state": action.state,
        "attempts": delivery.attempts,
        "status": delivery.status,
        "reason": delivery.reason,
    }
    user_id, anonymous_id = action.whose()
    return Event(
        source=OUR_SOURCE,
        message_id=f"{action.id}:{delivery.outcome}",
        kind="track",
        name=_NAMES[delivery.outcome],
        occurred_at=now,
        received_at=now,
        user_id=user_id,
        anonymous_id=anonymous_id,
        properties=Raw(msgspec.json.encode(properties)),
    )


_NAMES = {"delivered": "$delivered", "failed": "$delivery_failed", "expired": "$delivery_expired"}


class Nowhere:
    """Where actions go whose sink nobody configured."""

    def __init__(self, name: str) -> None:
        self._name = name

    async def deliver(self, action: Action) -> Delivery:
        raise SinkError(
            f"no sink is named {self._name!r}; configure one of that name, or correct state "
            f"{action.state!r} of journey {action.journey!r}, then retry the dead letters [unknown-sink]",
            retry=False,
        )

    async def close(self) -> None:
        """Nothing to release."""
