"""Paths: a million people's touches, credited by every model, by us and by the peers of attribution."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.analytics.agreeing import Agreement, explained, same_numbers
from bench.analytics.asking import Asked, Goal, Row
from bench.analytics.children import ours
from bench.analytics.environments import Installed
from bench.analytics.look import Look, Part, answer_of, of_peer, of_plain
from demo.program import script

N_PATHS = 1_000_000
LIBRARY, COMMAND = "Sojourn, library", "Sojourn, command"
CHANNEL_ATTRIBUTION, MAM = "channel-attribution", "marketing-attribution-models"
HEURISTICS = ("first", "last", "linear")
RATE_GAME_S = 0.5  # the goal of the exact Shapley value itself

ORDER_1, ORDER_3, ALL = "order 1", "order 3", "all models"
RATES, BOOTSTRAP = "Shapley, exact", "order 1, 200 replicates"
SIMPLE, SOLVED, SHAPLEY_OF_4 = "heuristics", "order 1, its chain solved", "Shapley, 4 channels"
GOALS = {
    ORDER_1: Goal(wall_s=2, peak_mb=500),
    ORDER_3: Goal(wall_s=5),
    ALL: Goal(cpu_s=3),
    RATES: None,
    BOOTSTRAP: Goal(wall_s=15),
}
OPTIONS = {ORDER_1: ["--replicates", "0"], BOOTSTRAP: []}
"""What is asked through the command line, too, and how it is told; by default it draws 200 replicates."""
TASKS = {
    ORDER_1: "order-1",
    ORDER_3: "order-3",
    ALL: "all-models",
    RATES: "rate-game",
    BOOTSTRAP: "bootstrap",
}

SIMULATED = "it simulates walks, and reports one of ten tries; its own chain, solved, is compared above"
RESHARED = "it shares each journey out anew by the weights of the channels in it"
CUT = "it keeps four channels of a set, the last by name, and drops the others; the games differ, too"


def measure(look: Look) -> Part:
    """Ask everybody who is there."""
    file: Path = look.input("paths", N_PATHS)
    attribution, mam = look.peer(CHANNEL_ATTRIBUTION), look.peer(MAM)
    rows = look.ask([*_ours(file), *_theirs(attribution, mam, file)])
    agreements = [
        *_inside(rows),
        *(() if attribution is None else _with_channel_attribution(rows, attribution.peer.name)),
        *(() if mam is None else _with_mam(rows, mam.peer.name)),
    ]
    return Part([_with_model_s(row) for row in rows.values()], agreements)


def _ours(file: Path) -> Iterator[Asked]:
    yield of_plain("reading the columns", "DuckDB alone", "reading-paths", file, note="the raw limit beside")
    for question, goal in GOALS.items():
        yield Asked(question, LIBRARY, ours(TASKS[question], str(file)), file, goal)
        if question in OPTIONS:
            command = [*script(), "attribution", "--paths", str(file), "--json", *OPTIONS[question]]
            yield Asked(question, COMMAND, command, file, goal)


def _theirs(attribution: Installed | None, mam: Installed | None, file: Path) -> Iterator[Asked]:
    if attribution is not None:
        yield of_peer(attribution, SIMPLE, "heuristics", file)
        yield of_peer(attribution, ORDER_1, "order-1", file, note="simulated")
        yield of_peer(attribution, ORDER_3, "order-3", file, note="simulated")
        yield of_peer(attribution, SOLVED, "exact-order-1", file, note="by our driver")
    if mam is not None:
        yield of_peer(mam, SIMPLE, "heuristics", file)
        yield of_peer(mam, ORDER_1, "order-1", file)
        yield of_peer(mam, SHAPLEY_OF_4, "shapley-of-4", file, note="of a set the last four by name")
        yield of_peer(mam, RATES, "shapley", file, note="another game: each journey's own channels")


def _with_model_s(row: Row) -> Row:
    """Say how long the exact Shapley value itself took, reading apart."""
    if not row.answer or "model_s" not in row.answer:
        return row
    took_s = row.answer["model_s"]
    verdict = "met" if took_s <= RATE_GAME_S else "MISSED"
    note = f"the model itself {took_s:.2f} s, goal: {RATE_GAME_S} s, {verdict}"
    return row._replace(asked=row.asked._replace(note=note))


def _inside(rows: dict[str, Row]) -> Iterator[Agreement]:
    """Compare the library with the command, which prints what it found."""
    said = answer_of(rows, ORDER_1, COMMAND)
    told = said and {row["channel"]: row["removal_effect"] for row in said["channels"]}
    yield same_numbers(f"removal effects, order 1: {LIBRARY} and {COMMAND}", _effects(rows), told)


def _with_channel_attribution(rows: dict[str, Row], name: str) -> Iterator[Agreement]:
    solved = answer_of(rows, SOLVED, name)
    told = solved and solved["removal_effect"]
    yield same_numbers(f"removal effects, order 1: Sojourn and the chain of {name}", _effects(rows), told)
    for model in HEURISTICS:
        for what in ("conversions", "value"):
            here = _column(answer_of(rows, ALL, LIBRARY), model, what)
            there = _column(answer_of(rows, SIMPLE, name), model, what)
            yield same_numbers(f"{what}, {model}: Sojourn and {name}", here, there)
    for question in (ORDER_1, ORDER_3):
        yield explained(_same_credit(rows, question, name), SIMULATED)


def _with_mam(rows: dict[str, Row], name: str) -> Iterator[Agreement]:
    answer = answer_of(rows, ORDER_1, name)
    told = answer and answer["removal_effect"]
    yield same_numbers(f"removal effects, order 1: Sojourn and {name}", _effects(rows), told)
    for model in HEURISTICS:
        here = _column(answer_of(rows, ALL, LIBRARY), model, "conversions")
        there = _column(answer_of(rows, SIMPLE, name), model, "conversions")
        yield same_numbers(f"conversions, {model}: Sojourn and {name}", here, there)
    yield explained(_same_credit(rows, ORDER_1, name), RESHARED)
    here = _column(answer_of(rows, ALL, LIBRARY), "shapley", "conversions")
    there = _column(answer_of(rows, SHAPLEY_OF_4, name), "shapley", "conversions")
    yield explained(same_numbers(f"conversions, Shapley: Sojourn and {name}", here, there), CUT)


def _effects(rows: dict[str, Row]) -> dict[str, float] | None:
    return _column(answer_of(rows, ORDER_1, LIBRARY), "markov", "removal_effect")


def _same_credit(rows: dict[str, Row], question: str, name: str) -> Agreement:
    here, there = (
        _column(answer_of(rows, question, who), "markov", "conversions") for who in (LIBRARY, name)
    )
    return same_numbers(f"conversions, {question}: Sojourn and {name}", here, there)


def _column(answer: Any, model: str, what: str) -> dict[str, float] | None:
    """Return one number of each channel."""
    return answer and {channel: row[what] for channel, row in answer[model].items()}
