"""Load: a process of its own that sends requests over a few connections, as cheaply as it can.

It shares the machine with the server it measures, so it reads nothing but status and length. It is started
as `python -m bench.load` with its orders as JSON, and prints what came of them as one line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from base64 import b64encode
from dataclasses import dataclass, field
from typing import Any

import uvloop

from bench.traffic import BATCH, N_TEMPLATES, stamped, templates

BUSY_S = 0.02  # what an SDK would wait longer: the server said 503, come again.


@dataclass
class Orders:
    """What to send, and how."""

    port: int
    write_key: str
    seconds: float
    rate: float = 0.0
    """Events a second; 0: as fast as answers come."""
    n_connections: int = 32
    seed: int = 1
    round_prefix: str = "r"
    """Makes the rounds of this load other than those of the load before."""
    n_templates: int = N_TEMPLATES
    n_known: int = 0
    """Draw people from so many known ones; 0: all are new."""


@dataclass
class Outcome:
    """What came of it."""

    n_events: int = 0
    """Acknowledged with 200."""
    n_busy: int = 0
    n_other: int = 0
    started_at: float = 0.0
    """When the first request was sent, seconds since 1970."""
    seconds: float = 0.0
    answers_ms: list[float] = field(default_factory=list)


def start(orders: Orders) -> subprocess.Popen[str]:
    """Start the load in a process of its own; `finish` waits for it."""
    command = [sys.executable, "-m", "bench.load", json.dumps(vars(orders))]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Wait for the load and return its outcome, answers' milliseconds as p50 and p99."""
    told, _ = process.communicate()
    assert process.returncode == 0, "the load generator failed"
    found: dict[str, Any] = json.loads(told)
    return found


class _Load:
    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._templates = templates(seed=orders.seed, n_templates=orders.n_templates, n_known=orders.n_known)
        self._n_taken = 0
        self.outcome = Outcome()
        self._started = 0.0
        key = b64encode(f"{orders.write_key}:".encode()).decode()
        self._head = (
            "POST /v1/batch HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
            f"Authorization: Basic {key}\r\nContent-Length: %d\r\n\r\n"
        ).encode()

    async def run(self) -> Outcome:
        """Send until the time is over."""
        self._started, self.outcome.started_at = time.perf_counter(), time.time()
        await asyncio.gather(*(self._connection() for _ in range(self._orders.n_connections)))
        self.outcome.seconds = time.perf_counter() - self._started
        return self.outcome

    async def _connection(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._orders.port, limit=1 << 16)
        while (request := await self._next()) is not None:
            while True:
                sent = time.perf_counter()
                writer.write(request)
                await writer.drain()
                status = await _answer(reader)
                self.outcome.answers_ms.append((time.perf_counter() - sent) * 1000)
                if status != 503:
                    break
                self.outcome.n_busy += 1
                await asyncio.sleep(BUSY_S)
            if status == 200:
                self.outcome.n_events += BATCH
            else:
                self.outcome.n_other += 1
        writer.close()

    async def _next(self) -> bytes | None:
        n = self._n_taken
        self._n_taken += 1
        if self._orders.rate:
            due = self._started + n * BATCH / self._orders.rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
        if time.perf_counter() - self._started >= self._orders.seconds:
            return None
        round_number, index = divmod(n, len(self._templates))
        body = stamped(self._templates[index], round_name=f"{self._orders.round_prefix}{round_number}")
        return self._head % len(body) + body


async def _answer(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    found = head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0]
    if found:
        await reader.readexactly(int(found))
    return int(head[9:12])


def main() -> None:
    """Carry out the orders given as the one argument."""
    orders = Orders(**json.loads(sys.argv[1]))
    outcome = uvloop.run(_Load(orders).run())
    answers = sorted(outcome.answers_ms) or [0.0]
    told = vars(outcome) | {
        "answers_ms": {"p50": answers[len(answers) // 2], "p99": answers[int(len(answers) * 0.99)]},
        "cpu_s": time.process_time(),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
