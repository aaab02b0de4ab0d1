"""Guessing attributes: columns of a few values are attributes; ids, times and names of steps are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from sojourn.analytics.reading.guessing import guess_attributes
from sojourn.analytics.reading.mapping import Mapping
from sojourn.model.errors import ConfigError

ROWS = "\n".join(
    f"u{i},{'View' if i % 2 else 'Cart'},2026-03-02 09:00:00,{'SE' if i % 3 else 'DE'},note {i},same"
    for i in range(60)
)


def test_a_column_of_a_few_values_is_an_attribute(tmp_path: Path) -> None:
    file = tmp_path / "shop.csv"
    file.write_text(f"person,event,time,country,note,constant\n{ROWS}\n", encoding="utf-8")
    assert guess_attributes(file, Mapping()) == {"country": "country"}


def test_what_the_mapping_says_is_something_else_is_none(tmp_path: Path) -> None:
    file = tmp_path / "shop.csv"
    file.write_text(f"person,what,time,country,note,constant\n{ROWS}\n", encoding="utf-8")
    assert guess_attributes(file, Mapping(step=("country",))) == {"what": "what"}


def test_json_lines_are_read_too(tmp_path: Path) -> None:
    file = tmp_path / "shop.jsonl"
    event = '{"person": "%s", "event": "View", "time": "2026-03-02T09:00:00Z", "plan": "%s"}'
    file.write_text("\n".join(event % (f"p{i}", ("free", "pro")[i % 2]) for i in range(9)), encoding="utf-8")
    assert guess_attributes(file, Mapping()) == {"plan": "plan"}


def test_no_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nothing\.csv: there is no such file"):
        guess_attributes(tmp_path / "nothing.csv", Mapping())
