"""Ours: one task each, as a program that uses the library would do it; run in a process of its own.

`python -m bench.analytics.ours TASK INPUT ANSWER`
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.analytics import shop

Answer = dict[str, Any]

N_COLUMNS = 10  # of the step matrix
N_REPLICATES = 200


def order_1(file: Path) -> Answer:
    """Credit by a Markov chain of order 1."""
    return _credited(file, ["markov"])


def order_3(file: Path) -> Answer:
    """Credit by a Markov chain of order 3."""
    return _credited(file, ["markov"], order=3)


def all_models(file: Path) -> Answer:
    """Credit by every model; paths have no times, which time decay asks for."""
    from sojourn.analytics.attribution import MODELS

    return _credited(file, [name for name in MODELS if name != "time-decay"])


def rate_game(file: Path) -> Answer:
    """Credit by the Shapley value of the rate game, exactly, and say how long the model itself took."""
    from sojourn.analytics.attribution import Bootstrap, attribute, read_paths

    paths = read_paths(file)
    started = time.perf_counter()
    answers = attribute(paths, ["shapley-rate"], bootstrap=Bootstrap(replicates=0))
    took_s = time.perf_counter() - started
    return {**_credits(answers), "model_s": took_s}


def bootstrap(file: Path) -> Answer:
    """Credit by a Markov chain of order 1, with intervals."""
    return _credited(file, ["markov"], replicates=N_REPLICATES)


def journeys(file: Path) -> Answer:
    """Answer graph, step matrix and funnel from a file of events."""
    from sojourn.analytics import read_events

    return _journeys(read_events(file))


def encoded_journeys(folder: Path) -> Answer:
    """Answer graph, step matrix and funnel from events that were encoded before."""
    from sojourn.analytics import open_events

    return _journeys(open_events(folder))


def _credited(file: Path, models: list[str], *, order: int = 1, replicates: int = 0) -> Answer:
    from sojourn.analytics.attribution import Bootstrap, Options, attribute, read_paths

    drawn = Bootstrap(replicates=replicates)
    return _credits(attribute(read_paths(file), models, options=Options(order=order), bootstrap=drawn))


def _credits(answers: Any) -> Answer:
    """Keep what can be compared, by model and channel."""
    return {
        one.model: {
            row.channel: {
                "conversions": row.conversions,
                "value": row.value,
                "removal_effect": row.removal_effect,
                "low": row.low,
                "high": row.high,
            }
            for row in one.channels
        }
        for one in answers
    }


def _journeys(events: Any) -> Answer:
    from sojourn.analytics import journey_graph, step_matrix
    from sojourn.analytics.funnel import Funnel, funnel
    from sojourn.analytics.kinds import Kind

    edges = journey_graph(events).edges.to_dicts()
    matrix = step_matrix(events, n_columns=N_COLUMNS, limit=len(events.steps)).table().to_dicts()
    passed = funnel(events, Funnel(steps=tuple(Kind((name,)) for name in shop.FUNNEL)))
    return {
        "graph": [[row["source"], row["target"], row["count"]] for row in edges],
        "matrix": [
            [row["position"], row["step"], row["count"]]
            for row in matrix
            if row["kind"] == "step" and row["count"]
        ],
        "funnel": [step.count for step in passed.steps],
    }


TASKS: dict[str, Callable[[Path], Answer]] = {
    task.__name__.replace("_", "-"): task
    for task in (order_1, order_3, all_models, rate_game, bootstrap, journeys, encoded_journeys)
}


def main() -> None:
    """Do one task."""
    task, source, answer = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    answer.write_text(json.dumps(TASKS[task](source)), encoding="utf-8")


if __name__ == "__main__":
    main()
