"""A real server on a free port, and a line to it that breaks just when the server answers."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Thread

import uvicorn

from sojourn.server.http import App
from sojourn.server.segments import OneSegment

START_S = 10
PIECE_BYTES = 1 << 16


@contextmanager
def served(app: App) -> Iterator[int]:
    """Serve an application from a thread; yield its port."""
    config = uvicorn.Config(
        app, port=0, http=OneSegment, log_level="warning", lifespan="on", proxy_headers=False
    )
    server = uvicorn.Server(config)
    thread = Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + START_S
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        assert time.monotonic() < until, "the server did not start in time"
        time.sleep(0.005)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()


class BreakingLine:
    """Forwards connections to a port; the first `n_breaks` answers are lost, their connections closed."""

    def __init__(self, port: int, *, n_breaks: int) -> None:
        self._port = port
        self.n_breaks = n_breaks
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        Thread(target=self._listen, daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        self._listener.close()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self._port))
                Thread(target=self._ask, args=(near, far), daemon=True).start()
                Thread(target=self._answer, args=(near, far), daemon=True).start()

    def _ask(self, near: socket.socket, far: socket.socket) -> None:
        with suppress(OSError):
            while piece := near.recv(PIECE_BYTES):
                far.sendall(piece)
            far.shutdown(socket.SHUT_WR)

    def _answer(self, near: socket.socket, far: socket.socket) -> None:
        with suppress(OSError):
            while piece := far.recv(PIECE_BYTES):
                if self.n_breaks > 0:
                    self.n_breaks -= 1
                    break
                near.sendall(piece)
        for end in (near, far):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
