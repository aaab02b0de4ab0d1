"""Templates: what they render to, what is refused where, and that they cannot run away."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.definitions.templates import TemplateError, compile_template
from sojourn.model.errors import DefinitionError
from tests.soak import tries

NAMES: dict[str, Any] = {
    "profile": {"user_id": "u1"},
    "trait": {"first_name": "Zoë", "note": "{{ profile.user_id }}"},
    "properties": {
        "total": 12.5,
        "n": 3,
        "is_new": True,
        "nothing": None,
        "items": [{"sku": "a"}, {"sku": "b"}],
    },
    "entry": {"at": 1_700_000_000_000, "properties": {"cart_id": "c9"}},
}


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("plain { text }", "plain { text }"),
        ("Hi {{ trait.first_name }}!", "Hi Zoë!"),
        ("Hi {{ trait.last_name | default: 'you' }}", "Hi you"),
        ("{{ properties.missing.deep }}", ""),
        ("{{ properties.total }}", 12.5),
        ("{{ properties.is_new }}", True),
        ("{{ properties.nothing }}", None),
        ("{{ properties.items }}", [{"sku": "a"}, {"sku": "b"}]),
        ("{{ properties.items | map: 'sku' | join: ', ' }}", "a, b"),
        ("{{ properties.n }} items", "3 items"),
        ("{% for item in properties.items %}{{ item.sku }};{% endfor %}", "a;b;"),
        ("{{ entry.at | date: '%d.%m.%Y %H:%M' }}", "14.11.2023 22:13"),
        ("{{ '2024-02-29T10:00:00+02:00' | date: '%H:%M' }}", "08:00"),
        ("{{ trait.note }}", "{{ profile.user_id }}"),
        ("<b>{{ '<i>' }}</b>", "<b><i></b>"),
    ],
)
def test_a_string_renders_as_liquid_does_and_a_single_value_keeps_its_type(
    template: str, expected: Any
) -> None:
    """Webhooks want numbers as numbers; values are data and never templates."""
    assert compile_template({"x": template}).render(NAMES) == {"x": expected}


EVIL = {"trait": {"name": "<a href='//evil'>", "page": "<p>Hi</p>", "tags": ["<", "&"], "n": 3}}


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("<p>{{ trait.name }}</p>", "<p>&lt;a href=&#39;//evil&#39;&gt;</p>"),
        ("{{ trait.name }}", "&lt;a href=&#39;//evil&#39;&gt;"),
        ("{{ trait.name | escape }}", "&lt;a href=&#39;//evil&#39;&gt;"),
        ("{{ trait.tags | join: '<br>' }}", "&lt;<br>&amp;"),
        ("{{ trait.nobody | default: '<i>you</i>' }}", "<i>you</i>"),
        ("{{ trait.page | safe }}", "<p>Hi</p>"),
        ("{{ trait.n }}", "3"),
    ],
)
def test_what_anybody_sent_is_text_in_html(template: str, expected: str) -> None:
    """Whoever can send events could put a link into another person's mail."""
    body = compile_template({"html": template, "parts": [{"html": template}]})
    rendered = body.render(EVIL)
    assert (rendered["html"], rendered["parts"][0]["html"]) == (expected, expected)


def test_what_is_no_html_stays_as_it_came() -> None:
    """A plain text, or a webhook's value, would show the escapes."""
    assert compile_template({"text": "{{ trait.name }}"}).render(EVIL) == {"text": "<a href='//evil'>"}


def test_strings_anywhere_in_a_value_are_rendered_and_the_rest_is_kept() -> None:
    """A body is a JSON object of any shape."""
    template = compile_template({"a": [1, "{{ profile.user_id }}", {"b": None}], "c": "d"})
    assert template.render(NAMES) == {"a": [1, "u1", {"b": None}], "c": "d"}


def test_a_template_knows_which_names_it_asks_for() -> None:
    """So that the engine need not compute the others."""
    source = ["{{ profile.id }}", "{% assign x = event.name %}{{ x }}", "none"]
    assert compile_template(source).names == frozenset({"profile", "event"})


@pytest.mark.parametrize(
    ("source", "place", "code"),
    [
        ("{{ profile.id", (1, 1), "template"),
        ("a\nb {% nope %}", (2, 6), "template"),
        ("{% if profile.id %}", (1, 1), "template"),
        ("{{ profile.id | shout }}", (1, 17), "unknown-filter"),
        ("a {{ profil.id }}", (1, 6), "unknown-name"),
        ("{% include 'other' %}", (1, 4), "template"),
        ("{% render 'other' %}", (1, 4), "template"),
        ("{{ 'now' | date: '%Y' }}", (1, 4), "not-allowed"),
        ("{% for i in (1..properties.n) %}{% endfor %}", (1, 13), "not-allowed"),
        ("{{ (1..9999999999) | join }}", (1, 4), "not-allowed"),
        ("{{ profile.id }}" * 5_000, (1, 1), "too-long"),
    ],
)
def test_a_bad_template_is_refused_when_it_is_loaded(source: str, place: tuple[int, int], code: str) -> None:
    """Not when the first person should have got a message."""
    with pytest.raises(DefinitionError) as caught:
        compile_template(source)
    problem = caught.value.problems[0]
    assert ((problem.line, problem.column), problem.code) == (place, code)


@pytest.mark.parametrize(
    "source",
    [
        "{% for i in (1..1000) %}{% for j in (1..1000) %}x{% endfor %}{% endfor %}",
        "{% assign a = 'xx' %}{% for i in (1..99) %}{% assign a = a | append: a %}{% endfor %}",
        "{{ properties.long | replace: 'a', properties.long }}",
        "{{ properties.long | split: '' | join: properties.long }}",
        "{{ properties.long }}{{ properties.long }}{{ properties.long }}",
        "{{ properties.long | times: 2 }}",
        "{{ 1 | date: '%99999999d' }}",
        "{{ 1 | divided_by: 0 }}",
        "{{ 1 | date: properties.long }}",
    ],
)
def test_a_template_that_cannot_be_rendered_says_so(source: str) -> None:
    """What grows has a bound, and failing has one name."""
    with pytest.raises(TemplateError):
        compile_template(source).render({"properties": {"long": "a" * 30_000}})


def test_the_word_now_is_no_date() -> None:
    """No template reads the clock, however it comes to the word."""
    template = compile_template("{{ properties.when | date: '%Y' }}")
    assert template.render({"properties": {"when": "now"}}) == "now"


PIECES = st.sampled_from(
    [
        *[
            "{{",
            "}}",
            "{%",
            "%}",
            "profile",
            "properties.x",
            ".a",
            "[0]",
            "|",
            "join",
            "split",
            "date",
            ":",
            "'a'",
            "1",
        ],
        *[
            "if",
            "endif",
            "for i in",
            "endfor",
            "assign x =",
            "=",
            " ",
            "\n",
            "case",
            "when",
            "raw",
            "(1..3)",
            "-",
        ],
    ]
)


@settings(max_examples=tries(300), deadline=None)
@given(
    st.lists(PIECES, max_size=14).map(" ".join) | st.text(max_size=40).map(lambda text: "{{" + text + "}}")
)
def test_any_template_is_refused_or_renders(source: str) -> None:
    """Neither syntax nor values make it fail in another way."""
    with suppress(DefinitionError, TemplateError):
        template = compile_template({"x": source})
        template.render({"properties": {"x": [1, "a", None, {}]}, "profile": "text"})
