"""Mermaid: the text is a diagram, and what authors write stays text."""

from __future__ import annotations

import re

from sojourn.definitions.compile import compile_journey
from sojourn.definitions.drawing import mermaid_of, picture_of
from tests.definitions.drawing.journeys import nasty, nested

SMALL = """\
journey: small
entry: { on: Signed Up }
holdout: 0%
states:
  a:
    do: [{ console: , body: { note: hi } }]
    on: { Go: { when: "trait.n > 1", to: b } }
    after: { 1d: done }
  b: { branch: [{ when: trait.x, to: a }, { to: done }] }
"""


def test_a_small_journey_in_full() -> None:
    """One that fits the page, to see what comes out."""
    assert (
        mermaid_of(picture_of(compile_journey(SMALL), people={"a": 1}))
        == """\
---
title: "small"
---
stateDiagram-v2
  state "a · 1 person" as s1
  note right of s1
    console#58; hi
  end note
  state s2 <<choice>>
  note right of s2
    b · 0 people
  end note
  state "done · 0 people" as s3
  [*] --> s1 : Signed Up
  s1 --> s2 : Go, if trait.n #62; 1
  s1 --> s3 : after 1d
  s2 --> s1 : if trait.x
  s2 --> s3 : otherwise
  s3 --> [*]
  note left of s1
    enter#58; Signed Up, again after leaving
  end note
"""
    )


def test_states_lie_in_their_state_and_regions_side_by_side() -> None:
    """Mermaid's own nesting, so that it draws the boxes."""
    text = mermaid_of(picture_of(nested()))
    assert text.count("{") == text.count("}") == 5
    assert text.count("\n    --\n") == 1
    assert 'state "H* back" as' in text
    assert "outer to b#58; Restart" in text  # Mermaid cannot draw a way into one's own state


def test_names_stay_text_in_a_diagram() -> None:
    """Each line is one of the few that we write; all else is inside a text, as entities."""
    safe = r"(?:[\w ./,()'?+*=!·…→�-]|#\d+;)*"
    lines = [
        r'state ".*" as s\d+', r"\[\*\] --> s1 : " + safe, r"s\d+ --> (s\d+|\[\*\])( : " + safe + ")?",
        r"note (left|right) of s\d+", r"end note", r"stateDiagram-v2", "---", 'title: "nasty"', safe,
    ]  # fmt: skip
    text = mermaid_of(picture_of(nasty()))
    assert [
        line for line in text.splitlines() if not any(re.fullmatch(one, line.strip()) for one in lines)
    ] == []
    assert text.count("end note") == 2
    assert "style" not in text
