"""ChannelAttribution: heuristics, and Markov chains whose removal effects it simulates."""

from __future__ import annotations

import ChannelAttribution
import numpy as np
import pandas as pd

from bench.analytics.peers.answering import Answer, answer

PATH, CONVERSIONS, VALUE, NULLS = "path", "total_conversions", "total_conversion_value", "total_null"


def heuristics(file: str) -> Answer:
    """Credit the first touch, the last, and all alike."""
    found = ChannelAttribution.heuristic_models(
        pd.read_parquet(file), PATH, CONVERSIONS, VALUE, flg_pro=False
    )
    columns = {"first": "first_touch", "last": "last_touch", "linear": "linear_touch"}
    return {
        model: _credits(found, f"{column}_conversions", f"{column}_value")
        for model, column in columns.items()
    }


def order_1(file: str) -> Answer:
    """Simulate a chain of order 1."""
    return _markov(file, 1)


def order_3(file: str) -> Answer:
    """Simulate a chain of order 3."""
    return _markov(file, 3)


def exact_order_1(file: str) -> Answer:
    """Solve the chain that it builds and only simulates: who still converts without each channel."""
    found = ChannelAttribution.transition_matrix(
        pd.read_parquet(file), PATH, CONVERSIONS, NULLS, order=1, flg_pro=False
    )
    channels, moves = found["channels"], found["transition_matrix"]
    place = {str(number): i for i, number in enumerate(channels["id_channel"])}
    start = len(place)
    chance = np.zeros((start + 1, start + 1))
    converts = np.zeros(start + 1)
    for source, target, share in moves.itertuples(index=False):
        at = place.get(str(source), start)
        if target == "(conversion)":
            converts[at] = share
        elif target != "(null)":
            chance[at, place[str(target)]] = share
    with_all = _conversion(chance, converts)
    return {
        "removal_effect": {
            name: 1 - _conversion(np.delete(np.delete(chance, i, 0), i, 1), np.delete(converts, i)) / with_all
            for i, name in enumerate(channels["channel_name"])
        }
    }


def _conversion(chance: np.ndarray, converts: np.ndarray) -> float:
    """Solve for the chance of a conversion from the start, the last state."""
    return float(np.linalg.solve(np.eye(len(chance)) - chance, converts)[-1])


def _markov(file: str, order: int) -> Answer:
    found = ChannelAttribution.markov_model(
        pd.read_parquet(file), PATH, CONVERSIONS, var_value=VALUE, var_null=NULLS, order=order, seed=1,
        verbose=False, flg_pro=False,
    )  # fmt: skip
    return {"markov": _credits(found, "total_conversions", "total_conversion_value")}


def _credits(table: pd.DataFrame, conversions: str, value: str) -> Answer:
    rows = zip(table["channel_name"], table[conversions], table[value], strict=True)
    return {name: {"conversions": float(n), "value": float(worth)} for name, n, worth in rows}


if __name__ == "__main__":
    answer({"heuristics": heuristics, "order-1": order_1, "order-3": order_3, "exact-order-1": exact_order_1})
