"""A line between a browser and a server that breaks where a test says: before the server heard, or after."""

from __future__ import annotations

import re
import socket
import time
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from threading import Lock, Thread
from typing import Literal

Fault = Literal["none", "request", "answer", "half", "503"]
"""What becomes of one post: nothing; cut within the request; cut after the server has answered, before its
first byte or in the middle; or answered with 503 by a proxy, and never passed on."""

PIECE_BYTES = 1 << 16
WAIT_S = 30

_LENGTH = re.compile(rb"(?im)^content-length:\s*(\d+)")
_ORIGIN = re.compile(rb"(?im)^origin:\s*(\S+)")


class Line:
    """Passes HTTP/1.1 on to a port of this machine, request by request."""

    def __init__(self, port: int) -> None:
        self._upstream = port
        self._faults: deque[Fault] = deque()
        self._lock = Lock()
        self._is_down = False
        self._open: set[socket.socket] = set()
        self.n_posts = 0
        """Posts that came whole, whatever became of them."""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        Thread(target=self._listen, daemon=True).start()

    @property
    def url(self) -> str:
        """Where a page finds the server by this line."""
        return f"http://127.0.0.1:{self.port}"

    def breaks(self, *faults: Fault) -> None:
        """Have the next posts meet these, one each; those after them meet none."""
        with self._lock:
            self._faults = deque(faults)

    def has_broken(self) -> bool:
        """Wait until every fault has been met; false where that takes too long."""
        until = time.monotonic() + WAIT_S
        while self._faults and time.monotonic() < until:
            time.sleep(0.02)
        return not self._faults

    def cut(self) -> None:
        """Break every connection, and refuse new ones, until `mend`."""
        with self._lock:
            self._is_down = True
            ends = list(self._open)
        _close(ends)

    def mend(self) -> None:
        """Take connections again."""
        with self._lock:
            self._is_down = False

    def close(self) -> None:
        """Take no more connections."""
        self.cut()
        self._listener.close()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                near.settimeout(WAIT_S)
                with self._lock:
                    is_down = self._is_down
                    self._open.add(near)
                if is_down:
                    _close([near])
                else:
                    Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near: socket.socket) -> None:
        far: socket.socket | None = None
        with suppress(OSError):
            far = socket.create_connection(("127.0.0.1", self._upstream), timeout=WAIT_S)
            with self._lock:
                self._open.add(far)
            while request := _message(near):
                fault = self._fault(request)
                if not _pass(request, near, far, fault):
                    break
        ends = [end for end in (near, far) if end is not None]
        _close(ends)
        with self._lock:
            self._open.difference_update(ends)

    def _fault(self, request: bytes) -> Fault:
        if not request.startswith(b"POST "):
            return "none"
        with self._lock:
            self.n_posts += 1
            return self._faults.popleft() if self._faults else "none"


def _pass(request: bytes, near: socket.socket, far: socket.socket, fault: Fault) -> bool:
    """Pass one request on, and its answer back; return whether the connection goes on."""
    if fault == "503":
        near.sendall(_busy(request))
        return True
    if fault == "request":
        far.sendall(request[: len(request) // 2])
        return False
    far.sendall(request)
    answer = _message(far)
    if fault == "none":
        near.sendall(answer)
        return bool(answer)
    if fault == "half":
        near.sendall(answer[: len(answer) // 2])
    return False


def _busy(request: bytes) -> bytes:
    origin = _ORIGIN.search(request)
    allowed = origin.group(1) if origin else b"*"
    return (
        b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 0\r\n"
        b"access-control-allow-origin: " + allowed + b"\r\naccess-control-allow-credentials: true\r\n"
        b"access-control-expose-headers: Retry-After\r\n\r\n"
    )


def _message(end: socket.socket) -> bytes:
    """Read one HTTP message, headers and body; empty at the end of the connection."""
    read = b""
    while b"\r\n\r\n" not in read:
        piece = end.recv(PIECE_BYTES)
        if not piece:
            return b""
        read += piece
    head, _, body = read.partition(b"\r\n\r\n")
    length = _LENGTH.search(head)
    missing = (int(length.group(1)) if length else 0) - len(body)
    while missing > 0:
        piece = end.recv(PIECE_BYTES)
        if not piece:
            return b""
        read, missing = read + piece, missing - len(piece)
    return read


def _close(ends: Iterable[socket.socket]) -> None:
    for end in ends:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()
