"""XES: a log of the process miners is read as a stream, and is the same history as its flat table."""

from __future__ import annotations

import gzip
from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.analytics.reading import Mapping, parse_mapping, read_events
from sojourn.analytics.reading.readers import xes as xes_module
from sojourn.model.errors import ConfigError, InputError
from tests.analytics.making import rows_of
from tests.soak import tries

HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1.0" xes.features="nested-attributes" xmlns="http://www.xes-standard.org/">
  <extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>
  <global scope="event"><string key="concept:name" value="name"/></global>
  <classifier name="Activity" keys="concept:name"/>
  <string key="concept:name" value="the log itself"/>
"""
TICKET = """  <trace>
    <string key="concept:name" value="t-1"/>
    <string key="product" value="Mail &amp; more"/>
    <event>
      <string key="concept:name" value="Assign"><string key="concept:name" value="not this"/></string>
      <string key="lifecycle:transition" value="start"/>
      <date key="time:timestamp" value="2026-03-02T10:00:00.250+01:00"/>
      <list key="tags"><values><string key="concept:name" value="nor this"/></values></list>
    </event>
    <event>
      <string key="concept:name" value="Assign"/>
      <string key="lifecycle:transition" value="complete"/>
      <date key="time:timestamp" value="2026-03-02T09:30:00Z"/>
      <float key="cost" value="12.5"/>
    </event>
  </trace>
"""
NAMELESS = """  <trace>
    <event><string key="concept:name" value="Close"/><date key="time:timestamp" value="2026-03-03"/></event>
    <string key="product" value="Phone"/>
  </trace>
"""
MARCH_2 = 1_772_409_600_000  # ms; midnight in UTC.


def log(path: Path, *traces: str, head: str = HEAD) -> Path:
    """Write a log."""
    text = f"{head}{''.join(traces)}</log>\n".encode()
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return path


@pytest.mark.parametrize("name", ["log.xes", "log.xes.gz"])
def test_a_case_is_followed_as_a_person_is(tmp_path: Path, name: str) -> None:
    """Attributes inside attributes, of the log and of declarations are none of an event."""
    events = read_events(log(tmp_path / name, TICKET, NAMELESS))
    assert rows_of(events) == [
        ("t-1", "Assign", MARCH_2 + 9 * 3_600_000 + 250, {}),
        ("t-1", "Assign", MARCH_2 + 9 * 3_600_000 + 1_800_000, {}),
        ("trace 2", "Close", MARCH_2 + 24 * 3_600_000, {}),
    ]


def test_attributes_of_events_and_cases_are_asked_for_by_their_keys(tmp_path: Path) -> None:
    """Also those that stand behind the events of a case."""
    mapping = Mapping(attributes={"product": "case:product"}, values={"cost": "cost"})
    events = read_events(log(tmp_path / "a.xes", TICKET, NAMELESS), mapping)
    assert [extra for *_, extra in rows_of(events)] == [
        {"product": "Mail & more"},
        {"product": "Mail & more", "cost": 12.5},
        {"product": "Phone"},
    ]


def test_transitions_of_a_lifecycle_are_left_out_where_somebody_says_so(tmp_path: Path) -> None:
    """All events count, as in pm4py, until it is said that only what is complete does."""
    mapping = parse_mapping("lifecycle:transition!=start|schedule")
    events = read_events(log(tmp_path / "a.xes", TICKET), mapping)
    assert (len(events), events.left_out) == (1, {"excluded": 1})


def test_events_of_no_case_and_without_a_name_are_left_out_and_counted(tmp_path: Path) -> None:
    """The standard allows both."""
    at = '<date key="time:timestamp" value="2026-03-03"/>'
    loose = f'<event><string key="concept:name" value="Loose"/>{at}</event>'
    nameless = f"<trace><event>{at}</event></trace>"
    events = read_events(log(tmp_path / "a.xes", TICKET, loose, nameless))
    assert (len(events), events.left_out) == (2, {"no-person": 1, "no-step": 1})


def test_a_prefix_of_the_name_space_changes_nothing(tmp_path: Path) -> None:
    """Some writers put one before every element."""
    path = log(tmp_path / "a.xes", TICKET, head='<log xmlns="http://www.xes-standard.org/">')
    text = path.read_text().replace("<", "<xes:").replace("<xes:/", "</xes:").replace("xmlns=", "xmlns:xes=")
    other = tmp_path / "b.xes"
    other.write_text(text)
    assert rows_of(read_events(other)) == rows_of(read_events(path))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('<!DOCTYPE log [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><log/>', "declares a document type"),
        ('<!DOCTYPE log SYSTEM "file:///etc/passwd"><log/>', "declares a document type"),
        ("<log><trace></log>", r"cannot be read as XML \(mismatched tag"),
        ("<log><trace><event>", r"cannot be read as XML \(no element found"),
        ("<html/>", "expected <log>, found <html>"),
        ("<log/>", "tell the step and the time"),
    ],
)
def test_what_is_no_log_is_refused(tmp_path: Path, text: str, message: str) -> None:
    """Somebody else's XML declares no entities, and nothing outside is fetched."""
    (tmp_path / "a.xes").write_text(text)
    with pytest.raises((InputError, ConfigError), match=message):
        read_events(tmp_path / "a.xes")


def test_a_file_cut_short_is_refused(tmp_path: Path) -> None:
    """Half a log would be a wrong number."""
    whole = log(tmp_path / "a.xes.gz", *[TICKET] * 50).read_bytes()
    (tmp_path / "b.xes.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="cannot be unpacked"):
        read_events(tmp_path / "b.xes.gz")


def test_an_attribute_that_no_event_has_is_refused(tmp_path: Path) -> None:
    """As a column is."""
    with pytest.raises(ConfigError, match="has no column 'case:produkt'"):
        read_events(log(tmp_path / "a.xes", TICKET), Mapping(attributes={"p": "case:produkt"}))


@pytest.mark.parametrize(
    ("bound", "value", "message"),
    [("MAX_TAG_BYTES", 1_000, "has a tag of over"), ("MAX_CASE_EVENTS", 1, "a case of over 1 events")],
)
def test_what_is_kept_in_memory_has_a_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bound: str, value: int, message: str
) -> None:
    """A tag is kept whole, and a case until its end."""
    monkeypatch.setattr(xes_module, bound, value)
    monkeypatch.setattr(xes_module, "PIECE_BYTES", 500)
    long = f'<trace><string key="concept:name" value="{"x" * 5_000}"/></trace>'
    with pytest.raises(InputError, match=message):
        read_events(log(tmp_path / "a.xes", long if bound == "MAX_TAG_BYTES" else TICKET))


NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), min_size=1)


@settings(max_examples=tries(15), deadline=None)
@given(
    cases=st.dictionaries(
        NAMES, st.lists(st.tuples(NAMES, st.integers(0, 5)), min_size=1, max_size=6), max_size=5
    ),
    piece_bytes=st.sampled_from([7, 100, 1 << 18]),
    at_once=st.sampled_from([1, 2, 1_000]),
)
def test_any_log_says_what_was_written(
    cases: dict[str, list[tuple[str, int]]],
    piece_bytes: int,
    at_once: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Whatever the names hold, and wherever the stream is cut into pieces."""
    traces = []
    for case, events in cases.items():
        told = "".join(
            f'<event><string key="concept:name" value={quoteattr(step)}/>'
            f'<date key="time:timestamp" value="2026-03-02T00:00:0{second}Z"/></event>'
            for step, second in events
        )
        traces.append(f'<trace><string key="concept:name" value={quoteattr(case)}/>{told}</trace>')
    path = log(tmp_path_factory.mktemp("xes") / "a.xes", TICKET, *traces)
    expected = [
        (case, step, MARCH_2 + second * 1_000, {})
        for case, events in cases.items()
        for step, second in sorted(events, key=lambda event: event[1])
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(xes_module, "PIECE_BYTES", piece_bytes)
        patch.setattr(xes_module, "ROWS_AT_ONCE", at_once)
        found = [row for row in rows_of(read_events(path)) if row[1] != "Assign" or row[0] != "t-1"]
    assert sorted(found, key=lambda row: (row[0], row[2])) == sorted(
        expected, key=lambda row: (row[0], row[2])
    )
