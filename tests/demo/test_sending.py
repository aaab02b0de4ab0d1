"""The crowd's requests against a server that is slow."""

from __future__ import annotations

import asyncio

from demo.sdk import Batch
from demo.sending import N_AT_ONCE, N_WAITING, Sender


class SlowServer:
    """Answers every request with 200 when it is let, and counts how many it holds together."""

    def __init__(self) -> None:
        self.answers = asyncio.Event()
        self.n_to_drop = 0
        self.n_held = self.n_held_most = self.n_seen = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = next(
                    int(line.split(b":")[1])
                    for line in head.split(b"\r\n")
                    if line.lower().startswith(b"content-length")
                )
                await reader.readexactly(length)
                self.n_seen += 1
                if self.n_seen <= self.n_to_drop:
                    break
                self.n_held += 1
                self.n_held_most = max(self.n_held_most, self.n_held)
                await self.answers.wait()
                self.n_held -= 1
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
        except asyncio.IncompleteReadError:
            pass  # the client closed
        writer.close()


async def _crowd(n_batches: int, *, n_to_drop: int = 0) -> tuple[SlowServer, Sender, bool, bool]:
    """Send batches to a server that answers nothing for a while, then everything."""
    slow = SlowServer()
    slow.n_to_drop = n_to_drop
    server = await asyncio.start_server(slow.serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    async with Sender(f"http://{host}:{port}", "dev", asyncio.Event()) as sender:
        for _ in range(n_batches):
            sender.send(Batch(events=[{}, {}], clock_error_s=0.0))
        await asyncio.sleep(0.4)
        lagged = sender.lags
        slow.answers.set()
        await sender.finish(10)
    server.close()
    return slow, sender, lagged, sender.lags


def test_a_pause_of_the_server_holds_the_crowd_back_and_nothing_is_lost() -> None:
    slow, sender, lagged, lags = asyncio.run(_crowd(2 * N_WAITING))

    assert slow.n_held_most == N_AT_ONCE
    assert lagged
    assert not lags
    assert (sender.n_sent, sender.n_lost) == (4 * N_WAITING, 0)
    assert slow.n_seen == 2 * N_WAITING


def test_a_few_at_a_time_hold_nobody_back() -> None:
    _, sender, lagged, _ = asyncio.run(_crowd(N_AT_ONCE))

    assert not lagged
    assert sender.n_lost == 0


def test_what_got_no_answer_is_sent_again_as_devices_do() -> None:
    slow, sender, _, _ = asyncio.run(_crowd(3, n_to_drop=2))

    assert slow.n_seen == 5
    assert (sender.n_sent, sender.n_lost) == (6, 0)


def test_who_never_gets_an_answer_is_told_of() -> None:
    _, sender, _, _ = asyncio.run(_crowd(1, n_to_drop=9))

    assert (sender.n_sent, sender.n_lost) == (0, 1)
