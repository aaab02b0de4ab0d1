"""What friction reads off an event: element, place, step and form, by the names that SDKs give them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sojourn.engine.rage import Place

MAX_TARGET_CHARS = 200  # as names of events.
MAX_PIXELS = 10**9  # either way: beyond any page; farther is no place, and its square no number.

# fmt: off
# Ours and Segment's, then those of PostHog's autocapture. Of several, the first that is there.
_TARGETS = (
    "target", "selector", "element_id", "element", "label", "text",
    "$el_text", "$selector", "$elements_chain",
)
# fmt: on
_PLACES = (("x", "y"), ("$x", "$y"), ("page_x", "page_y"), ("pageX", "pageY"), ("clientX", "clientY"))
_FORMS = ("form_id", "form", "form_name", "name", "id")
_PAGES = ("path", "name", "url", "$pathname", "$screen_name", "$current_url")
_NAMED_BY_PROPERTIES = frozenset({"$page", "$screen", "$pageview"})


def target_of(properties: Mapping[str, Any]) -> str:
    """Name the element a click was on; empty where the event does not say."""
    return _first(properties, _TARGETS)


def place_of(properties: Mapping[str, Any]) -> Place | None:
    """Return where a click was, in pixels; None where the event does not say, or says nonsense."""
    for across, down in _PLACES:
        x, y = _pixels(properties.get(across)), _pixels(properties.get(down))
        if x is not None and y is not None:
            return x, y
    return None


def step_of(name: str, properties: Mapping[str, Any]) -> str:
    """Name a step: a page or screen by what it is, anything else by the event."""
    return (_first(properties, _PAGES) or name) if name in _NAMED_BY_PROPERTIES else name


def form_of(properties: Mapping[str, Any]) -> str:
    """Name a form; empty where the event does not say."""
    return _first(properties, _FORMS)


def cart_of(properties: Mapping[str, Any]) -> str:
    """Name a cart; empty where the event does not say."""
    return _first(properties, ("cart_id",))


def _pixels(value: Any) -> float | None:
    is_number = value.__class__ in (int, float)
    return float(value) if is_number and -MAX_PIXELS <= value <= MAX_PIXELS else None


def _first(properties: Mapping[str, Any], names: tuple[str, ...]) -> str:
    """Return the first of some properties that is there, as text."""
    for name in names:
        value = properties.get(name)
        if value.__class__ is str and value:
            return str(value)[:MAX_TARGET_CHARS]
        if value.__class__ is int:
            return str(value)[:MAX_TARGET_CHARS]
    return ""
