"""The battery for sinks: what every sink, ours or yours, must do.

async def test_my_sink():
    await check_sink(MySink, {"url": receiver.url}, arrived=receiver.action_ids)
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Raw

from sojourn.model.action import Action, Delivery
from sojourn.model.errors import ConfigError, SinkError
from sojourn.model.ids import ActionId, EnrolmentId, ProfileId
from sojourn.model.ports import Sink, SinkFactory

N_AT_ONCE = 16
"""As many deliveries as the outbox has in flight for one sink."""

BODIES = (b"{}", b'{"text":"\\u00fc \\ud83d\\ude00 \\n"}', b'{"deep":[[[{"a":[1,2.5,null,true]}]]]}')


async def check_sink(
    factory: SinkFactory,
    options: Mapping[str, Any],
    *,
    arrived: Callable[[], Sequence[str]] | None = None,
    broken: Mapping[str, Any] | None = None,
    secrets: Sequence[str] = (),
    bodies: Sequence[bytes] = BODIES,
) -> None:
    """Try a sink; raise AssertionError with what it does wrong.

    `options` must make a sink that works. `arrived` tells the action ids its destination has seen, in
    order, with repetitions. `broken` are options of a destination that refuses or cannot be reached.
    `secrets` are parts of the options that nobody may find in an error or a repr. `bodies` are JSON objects
    that actions have in turn, for a sink that takes not every one.
    """
    _check_that_wrong_options_are_refused(factory, options, secrets)
    sink = factory("checked", options)
    try:
        await _check_that_actions_arrive(sink, arrived, bodies)
        await _check_that_repetitions_are_taken(sink, bodies)
        _check_that_secrets_are_kept(repr(sink), secrets)
    finally:
        await sink.close()
        await sink.close()  # Stopping twice is a habit of processes.
    if broken is not None:
        await _check_that_failures_are_sink_errors(factory("broken", broken), secrets, bodies)


def checked_action(n: int, *, sink: str = "checked", bodies: Sequence[bytes] = BODIES) -> Action:
    """Make the n-th action of the battery."""
    return Action(
        id=ActionId(f"check-{n:04}"),
        sink=sink,
        at=1_767_225_600_000 + n,  # 2026-01-01
        expires_at=1_767_312_000_000,
        profile_id=ProfileId("u:checked"),
        user_id="checked",
        journey="check",
        version="1",
        enrolment_id=EnrolmentId("enrolment"),
        state="checking",
        body=Raw(bodies[n % len(bodies)]),
    )


def _check_that_wrong_options_are_refused(
    factory: SinkFactory, options: Mapping[str, Any], secrets: Sequence[str]
) -> None:
    refusal = None
    try:
        factory("checked", {**options, "no_such_option": 1})
    except ConfigError as error:
        refusal = str(error)
    assert refusal is not None, "an unknown option is refused with ConfigError: a typing error must be seen"
    assert "no_such_option" in refusal, (
        f"a ConfigError names the option it is about; this one says: {refusal}"
    )
    _check_that_secrets_are_kept(refusal, secrets)


async def _check_that_actions_arrive(
    sink: Sink, arrived: Callable[[], Sequence[str]] | None, bodies: Sequence[bytes]
) -> None:
    actions = [checked_action(n, bodies=bodies) for n in range(N_AT_ONCE)]
    deliveries = await asyncio.gather(*(sink.deliver(action) for action in actions))
    for delivery in deliveries:
        assert isinstance(delivery, Delivery), f"deliver returns a Delivery, not {delivery!r}"
        assert delivery.outcome == "delivered", f"what was done is 'delivered', not {delivery.outcome!r}"
    if arrived is not None:
        missing = {action.id for action in actions} - set(arrived())
        assert not missing, f"said to be delivered, and never arrived: {sorted(missing)}"


async def _check_that_repetitions_are_taken(sink: Sink, bodies: Sequence[bytes]) -> None:
    """After a crash the outbox sends again, with the same id: that is no failure."""
    delivery = await sink.deliver(checked_action(0, bodies=bodies))
    assert delivery.outcome == "delivered", f"a repeated action is 'delivered', not {delivery.outcome!r}"


async def _check_that_failures_are_sink_errors(
    sink: Sink, secrets: Sequence[str], bodies: Sequence[bytes]
) -> None:
    came: Delivery | Exception
    try:
        came = await sink.deliver(checked_action(0, bodies=bodies))
    except Exception as error:  # Which one it is, is the question.
        came = error
    finally:
        await sink.close()
    if isinstance(came, Delivery):
        assert came.outcome == "failed", f"a broken destination took nothing; it is not {came.outcome!r}"
        return
    assert isinstance(came, SinkError), f"a destination that fails is a SinkError, not {came!r}"
    assert came.reason, "a SinkError says why"
    assert came.retry_after_ms is None or came.retry_after_ms >= 0, "nobody waits for the past"
    _check_that_secrets_are_kept(f"{came} {came.reason} {came.__cause__!r}", secrets)


def _check_that_secrets_are_kept(text: str, secrets: Sequence[str]) -> None:
    # The secret itself is not in the message either: test output goes to build logs.
    assert not any(secret in text for secret in secrets), "a secret stands in a repr or an error"
