"""Authoring over HTTP: what a check says of any text, how a journey is drawn, and who is where in it."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.definitions.schema import journey_schema
from tests.definitions.drawing.journeys import NESTED, ROOT
from tests.engine.makers import event
from tests.server.houses import WELCOME, House, refusal
from tests.soak import tries

HOUSE = House()
GALLERY = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "journeys").glob("*.yaml"))]
PIECES = (
    "{", "}", "[", ":", "- ", "'", '"', "|", "&a ", "*a", "!!x ", "\t", "\n", "\x00", "\u202e",
    "{{ trait.x | y: 1 }}", "{% if a %}", "when: \"((\"", "after: {", "steps:", "goal: 1", "---", "policy:",
    "segments:", "flag:", "metrics:",
)  # fmt: skip


def check(*texts: str, of: House = HOUSE, **more: Any) -> Any:
    """Check texts; return what is said."""
    files = [{"file": f"{number}.yaml", "text": text} for number, text in enumerate(texts)]
    answer = of.ask("/api/v1/check", method="POST", json={"definitions": files, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


def codes(found: Any) -> list[tuple[str, int, int, str, str]]:
    """Return problems as tuples."""
    return [
        tuple(one[name] for name in ("file", "line", "column", "severity", "code"))
        for one in found["problems"]
    ]


# Checking


def test_a_problem_is_told_with_its_place_its_code_and_how_bad_it_is() -> None:
    """As `sojourn check` says it."""
    text = WELCOME.replace("1d: done", "1d: nowhere").replace(
        "done: {}", "done: { do: [{ sms: , body: {} }] }"
    )
    assert codes(check(text)) == [
        ("0.yaml", 4, 35, "error", "unknown-state"),
        ("0.yaml", 4, 63, "warning", "unknown-sink"),
    ]


def test_what_compiles_is_drawn_also_beside_what_does_not() -> None:
    """An editor keeps showing the other journeys while one of them is being written."""
    found = check(WELCOME, "journey: broken", NESTED)
    assert [chart["journey"] for chart in found["charts"]] == ["welcome", "nested"]
    assert {one["file"] for one in found["problems"] if one["severity"] == "error"} == {"1.yaml"}


def test_files_stand_beside_what_is_in_force() -> None:
    """Segments that are in force can be named; where the files are all there is, they cannot."""
    made = House()
    shared = {"file": "s.yaml", "text": 'segments:\n  rich: "trait.rich == true"\n'}
    assert made.ask("/api/v1/publish", method="POST", json={"definitions": [shared]}).status_code == 200
    member = "journey: member\nentry: { segment: rich }\nstates: { a: { after: { 1d: done } } }\n"
    assert check(member, of=made)["problems"] == []
    assert [one["code"] for one in check(member, of=made, is_whole=True)["problems"]] == ["unknown-segment"]


def test_journeys_that_call_one_another_in_a_circle_are_a_problem_of_their_file() -> None:
    """Found only once both are there."""
    one = "journey: {}\nentry: {{ api: true }}\nsteps: [{{ call: {} }}]\n"
    found = check(one.format("a", "b"), one.format("b", "a"))
    assert {(each["file"], each["severity"]) for each in found["problems"]} <= {
        ("0.yaml", "error"),
        ("1.yaml", "error"),
    }
    assert found["problems"]


def test_metrics_are_checked_as_metrics() -> None:
    """They stand in files of their own."""
    assert [one["code"] for one in check("metrics: { a: { kind: none } }")["problems"]]
    assert check("metrics:\n  a: { kind: count, on: Bought, within: 14d }\n")["problems"] == []


def mutated(random: Random) -> str:
    """Make a text that may be anything: a journey somebody types in, or noise."""
    if random.random() < 0.2:
        return bytes(random.randrange(256) for _ in range(random.randrange(80))).decode("latin-1")
    text = random.choice([*GALLERY, NESTED])
    for _ in range(random.randrange(1, 5)):
        at = random.randrange(len(text) + 1)
        end = min(len(text), at + random.randrange(25)) if random.random() < 0.6 else at
        text = text[:at] + (random.choice(PIECES) if random.random() < 0.6 else "") + text[end:]
    return text


@settings(max_examples=tries(40), deadline=None)
@given(st.integers(0, 2**32))
def test_whatever_is_typed_is_answered_with_places_inside_the_text(seed: int) -> None:
    """Never a failure of ours: half a word is what an editor sends most of the time."""
    text = mutated(Random(seed))
    for one in check(text)["problems"]:
        assert 1 <= one["line"] <= len(text.split("\n")) + 1, one
        assert one["column"] >= 1


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "{a: " * 49_000,
        "- " * 90_000,
        "\n".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 30)),
        f"journey: x\nentry: {{ on: A, when: \"{'(' * 5_000}1{')' * 5_000}\" }}\nstates: {{ a: {{}} }}",
        f"journey: x\nentry: {{ on: A }}\nsteps: [{{ send: , body: {{ t: \"{'{% if a %}' * 9_000}\" }} }}]",
        "journey: x\nentry: { on: A, when: \"9**9**9**9\" }\nstates: { a: {} }",
        "x" * 199_999,
        "x" * 500_000,
        "9" * 190_000,
    ],
    ids=["flow", "map", "list", "bomb", "guard", "template", "power", "word", "long", "number"],
)  # fmt: skip
def test_what_is_meant_to_take_for_ever_is_refused_at_once(text: str) -> None:
    """Depth, size, aliases and powers have bounds."""
    assert check(text)["problems"]


def test_more_than_a_check_may_have_is_refused() -> None:
    """A mebibyte: a folder of some hundred journeys."""
    body = {"definitions": [{"file": "a", "text": "x" * (1 << 20)}]}
    assert refusal(HOUSE.ask("/api/v1/check", method="POST", json=body)) == (413, "too-large")


# Schemas, charts, versions


def test_schemas_are_those_of_the_project() -> None:
    """What an editor completes by, and what the compiler accepts, are one."""
    assert HOUSE.ask("/api/v1/schemas/journey").json() == journey_schema()
    for kind in ("definitions", "flag", "metrics"):
        assert "$schema" in HOUSE.ask(f"/api/v1/schemas/{kind}").json()
    assert refusal(HOUSE.ask("/api/v1/schemas/nothing")) == (404, "not-found")


@pytest.mark.parametrize("path", ["chart", "traffic", "people", "versions/000000000000"])
def test_a_journey_that_is_not_there_is_404(path: str) -> None:
    """With what it may have been meant as."""
    answer = HOUSE.ask(f"/api/v1/journeys/welcom/{path}")
    assert refusal(answer) == (404, "unknown-journey")
    assert "'welcome'" in answer.json()["message"]


def test_a_chart_has_every_state_where_it_stands_and_every_way_once() -> None:
    """Nested states name what they stand in, and each way both its ends."""
    (chart,) = check(NESTED)["charts"]
    states = {one["id"]: one for one in chart["states"]}
    assert states["outer.inner.a"]["parent"] == "outer.inner"
    assert states["both"]["kind"] == "parallel"
    assert [one["id"] for one in chart["states"] if one["is_initial"]][:2] == ["outer", "outer.first"]
    lines = NESTED.split("\n")
    for one in chart["states"]:
        assert one["label"] in lines[one["line"] - 1] or one["id"] == "done", one
    ids = [way["id"] for way in chart["ways"]]
    assert len(ids) == len(set(ids))
    for way in chart["ways"]:
        assert {way["source"], way["target"]} <= {*states, ""}
    assert [way["trigger"] for way in chart["ways"] if way["source"] == ""] == ["entry", "goal", "exit"]


def test_every_journey_of_the_gallery_is_drawn_with_its_lines() -> None:
    """Of what an author wrote; what follows from it, as the end of steps, stands where its cause does."""
    charts = check(*GALLERY)["charts"]
    assert len(charts) == len([text for text in GALLERY if "\njourney: " in f"\n{text}"])
    for chart in charts:
        assert all(one["line"] for one in chart["states"])
        assert all(way["line"] for way in chart["ways"] if way["label"] != "the first time")


def test_an_older_version_is_kept_as_it_was_written() -> None:
    """With the one before it, to compare; and its chart can still be drawn."""
    made = House()
    later = WELCOME.replace("1d", "2d")
    body = {"definitions": [{"file": "w.yaml", "text": later}]}
    made.ask("/api/v1/publish", method="POST", json=body)
    new, old = [one["version"] for one in made.ask("/api/v1/journeys/welcome/versions").json()]
    found = made.ask(f"/api/v1/journeys/welcome/versions/{new}").json()
    assert (found["text"], found["before"], found["before_text"]) == (later, old, WELCOME)
    assert made.ask(f"/api/v1/journeys/welcome/versions/{old}").json()["before"] is None
    labels = [
        way["label"]
        for version in ("", f"?version={old}")
        for way in made.ask(f"/api/v1/journeys/welcome/chart{version}").json()["ways"]
        if way["trigger"] == "after"
    ]
    assert labels == ["after 2d", "after 1d"]


# Traffic, and who is where


def busy() -> House:
    """Make a house that three people came into, and one of them is through."""
    made = House()
    made.take(event("Signed Up", user_id="ann"))
    made.driver.settle([], until=made.driver.clock + 86_400_000)
    made.take(*(event("Signed Up", at=n, user_id=each) for n, each in enumerate(("bob", "cid"), start=1)))
    made.authors.count()
    return made


def test_traffic_counts_states_and_ways_and_how_long_people_stayed() -> None:
    """By the ids of the chart."""
    made = busy()
    found = made.ask("/api/v1/journeys/welcome/traffic").json()
    drawn = {way["id"] for way in made.ask("/api/v1/journeys/welcome/chart").json()["ways"]}
    assert found["ways"] == {">>entry": 3, "waiting>done>after(waiting,86400000)": 1}
    assert found["ways"].keys() <= drawn
    waiting = found["states"]["waiting"]
    assert {name: waiting[name] for name in ("n_people", "entered", "left")} == {
        "n_people": 2,
        "entered": 3,
        "left": 1,
    }
    assert abs(waiting["dwell_ms"]["p50"] - 86_400_000) < 0.03 * 86_400_000
    assert found["states"]["done"] == {"n_people": 0, "entered": 1, "left": 0, "dwell_ms": None}


def test_who_is_where_comes_in_pages() -> None:
    """Those who came last first, of a state or of the journey."""
    made = busy()
    first = made.ask("/api/v1/journeys/welcome/people?limit=1").json()
    second = made.ask(f"/api/v1/journeys/welcome/people?limit=1&after={first['next']}").json()
    assert [one["id"] for page in (first, second) for one in page["items"]] == ["u:cid", "u:bob"]
    assert first["items"][0]["state"] == ["waiting"]
    assert made.ask("/api/v1/journeys/welcome/people?state=done").json() == {"items": [], "next": None}
    assert refusal(made.ask("/api/v1/journeys/welcome/people?state=nowhere")) == (404, "unknown-state")
    assert made.ask("/api/v1/journeys/welcome/people?after=x").status_code == 422
