"""What the model rests on: each figure with its range and where it comes from (bench/scale/fitted.json)."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

FITTED = Path(__file__).parent / "fitted.json"


class Figure(Struct, frozen=True, forbid_unknown_fields=True):
    """One figure that the model rests on."""

    value: float
    low: float
    high: float
    unit: str
    kind: Literal["measured", "fitted", "assumed"]
    source: str
    """By which command it was measured, of what it was fitted, or why it is assumed."""


@dataclass(frozen=True)
class Costs:
    """The figures by name, in the units that they say; fitted.json says what each is."""

    # A task: what its interpreter does, one thing at a time, and what its other threads do beside it.
    rest_cores: float
    active_cores: float
    record_us: float
    passed_us: float
    take_us: float
    call_us: float
    identity_us: float
    alias_us: float
    profile_us: float
    java_us: float
    buffered_events: float
    # The way of an event, ms.
    append_ms: float
    fetch_ms: float
    out_ms: float
    tick_ms: float
    watermark_ms: float
    checkpoint_every_ms: float
    pause_ms: float
    # After a failure, s.
    detect_s: float
    restart_s: float
    restore_mb_per_s: float
    # Door and broker.
    door_us: float
    door_ack_ms: float
    tick_door_us: float
    worker_us: float
    broker_us: float
    tick_broker_us: float
    # Bytes.
    event_bytes: float
    compression: float
    facts: float
    fact_bytes: float
    actions: float
    action_bytes: float
    passed_bytes: float
    profile_bytes: float
    tie_bytes: float
    mark_bytes: float
    hot_bytes: float
    miss_us: float
    ask_us: float
    served_bytes: float
    store_key_bytes: float
    checkpoint_bytes: float
    checkpoint_event_bytes: float
    lake_event_bytes: float

    @property
    def turns_us(self) -> tuple[float, float, float]:
        """What an event costs in each stage, its call apart."""
        return self.identity_us, self.alias_us, self.profile_us

    @property
    def event_us(self) -> float:
        """What an event costs however many are in a call."""
        return self.take_us + sum(self.turns_us)

    def changed(self, **values: float) -> Costs:
        """Return the same with some others."""
        return replace(self, **values)


@cache
def figures() -> dict[str, Figure]:
    """Read what is fitted."""
    return msgspec.json.decode(FITTED.read_bytes(), type=dict[str, Figure])


MORE_IS_BETTER = {"buffered_events", "compression", "restore_mb_per_s"}
Which = Literal["value", "low", "high"]


def costs(which: Which = "value") -> Costs:
    """Return the figures; or all of them as good (`low`), or as bad, as they may be."""
    found = figures()
    other: dict[Which, Which] = {"value": "value", "low": "high", "high": "low"}
    missing = {each.name for each in fields(Costs)} ^ set(found)
    if missing:
        raise ValueError(f"{FITTED.name} and Costs differ by {', '.join(sorted(missing))}")
    return Costs(
        **{
            name: getattr(figure, other[which] if name in MORE_IS_BETTER else which)
            for name, figure in found.items()
        }
    )


def write(found: dict[str, Figure]) -> None:
    """Write what is fitted."""
    FITTED.write_text(json.dumps(msgspec.to_builtins(found), indent=2) + "\n", encoding="utf-8")
