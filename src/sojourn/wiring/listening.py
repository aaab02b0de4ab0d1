"""Listening: the port a server takes, before it touches anything else."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from sojourn.config import Config
from sojourn.model.errors import ConfigError

BACKLOG = 2_048  # connections the kernel holds for us, as uvicorn has it.


@contextmanager
def listening(config: Config) -> Iterator[socket.socket]:
    """Take the port before anything else: a second server ends here, having touched nothing."""
    host, port = config.http.host, config.http.port
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
            listener.listen(BACKLOG)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        raise ConfigError(
            f"http: {host}:{port} cannot be listened on ({error.strerror}); is another process there? "
            "Set http.host or http.port to a free one [port]"
        ) from error
    with listener:
        yield listener
