"""What the crowd's devices send: few requests at once, and nobody goes on while a slow server lags behind."""

from __future__ import annotations

import asyncio
import contextlib
import time
from base64 import b64encode
from types import TracebackType

import httpx

from demo.sdk import Batch

N_AT_ONCE = 32
"""Requests under way together. Without a bound, a pause of the server leaves thousands waiting in the client,
which looks through all of them for each: it then computes, sends nothing, and never comes out of it."""
N_WAITING = 4 * N_AT_ONCE
TIMEOUT_S = 15
KEPT_S = 2.0
"""An idle connection is given up before the server does: a request must not meet its closing."""
WAITS_S = (0.0, 0.3, 1.0)
"""Before each try: a device sends again what got no answer, and the log refuses what it has."""


class Sender:
    """Sends batches of events as they fall due, each with a task of its own.

    Use it as an asynchronous context; leaving it does not wait for what is under way (see `finish`).
    """

    def __init__(self, address: str, write_key: str, stopping: asyncio.Event) -> None:
        self._stopping = stopping
        self._turn = asyncio.Semaphore(N_AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()
        self._n_due = 0
        self._client = httpx.AsyncClient(
            base_url=address,
            headers={"Authorization": f"Basic {b64encode(f'{write_key}:'.encode()).decode()}"},
            timeout=TIMEOUT_S,
            limits=httpx.Limits(
                max_connections=N_AT_ONCE, max_keepalive_connections=N_AT_ONCE, keepalive_expiry=KEPT_S
            ),
        )
        self.n_sent = 0
        """Events, of requests that were answered with 200."""
        self.n_lost = 0
        """Requests that were not answered with 200, however often they were sent."""

    async def __aenter__(self) -> Sender:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    @property
    def lags(self) -> bool:
        """Whether so much waits for the server that nothing new is to be thought of."""
        return self._n_due > N_WAITING

    def send(self, batch: Batch) -> None:
        """Send a batch after its delay, when it is its turn."""
        task = asyncio.create_task(self._send(batch))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def finish(self, timeout_s: float) -> None:
        """Wait for what is under way: an event that was seen is sent, also by who leaves."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=timeout_s)

    async def _send(self, batch: Batch) -> None:
        with contextlib.suppress(TimeoutError):  # the demo ends: nobody waits for a network any more
            await asyncio.wait_for(self._stopping.wait(), batch.delay_s or 0.001)
        self._n_due += 1
        try:
            async with self._turn:
                is_taken = await self._is_taken(batch)
        finally:
            self._n_due -= 1
        self.n_sent += len(batch.events) * is_taken
        self.n_lost += not is_taken

    async def _is_taken(self, batch: Batch) -> bool:
        for wait_s in WAITS_S:
            await asyncio.sleep(wait_s)
            with contextlib.suppress(httpx.TransportError):
                answer = await self._client.post("/v1/batch", json=batch.body(time.time()))
                return answer.status_code == 200
        return False
