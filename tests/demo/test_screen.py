"""What the demo shows in a terminal."""

from __future__ import annotations

import io
from typing import Any

from rich.console import Console

from demo.program import Metrics
from demo.receiver import Tally, Webhook
from demo.screen import Look, draw, together


def journey(name: str, **counts: Any) -> dict[str, Any]:
    return {
        "name": name,
        "states": {},
        "entered": 0,
        "goals": 0,
        "exited": 0,
        "actions": 0,
        "withheld": 0,
    } | counts


def test_versions_of_a_journey_are_one_line_after_a_change_is_published() -> None:
    old = journey("rescue", states={"offered": 2}, entered=9, goals=4)
    new = journey("rescue", states={"offered": 1, "waiting": 3}, entered=5, goals=1)

    both, other = together([old, new, journey("welcome", entered=2)])

    assert both == journey("rescue", states={"offered": 3, "waiting": 3}, entered=14, goals=5)
    assert other["entered"] == 2
    assert old["entered"] == 9, "what was asked is not changed"


def test_a_terminal_of_24_lines_shows_who_is_where_and_what_was_done() -> None:
    """These are what moves; the figures may be below the foot of a low window."""
    names = ("browse-abandon", "checkout-rescue", "support-escalation", "welcome")
    states = {"assisted": 44, "offered": 41, "reminded": 60, "waiting": 11}
    action = {
        "journey": "welcome",
        "state": "greeted",
        "user_id": "shopper-1",
        "body": {"say": "welcome, member"},
    }
    look = Look(
        elapsed_s=1.0,
        metrics=Metrics(""),
        journeys=[journey(name, states=states, entered=3000) for name in names],
        n_people=300,
        n_lost=0,
        events_per_s=60.0,
        tally=Tally(),
        latest=[Webhook(key="k", data=action, received_at_s=0.0)],
    )
    console = Console(file=io.StringIO(), width=80, height=24)
    console.print(draw(look, address="http://127.0.0.1:8080/studio/#token=0123456789", left="Ctrl-C ends it"))
    seen = "\n".join(console.file.getvalue().splitlines()[:24])  # type: ignore[attr-defined]

    assert all(name in seen for name in names)
    assert 'shopper-1: "welcome, member"' in seen
