"""Limits: what this disk and a bare JSON decoder do with the same bytes, in the same batches."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import msgspec
from msgspec import Raw, Struct

from bench.figures import Figure, Figures, middle
from bench.traffic import BATCH, stamped, templates


class _Event(Struct):
    type: str
    messageId: str  # noqa: N815 - as on the wire
    timestamp: str
    anonymousId: str | None = None  # noqa: N815
    userId: str | None = None  # noqa: N815
    event: str = ""
    properties: Raw = Raw(b"{}")
    context: Raw = Raw(b"{}")


class _Body(Struct):
    batch: list[_Event]


def measure(folder: Path, *, is_quick: bool) -> Figures:
    """Measure both on requests as the bench sends them."""
    bodies = [stamped(template, round_name="0") for template in templates(seed=1, n_templates=100)]
    seconds = 1.0 if is_quick else 3.0
    disk = middle([disk_events_per_s(folder / "limit", bodies, seconds=seconds) for _ in range(3)])
    decoding = middle([decoded_events_per_s(bodies, seconds=seconds / 3) for _ in range(3)])
    size = sum(map(len, bodies)) / len(bodies) / BATCH
    return {
        "limit_disk_events_per_s": Figure(round(disk), "events/s", "append + fdatasync, 100 a time"),
        "limit_json_events_per_s": Figure(round(decoding), "events/s", "msgspec, typed, one core"),
        "event_bytes": Figure(round(size), "bytes"),
    }


def beside(figures: Figures, limits: Figures) -> Figures:
    """Write the raw limits beside every figure, in its own unit: what disk and decoder alone would need."""
    disk, decoding = (limits[f"limit_{what}_events_per_s"].value for what in ("disk", "json"))
    raw = {
        "events/s": f"raw: disk {disk:,.0f}, JSON {decoding:,.0f}",
        "ms": f"raw, a batch of {BATCH}: disk {_ms(disk):.2f}, JSON {_ms(decoding):.2f}",
        "us CPU/event": f"raw: disk {1e6 / disk:.1f}, JSON {1e6 / decoding:.1f}",
    }
    return {
        name: replace(figure, limit="; ".join(filter(None, [figure.limit, raw.get(figure.unit)])))
        for name, figure in figures.items()
    }


def _ms(events_per_s: float) -> float:
    return 1000 * BATCH / events_per_s


def disk_events_per_s(path: Path, bodies: list[bytes], *, seconds: float) -> float:
    """Append each request's bytes to a file and wait until they are on disk; one request after the other."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    try:
        n_bodies, started = 0, time.perf_counter()
        while (took := time.perf_counter() - started) < seconds:
            os.write(handle, bodies[n_bodies % len(bodies)])
            os.fdatasync(handle)
            n_bodies += 1
        return n_bodies * BATCH / took
    finally:
        os.close(handle)
        path.unlink()


def decoded_events_per_s(bodies: list[bytes], *, seconds: float) -> float:
    """Decode requests into typed events, and leave what nobody reads as bytes."""
    decode = msgspec.json.Decoder(_Body).decode
    n_events, started = 0, time.perf_counter()
    while (took := time.perf_counter() - started) < seconds:
        for body in bodies:
            n_events += len(decode(body).batch)
    return n_events / took
