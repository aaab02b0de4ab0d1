"""Arriving: how long until new events show in graph, funnel and attribution, ten million others being known.

`python -m bench.analytics.arriving keep FOLDER FILE ANSWER`: encoded events, and a file of what comes after
them; `anew FILE FILE ANSWER` counts both at once.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from bench.analytics import shop
from bench.analytics.inputs import BATCH
from sojourn.analytics import Mapping, open_events, read_events
from sojourn.analytics.attribution import JourneyRules
from sojourn.analytics.funnel import Funnel
from sojourn.analytics.incremental import FunnelView, GraphView, Kept, MarkovView, New, View
from sojourn.analytics.kinds import Kind

START, CONVERSION, NULL = "(start)", "(conversion)", "(null)"


def keep(folder: Path, arriving: Path) -> dict[str, Any]:
    """Open what is known, let events arrive a batch at a time, and ask after each batch."""
    began = time.perf_counter()
    kept = Kept(open_events(folder), _views(), texts=["channel"], amounts=[])
    opened_s = time.perf_counter() - began
    took_ms = []
    for batch in _batches(arriving):
        began = time.perf_counter()
        kept.add(batch)
        removal_effects(kept.counts["attribution"])
        took_ms.append((time.perf_counter() - began) * 1000)
    return {"opened_s": opened_s, "took_ms": took_ms, "counts": _plain(kept.counts)}


def count_anew(events: Path, arrived: Path) -> dict[str, Any]:
    """Count the same from all files at once: what keeping must come to."""
    read = read_events([events, arrived], Mapping(attributes={"channel": "channel"}))
    return {"counts": _plain({name: view.count(read) for name, view in _views().items()})}


def removal_effects(moves: Counter[tuple[str, ...]]) -> dict[str, float]:
    """Solve the chain of order 1: what share of conversions passed each channel (Kemeny and Snell, 3.5.4)."""
    counted = {key[1:]: count for key, count in moves.items() if key[0] == "move"}
    names = sorted({source for source, _ in counted} - {START})
    place = {name: i for i, name in enumerate(names)}
    chance, start, won = np.zeros((len(names), len(names))), np.zeros(len(names)), np.zeros(len(names))
    left = np.zeros(len(names))
    for (source, target), count in counted.items():
        if source != START:
            left[place[source]] += count
        if target in place:
            (start if source == START else chance[place[source]])[place[target]] += count
        elif target == CONVERSION and source != START:
            won[place[source]] += count
    fundamental = np.linalg.inv(np.eye(len(names)) - chance / left[:, None])
    visits, wins = start @ fundamental, fundamental @ (won / left)
    passed = visits * wins / np.diagonal(fundamental)
    return dict(zip(names, (passed / won.sum()).tolist(), strict=True))


def _views() -> dict[str, View]:
    return {
        "graph": GraphView(),
        "funnel": FunnelView(Funnel(steps=tuple(Kind((name,)) for name in shop.FUNNEL))),
        "attribution": MarkovView(JourneyRules(conversion=Kind((shop.CONVERSION,)))),
    }


def _batches(file: Path) -> list[list[New]]:
    rows = duckdb.execute(
        "select user_id, event, epoch_ms(timestamp), channel from read_parquet(?)", [str(file)]
    ).fetchall()
    arrived = [
        New(person=person, step=step, at=at, texts={} if channel is None else {"channel": channel})
        for person, step, at, channel in rows
    ]
    return [arrived[begin : begin + BATCH] for begin in range(0, len(arrived), BATCH)]


def _plain(counts: dict[str, Counter[tuple[str, ...]]]) -> dict[str, Any]:
    return {name: sorted([*key, n] for key, n in one.items()) for name, one in counts.items()}


def main() -> None:
    """Do one of both."""
    known, arriving, answer = map(Path, sys.argv[2:])
    found = {"keep": keep, "anew": count_anew}[sys.argv[1]](known, arriving)
    answer.write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
