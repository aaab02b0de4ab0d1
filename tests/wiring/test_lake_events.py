"""The events of a lake: by whom, by which columns, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sojourn.analytics.events import Column, Events
from sojourn.analytics.reading import Mapping, StepRules, read_steps
from sojourn.model.errors import ConfigError, InputError
from sojourn.wiring.lake_events import read_lake_events
from tests.cli.folders import WALKS, imported, shop


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the shop's events."""
    return shop(tmp_path_factory.mktemp("shop"))


def read(data: Path, **asked: dict[str, str]) -> Events:
    """Read with some attributes and numbers."""
    return read_lake_events(data, Mapping(**asked), StepRules())


def texts(column: Column) -> list[str | None]:
    """Return the text of each event."""
    return [None if code < 0 else column.values[code] for code in column.codes.tolist()]


def test_people_and_their_steps_are_those_of_the_log(data: Path) -> None:
    """In order, each person's together."""
    events = read(data)
    walks = [
        [events.steps[code] for code in events.step[low:high]]
        for low, high in zip(events.starts[:-1], events.starts[1:], strict=True)
    ]
    assert dict(zip(events.people, walks, strict=True)) == {
        f"u:{who}": walk[2] for who, walk in WALKS.items()
    }


@pytest.mark.parametrize("column", ["land", "properties.land"])
def test_a_name_that_is_no_column_is_a_property(data: Path, column: str) -> None:
    """As the one who sent it calls it."""
    found = texts(read(data, attributes={"land": column}).columns["land"])
    assert found == [land for land, _, steps in WALKS.values() for _ in steps]


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ("campaign_source", {"ads", "mail"}),
        ("context.campaign.source", {"ads", "mail"}),
        ("context.app.plan", {"pro", "free"}),
        ("basket.size", {"0", "1", "2", "3", "4"}),
    ],
)
def test_columns_and_what_lies_inside_json_are_named_by_dots(
    data: Path, column: str, expected: set[str]
) -> None:
    """Without a mapping for each."""
    assert set(read(data, attributes={"it": column}).columns["it"].values) == expected


def test_a_number_of_a_property_is_a_number(data: Path) -> None:
    """For conditions, and for what a conversion is worth."""
    numbers = read(data, values={"total": "total"}).values["total"]
    assert np.array_equal(numbers, [10 * n for _, _, steps in WALKS.values() for n in range(len(steps))])


def test_a_column_that_nobody_filled_is_no_slip(data: Path) -> None:
    """No event of this shop has a country: it is known of nobody."""
    assert texts(read(data, attributes={"country": "country"}).columns["country"]) == [None] * 15


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"attributes": {"lnd": "lnd"}}, "no event has 'lnd': .* properties.lnd .* did you mean 'land'?"),
        ({"attributes": {"who": "traits.age"}}, "no event has 'who': .* traits.age was looked for"),
        ({"values": {"land": "land"}}, "no event has a number in 'land'"),
    ],
)
def test_what_no_event_has_is_refused(data: Path, asked: dict[str, dict[str, str]], message: str) -> None:
    """An answer about nothing would look like an answer."""
    with pytest.raises(ConfigError, match=message):
        read(data, **asked)


def test_pages_become_steps_by_their_templates(tmp_path: Path) -> None:
    """What a page's event says is where it was."""
    file = tmp_path / "pages.jsonl"
    file.write_text(
        '{"type": "page", "userId": "ada", "messageId": "1", "timestamp": "2026-03-01T09:00:00Z", '
        '"context": {"page": {"path": "/product/7"}}}\n'
    )
    data = imported(tmp_path, file)
    rules = read_steps('steps: { Product: { pages: "/product/*" } }', file="steps.yaml")
    assert read_lake_events(data, Mapping(), rules).steps == ["Product"]


def test_a_folder_in_which_nobody_did_anything_is_told_apart_from_none(tmp_path: Path) -> None:
    """One waits for events, the other is a slip."""
    with pytest.raises(ConfigError, match="no-data"):
        read(tmp_path)
    file = tmp_path / "sign.jsonl"
    file.write_text(
        '{"type": "identify", "userId": "ada", "messageId": "1", "timestamp": "2026-03-01T09:00:00Z", '
        '"traits": {"plan": "pro"}}\n'
    )
    data = imported(tmp_path, file)
    with pytest.raises(InputError, match="nobody did anything here yet"):
        read(data)
