"""Friction rules: which events are clicks, forms and carts, and what among them goes against a person.

The rules are settings (`policy: friction:`); the numbers that stand here are the defaults, each with where it
comes from. The presets of rage clicks are those of the products that they are named after, as read in their
sources.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct, field

SIGNALS = (
    "rage",
    "dead",
    "error_click",
    "quick_back",
    "backtrack",
    "loop",
    "form_abandon",
    "cart_abandon",
    "stall",
)
"""Every signal there is, by the name it has in facts, guards and events (`$friction.rage`)."""

FRICTION_EVENT = "$friction."
"""How the names of the events begin that journeys hear of signals by; nobody outside may send one."""

Role = Literal[
    "click", "effect", "error", "step", "form_start", "form_submit", "cart", "purchase", "rage", "dead"
]
"""What an event is to friction; `rage` and `dead`: the client itself found the signal."""

Distance = Literal["", "manhattan", "euclid", "box"]


class RageRule(Struct, frozen=True, kw_only=True):
    """When several clicks are one burst, and when the burst is rage. Times are inclusive, ms."""

    count: int
    gap_ms: int
    """The longest time between two neighbours of a burst."""
    window_ms: int = 0
    """The newest `count` clicks lie within so long; 0: no such rule."""
    is_window_a_border: bool = False
    """A click outside the window begins a new burst; else the burst goes on and is no rage yet."""
    distance: Distance = ""
    """To the click before, or (`box`) the sides of a box around the burst; empty: places do not matter."""
    px: float = 0
    is_px_included: bool = False
    is_same_target: bool = False
    is_restarted: bool = False
    """Once told, the next click begins a new burst; else one burst tells once, however long."""


RAGE_PRESETS: Mapping[str, RageRule] = {
    "sojourn": RageRule(count=3, gap_ms=999, distance="euclid", px=30, is_same_target=True),
    # browser-common 0.11.0: rageclick.ts.
    "posthog": RageRule(count=3, gap_ms=999, distance="manhattan", px=30),
    # mixpanel-browser 2.83.0: autocapture/rageclick.js.
    "mixpanel": RageRule(count=4, gap_ms=999, distance="euclid", px=30, is_restarted=True),
    # plugin-autocapture-browser 1.30.4: track-rage-click.ts.
    "amplitude": RageRule(
        count=4,
        gap_ms=999,
        window_ms=999,
        is_window_a_border=True,
        distance="box",
        px=50,
        is_px_included=True,
        is_same_target=True,
    ),
    # browser-rum 7.16.2: clickChain.ts, computeFrustration.ts.
    "datadog": RageRule(
        count=3,
        gap_ms=1_000,
        window_ms=1_000,
        distance="euclid",
        px=100,
        is_px_included=True,
        is_same_target=True,
    ),
    # Its ClickRageDetector: 3 in a row on one label, each less than 300 ms after the one before.
    "openreplay": RageRule(count=3, gap_ms=299, is_same_target=True),
}

# One fresh signal of weight 1 makes a score of 0.63, two of them 0.86. What a person can hardly do by mistake
# weighs most; what ordinary browsing also looks like, least.
DEFAULT_WEIGHTS: Mapping[str, float] = {
    "rage": 1.0,
    "dead": 0.4,
    "error_click": 0.8,
    "quick_back": 0.3,
    "backtrack": 0.5,
    "loop": 0.5,
    "form_abandon": 0.6,
    "cart_abandon": 0.6,
    "stall": 0.4,
}

# What autocapture of PostHog, Mixpanel and Amplitude call things, Segment's ecommerce and GA4's event names.
DEFAULT_EVENTS: Mapping[Role, frozenset[str]] = {
    "click": frozenset({"$click", "$autocapture", "$mp_click", "[Amplitude] Element Clicked"}),
    "effect": frozenset(),
    "error": frozenset({"$exception", "$error", "Error Shown", "[Amplitude] Error Logged"}),
    "step": frozenset({"$page", "$screen", "$pageview"}),
    "form_start": frozenset({"Form Started", "form_start", "[Amplitude] Form Started"}),
    "form_submit": frozenset({"Form Submitted", "form_submit", "[Amplitude] Form Submitted"}),
    "cart": frozenset({"Product Added", "add_to_cart"}),
    "purchase": frozenset({"Order Completed", "purchase"}),
    "rage": frozenset({"$rageclick", "$mp_rage_click", "[Amplitude] Rage Click"}),
    "dead": frozenset({"$dead_click", "$mp_dead_click", "[Amplitude] Dead Click"}),
}

# The false positives that PostHog and Amplitude had to suppress: a client that knows says so.
DEFAULT_IGNORED_PROPERTIES = frozenset({"text_selected", "is_stepper"})


def roles_of(events: Mapping[Role, frozenset[str]]) -> dict[str, frozenset[Role]]:
    """Turn role -> events around: event -> what it is."""
    roles: dict[str, frozenset[Role]] = {}
    for role, names in events.items():
        for name in names:
            roles[name] = roles.get(name, frozenset()) | {role}
    return roles


class FrictionRules(Struct, frozen=True, kw_only=True):
    """All settings of friction."""

    is_named: bool = False
    """The policy names it: kept up also where no guard asks."""
    roles: dict[str, frozenset[Role]] = field(default_factory=lambda: roles_of(DEFAULT_EVENTS))
    """Event -> what it is to friction."""
    weights: dict[str, float] = field(default_factory=lambda: dict(DEFAULT_WEIGHTS))
    """Signal -> its part in the score; one that weighs nothing is not looked for."""
    tau_ms: int = 600_000  # 10 min: about a visit; after half an hour 5 % of a signal are left.
    rage: RageRule = RAGE_PRESETS["sojourn"]
    dead_ms: int = 2_500  # PostHog waits as long for a mutation of the page.
    error_ms: int = 1_000  # as Datadog's action collects errors.
    quick_back_ms: int = 10_000
    n_loop: int = 3
    n_backtrack: int = 6
    """Over so many steps more than half go back."""
    form_ms: int = 1_800_000  # 30 min: the web's convention for the end of a visit.
    cart_ms: int = 3_600_000  # an hour, as Wix counts a cart as abandoned.
    stall_ms: int = 0
    """Longest time in a step; 0: only steps of `stalls` have one."""
    stalls: dict[str, int] = {}
    ignored_targets: frozenset[str] = frozenset()
    """Elements and steps that are never about friction: a stepper's `+`, the page everybody returns to."""
    ignored_properties: frozenset[str] = DEFAULT_IGNORED_PROPERTIES
    """A click with one of these true is none."""

    @property
    def has_effects(self) -> bool:
        """Whether anybody said which events show that a click worked: else none can be called dead."""
        return any("effect" in roles for roles in self.roles.values())

    def seeks(self, signal: str) -> bool:
        """Tell whether a signal is looked for."""
        return self.weights.get(signal, 0) > 0

    def stall_of(self, step: str) -> int:
        """Return the longest time in a step, ms; 0: there is none."""
        return self.stalls.get(step, self.stall_ms)
