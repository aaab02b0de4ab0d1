"""Layouts and frames: a table of another tool is read as that tool means it, from a file or from memory."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from sojourn.analytics import journey_graph
from sojourn.analytics.reading import Mapping, parse_mapping, read_events
from sojourn.analytics.tables import Table
from sojourn.model.errors import ConfigError
from tests.analytics.making import rows_of

# As version 5 gives it out, with its marks: `to_dataframe(exclude_start_end=False)` of split sessions.
EVENTSTREAM = """user_id,event,timestamp,event_type,subindex,index,session_index,session_id
ada,path_start,2026-03-02 09:00:00,path_start,0,1,1,ada_1
ada,Cart,2026-03-02 09:00:00,raw,2,2,1,ada_1
ada,View,2026-03-02 09:00:00,raw,2,1,1,ada_1
ada,session_start,2026-03-02 12:00:00,synthetic,1,3,2,ada_2
ada,Buy,2026-03-02 12:00:00,collapsed,2,3,2,ada_2
ada,path_end,2026-03-02 12:00:00,path_end,4,3,2,ada_2
"""
EVENTSTREAM_3 = """event_id,event_type,event_index,event,timestamp,user_id
1,path_start,0,path_start,2026-03-02 09:00:00,ada
2,new_user,1,new_user,2026-03-02 09:00:00,ada
3,raw,3,Cart,2026-03-02 09:00:00,ada
4,raw,2,View,2026-03-02 09:00:00,ada
5,path_end,4,path_end,2026-03-02 09:00:00,ada
"""
FLAT_LOG = """case:concept:name,case:user_id,concept:name,time:timestamp,lifecycle:transition,event,user_id
t-1,ada,Assign,2026-03-02 09:00:00+00:00,start,e1,carl
t-1,ada,Assign,2026-03-02 09:30:00+00:00,complete,e2,carl
"""


def written(path: Path, text: str) -> Path:
    """Write a file of lines."""
    path.write_text(text, encoding="utf-8")
    return path


def steps_of(source: object, mapping: Mapping | None = None) -> list[tuple[str, str]]:
    """Read (person, step)."""
    return [row[:2] for row in rows_of(read_events(source, mapping))]


def test_what_retentioneering_adds_is_nobodys_step(tmp_path: Path) -> None:
    """Its marks would be the commonest steps of all; they are counted, and the order is its own."""
    events = read_events(written(tmp_path / "stream.csv", EVENTSTREAM))
    assert [row[1] for row in rows_of(events)] == ["View", "Cart", "Buy"]
    assert events.left_out == {"excluded": 3}
    assert [row[3]["session"] for row in rows_of(events)] == [0, 0, 1]
    assert journey_graph(events).definition["left_out"] == {"excluded": 3}


def test_older_eventstreams_are_known_too(tmp_path: Path) -> None:
    """Versions 2 and 3 name the order otherwise."""
    events = read_events(written(tmp_path / "stream.csv", EVENTSTREAM_3))
    assert [row[1] for row in rows_of(events)] == ["View", "Cart"]
    assert events.left_out == {"excluded": 3}


def test_a_table_of_another_tool_keeps_what_only_looks_alike(tmp_path: Path) -> None:
    """`event_type` alone makes no eventstream."""
    text = "user_id,event,timestamp,event_type\nada,session_start,2026-03-02 09:00:00,session_start\n"
    assert steps_of(written(tmp_path / "a.csv", text)) == [("ada", "session_start")]


def test_a_flat_log_is_read_by_its_cases_whatever_else_it_has(tmp_path: Path) -> None:
    """pm4py's own columns come before those that are guessed by their names."""
    file = written(tmp_path / "log.csv", FLAT_LOG)
    assert steps_of(file) == [("t-1", "Assign")] * 2
    duckdb.sql(f"FROM '{file}'").write_parquet(str(tmp_path / "log.parquet"))
    assert rows_of(read_events(tmp_path / "log.parquet")) == rows_of(read_events(file))
    assert steps_of(file, parse_mapping("person=case:user_id,step=event")) == [("ada", "e1"), ("ada", "e2")]


def test_rows_are_left_out_by_what_a_column_says(tmp_path: Path) -> None:
    """Where no layout says so, the asker may; an empty cell says nothing and stays."""
    text = "user_id,event,timestamp,kind\na,1,2026-01-01,test\nb,2,2026-01-01,\nc,3,2026-01-01,real\n"
    events = read_events(written(tmp_path / "a.csv", text), parse_mapping("kind!=test|demo"))
    assert ([row[0] for row in rows_of(events)], events.left_out) == (["b", "c"], {"excluded": 1})
    with pytest.raises(ConfigError, match="has no column 'kinds'; did you mean 'kind'"):
        read_events(tmp_path / "a.csv", parse_mapping("kinds!=test"))


class Once:
    """A frame that gives its rows once, as a stream does, and is nothing else."""

    def __init__(self, table: Table) -> None:
        self._streams = [table.__arrow_c_stream__()]

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._streams.pop()


def test_whoever_speaks_arrow_is_read() -> None:
    """A frame in memory says what a file of it would; it is asked once."""
    table = Table(
        {"user_id": ["ada", "ada"], "event": ["View", "Buy"], "timestamp": [1_700_000_000, 1_700_000_060]}
    )
    expected = [("ada", "View", 1_700_000_000_000, {}), ("ada", "Buy", 1_700_000_060_000, {})]
    assert rows_of(read_events(table)) == expected
    assert rows_of(read_events(Once(table))) == expected


def test_what_is_no_frame_is_refused() -> None:
    """With what would be one."""
    with pytest.raises(ConfigError, match=r"there is no such file"):
        read_events("nothing.csv")
    with pytest.raises(ConfigError, match=r"dict: is no table .* \(pandas, polars, pyarrow\)"):
        read_events([{"user_id": "ada"}])
    with pytest.raises(ConfigError, match=r"int: is no table"):
        read_events(5)
