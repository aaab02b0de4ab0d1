"""A journey that has everything a drawing must show, and names that try to be syntax."""

from __future__ import annotations

from pathlib import Path

from sojourn.definitions.compile import compile_journey
from sojourn.definitions.journey import Journey

ROOT = Path(__file__).parents[3]

NESTED = """\
journey: nested
entry: { on: Cart Filled, key: properties.cart_id, when: "properties.total > 10" }
goal: { on: Bought, within: 3d }
exit: [{ on: Left }]
holdout: 12.5%
states:
  outer:
    initial: first
    do: [{ console: , body: { note: hello } }]
    exit_do: [{ console: , body: { note: bye } }]
    states:
      first: { on: { Next: second }, after: { 1h30m: inner } }
      second: { on: { Back: first, Out: away, Again: second } }
      inner:
        states:
          a: { on: { Go: b, Jump: away } }
          b: { on: { Up: first, End: f } }
          f: { type: final }
        on: { done.state.inner: second }
      back: { type: history, deep: true }
    on: { Pause: away, Restart: b }
  away:
    on: { Resume: back, Start: a }
    after: { 30d: both }
  both:
    regions:
      left: { states: { l1: { on: { Flip: l2 } }, l2: { on: { Flip: l1 } } } }
      right: { states: { r1: { after: { 1d: r2 } }, r2: { type: final } } }
    after: { 2d: choosing }
  choosing:
    branch: [{ when: "trait.plan == 'pro'", to: away }, { to: done }]
"""

NASTY = "<b>&\"'; -- %% end note #1; style: fill:#fff {x} --> [*] \u202e `]]>"


def nested() -> Journey:
    """Compile the journey that has everything."""
    return compile_journey(NESTED)


def nasty() -> Journey:
    """Compile a journey whose event, guard and note are as unkind as names can be."""
    quoted = NASTY.replace("'", "''")
    note = quoted.replace("{", "")
    return compile_journey(
        "journey: nasty\n"
        f"entry: {{ on: '{quoted}' }}\n"
        "states:\n"
        f"  a: {{ do: [{{ console: , body: {{ note: '{note}' }} }}], on: {{ '{quoted}': done }} }}\n"
    )


def gallery(name: str) -> Journey:
    """Compile one of the journeys that come with the project."""
    file = ROOT / "journeys" / f"{name}.yaml"
    return compile_journey(file.read_text(encoding="utf-8"), file=str(file))
