"""Adaptive worlds: what `adaptive` compares rules in: where adapting pays, and where not."""

from __future__ import annotations

from sojourn.analytics.simulator.adaptive import World

_OFFERS = ("reminder", "help", "discount")
_STATES = ("new, calm", "new, struggling", "known, calm", "known, struggling")
_SHARE = (0.4, 0.15, 0.3, 0.15)

WORLDS = (
    World(
        name="what works depends on the state",
        about="Who struggles needs help, who is new a discount, who is known and calm only a reminder.",
        offers=_OFFERS,
        states=_STATES,
        share=_SHARE,
        rates=((0.06, 0.06, 0.10), (0.04, 0.11, 0.06), (0.14, 0.12, 0.13), (0.07, 0.15, 0.08)),
    ),
    World(
        name="one offer is best for all",
        about="Help converts a third more in every state.",
        offers=_OFFERS,
        states=_STATES,
        share=_SHARE,
        rates=((0.06, 0.08, 0.06), (0.05, 0.067, 0.05), (0.12, 0.16, 0.12), (0.08, 0.107, 0.08)),
    ),
    World(
        name="nothing makes a difference",
        about="Every offer converts alike in a state: there is nothing to learn.",
        offers=_OFFERS,
        states=_STATES,
        share=_SHARE,
        rates=((0.06,) * 3, (0.05,) * 3, (0.12,) * 3, (0.08,) * 3),
    ),
    World(
        name="what works changes half-way",
        about="Help is best at first and the discount later: what was learnt is not forgotten, and misleads.",
        offers=_OFFERS,
        states=_STATES,
        share=_SHARE,
        rates=((0.06, 0.09, 0.06), (0.05, 0.075, 0.05), (0.12, 0.18, 0.12), (0.08, 0.12, 0.08)),
        later=((0.06, 0.06, 0.09), (0.05, 0.05, 0.075), (0.12, 0.12, 0.18), (0.08, 0.08, 0.12)),
    ),
)
