"""Step rules: names of events and pages become the nodes one wants to see."""

from __future__ import annotations

from pathlib import Path

import pytest

from sojourn.analytics.reading import Mapping, load_steps, read_events, read_steps
from sojourn.analytics.reading.steps import StepRules
from sojourn.model.errors import ConfigError, DefinitionError

RULES = """
steps:
  Product page: { pages: ["/product/*", "/p/:id"], rank: 1 }
  Cart: { events: [cart, Cart Viewed], pages: /cart, rank: 2 }
  Bought: { events: "order_*", rank: 3 }
  Help: { pages: "/help/**" }
  Signed Up:
left_out: [heartbeat, "debug_*"]
"""


def names(rules: str, *events: str) -> list[str | None]:
    """Name events by rules."""
    return read_steps(rules, file="steps.yaml").names(events)


def test_events_are_renamed_and_the_rest_keeps_its_name() -> None:
    """Rules name what matters; nothing vanishes because nobody named it."""
    events = ["cart", "Cart Viewed", "order_paid", "order_", "Signed Up", "Cart", "other"]
    assert names(RULES, *events) == ["Cart", "Cart", "Bought", "Bought", "Signed Up", "Cart", "other"]


def test_what_is_left_out_comes_before_all_rules() -> None:
    """A heartbeat is no step whatever else it looks like."""
    assert names("{ steps: { Life: { events: heartbeat } }, left_out: heartbeat }", "heartbeat") == [None]


@pytest.mark.parametrize(
    ("page", "step"),
    [
        ("/product/7", "Product page"),
        ("/product/7/?from=mail#top", "Product page"),
        ("https://shop.example/p/red-shoe", "Product page"),
        ("/product/7/reviews", "/product/7/reviews"),
        ("/product", "/product"),
        ("/cart/", "Cart"),
        ("/help", "Help"),
        ("/help/a/b", "Help"),
        ("/helpful", "/helpful"),
    ],
)
def test_pages_fit_templates_part_by_part(page: str, step: str) -> None:
    """`*` is one part of a path, `**` any number; host, query, fragment and the last slash say nothing."""
    rules = read_steps(RULES, file="steps.yaml")
    assert rules.names(["$pageview"], [page]) == [step]


def test_an_event_that_is_an_address_is_a_page_itself() -> None:
    """Web logs have the path where others have an event; what no rule names keeps what it is."""
    assert names(RULES, "/product/7?x=1", "/other?x=1") == ["Product page", "/other?x=1"]


def test_a_dot_or_bracket_in_a_name_is_only_itself() -> None:
    """Names of events are no regular expressions."""
    assert names("steps: { A: { events: 'a.b(c)*' } }", "a.b(c)d", "axb(c)d") == ["A", "axb(c)d"]


def test_others_may_be_left_out_or_become_one_step() -> None:
    """A graph of the steps that matter adds up either way: what is left out is counted."""
    assert names("{ steps: { A: { events: a } }, others: leave_out }", "a", "b") == ["A", None]
    assert names("{ steps: { A: { events: a } }, others: Something else }", "a", "b") == [
        "A",
        "Something else",
    ]


def test_ranks_belong_to_steps() -> None:
    """They say what going back is."""
    assert read_steps(RULES, file="steps.yaml").ranks == {"Product page": 1, "Cart": 2, "Bought": 3}


def test_empty_rules_keep_everything() -> None:
    """The default."""
    assert StepRules().names(["a", "/b"]) == ["a", "/b"]
    assert read_steps("{}", file="steps.yaml") == StepRules()


@pytest.mark.parametrize(
    ("rules", "problem"),
    [
        ("stepz: {}", "steps.yaml:1:1: step rules knows no 'stepz'; did you mean 'steps'? [unknown-keyword]"),
        ("steps: { A: { evnts: a } }", "steps.yaml:1:15: a step knows no 'evnts'; did you mean 'events'?"),
        ("steps: [a]", "steps.yaml:1:8: expected steps by name [bad-type]"),
        ("steps: { A: a }", "steps.yaml:1:13: expected a step as an object, with events, pages, rank"),
        (
            "steps: { A: { rank: first } }",
            "steps.yaml:1:21: expected a rank as a whole number from 0 to 1000",
        ),
        ("steps: { A: { rank: -1 } }", "expected a rank as a whole number"),
        ("left_out: { a: b }", "steps.yaml:1:11: expected a name, or a list of names [bad-type]"),
        ("- a", "expected step rules as an object, with steps, left_out, others"),
    ],
)
def test_what_is_no_rule_is_refused_with_its_line(rules: str, problem: str) -> None:
    """A misspelled rule would silently keep everything."""
    with pytest.raises(DefinitionError) as refused:
        read_steps(rules, file="steps.yaml")
    assert problem in str(refused.value)


def test_rules_that_cannot_be_read_are_an_error(tmp_path: Path) -> None:
    """With the path that was given."""
    with pytest.raises(ConfigError, match=r"none\.yaml: these step rules cannot be read"):
        load_steps(tmp_path / "none.yaml")


def test_rules_hold_while_events_are_read(tmp_path: Path) -> None:
    """Pages come from their own column; what is left out is counted, and its step is gone."""
    path = tmp_path / "a.csv"
    path.write_text(
        "user_id,event,timestamp,path\n"
        "ada,$pageview,1,/product/7?x\nada,cart,2,/cart\nada,heartbeat,3,/cart\nada,$pageview,4,\nada,click,5,/p/1\n"
    )
    (tmp_path / "steps.yaml").write_text(RULES)
    events = read_events(path, steps=load_steps(tmp_path / "steps.yaml"))
    assert [events.steps[code] for code in events.step] == ["Product page", "Cart", "$pageview", "click"]
    assert dict(events.left_out) == {"left-out": 1}
    assert "heartbeat" not in events.steps


def test_rules_that_leave_everything_out_are_told(tmp_path: Path) -> None:
    """A question over nothing has no answer."""
    path = tmp_path / "a.csv"
    path.write_text("user_id,event,timestamp\nada,b,1\n")
    with pytest.raises(Exception, match=r"holds no event .*\(1 left-out\)"):
        read_events(path, Mapping(), steps=read_steps("{ others: leave_out }", file="s.yaml"))
