"""Lines: networks of our own between namespaces, that delay every packet, and may be cut.

The kernel's own way (`tc netem`) is not in every kernel; so packets come out of one namespace's TUN device,
wait here, and go into the other's. What is cut loses them, as a switch without power does: nobody is told.
"""

from __future__ import annotations

import fcntl
import os
import select
import shutil
import struct
import subprocess
import time
from collections import deque
from contextlib import suppress
from threading import Thread

import pytest

_TUN = "/dev/net/tun"
_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
_MTU = 1_500
_WAITING = 20_000  # packets in a direction: what comes beyond is lost, as in any queue.


def require_lines() -> None:
    """Skip the test, with the reason, where namespaces and TUN devices may not be made."""
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root")
    if shutil.which("ip") is None:
        pytest.skip("network namespaces need iproute2: apt install iproute2")
    try:
        os.close(os.open(_TUN, os.O_RDWR))
        Namespace(f"sojourn-probe-{os.getpid()}").end()
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"network namespaces may not be made here ({error})")


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


class Namespace:
    """A network of its own, for processes whose commands begin with `inside`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.inside = ["ip", "netns", "exec", name]
        _ip("netns", "add", name)
        _ip("-n", name, "link", "set", "lo", "up")

    def end(self) -> None:
        """Take it down."""
        with suppress(subprocess.CalledProcessError):
            _ip("netns", "del", self.name)


class Line:
    """A line from here to a namespace, whose end there has the address `there`."""

    def __init__(self, namespace: Namespace, number: int, *, delay_s: float) -> None:
        self.here, self.there = f"10.213.{number}.1", f"10.213.{number}.2"
        self.delay_s = delay_s
        """One way."""
        self.is_cut = False
        self.n_carried = self.n_lost = 0
        self._is_ended = False
        names = f"sj{os.getpid() % 100_000}h{number}", f"sj{os.getpid() % 100_000}t{number}"
        self._ends = [_device(name) for name in names]
        _ip("link", "set", names[1], "netns", namespace.name)
        for name, at, to, where in (
            (names[0], self.here, self.there, []),
            (names[1], self.there, self.here, ["-n", namespace.name]),
        ):
            _ip(*where, "address", "add", at, "peer", to, "dev", name)
            _ip(*where, "link", "set", name, "mtu", str(_MTU), "up")
        self._thread = Thread(target=self._carry, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Take it down."""
        self._is_ended = True
        self._thread.join()
        for end in self._ends:
            os.close(end)

    def _carry(self) -> None:
        waiting: list[deque[tuple[float, bytes]]] = [deque(), deque()]
        while not self._is_ended:
            now = time.monotonic()
            firsts = [each[0][0] for each in waiting if each]
            wait_s = max(0.0, min(firsts) - now) if firsts else 0.05
            ready, _, _ = select.select(self._ends, [], [], wait_s)
            for end in ready:
                with suppress(OSError):
                    self._take(os.read(end, 65_536), waiting[self._ends.index(end)])
            now = time.monotonic()
            for number, packets in enumerate(waiting):
                while packets and packets[0][0] <= now:
                    self._give(packets.popleft()[1], self._ends[1 - number])

    def _take(self, packet: bytes, waiting: deque[tuple[float, bytes]]) -> None:
        if self.is_cut or len(waiting) >= _WAITING:
            self.n_lost += 1
        else:
            waiting.append((time.monotonic() + self.delay_s, packet))

    def _give(self, packet: bytes, end: int) -> None:
        if self.is_cut:
            self.n_lost += 1
            return
        with suppress(OSError):  # its end is not up, or is gone
            os.write(end, packet)
            self.n_carried += 1


def _device(name: str) -> int:
    end = os.open(_TUN, os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(end, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TUN | _IFF_NO_PI))
    return end
