"""Files as they come: no bad row costs its neighbour anything."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sojourn.model.errors import ConfigError, InputError
from sojourn.model.event import EMPTY, Event, FailedEvent
from sojourn.runtime.importing import (
    Origin,
)
from sojourn.runtime.importing.instants import parse_instant
from sojourn.runtime.importing.lines import LINE_BYTES
from tests.runtime.imports import MAP, NOW, items, written


def names(found: Sequence[Any]) -> list[str]:
    """Show events by their names and failed events by their codes."""
    return [item.name if isinstance(item, Event) else item.code for item in found]


def properties(event: Event) -> Any:
    """Decode an event's properties."""
    return msgspec.json.decode(event.properties)


def csv_file(folder: Path, rows: Sequence[tuple[str, str, str]]) -> Path:
    """Write (event, user, timestamp) rows."""
    lines = ["event,user_id,timestamp", *(",".join(row) for row in rows)]
    return written(folder, "events.csv", "\n".join(lines) + "\n")


@pytest.mark.parametrize("is_snake", [False, True])
def test_a_segment_line_needs_no_map(tmp_path: Path, is_snake: bool) -> None:
    """Exports are shaped like the SDKs' events, in either spelling."""
    camel = {"userId": 7, "anonymousId": "a", "messageId": "m1", "sentAt": "2024-01-01T00:00:05Z"}
    snake = {"user_id": 7, "anonymous_id": "a", "message_id": "m1", "sent_at": "2024-01-01T00:00:05Z"}
    common = {"event": "Bought", "timestamp": "2024-01-01T00:00:00Z", "context": {"ip": "x"}, "traits": None}
    path = written(tmp_path, "x.jsonl", json.dumps(common | (snake if is_snake else camel)))

    [event] = items(path)

    at = parse_instant("2024-01-01")
    assert (event.kind, event.name, event.user_id, event.anonymous_id) == ("track", "Bought", "7", "a")
    assert (event.message_id, event.occurred_at, event.sent_at) == ("m1", at, at + 5000)
    assert bytes(event.context) == b'{"ip": "x"}'
    assert bytes(event.traits) == b"{}"


def test_a_pages_name_is_one_of_its_properties(tmp_path: Path) -> None:
    """Every page event has the same name, so that a journey asks for the page's own in its properties."""
    line = {
        "type": "page",
        "name": "Home",
        "userId": "u",
        "timestamp": 1704067200,
        "properties": {"url": "/"},
    }

    [event] = items(written(tmp_path, "x.jsonl", json.dumps(line)))

    assert (event.name, properties(event)) == ("$page", {"name": "Home", "url": "/"})


def test_lines_of_json_take_a_map_too(tmp_path: Path) -> None:
    """A column is a field there, or a field inside one."""
    line = {"what": "Bought", "who": {"id": "u1"}, "ts": 1704067200, "bag": {"a": [1]}}

    [event] = items(
        written(tmp_path, "x.jsonl", json.dumps(line)),
        "event=what,user_id=who.id,timestamp=ts,properties=bag",
    )

    assert (event.name, event.user_id, properties(event)) == ("Bought", "u1", {"a": [1]})


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("{", "bad-json"),
        ("[1]", "bad-json"),
        (b'{"event": "\xff"}', "bad-json"),
        ("[" * 10_000, "bad-json"),
        ('{"event":"A","userId":"u","timestamp":1,"properties":' + '{"a":' * 10_000, "bad-json"),
        ("{}", "bad-type"),
        ('{"type":"buy","userId":"u"}', "bad-type"),
        ('{"type":["track"],"userId":"u"}', "bad-type"),
        ('{"event":"A","timestamp":1}', "missing-id"),
        ('{"event":"A","userId":"","timestamp":1}', "missing-id"),
        ('{"event":"A","userId":"undefined","timestamp":1}', "missing-id"),
        ('{"type":"alias","userId":"u","timestamp":1}', "missing-id"),
        ('{"event":"A","userId":{},"timestamp":1}', "bad-id"),
        ('{"event":"A","userId":true,"timestamp":1}', "bad-id"),
        ('{"event":"A","userId":"u","messageId":[],"timestamp":1}', "bad-id"),
        ('{"event":"A","userId":"' + "u" * 1001 + '","timestamp":1}', "bad-id"),
        ('{"event":{"a":1},"userId":"u","timestamp":1}', "bad-event"),
        ('{"type":"track","userId":"u","timestamp":1}', "missing-event"),
        ('{"event":"A","userId":"u"}', "missing-timestamp"),
        ('{"event":"A","userId":"u","timestamp":"soon"}', "bad-timestamp"),
        ('{"event":"A","userId":"u","timestamp":-5}', "bad-timestamp"),
        ('{"event":"A","userId":"u","timestamp":"9999-01-01"}', "future-timestamp"),
        ('{"event":"A","userId":"u","timestamp":1,"properties":[1]}', "bad-value"),
        ('{"event":"A","userId":"u","timestamp":1,"properties":{"a":1e999}}', "bad-value"),
        ('{"event":"A","userId":"u","timestamp":1,"traits":' + '{"a":' * 70 + "1" + "}" * 71, "too-deep"),
    ],
)
def test_a_bad_line_fails_with_its_reason_and_its_neighbours_live(
    tmp_path: Path, line: str | bytes, code: str
) -> None:
    """Bad input is data. A row from the future is bad: the log's clock would never come back from there."""
    good = b'{"event":"Good","userId":"u","timestamp":1704067200}\n'
    raw = line if isinstance(line, bytes) else line.encode()
    path = written(tmp_path, "x.jsonl", good + raw + b"\n" + good)

    found = items(path)

    assert names(found) == ["Good", code, "Good"]
    assert (found[1].path, found[1].body) == ("x.jsonl:line 2", raw[:32_768])


def test_what_the_door_adds_to_an_event_is_added_to_a_row(tmp_path: Path) -> None:
    """Lookups and truncated addresses are the door's; it may find the row wrong, too."""

    def dress(event: Event) -> Event:
        if event.context != EMPTY:
            raise InputError("bad-context", "expected none", path="context")
        return msgspec.structs.replace(event, ip="1.2.3.0")

    line = '{"event":"A","userId":"u","timestamp":1}\n'
    path = written(tmp_path, "x.jsonl", line + line.replace("}", ',"context":{"a":1}}'))

    first, second = items(path, origin=Origin(source="import", now_ms=NOW, dress=dress))

    assert (first.ip, second.code) == ("1.2.3.0", "bad-context")


def test_a_json_array_says_how_to_make_lines_of_it(tmp_path: Path) -> None:
    """It is the most common mistake, and it would be one huge line."""
    with pytest.raises(InputError, match="jq -c"):
        items(written(tmp_path, "x.json", b' [{"event": "A"}]'))


def test_a_byte_order_mark_and_windows_line_ends_are_no_part_of_the_text(tmp_path: Path) -> None:
    """Excel writes both."""
    path = written(
        tmp_path, "x.csv", b"\xef\xbb\xbfevent,user_id,timestamp\r\nA,u1,2024-01-01\r\n\r\nB,u2,2024-01-02"
    )

    assert [(event.name, event.user_id) for event in items(path)] == [("A", "u1"), ("B", "u2")]


def test_a_quoted_cell_keeps_its_line_breaks_and_commas(tmp_path: Path) -> None:
    """A row may be many lines; it is named by its first."""
    path = written(
        tmp_path, "x.csv", 'event,user_id,timestamp,properties.t\nA,u,2024-01-01,"x,\n""y"""\nB,u,never,\n'
    )

    first, second = items(path)

    assert properties(first) == {"t": 'x,\n"y"'}
    assert second.path == "x.csv:line 4"


def test_a_quote_that_never_closes_costs_one_row(tmp_path: Path) -> None:
    """The rows it would have swallowed are read again."""
    day = "2024-01-01"
    path = csv_file(tmp_path, [("A", "u", day), ('"B', "u", day), *[("C", "u", day)] * 500])

    assert names(items(path)) == ["A", "bad-row", *["C"] * 500]


def test_two_stray_quotes_cost_two_rows(tmp_path: Path) -> None:
    """Between them everything looks like one quoted cell; its row has too few columns, so it is none."""
    day = "2024-01-01"
    path = csv_file(tmp_path, [('"A', "u", day), ("B", "u", day), ('"C', "u", day), ("D", "u", day)])

    assert names(items(path)) == ["bad-row", "B", "bad-row", "D"]


@pytest.mark.parametrize("row", ["A,u", "A,u,2024-01-01,more", 'A,u,"2024"-01', "A,u\x85\xff"])
def test_a_broken_row_fails_and_its_neighbours_live(tmp_path: Path, row: str) -> None:
    """Too few cells, too many, bad quoting, bad encoding."""
    good = b"Good,u,2024-01-01\n"
    path = written(
        tmp_path, "x.csv", b"event,user_id,timestamp\n" + good + row.encode("latin-1") + b"\n" + good
    )

    assert names(items(path)) == ["Good", "bad-row", "Good"]


@pytest.mark.parametrize(("name", "head"), [("x.csv", b"event,user_id,timestamp\n"), ("x.jsonl", b"")])
def test_a_line_without_end_is_bounded(tmp_path: Path, name: str, head: bytes) -> None:
    """Nobody's memory holds a line of a gigabyte."""
    good = b"Good,u,2024-01-01\n" if name == "x.csv" else b'{"event":"Good","userId":"u","timestamp":1}\n'
    path = written(tmp_path, name, head + good + b"x" * (3 * LINE_BYTES) + b"\n" + good)

    found = items(path)

    assert [type(item) for item in found] == [Event, FailedEvent, Event]
    assert len(found[1].body) == 32_768


def test_other_delimiters_are_told_by_the_header(tmp_path: Path) -> None:
    """Spreadsheets of half the world write semicolons."""
    path = written(tmp_path, "x.csv", "event;user_id;timestamp\nA,B;u;2024-01-01\n")

    assert names(items(path)) == ["A,B"]


@pytest.mark.parametrize("name", ["x.csv.gz", "x.csv"])
@pytest.mark.parametrize("is_packed", [True, False])
def test_packing_is_told_by_content(tmp_path: Path, name: str, is_packed: bool) -> None:
    """Browsers unpack downloads and keep the name."""
    text = b"event,user_id,timestamp\nA,u,2024-01-01\n"
    path = written(tmp_path, name, gzip.compress(text) if is_packed else text)

    assert names(items(path)) == ["A"]


def test_utf_16_says_how_to_convert(tmp_path: Path) -> None:
    """Otherwise every row would fail, each with a riddle."""
    with pytest.raises(InputError, match="iconv"):
        items(written(tmp_path, "x.csv", "event".encode("utf-16")))


@pytest.mark.parametrize("name", ["x.csv", "x.jsonl", "x.csv.gz"])
def test_an_empty_file_has_no_rows(tmp_path: Path, name: str) -> None:
    """A night without events is no error."""
    assert items(written(tmp_path, name, b"")) == []


def test_a_missing_file_is_the_operators_to_name(tmp_path: Path) -> None:
    """The message repeats the path that was tried."""
    with pytest.raises(ConfigError, match=r"none\.csv: there is no such file"):
        items(tmp_path / "none.csv")


def test_an_unknown_name_asks_for_a_format(tmp_path: Path) -> None:
    """Guessing by content would be a third thing to explain."""
    with pytest.raises(ConfigError, match="--format"):
        items(written(tmp_path, "x.txt", b""))


def parquet(folder: Path, query: str) -> Path:
    """Write a query's rows to a Parquet file."""
    import duckdb

    path = folder / "it's [1].parquet"
    duckdb.sql(query).write_parquet(str(path))
    return path


def test_a_parquet_file_brings_its_types(tmp_path: Path) -> None:
    """Numbers, times with and without zones, decimals, structs, lists and nulls."""
    path = parquet(
        tmp_path,
        """select 'Bought' as event, 7.0 as user_id, timestamp '2024-01-01 10:00:00' as timestamp,
                  {'id': 1, 'tags': ['a']} as cart, 12.50::decimal(9, 2) as price, null as nothing,
                  date '2024-01-02' as day""",
    )

    [event] = items(path, MAP + ",properties.*=*")

    assert (event.user_id, event.occurred_at) == ("7", parse_instant("2024-01-01T10:00Z"))
    assert properties(event) == {"cart": {"id": 1, "tags": ["a"]}, "price": 12.5, "day": "2024-01-02"}


def test_a_parquet_row_that_fails_is_named_by_its_number(tmp_path: Path) -> None:
    """There are no lines to name."""
    rows = "(values ('A', 'u', 1704067200), (null, 'u', 2)) t(event, user_id, timestamp)"
    path = parquet(tmp_path, f"select * from {rows}")

    good, bad = items(path)

    assert (good.name, bad.code, bad.path) == ("A", "missing-event", f"{path.name}:row 2")


def test_what_is_no_parquet_file_is_said_so(tmp_path: Path) -> None:
    """The library's own words, in one line."""
    with pytest.raises(InputError, match="no readable Parquet file"):
        items(written(tmp_path, "x.parquet", b"PAR1 not really"))
