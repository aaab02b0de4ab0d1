"""Journeys: the twenty that are in force while the bench measures.

They listen to eight of the eleven event names in the traffic, a third of the events. As in a real
catalogue most guards say no, many people wait in a state for a timer that a goal takes away, and few are
acted on. Nobody is held out by a journey, so that all who should be acted on are.
"""

from __future__ import annotations

from pathlib import Path

# Name -> (entry event, its guard, what happens after the entry).
_ENTRIES: dict[str, tuple[str, str, str]] = {
    "added-dear": ("Product Added", "properties.price > 75", "wait"),
    "added-gold": ("Product Added", "trait.plan == 'gold' and session.n_events > 3", "wait"),
    "added-often": ("Product Added", "count('Product Added', within='1h') >= 3", "wait"),
    "added-unordered": ("Product Added", "count('Order Completed') == 0 and properties.value > 120", "wait"),
    "checkout-rescue": ("Checkout Started", "", "decide"),
    "checkout-again": ("Checkout Started", "visits('Checkout Started') >= 2", "wait"),
    "checkout-dear": ("Checkout Started", "properties.value > 130", "act"),
    "checkout-late": ("Checkout Started", "session.duration_s > 600", "wait"),
    "shipping-loop": ("Shipping Viewed", "loops('Shipping Viewed') >= 2", "act"),
    "shipping-dear": ("Shipping Viewed", "properties.price > 60", "wait"),
    "payment-loop": ("Payment Viewed", "visits('Payment Viewed') >= 3", "act"),
    "payment-slow": ("Payment Viewed", "since('Checkout Started') > minutes(5)", "wait"),
    "order-first": ("Order Completed", "count('Order Completed') <= 1", "wait"),
    "order-dear": ("Order Completed", "properties.revenue > 70", "wait"),
    "order-gold": ("Order Completed", "trait.plan == 'gold'", "act"),
    "signup": ("Signed Up", "", "wait"),
    "signup-paid": ("Signed Up", "event.channel == 'paid_search'", "wait"),
    "help": ("Help Opened", "count('Help Opened', within='1d') >= 2", "act"),
    "help-cart": ("Help Opened", "properties.value > 100", "act"),
    "cart-emptied": ("Cart Emptied", "session.n_events > 4", "wait"),
}

NAMES = tuple(_ENTRIES)

_HEAD = """journey: {name}
entry: {{ on: {event}{guard}{key}, reentry: after_exit }}
holdout: off
"""
_GOAL = """goal: { on: Order Completed, within: 7d, value: properties.revenue }
exit: [ { on: Cart Emptied } ]
"""
_STATES = {
    "wait": """states:
  waiting:
    on: { Help Opened: helped }
    after: { 30m: reminded }
  helped:
    after: { 1d: done }
  reminded:
    do: [ { sink: SINK, body: { user: "{{ profile.user_id }}", cart: "{{ entry.properties.cart_id }}" } } ]
    after: { 1d: done }
""",
    "decide": """states:
  waiting:
    on: { Help Opened: assisted, Shipping Viewed: shipping }
    after: { 30m: deciding }
  shipping:
    on: { Payment Viewed: paying, Help Opened: assisted }
    after: { 30m: deciding }
  paying:
    on: { Shipping Viewed: shipping, Help Opened: assisted }
    after: { 30m: deciding }
  deciding:
    branch:
      - { when: "visits('Shipping Viewed') >= 3", to: assisted }
      - { to: assisted }
  assisted:
    do: [ { sink: SINK, body: { user: "{{ profile.user_id }}", cart: "{{ entry.properties.cart_id }}" } } ]
    after: { 1d: done }
""",
    "act": """states:
  told:
    do: [ { sink: SINK, body: { user: "{{ profile.user_id }}", cart: "{{ entry.properties.cart_id }}" } } ]
    after: { 1d: done }
""",
}


def texts(sink: str) -> dict[str, str]:
    """Write the journeys, by name; their actions go to one sink."""
    assert len(_ENTRIES) == 20, "the figures say: with 20 journeys in force"
    return {name: _text(name, sink) for name in _ENTRIES}


def write_journeys(folder: Path, sink: str) -> None:
    """Write them as files into a folder, with a policy that holds nobody out."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "policy.yaml").write_text("policy: { holdout: off }\n", encoding="utf-8")
    for name, text in texts(sink).items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")


def _text(name: str, sink: str) -> str:
    event, guard, kind = _ENTRIES[name]
    head = _HEAD.format(
        name=name,
        event=event,
        guard=f', when: "{guard}"' if guard else "",
        key=", key: properties.cart_id" if event != "Signed Up" else "",
    )
    has_goal = event not in ("Order Completed", "Cart Emptied")
    return head + (_GOAL if has_goal else "") + _STATES[kind].replace("SINK", sink)
