"""Small makers: paths from rows, and random rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from sojourn.analytics.attribution import Attribution, Bootstrap, Options, Paths, attribute, read_paths
from sojourn.analytics.attribution.paths import Sample
from sojourn.analytics.tables import Table
from tests.analytics.attribution.oracles import Row, channels_of

NO_INTERVALS = Bootstrap(replicates=0)


def paths_from(rows: Sequence[Row], *, people: Sequence[int] | None = None) -> Paths:
    """Encode rows plainly, one path a row."""
    channels = channels_of(rows)
    lengths = [len(row.path) for row in rows]
    numbers = np.array([row[1:] for row in rows], dtype=np.float64).reshape(-1, 3).T
    place = np.arange(len(rows), dtype=np.int32)
    person = None if people is None else np.array(people, dtype=np.int32)
    return Paths(
        channels=channels,
        offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        codes=np.array([channels.index(touch) for row in rows for touch in row.path], dtype=np.int32),
        conversions=numbers[0],
        value=numbers[1],
        nulls=numbers[2],
        sample=Sample(place, numbers[0], numbers[1], numbers[2], person),
    )


def read(*rows: Row) -> Paths:
    """Read rows as a file of paths would be."""
    return read_paths(table_of(rows))


def table_of(rows: Sequence[Row]) -> Table:
    """Lay rows out in the columns of a paths file."""
    return Table(
        {
            "path": [" > ".join(row.path) for row in rows],
            "total_conversions": [row.conversions for row in rows],
            "total_conversion_value": [float(row.value) for row in rows],
            "total_null": [row.nulls for row in rows],
        }
    )


def ask(paths: Paths, model: str, **options: Any) -> Attribution:
    """Ask one model, without intervals."""
    (answer,) = attribute(paths, [model], options=Options(**options), bootstrap=NO_INTERVALS)
    return answer


def conversions_of(answer: Attribution) -> dict[str, float]:
    """Return the credit by channel."""
    return {channel.channel: channel.conversions for channel in answer.channels}


def write_csv(path: Path, *lines: str) -> Path:
    """Write a paths file by hand."""
    head = "path,total_conversions,total_conversion_value,total_null"
    path.write_text("\n".join([head, *lines, ""]), encoding="utf-8")
    return path


def row_lists(*, n_channels: int = 4, max_length: int = 6, max_rows: int = 8) -> st.SearchStrategy[list[Row]]:
    """Draw rows of paths; some have no touch, no conversion, no journey at all."""
    names = [chr(ord("a") + i) for i in range(n_channels)]
    row = st.builds(
        lambda path, conversions, worth, nulls: Row(tuple(path), conversions, conversions * worth, nulls),
        st.lists(st.sampled_from(names), max_size=max_length),
        st.integers(0, 5),
        st.integers(0, 9),
        st.integers(0, 5),
    )
    return st.lists(row, min_size=1, max_size=max_rows)
