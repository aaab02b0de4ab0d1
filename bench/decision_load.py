"""Decision load: a process of its own that asks for single decisions at a steady rate, and times each answer.

The clock of an answer starts when it was due to be asked, not when a connection was free: a server that
stands still for a moment is seen by everybody who asks meanwhile. Started as `python -m bench.decision_load`
with its orders as JSON; prints what came of them as one line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from random import Random

import uvloop

N_CONNECTIONS = 32


@dataclass
class Orders:
    """What to ask, and how."""

    port: int
    key: str
    flags: list[str]
    people: list[str]
    seconds: float
    rate: float
    """Questions a second."""
    seed: int = 1


def start(orders: Orders) -> subprocess.Popen[str]:
    """Start asking in a process of its own; `bench.load.finish` waits for it."""
    command = [sys.executable, "-m", "bench.decision_load", json.dumps(vars(orders))]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


class _Asking:
    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._random = Random(orders.seed)
        self._n = 0
        self._began = 0.0
        self.took_ms: list[float] = []
        self.n_refused = 0

    async def run(self) -> None:
        """Ask until the time is over."""
        self._began = time.perf_counter()
        await asyncio.gather(*(self._connection() for _ in range(N_CONNECTIONS)))

    async def _connection(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._orders.port)
        while (due := await self._next()) is not None:
            writer.write(self._request())
            head = await reader.readuntil(b"\r\n\r\n")
            length = head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0]
            await reader.readexactly(int(length))
            self.took_ms.append((time.perf_counter() - due) * 1000)
            self.n_refused += head[9:12] != b"200"
        writer.close()

    async def _next(self) -> float | None:
        due = self._began + self._n / self._orders.rate
        self._n += 1
        if due - self._began >= self._orders.seconds:
            return None
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        return due

    def _request(self) -> bytes:
        flag, person = self._random.choice(self._orders.flags), self._random.choice(self._orders.people)
        body = json.dumps({"context": {"targetingKey": person, "plan": "pro"}}).encode()
        head = (
            f"POST /ofrep/v1/evaluate/flags/{flag} HTTP/1.1",
            "Host: bench",
            "Content-Type: application/json",
            f"Authorization: Bearer {self._orders.key}",
            f"Content-Length: {len(body)}",
            "",
            "",
        )
        return "\r\n".join(head).encode() + body


def main() -> None:
    """Carry out the orders given as the one argument."""
    asking = _Asking(Orders(**json.loads(sys.argv[1])))
    uvloop.run(asking.run())
    took = sorted(asking.took_ms)
    at = {name: took[int(len(took) * share)] for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))}
    told = {"n": len(took), "n_refused": asking.n_refused, "took_ms": at, "cpu_s": time.process_time()}
    print(json.dumps(told))


if __name__ == "__main__":
    main()
