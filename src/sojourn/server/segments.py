"""Segments: what an application sends in one go leaves in one write, its head and its body together.

uvicorn writes them one after the other. A client's kernel acknowledges the first of two segments late (up to
40 ms), and whoever waits for that waits: SDKs that ask for one decision after another would, 50 ms each.
"""

from __future__ import annotations

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class OneSegment(HttpToolsProtocol):
    """uvicorn's protocol of HTTP/1.1, on a transport that writes a head and its body as one."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin with a connection."""
        super().connection_made(cast(asyncio.Transport, _Gathering(transport, self.loop)))


class _Gathering:
    """A transport in which a write waits for the next one, to the end of the loop's turn at most; all else is
    the transport's own."""

    __slots__ = ("_call_soon", "_pieces", "_transport")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._call_soon = loop.call_soon
        self._pieces: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, piece: bytes) -> None:
        if not self._pieces:
            self._call_soon(self._flush)
            self._pieces.append(piece)
            return
        # A head waited for it, and here is the body: another turn of the loop would be for nothing.
        self._pieces.append(piece)
        self._flush()

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._pieces:
            pieces, self._pieces = self._pieces, []
            if not self._transport.is_closing():  # else whoever asked has gone
                self._transport.write(pieces[0] if len(pieces) == 1 else b"".join(pieces))
