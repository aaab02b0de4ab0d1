"""marketing-attribution-models 2: heuristics, a Markov chain, and Shapley values of the sets of channels."""

from __future__ import annotations

import mam
import polars as pl

from bench.analytics.peers.answering import Answer, answer


def heuristics(file: str) -> Answer:
    """Credit the first touch, the last, all alike, and 40/20/40."""
    models = _models(file)
    return {
        "first": _credits(models.run_first_click()),
        "last": _credits(models.run_last_click()),
        "linear": _credits(models.run_linear()),
        "u-shaped": _credits(models.run_position_based()),
    }


def order_1(file: str) -> Answer:
    """Credit by a chain of order 1."""
    found = _models(file).run_markov()
    effects = found.metadata["removal_effect"]["removal_effect"]
    return {"markov": _credits(found), "removal_effect": {name: float(re) for name, re in effects.items()}}


def shapley_of_4(file: str) -> Answer:
    """Credit by Shapley values as it computes them unless told otherwise: of four channels at most."""
    return {"shapley": _credits(_models(file).run_shapley())}


def shapley(file: str) -> Answer:
    """Credit by Shapley values of all channels."""
    return {"shapley": _credits(_models(file).run_shapley(max_size=None))}


def _models(file: str) -> mam.MAM:
    rows = pl.read_parquet(file).select(
        "path",
        is_conversion=pl.col("total_conversions") > 0,
        journeys=pl.col("total_conversions") + pl.col("total_null"),
    )
    return mam.MAM(
        rows,
        format_type="grouped_journey",
        channels_colname="path",
        journey_with_conv_colname="is_conversion",
        occurrences_colname="journeys",
    )


def _credits(found: mam.AttributionResult) -> Answer:
    rows = found.to_polars().iter_rows()
    return {str(name): {"conversions": float(credit)} for name, credit in rows}


if __name__ == "__main__":
    answer({"heuristics": heuristics, "order-1": order_1, "shapley-of-4": shapley_of_4, "shapley": shapley})
