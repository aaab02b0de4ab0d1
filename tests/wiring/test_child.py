"""A child that is kept: started again where it ends, and ended with whoever keeps it, whenever that is."""

from __future__ import annotations

import asyncio
import sys

from sojourn.wiring.child import Kept

ECHO = (sys.executable, "-c", "print('here', flush=True); input()")
ENDS = (sys.executable, "-c", "raise SystemExit(3)")
WAIT_S = 20.0


def test_one_that_is_told_to_stop_while_it_starts_stops() -> None:
    """There was nobody yet to tell; a server that is stopped as it starts must not wait for ever."""

    async def story() -> None:
        kept = Kept(ECHO, what="an echo", finish_s=WAIT_S)
        running = asyncio.create_task(kept.run())
        await asyncio.sleep(0)
        await kept.stop()
        await asyncio.wait_for(running, WAIT_S)

    asyncio.run(story())


def test_one_that_ends_is_started_again_and_one_that_refuses_is_not() -> None:
    """Each end is counted; a status that says it cannot go on is heeded."""

    async def story() -> tuple[int, int]:
        kept = Kept(ENDS, what="one that ends", finish_s=WAIT_S, retry_s=0.01)
        running = asyncio.create_task(kept.run())
        while kept.n_failures < 3:
            await asyncio.sleep(0.01)
        await kept.stop()
        await asyncio.wait_for(running, WAIT_S)
        final = Kept(ENDS, what="one that refuses", finish_s=WAIT_S, final=(3,))
        await asyncio.wait_for(final.run(), WAIT_S)
        return kept.n_failures, final.n_failures

    assert asyncio.run(story()) == (3, 0)


def test_one_that_cannot_be_started_is_tried_again() -> None:
    """The machine may be short of processes for a moment."""

    async def story() -> int:
        kept = Kept(("/nothing/is/here",), what="nothing", finish_s=WAIT_S, retry_s=0.01)
        running = asyncio.create_task(kept.run())
        while kept.n_failures < 2:
            await asyncio.sleep(0.01)
        await kept.stop()
        await asyncio.wait_for(running, WAIT_S)
        return kept.n_failures

    assert asyncio.run(story()) >= 2


def test_what_it_says_is_heard_line_by_line() -> None:
    """And it ends when it is told to."""
    heard: list[bytes] = []

    async def story() -> None:
        kept = Kept(ECHO, what="an echo", finish_s=WAIT_S, hear=heard.append)
        running = asyncio.create_task(kept.run())
        while not heard:
            await asyncio.sleep(0.01)
        await kept.stop()
        await asyncio.wait_for(running, WAIT_S)

    asyncio.run(story())
    assert heard == [b"here\n"]
