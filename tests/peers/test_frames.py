"""Frames and logs of other tools, made by these tools themselves: what they hand out is read as they mean it.

`make peers-test` runs this where they are installed; none of them is a dependency of ours.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sojourn.analytics import dfg, journey_graph, read_events
from sojourn.analytics.attribution import Reading, read_paths
from sojourn.analytics.reading import Mapping
from tests.analytics.making import rows_of

pandas = pytest.importorskip("pandas", reason="`make peers-test` makes an environment that has it")
STEPS = ("Assign", "Wait", "Resolve", "Close & go", "ünï")


@pytest.fixture(scope="module")
def frame() -> Any:
    """Make a log of 300 cases as pm4py keeps one, with ties in time."""
    random = np.random.default_rng(7)
    lengths = random.integers(1, 12, 300)
    seconds = random.integers(0, 40, int(lengths.sum()))
    return pandas.DataFrame(
        {
            "case:concept:name": np.repeat([f"t-{i:03}" for i in range(len(lengths))], lengths),
            "concept:name": random.choice(STEPS, len(seconds)),
            "time:timestamp": pandas.Timestamp("2026-03-02", tz="UTC")
            + pandas.to_timedelta(seconds, unit="h"),
            "case:product": "Mail",
            "cost": random.choice([1.5, 20.0], len(seconds)),
        }
    ).sort_values(["case:concept:name", "time:timestamp"], kind="stable", ignore_index=True)


def test_the_directly_follows_graph_is_pm4pys(frame: Any) -> None:
    """Pairs, starts and ends, each count."""
    pm4py = pytest.importorskip("pm4py")
    assert tuple(dfg(journey_graph(read_events(frame)))) == pm4py.discover_dfg(frame)


def test_a_log_that_pm4py_wrote_is_the_frame_it_wrote(frame: Any, tmp_path: Path) -> None:
    """As XES, packed or not, and flat."""
    pm4py = pytest.importorskip("pm4py")
    mapping = Mapping(attributes={"product": "case:product"}, values={"cost": "cost"})
    expected = rows_of(read_events(frame, mapping))
    pm4py.write_xes(frame, str(tmp_path / "log.xes"), case_id_key="case:concept:name")
    pm4py.write_xes(frame, str(tmp_path / "log.xes.gz"), case_id_key="case:concept:name")
    frame.to_csv(tmp_path / "log.csv", index=False)
    frame.to_parquet(tmp_path / "log.parquet")
    for name in ("log.xes", "log.xes.gz", "log.csv", "log.parquet"):
        assert rows_of(read_events(tmp_path / name, mapping)) == expected, name


def test_frames_of_pandas_polars_and_pyarrow_say_the_same(frame: Any) -> None:
    """Also where names are categories, and rows come in batches."""
    polars, pyarrow = pytest.importorskip("polars"), pytest.importorskip("pyarrow")
    expected = rows_of(read_events(frame))
    table = pyarrow.Table.from_pandas(frame)
    as_categories = frame.astype({"concept:name": "category", "case:concept:name": "category"})
    frames = [table, table.to_reader(100), polars.from_pandas(frame), as_categories]
    for each in frames:
        assert rows_of(read_events(each)) == expected, type(each)


def test_paths_of_channel_attributions_frames_are_read_under_any_name() -> None:
    """`markov_model(frame, "journey", "conv", var_value="worth", var_null="none")` names them so."""
    columns = {
        "path": "journey",
        "total_conversions": "conv",
        "total_conversion_value": "worth",
        "total_null": "none",
    }
    told = pandas.DataFrame(
        {"journey": ["a > b", "b"], "conv": [2, 0], "worth": [5.0, 0.0], "none": [1, 4], "path": ["x", "y"]}
    )
    paths = read_paths(told, Reading(columns=columns))
    assert paths.channels == ("a", "b")
    assert (paths.conversions.sum(), paths.value.sum(), paths.nulls.sum()) == (2, 5, 5)
    plain = told.drop(columns="path").rename(columns={name: what for what, name in columns.items()})
    assert read_paths(plain).channels == ("a", "b")
