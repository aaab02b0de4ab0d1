"""Incremental: a thousand events arrive where ten million are known; how long until every answer has them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from bench.analytics.agreeing import Agreement, same_rows
from bench.analytics.asking import Asked
from bench.analytics.children import ANSWER
from bench.analytics.inputs import BATCH
from bench.analytics.look import Look, Part
from bench.figures import middle

N_EVENTS = 10_000_000
KEPT, ANEW = "Sojourn, kept", "Sojourn, counted anew"
QUESTION = "graph, funnel, order 1"
GOAL_MS = 50.0
PEERLESS = "no peer keeps its answers up to date"


def measure(look: Look) -> Part:
    """Keep, and count anew to see that it is the same."""
    folder, file, events = (look.input(kind, N_EVENTS) for kind in ("encoded", "arrivals", "events"))
    module = [sys.executable, "-m", "bench.analytics.arriving"]
    asked = [
        Asked(QUESTION, KEPT, [*module, "keep", str(folder), str(file), ANSWER], folder),
        Asked(QUESTION, ANEW, [*module, "anew", str(events), str(file), ANSWER], events, note=PEERLESS),
    ]
    kept, anew = look.ask(asked).values()
    agreements = list(_agreements(kept.answer, anew.answer))
    if kept.answer is not None:
        kept = kept._replace(asked=kept.asked._replace(note=_words(kept.answer, is_quick=look.is_quick)))
    return Part([kept, anew], agreements)


def _agreements(kept: Any, anew: Any) -> Iterator[Agreement]:
    """Compare what was kept up to date with the count of all events at once."""
    for name in ("graph", "funnel", "attribution"):
        here, there = (answer and answer["counts"][name] for answer in (kept, anew))
        yield same_rows(f"{name}: kept up to date and counted anew", here, there)


def _words(answer: dict[str, Any], *, is_quick: bool) -> str:
    took_ms: list[float] = answer["took_ms"]
    verdict = "" if is_quick else ", met" if max(took_ms) <= GOAL_MS else ", MISSED"
    return (
        f"{BATCH:,} new events: p50 {middle(took_ms):.1f} ms, worst of {len(took_ms)} {max(took_ms):.1f} ms"
        f" (the first {took_ms[0]:.1f}), goal: {GOAL_MS:.0f} ms{verdict}; ready in {answer['opened_s']:.1f} s"
    )
