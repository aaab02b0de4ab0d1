"""Listening: what an invented population has to do, so that a journey is tried."""

from __future__ import annotations

from sojourn.definitions.compile import compile_journey
from sojourn.runtime.rehearsal.listening import listen


def test_what_the_kernel_tells_a_chart_is_nothing_that_people_do() -> None:
    """Timers, the ends of states and of called journeys: nobody outside can send them."""
    journey = compile_journey("""
journey: caller
entry: { on: Began }
steps:
  - call: other
  - wait: 1h
  - parallel: [ [ { wait_for: { on: Seen } } ], [ { wait: 1d } ] ]
""")
    assert any(name.startswith("done.call.") for name in journey.chart.names)
    assert listen([journey]).roles == {"Began": "entry", "Seen": "on"}


def test_a_guard_may_span_lines() -> None:
    """As it may in the journey."""
    journey = compile_journey("""
journey: lines
entry:
  on: Began
  when: |
    trait.plan == 'pro'
    and properties.n > 3
states: { waiting: { after: { 1h: done } } }
""")
    found = listen([journey])
    assert (found.traits, found.properties) == ({"plan": ["pro"]}, {"n": [3]})
