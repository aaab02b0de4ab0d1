"""What each feature adds to the bench's twenty journeys: lines of the policy, segments, and journeys."""

from __future__ import annotations

from typing import NamedTuple


class Added(NamedTuple):
    """One feature's definitions."""

    policy: str = ""
    """Lines under `policy:`; without any, nobody is held out, as before there was a policy."""
    segments: str = ""
    """Lines under `segments:`."""
    journeys: tuple[str, ...] = ()


OFF = "  holdout: off\n"

PACED = Added(
    policy="""  holdout: 1%
  time_zone: Europe/Berlin
  quiet: { from: "22:00", to: "08:00" }
  channels:
    email: { sinks: [console], consent: opt_out, holdout: 1%, caps: [ { most: 3, per: 7d } ] }
"""
)

SEGMENTS = Added(
    segments="""  busy: "count('Product Added', within='1h') >= 3"
  buyer: "count('Order Completed', within='30d') >= 1"
  fresh: "count('Signed Up', within='1d') >= 1"
  quiet: "since('Product Added') > days(3)"
  undecided: "in_segment('busy') and not in_segment('buyer')"
"""
)

FRICTION = Added(
    policy="""  friction:
    steps: [$page, Product Viewed, Checkout Started, Shipping Viewed, Payment Viewed]
""",
    journeys=tuple(
        f"""journey: friction-{name}
entry: {{ on: {event}, when: "friction.score > 0.5", key: properties.cart_id, reentry: after_exit }}
holdout: off
states:
  waiting:
    after: {{ 30m: done }}
  done: {{}}
"""
        for name, event in (("payment", "Payment Viewed"), ("added", "Product Added"))
    ),
)

_BODY = 'body: { user: "{{ profile.user_id }}" }'
STEPS = Added(
    journeys=tuple(
        f"""journey: steps-{name}
entry: {{ on: {event}, key: properties.cart_id, reentry: after_exit }}
goal: {{ on: Order Completed, within: 7d }}
holdout: off
steps:
{steps}"""
        for name, event, steps in (
            ("wait", "Product Added", f"  - wait: 30m\n  - send: {{ sink: console, {_BODY} }}\n"),
            (
                "branch",
                "Checkout Started",
                "  - wait: 30m\n  - branch:\n      - when: \"visits('Shipping Viewed') >= 3\"\n"
                f"        steps: [ {{ send: {{ sink: console, {_BODY} }} }} ]\n"
                "      - steps: [ { wait: 1d } ]\n",
            ),
            (
                "repeat",
                "Payment Viewed",
                "  - repeat:\n      times: 3\n      steps:\n        - wait: 1h\n"
                f"        - send: {{ sink: console, {_BODY} }}\n",
            ),
            (
                "parallel",
                "Shipping Viewed",
                "  - parallel:\n      - [ { wait: 30m } ]\n      - [ { wait: 1h } ]\n",
            ),
            ("wait-for", "Signed Up", "  - wait_for: { on: Order Completed, within: 1d }\n"),
        )
    )
)

SCHEDULES = Added(
    segments="  carted: \"count('Product Added', within='7d') >= 2\"\n",
    journeys=tuple(
        f"""journey: scheduled-{name}
entry: {{ schedule: {schedule}, segment: carted }}
holdout: off
states:
  told:
    after: {{ 1h: done }}
  done: {{}}
"""
        for name, schedule in (
            ("daily", "FREQ=DAILY;BYHOUR=9;BYMINUTE=15"),
            ("hourly", "FREQ=HOURLY;BYMINUTE=20"),
        )
    ),
)

GROUPS = Added(
    journeys=tuple(
        f"""journey: grouped-{name}
entry: {{ on: {event}, key: properties.cart_id, reentry: after_exit }}
priority: {priority}
group: offers
holdout: off
states:
  waiting:
    after: {{ 30m: done }}
  done: {{}}
"""
        for priority, (name, event) in enumerate(
            (("added", "Product Added"), ("checkout", "Checkout Started"), ("payment", "Payment Viewed"))
        )
    )
)

PROPENSITY = Added(
    journeys=tuple(
        f"""journey: likely-{name}
entry:
  on: {event}
  when: "propensity('Order Completed') > 0.5 or hazard() > 0.9"
  key: properties.cart_id
  reentry: after_exit
holdout: off
states:
  waiting:
    after: {{ 30m: done }}
  done: {{}}
"""
        for name, event in (("added", "Product Added"), ("checkout", "Checkout Started"))
    )
)

FEATURES = {
    "policy": PACED,
    "segments": SEGMENTS,
    "friction": FRICTION,
    "steps": STEPS,
    "schedules": SCHEDULES,
    "groups": GROUPS,
    "propensity": PROPENSITY,
}
"""Name -> what it adds."""


def files(*several: Added) -> list[tuple[str, str]]:
    """Write some features' definitions as (file name, text) pairs."""
    policy = "".join(added.policy for added in several)
    held = policy if any("holdout:" in added.policy for added in several) else OFF + policy
    found = [("policy.yaml", "policy:\n" + held)]
    segments = "".join(added.segments for added in several)
    if segments:
        found.append(("segments.yaml", "segments:\n" + segments))
    texts = [text for added in several for text in added.journeys]
    return [*found, *((f"added-{n}.yaml", text) for n, text in enumerate(texts))]
