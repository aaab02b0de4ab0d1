"""Segments: a head and its body are one write, at once; what stands alone waits for one turn of the loop."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from sojourn.server.segments import _Gathering


class Wire(asyncio.Transport):
    """A transport that remembers its writes."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.is_gone = False

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        self.written.append(bytes(data))

    def is_closing(self) -> bool:
        return self.is_gone

    def close(self) -> None:
        self.is_gone = True


def test_a_head_and_its_body_leave_together_without_another_turn_of_the_loop() -> None:
    """A turn costs as much as the decision that is answered."""
    wire = Wire()

    async def answer() -> None:
        transport = cast(Any, _Gathering(wire, asyncio.get_running_loop()))
        transport.write(b"head")
        assert wire.written == []
        transport.write(b"body")
        assert wire.written == [b"headbody"]
        await asyncio.sleep(0)

    asyncio.run(answer())
    assert wire.written == [b"headbody"]


def test_a_head_alone_leaves_with_the_next_turn_of_the_loop_or_the_end() -> None:
    """A stream says nothing for a while, and an answer without a body has nothing to say."""
    wire = Wire()

    async def answer() -> None:
        transport = cast(Any, _Gathering(wire, asyncio.get_running_loop()))
        transport.write(b"head")
        await asyncio.sleep(0)
        assert wire.written == [b"head"]
        transport.write(b"last")
        transport.close()
        assert wire.written == [b"head", b"last"]

    asyncio.run(answer())
    assert wire.is_gone


def test_whoever_has_gone_is_written_nothing() -> None:
    """asyncio would warn of each write."""
    wire = Wire()

    async def answer() -> None:
        transport = cast(Any, _Gathering(wire, asyncio.get_running_loop()))
        transport.write(b"head")
        wire.is_gone = True
        await asyncio.sleep(0)

    asyncio.run(answer())
    assert wire.written == []
