"""A line to a stream of server-sent events, read on a thread, or not read at all."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Thread
from time import monotonic, sleep
from typing import Any, NamedTuple

from tests.wiring.houses import START_S, TOKEN, Serving


class Told(NamedTuple):
    """One event of a stream."""

    at: float
    """By `time.monotonic`, s."""
    name: str
    data: Any


class Listener:
    """Who listens to one stream."""

    def __init__(self, answer: http.client.HTTPResponse) -> None:
        self.status = answer.status
        self.told: list[Told] = []
        self.has_ended = False
        self._answer = answer
        self.thread = Thread(target=self._listen, daemon=True)
        self.thread.start()

    def until(self, is_so: Callable[[], bool]) -> None:
        """Wait until something is so."""
        end = monotonic() + START_S
        while not is_so():
            assert monotonic() < end, self.told[-5:]
            sleep(0.005)

    def named(self, name: str) -> list[Any]:
        """Return what events of a name said; "" is an event without one."""
        return [each.data for each in list(self.told) if each.name == name]

    def _listen(self) -> None:
        name = ""
        while line := self._answer.readline().decode():
            if line.startswith("event: "):
                name = line.removeprefix("event: ").strip()
            elif line.startswith("data: "):
                self.told.append(Told(monotonic(), name, json.loads(line.removeprefix("data: "))))
                name = ""
        self.has_ended = True


@contextmanager
def listening(house: Serving, path: str) -> Iterator[Listener]:
    """Open a stream, and listen."""
    line = http.client.HTTPConnection(*address(house), timeout=START_S)
    line.request("GET", path, headers={"Authorization": f"Bearer {TOKEN}"})
    ours = line.sock
    listener = Listener(line.getresponse())
    try:
        yield listener
    finally:
        with suppress(OSError):
            ours.shutdown(socket.SHUT_RDWR)
        listener.thread.join(START_S)
        line.close()


@contextmanager
def ignoring(house: Serving, path: str) -> Iterator[socket.socket]:
    """Open a stream and read nothing of it, ever."""
    with socket.socket() as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1_024)
        line.connect(address(house))
        line.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode())
        yield line


def address(house: Serving) -> tuple[str, int]:
    """Return where a server listens."""
    host, _, port = house.url.rpartition("/")[2].partition(":")
    return host, int(port)
