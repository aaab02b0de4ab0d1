"""Columns and instants: what a table's cells say, and how an operator says which is which."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from sojourn.model.errors import ConfigError
from sojourn.model.event import Event
from sojourn.runtime.importing import (
    parse_column_map,
)
from sojourn.runtime.importing.instants import parse_instant
from tests.runtime.imports import MAP, items, written

BERLIN = ZoneInfo("Europe/Berlin")


def properties(event: Event) -> Any:
    """Decode an event's properties."""
    return msgspec.json.decode(event.properties)


@pytest.mark.parametrize(
    ("written_as", "expected"),
    [
        ("2024-03-13T10:21:14Z", "2024-03-13T10:21:14+00:00"),
        ("2024-03-13 10:21:14", "2024-03-13T10:21:14+00:00"),
        ("2024-03-13 10:21:14.123456 UTC", "2024-03-13T10:21:14.123+00:00"),
        ("2024-03-13T10:21:14.123456789+02:00", "2024-03-13T08:21:14.123+00:00"),
        ("20240313", "2024-03-13T00:00:00+00:00"),
        ("1710325274", "2024-03-13T10:21:14+00:00"),
        ("1710325274.5", "2024-03-13T10:21:14.500+00:00"),
        (1710325274, "2024-03-13T10:21:14+00:00"),
        ("1712120271200", "2024-04-03T04:57:51.200+00:00"),
        (1710325274123456, "2024-03-13T10:21:14.123+00:00"),
        (1710325274123456789, "2024-03-13T10:21:14.123+00:00"),
        (datetime.fromisoformat("2024-03-13T10:21:14"), "2024-03-13T10:21:14+00:00"),
        (date(2024, 3, 13), "2024-03-13T00:00:00+00:00"),
    ],
)
def test_an_instant_is_read_however_exports_write_it(written_as: Any, expected: str) -> None:
    """Warehouses, SDKs and spreadsheets do not agree; digits alone are never taken for a date and an hour."""
    expected_ms = round(datetime.fromisoformat(expected).timestamp() * 1000)

    assert parse_instant(written_as) == expected_ms


def test_a_time_without_a_zone_is_where_the_operator_says() -> None:
    """Exports of one shop are in its local time."""
    assert parse_instant("2024-07-01 12:00", BERLIN) == parse_instant("2024-07-01T10:00Z")


def test_a_time_with_a_zone_keeps_it() -> None:
    """`--timezone` speaks for the times that do not."""
    assert parse_instant("2024-07-01T10:00Z", BERLIN) == parse_instant("2024-07-01T10:00Z", UTC)


@pytest.mark.parametrize(
    "wrong", ["", "yesterday", "13/3/2024", True, float("nan"), float("inf"), b"2024", "9" * 400]
)
def test_what_is_no_instant_is_refused(wrong: Any) -> None:
    """A guess would put the row somewhere in time; a refusal says what came."""
    with pytest.raises(ValueError, match="expected a time"):
        parse_instant(wrong)


def test_a_column_map_says_which_column_says_what(tmp_path: Path) -> None:
    """The issue's own example."""
    path = written(tmp_path, "x.csv", "e,u,t,platform,other\nBought,u1,2024-01-01,ios,x\n")

    [event] = items(path, "event=e,user_id=u,timestamp=t,properties.platform=platform")

    assert (event.name, event.user_id, event.kind, event.source) == ("Bought", "u1", "track", "import")
    assert event.occurred_at == event.timestamp == parse_instant("2024-01-01")
    assert properties(event) == {"platform": "ios"}


def test_columns_that_are_named_like_fields_need_no_map(tmp_path: Path) -> None:
    """Most exports are: userId or user_id, and properties.plan."""
    path = written(tmp_path, "x.csv", "event,userId,timestamp,properties.plan\nBought,u1,2024-01-01,pro\n")

    [event] = items(path)

    assert (event.user_id, properties(event)) == ("u1", {"plan": "pro"})


def test_a_star_takes_every_other_column(tmp_path: Path) -> None:
    """Nobody wants to write forty names."""
    path = written(tmp_path, "x.csv", "event,user_id,timestamp,a,b\nBought,u1,2024-01-01,1,\n")

    [event] = items(path, MAP + ",properties.*=*")

    assert properties(event) == {"a": 1}


@pytest.mark.parametrize(
    ("target", "cell", "expected"),
    [
        ("properties.x", "12.50", 12.5),
        ("properties.x", "-3", -3),
        ("properties.x", "007", "007"),
        ("properties.x", "1e3", "1e3"),
        ("properties.x", "12345678901234567890", "12345678901234567890"),
        ("properties.x:text", "12", "12"),
        ("properties.x:number", "1e3", 1000),
        ("properties.x:json", '"[1, {}]"', [1, {}]),
    ],
)
def test_a_cell_of_digits_is_a_number_unless_the_map_says_otherwise(
    tmp_path: Path, target: str, cell: str, expected: Any
) -> None:
    """A guard compares revenue with a number; a zip code keeps its zero."""
    path = written(tmp_path, "x.csv", f"event,user_id,timestamp,x\nBought,u1,2024-01-01,{cell}\n")

    [event] = items(path, f"{MAP},{target}=x")

    assert properties(event) == {"x": expected}


def test_places_inside_one_object_share_it(tmp_path: Path) -> None:
    """`properties.cart.id` is an object in an object; a whole object may come as JSON beside it."""
    path = written(tmp_path, "x.csv", 'event,user_id,timestamp,p,c\nBought,u1,2024-01-01,"{""a"": 1}",c7\n')

    [event] = items(path, MAP + ",properties.cart.id=c,properties=p")

    assert properties(event) == {"a": 1, "cart": {"id": "c7"}}


@pytest.mark.parametrize(
    ("column_map", "complaint"),
    [
        ("event", "expected target=column"),
        ("evnt=event", "did you mean 'event'"),
        ("platform=platform", "properties.platform"),
        ("event=a,event=b", "given twice"),
        ("user_id.x=a", "no places inside"),
        ("properties.x:int=a", "expected one of auto, text, number, json"),
        ("event=*", "properties"),
        (" , ", "is empty"),
    ],
)
def test_a_wrong_column_map_says_what_to_write(column_map: str, complaint: str) -> None:
    """It is typed by hand, and once."""
    with pytest.raises(ConfigError, match=complaint.replace(".", r"\.")):
        parse_column_map(column_map)


def test_a_column_that_is_not_there_is_named_with_the_nearest_that_is(tmp_path: Path) -> None:
    """Ten million failed events would say the same, later."""
    path = written(tmp_path, "x.csv", "event,user,timestamp\n")

    with pytest.raises(ConfigError, match=r"no column 'user_id'.*did you mean 'user'"):
        items(path, MAP)


def test_columns_that_tell_no_person_ask_for_a_map(tmp_path: Path) -> None:
    """Guessing a person would be worse than asking."""
    with pytest.raises(ConfigError, match="--map event=COLUMN"):
        items(written(tmp_path, "x.csv", "event,uid,timestamp\n"))
