"""Decisions of a cluster: how soon one door answers from a real store, where nobody waits for events."""

from __future__ import annotations

import json
import os
from pathlib import Path

import msgspec
import pytest

from bench import decision_load, load
from bench.decisions import RATE, somebody
from bench.figures import Figure, Figures
from bench.journeys import NAMES, write_journeys
from sojourn.adapters.serving_store import Kept, Place, StoreWriter
from sojourn.engine.records import LAST, Saved, encode_saved, saved_name
from sojourn.engine.state import encode
from tests.adapters.redises import RedisServer
from tests.cluster.machines import Kafka, until
from tests.cluster.shops import Door, Shop

KEY = "a-key-of-the-bench-and-nobody-else"
N_PEOPLE = 20_000
WARM_UP_S = 3.0


def measure(kafka: Kafka, folder: Path, *, is_quick: bool) -> Figures:
    """Ask one door at the goal's rate; nothing where there is neither Redis nor Valkey."""
    folder.mkdir()
    try:
        server = RedisServer(folder)
    except pytest.skip.Exception:
        return {}
    server.start()
    try:
        shop = _shop(folder, kafka, server)
        n_bytes = _fill(Place(server.url, shop.prefix), folder)
        with shop.door() as door:
            until("what is in force", lambda: door.read("/ready")[0] == 200)
            return _asked(door, seconds=5.0 if is_quick else 15.0) | {
                "cluster_state_bytes": Figure(n_bytes, "bytes", "one life of the bench, in the store")
            }
    finally:
        server.kill()


def _shop(folder: Path, kafka: Kafka, server: RedisServer) -> Shop:
    shop = Shop(folder, kafka.brokers)
    shop.journey.unlink()
    write_journeys(shop.journey.parent, "out")
    config = json.loads(shop.file.read_text())
    config["sinks"] = {"out": {"type": "console"}}
    config["decisions"] = {"keys": {"bench": {"key": KEY}}}
    config["cluster"]["serving"] = {"url": server.url}
    shop.file.write_text(json.dumps(config))
    shop.answer("init")
    shop.answer("publish", "--yes")
    return shop


def _fill(place: Place, folder: Path) -> int:
    """Put people there who are inside two journeys; return how large one is."""
    _, life = somebody(folder / "inside")
    kept = []
    for n in range(N_PEOPLE):
        state = encode(msgspec.structs.replace(life, user_ids=[f"user-{n}"]))
        record = encode_saved(Saved(state, 0, 1, LAST))
        kept.append(Kept(saved_name("profile", f"user-{n}"), record, (1, LAST)))
    writer = StoreWriter(place)
    writer.write(kept, {}, stored={})
    writer.close()
    return len(kept[-1].record or b"")


def _asked(door: Door, *, seconds: float) -> Figures:
    def ask(how_long: float) -> dict[str, float]:
        flags = [f"journey.{name}.{each}" for name in NAMES for each in ("state", "next_action", "variant")]
        orders = decision_load.Orders(
            port=int(door.url.rpartition(":")[2]),
            key=KEY,
            flags=flags,
            people=[f"user-{n}" for n in range(0, N_PEOPLE, 10)],
            seconds=how_long,
            rate=RATE,
        )
        told = load.finish(decision_load.start(orders))
        assert told["n_refused"] == 0, f"the door refused questions: {told}"
        return {"n": told["n"], **told["took_ms"]}

    ask(WARM_UP_S)
    before_s = _cpu_s(door)
    told = ask(seconds)
    cpu_us = (_cpu_s(door) - before_s) / told["n"] * 1e6
    found = {
        f"cluster_decision_{name}_ms": Figure(
            round(told[name], 2), "ms", f"one door, {told['n'] / seconds:,.0f} a second from the store"
        )
        for name in ("p50", "p99")
    }
    return found | {"cluster_decision_cpu_us": Figure(round(cpu_us), "us CPU/decision", "the door")}


def _cpu_s(door: Door) -> float:
    fields = Path(f"/proc/{door.process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
