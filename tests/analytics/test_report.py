"""Reports: whole pages that a browser can show, in which a name is never anything but text."""

from __future__ import annotations

import math
from datetime import date
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.analytics.report import Bar, Cell, Link, Section, Span, bars, flows, heat, page, spans
from sojourn.analytics.report.forest import Effect, forest, narrowing
from sojourn.analytics.report.page import MAX_ROWS

NASTY = '<script>alert("x")</script> & "quoted" \'single\''
NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=20) | st.just(NASTY)


class _Reader(HTMLParser):
    """Collects the tags of a page and the words between them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.words = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert not any(name.startswith("on") or name in ("src", "href") for name, _ in attrs)

    def handle_data(self, data: str) -> None:
        self.words += data


def _elements(svg: str) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(svg).iter())


def test_bars_are_as_long_as_their_values_and_whiskers_span_the_interval() -> None:
    drawn = _elements(bars("Funnel", [Bar("a", 100, low=90, high=100), Bar("b", 50, low=40, high=60)]))
    first, second = (float(one.attrib["width"]) for one in drawn if one.tag == "rect")
    assert first == pytest.approx(2 * second, rel=0.01)
    across = [one for one in drawn if one.tag == "line" and one.attrib["y1"] == one.attrib["y2"]]
    spans_px = [float(one.attrib["x2"]) - float(one.attrib["x1"]) for one in across]
    assert spans_px == pytest.approx([first / 10, first / 5], rel=0.01)


def test_flows_add_up_at_every_node() -> None:
    links = [Link(0, "Home", "Cart", 6), Link(0, "Home", "Left", 4), Link(1, "Cart", "Pay", 6)]
    drawn = _elements(flows("Paths", links))
    heights = {
        (one.find("title").text or "").split(":")[0]: float(one.attrib["height"])  # type: ignore[union-attr]
        for one in drawn
        if one.tag == "rect"
    }
    assert heights["Home"] == pytest.approx(heights["Cart"] + heights["Left"], rel=0.01)
    assert heights["Pay"] == pytest.approx(heights["Cart"], rel=0.01)


def test_a_heat_map_leaves_empty_what_is_not_known_yet() -> None:
    drawn = heat("Retention", ["June"], ["0", "1", "2"], [[Cell(1.0), Cell(0.0), Cell(None)]])
    assert [one.attrib["class"] for one in _elements(drawn) if one.tag == "rect"] == ["shade5", "shade0"]


def test_a_timeline_covers_all_its_days() -> None:
    rows = [Span("a", date(2026, 1, 1), date(2026, 1, 10)), Span("b", date(2026, 1, 6), date(2026, 1, 10))]
    whole, half = (
        float(one.attrib["width"]) for one in _elements(spans("Incidents", rows)) if one.tag == "rect"
    )
    assert whole == pytest.approx(2 * half, rel=0.01)
    assert "none" in spans("Incidents", [])


def test_a_long_table_says_how_much_is_left() -> None:
    section = Section("All", columns=["n"], rows=[[i] for i in range(MAX_ROWS + 5)])
    words = _Reader(page("Report", [section], definition={"unit": "person"})).words
    assert "and 5 more rows" in words
    assert "What these numbers mean" in words


@given(NAMES, st.floats(0, 1e9))
def test_no_name_is_ever_anything_but_text(name: str, value: float) -> None:
    pictures = [
        bars(name, [Bar(name, value, told=name)]),
        heat(name, [name], [name], [[Cell(0.5, name)]]),
        flows(name, [Link(0, name, name, 3)]),
        spans(name, [Span(name, date(2026, 1, 1), date(2026, 1, 2), name)]),
    ]
    sections = [
        Section(name, note=name, picture=one, columns=[name], rows=[[name], [value]]) for one in pictures
    ]
    read = _Reader(page(name, sections, definition={name: name}))
    assert "script" not in read.tags
    assert name.strip() in read.words


def _effect(estimate: float, low: float, high: float, *, is_clear: bool = False) -> Effect:
    return Effect(NASTY, estimate, low, high, NASTY, is_clear=is_clear)


def test_a_forest_puts_no_difference_in_its_middle() -> None:
    """An interval reaches as far from it as its bounds; one without bounds to the edge."""
    drawn = _elements(forest("f", [_effect(1.0, 0.5, 2.0, is_clear=True), _effect(0.0, -math.inf, math.inf)]))
    lines = [each for each in drawn if each.tag.endswith("line")]
    zero, first, *_ = ([float(each.get(name, "")) for name in ("x1", "x2")] for each in lines)
    assert zero[0] == zero[1]
    assert (first[0] - zero[0]) * 4 == pytest.approx(first[1] - zero[0], abs=0.5)  # of a pixel
    boxes = [each.get("class") for each in drawn if each.tag.endswith("rect")]
    assert boxes == ["bar", "bar doubtful"]


@given(st.lists(st.tuples(*[st.floats(-5, 5) | st.just(math.nan)] * 3), max_size=6))
def test_effects_are_drawn_whatever_they_are(rows: list[tuple[float, float, float]]) -> None:
    """Unknown ones, none at all, and names of anybody."""
    effects = [_effect(*row) for row in rows]
    for drawn in (forest("f", effects), narrowing("n", effects)):
        assert "nan" not in drawn
        assert NASTY not in drawn
        _elements(drawn)
