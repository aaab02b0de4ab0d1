"""Reading: any file of events gives the same events, and nothing is dropped in silence."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.analytics.reading import Mapping, parse_mapping, read_events
from sojourn.analytics.reading import encoding as encoding_module
from sojourn.analytics.tables import Table
from sojourn.model.errors import ConfigError, InputError
from tests.analytics.making import rows_of
from tests.analytics.oracles_reading import ordered, session_numbers
from tests.soak import tries

Write = Callable[..., Path]

ROWS: list[dict[str, Any]] = [
    {"person": "001", "step": "View", "at": 2_000},
    {"person": "1", "step": "Cart", "at": 1_000},
    {"person": "001", "step": "Cart", "at": 2_000},
    {"person": "ünï", "step": "View, or not", "at": 0},
    {"person": "001", "step": "Buy", "at": 1_999},
]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a file of lines."""

    def writing(name: str, *lines: str) -> Path:
        path = tmp_path / name
        text = "".join(f"{line}\n" for line in lines)
        path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
        return path

    return writing


def plain(path: Any, mapping: Mapping | None = None) -> list[tuple[str, str, int]]:
    """Read a file as (person, step, at)."""
    return [row[:3] for row in rows_of(read_events(path, mapping))]


def as_csv(rows: list[dict[str, Any]]) -> list[str]:
    """Write rows as CSV, with the names that need no mapping."""
    return ["user_id,event,timestamp", *(f'{row["person"]},"{row["step"]}",{row["at"]}' for row in rows)]


def as_json(rows: list[dict[str, Any]]) -> list[str]:
    """Write rows as Segment's messages."""
    return [
        json.dumps(
            {
                "userId": row["person"],
                "event": row["step"],
                "timestamp": f"1970-01-01T00:00:{row['at'] / 1000:06.3f}Z",
            }
        )
        for row in rows
    ]


def test_every_format_gives_the_same_events(write: Write, tmp_path: Path) -> None:
    """What a file is written in must not change a number."""
    seconds = [{**row, "at": row["at"] / 1000} for row in ROWS]
    expected = ordered(ROWS)
    csv, jsonl = write("a.csv", *as_csv(seconds)), write("a.jsonl", *as_json(ROWS))
    duckdb.sql(f"select * from read_csv('{csv}', all_varchar=true)").to_parquet(str(tmp_path / "a.parquet"))
    assert plain(csv) == expected
    assert plain(write("b.csv.gz", *as_csv(seconds))) == expected
    assert plain(jsonl) == expected
    assert plain(write("b.jsonl.gz", *as_json(ROWS))) == expected
    assert plain(tmp_path / "a.parquet") == expected
    assert plain(duckdb.sql(f"select * from '{tmp_path / 'a.parquet'}'")) == expected


def test_people_lie_in_the_order_of_their_ids_whatever_the_order_of_the_rows(write: Write) -> None:
    """So a seed gives one answer, however a file was shuffled."""
    assert read_events(write("a.csv", *as_csv(ROWS))).people == ["001", "1", "ünï"]


def test_ids_are_text_as_written(write: Write) -> None:
    """A zero in front makes another person; a number in JSON is its digits."""
    lines = ['{"user_id": "001", "event": "a", "ts": 1}', '{"user_id": 1, "event": "a", "ts": 1}']
    assert read_events(write("a.jsonl", *lines)).people == ["001", "1"]
    assert read_events(write("a.csv", "user_id,event,ts", "001,a,1", "1,a,1", "1.0,a,1")).people == [
        "001",
        "1",
        "1.0",
    ]


def test_whole_numbers_in_a_column_of_fractions_are_whole() -> None:
    """Tables turn 12 into 12.0 as soon as one row has none."""
    relation = duckdb.sql("select unnest([12.0, 0.5, null])::double as user_id, 'a' as event, 1 as ts")
    events = read_events(relation)
    assert (events.people, events.left_out) == (["0.5", "12"], {"no-person": 1})


def test_ties_keep_the_order_of_the_file_over_several_files(write: Write, tmp_path: Path) -> None:
    """SQL without a tie-break gives another order each time."""
    names = [f"s{i:02}" for i in range(40)]
    for i in range(0, 40, 10):
        write(f"part-{i}.csv", "user_id,event,timestamp", *(f"ada,{name},5" for name in names[i : i + 10]))
    assert [step for _, step, _ in plain(str(tmp_path / "part-*.csv"))] == names


def test_a_sequence_breaks_ties_before_the_order_of_the_file(write: Write) -> None:
    """Where a source numbers its events, its order holds."""
    path = write(
        "a.csv", "user_id,event,timestamp,sequence", "ada,late,5,10", "ada,early,5,9", "ada,first,4,11"
    )
    assert [step for _, step, _ in plain(path)] == ["first", "early", "late"]


def test_rows_that_are_no_events_are_counted_by_reason(write: Write) -> None:
    """Silently dropping them would make every share a lie."""
    path = write(
        "a.jsonl",
        '{"user_id": "ada", "event": "a", "timestamp": "2024-01-31 10:00:00"}',
        '{"user_id": "", "event": "a", "timestamp": 1}',
        '{"event": "a", "timestamp": "never"}',
        '{"user_id": "ada", "timestamp": 1}',
        '{"user_id": "ada", "event": "a"}',
        '{"user_id": "ada", "event": "a", "timestamp": "31/01/2024"}',
        '{"user_id": "ada", "event": "a", "timestamp": "infinity"}',
        "not json",
        "[1]",
        "",
    )
    events = read_events(path)
    assert dict(events.left_out) == {"no-person": 2, "no-step": 1, "no-time": 1, "bad-time": 2, "bad-line": 2}
    assert events.at.tolist() == [1_706_695_200_000]


def test_lines_of_csv_with_too_many_or_too_few_cells_are_counted(write: Write) -> None:
    """A comma inside a name shifts what a row says."""
    path = write("a.csv", "user_id,event,timestamp", "ada,a,1", "ada,a,b,1", "ada", 'ada,"a,b",2')
    events = read_events(path)
    assert (len(events), dict(events.left_out)) == (2, {"bad-line": 2})


def test_a_person_whose_rows_are_all_left_out_is_none(write: Write) -> None:
    """Everybody who is counted did something."""
    path = write("a.csv", "user_id,event,timestamp", "ada,a,1", "bob,b,never", "cy,c,1")
    events = read_events(path)
    assert (events.people, events.steps, events.step.tolist()) == (["ada", "cy"], ["a", "c"], [0, 1])


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("userId,event,timestamp,anonymousId", ",View,1,ada"),
        ("event_type,event_time,amplitude_id,user_id", "View,1,ada,"),
        ("uuid,event,distinct_id,timestamp", "x,View,ada,1"),
        ("case:concept:name,concept:name,time:timestamp", "ada,View,1"),
        ("case_id;event;timestamp;resource", "ada;View;1;x"),
        ("user_pseudo_id\tevent_name\tevent_timestamp", "ada\tView\t1"),
        ("user_id|event_text|event|original_timestamp|sent_at", "ada|View|view|1|9"),
        (",Customer ID,Activity,Created At", "0,ada,View,1"),
    ],
)
def test_well_known_columns_need_no_mapping(write: Write, header: str, row: str) -> None:
    """Exports of the usual products are read as they are."""
    assert plain(write("a.csv", header, row)) == [("ada", "View", 1_000)]


def test_a_page_of_segment_is_called_by_its_name(write: Write) -> None:
    """Its messages of pages have no event."""
    path = write("a.jsonl", '{"type":"page","name":"Home","userId":"ada","event":null,"timestamp":1}')
    assert plain(path) == [("ada", "Home", 1_000)]


def test_columns_inside_json_structs_and_maps_are_named_with_dots(write: Write, tmp_path: Path) -> None:
    """Exports keep properties in one column."""
    mapping = parse_mapping("person=p.id,step=event,time=ts,country=p.geo.country")
    jsonl = write("a.jsonl", '{"p": {"id": "ada", "geo": {"country": "SE"}}, "event": "a", "ts": 1}')
    csv = write("a.csv", "p,event,ts", '"{""id"": ""ada"", ""geo"": {""country"": ""SE""}}",a,1')
    parquet = tmp_path / "a.parquet"
    duckdb.sql("select {'id': 'ada', 'geo': map {'country': 'SE'}} as p, 'a' as event, 1 as ts").to_parquet(
        str(parquet)
    )
    for path in (jsonl, csv, parquet):
        events = read_events(path, mapping)
        assert rows_of(events) == [("ada", "a", 1_000, {"country": "SE"})], path


def test_attributes_and_amounts_come_with_the_events(write: Write) -> None:
    """A segment is asked for by an attribute; what has none is missing, not empty text."""
    path = write(
        "a.csv", "user_id,event,timestamp,country,revenue", "ada,a,1,SE,1.5", "ada,b,2,,x", "bob,a,1,DE,"
    )
    mapping = Mapping(attributes={"country": "country"}, values={"revenue": "revenue"})
    assert rows_of(read_events(path, mapping)) == [
        ("ada", "a", 1_000, {"country": "SE", "revenue": 1.5}),
        ("ada", "b", 2_000, {}),
        ("bob", "a", 1_000, {"country": "DE"}),
    ]


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("timestamp", "1970-01-01 00:00:01.5"),
        ("timestamp_ns", "1970-01-01 00:00:01.500999999"),
        ("timestamp_ms", "1970-01-01 00:00:01.5"),
        ("timestamptz", "1970-01-01 02:00:01.5+02"),
        ("bigint", "1500000000000000"),
        ("double", "1.5"),
        ("varchar", "1970-01-01T00:00:01.5"),
    ],
)
def test_a_time_of_any_type_is_the_same_instant(type_: str, value: str) -> None:
    """A warehouse chooses the type, not the analyst."""
    expected = 1_500_000_000_000 if type_ == "bigint" else 1_500
    relation = duckdb.sql(f"select 'ada' as user_id, 'a' as event, '{value}'::{type_} as timestamp")
    assert read_events(relation).at.tolist() == [expected]


def test_a_time_before_1970_rounds_down_like_any_other() -> None:
    """Rounding to zero would make one instant of two."""
    relation = duckdb.sql(
        "select 'ada' as user_id, 'a' as event, timestamp '1969-12-31 23:59:59.9995' as timestamp"
    )
    assert read_events(relation).at.tolist() == [-1]


def test_infinite_and_missing_times_of_typed_columns_are_counted() -> None:
    """An infinite one would swallow every quantile."""
    values = "['infinity'::timestamp, '-infinity'::timestamp, null, '2024-01-01'::timestamp]"
    events = read_events(duckdb.sql(f"select 'ada' as user_id, 'a' as event, unnest({values}) as timestamp"))
    assert (len(events), dict(events.left_out)) == (1, {"no-time": 1, "bad-time": 2})


@pytest.mark.parametrize(
    ("lines", "mapping", "message"),
    [
        (
            ("who,event,timestamp", "a,b,1"),
            None,
            r"\(who, event, timestamp\) do not tell the person; .*person=COLUMN",
        ),
        (("a,b,c", "a,b,1"), None, "do not tell the person and the step and the time"),
        (
            ("user_id,event,timestamp", "a,b,1"),
            Mapping(step=("evnt",)),
            "no column 'evnt'; did you mean 'event'",
        ),
        (("user_id,event,event", "a,b,1"), None, "two columns are named 'event'"),
        (("",), None, "has no header"),
    ],
)
def test_columns_that_tell_too_little_are_an_error_that_says_which(
    write: Write, lines: tuple[str, ...], mapping: Mapping | None, message: str
) -> None:
    """The reader has to know what to write into the mapping."""
    with pytest.raises(ConfigError, match=message):
        read_events(write("a.csv", *lines), mapping)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.parquet", "no", "is no readable Parquet file"),
        ("a.jsonl", '[\n{"user_id": 1}]', "is one JSON array; write one object a line"),
        ("a.jsonl", "x", "has no JSON object in its first"),
        ("a.csv", "user_id,event,timestamp\n,a,1", r"holds no event .*\(1 no-person\)"),
        ("a.csv", "user_id,event,timestamp", r"holds no event .*there are no rows"),
    ],
)
def test_a_damaged_or_empty_file_is_an_error_with_its_name(
    tmp_path: Path, name: str, content: str, message: str
) -> None:
    """An answer over nothing looks like an answer."""
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=f"{name}: .*{message}"):
        read_events(tmp_path / name)


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    """A pattern that fits nothing too."""
    for name in (tmp_path / "none.csv", str(tmp_path / "*.csv")):
        with pytest.raises(ConfigError, match="there is no such file"):
            read_events(name)


def test_a_name_that_tells_no_format_is_an_error(write: Write) -> None:
    """Guessing by content would be right until it is not."""
    with pytest.raises(ConfigError, match="does not tell its format"):
        read_events(write("a.txt", "user_id,event,timestamp", "a,b,1"))


def test_a_column_that_cannot_be_text_or_time_is_an_error() -> None:
    """A list is no id."""
    with pytest.raises(ConfigError, match="user_id is INTEGER\\[\\]"):
        read_events(duckdb.sql("select [1] as user_id, 'a' as event, 1 as timestamp"))
    with pytest.raises(ConfigError, match="expected a time in timestamp, which is BOOLEAN"):
        read_events(duckdb.sql("select 1 as user_id, 'a' as event, true as timestamp"))


def test_a_mapping_with_a_part_that_is_none_is_an_error() -> None:
    """So is one column too many."""
    with pytest.raises(ConfigError, match="expected what=column, got 'person'"):
        parse_mapping("person")
    with pytest.raises(ConfigError, match="'step' is given twice"):
        parse_mapping("step=a,step=b")


def test_texts_that_share_a_hash_stay_apart(monkeypatch: pytest.MonkeyPatch, write: Write) -> None:
    """Ids come from outside, and a 64-bit hash can be forced to collide."""
    real = encoding_module._hash_sql
    monkeypatch.setattr(
        encoding_module,
        "_hash_sql",
        lambda value, salt: real(value, salt) if salt else f"{real(value, 0)} & 3",
    )
    rows = [{"person": f"p{i}", "step": f"s{i}", "at": i * 1000} for i in range(40)]
    assert plain(write("a.csv", *as_csv([{**row, "at": i} for i, row in enumerate(rows)]))) == ordered(rows)


@pytest.mark.parametrize("n_people", [3, 2_000])
def test_many_events_lie_as_an_oracle_sorts_them(tmp_path: Path, n_people: int) -> None:
    """Several row groups, threads and ties; few and many people take two ways."""
    random = np.random.default_rng(n_people)
    n = 150_000  # a row group holds 122,880
    person, at = random.integers(0, n_people, n), random.integers(0, 2_000, n)
    columns = {"person": person, "step": random.integers(0, 1_000, n), "at": at}
    Table(columns).relation().project(
        "'p' || person as user_id, 's' || step as event, epoch_ms(\"at\") as timestamp"
    ).to_parquet(str(tmp_path / "a.parquet"))
    rows = [
        {"person": f"p{person}", "step": f"s{step}", "at": at}
        for person, step, at in zip(*(one.tolist() for one in columns.values()), strict=True)
    ]
    assert plain(tmp_path / "a.parquet") == ordered(rows)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "b", "c"]),
            st.integers(0, 4),
            st.sampled_from(["x", "y", "z", None]),
            st.integers(0, 3),
        ),
        min_size=1,
        max_size=30,
    )
)
@settings(max_examples=tries(60), deadline=None)
def test_order_and_sessions_are_an_oracles(rows: list[tuple[str, int, str | None, int]]) -> None:
    """A session is one person's, though its events come interleaved and its id is used by others."""
    table = {
        "user_id": np.array([row[0] for row in rows], dtype=object),
        "event": np.array([f"e{i}" for i in range(len(rows))], dtype=object),
        "timestamp": np.array([row[1] for row in rows]),
        "session_id": np.array([row[2] for row in rows], dtype=object),
        "sequence": np.array([row[3] for row in rows]),
    }
    events = read_events(Table(table).relation())
    dicts = [
        {"person": row[0], "step": f"e{i}", "at": row[1] * 1000, "sequence": row[3]}
        for i, row in enumerate(rows)
    ]
    assert [row[:3] for row in rows_of(events)] == ordered(dicts)
    assert events.session is not None
    sessions = [(person, rows[int(step[1:])][2]) for person, step, _ in ordered(dicts)]
    assert events.session.tolist() == session_numbers(sessions)
