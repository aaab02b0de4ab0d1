"""The SDK in a person's browser or phone: it names events, keeps them a while, and sends them; some twice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any

AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/131.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_6) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.6 Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0",
)
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_6 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/17.6 Mobile/15E148 Safari/604.1"
)
CAMPAIGNS = (
    {},
    {"source": "google", "medium": "cpc", "name": "tea-season"},
    {"source": "newsletter", "medium": "email", "name": "november"},
)
MOBILE_BATCH = 6  # events a phone collects before it sends; a browser sends at once.
SHARE_OFFLINE = 0.08  # of phone batches wait for a network.
OFFLINE_S = (4.0, 12.0)
SHARE_RESENT = 0.03  # of batches are sent again: the answer was lost on the way.
CLOCK_ERROR_S = 40.0  # a phone's clock may be this wrong; the door takes it out again.


@dataclass(frozen=True)
class Batch:
    """One request's worth of events, ready to be sent after `delay_s`."""

    events: list[dict[str, Any]]
    clock_error_s: float
    """What the device's clock is ahead of the world's."""
    delay_s: float = 0.0
    is_repeated: bool = False

    def body(self, now_s: float) -> dict[str, Any]:
        """Return the request's body as it is at the instant of sending."""
        return {"batch": self.events, "sentAt": stamp(now_s + self.clock_error_s)}


class Sdk:
    """One device: Segment's event shapes, its own ids, its own clock."""

    def __init__(self, device_id: str, *, is_mobile: bool, seed: int) -> None:
        self._random = Random(seed)
        self._n = 0
        self._device_id = device_id
        self._is_mobile = is_mobile
        self._kept: list[dict[str, Any]] = []
        self._clock_error_s = self._random.uniform(-CLOCK_ERROR_S, CLOCK_ERROR_S) if is_mobile else 0.0
        self._campaign = self._random.choice(CAMPAIGNS)
        self._agent = PHONE if is_mobile else self._random.choice(AGENTS)
        self.anonymous_id = f"device-{device_id}"
        self.user_id: str | None = None

    def track(self, name: str, properties: dict[str, Any], *, at_s: float) -> None:
        """Note something the person did. A sign-up is an identify too, as Segment's guide has it."""
        if name == "Signed Up" and self.user_id:
            self.identify(self.user_id, properties, at_s=at_s)
        self._keep({"type": "track", "event": name, "properties": properties}, at_s)

    def page(self, name: str, *, at_s: float) -> None:
        """Note a page the person saw."""
        kind = "screen" if self._is_mobile else "page"
        self._keep({"type": kind, "name": name, "properties": {"title": name}}, at_s)

    def identify(self, user_id: str, traits: dict[str, Any], *, at_s: float) -> None:
        """Say who the person is; from now on events carry both ids."""
        self.user_id = user_id
        self._keep({"type": "identify", "traits": traits}, at_s)

    def flush(self, *, is_leaving: bool = False) -> list[Batch]:
        """Return the batches to send now: none, one, or one and its repetition."""
        if not self._kept or (self._is_mobile and not is_leaving and len(self._kept) < MOBILE_BATCH):
            return []
        is_offline = self._is_mobile and self._random.random() < SHARE_OFFLINE
        delay_s = self._random.uniform(*OFFLINE_S) if is_offline else 0.0
        batch = Batch(self._kept, self._clock_error_s, delay_s)
        self._kept = []
        if self._random.random() >= SHARE_RESENT:
            return [batch]
        return [batch, Batch(batch.events, self._clock_error_s, delay_s + 1.0, is_repeated=True)]

    def _keep(self, event: dict[str, Any], at_s: float) -> None:
        self._n += 1
        context: dict[str, Any] = {
            "library": {"name": "analytics-ios" if self._is_mobile else "analytics.js", "version": "4.1.0"},
            "userAgent": self._agent,
            "locale": "en-GB",
            "page": {"url": "https://shop.example/tea", "path": "/tea", "title": "Tea"},
        }
        if self._campaign:
            context["campaign"] = self._campaign
        event |= {
            "messageId": f"{self._device_id}-{self._n}",
            "anonymousId": self.anonymous_id,
            "timestamp": stamp(at_s + self._clock_error_s),
            "context": context,
        }
        if self.user_id is not None:
            event["userId"] = self.user_id
        self._kept.append(event)


def stamp(at_s: float) -> str:
    """Write an instant as SDKs do: ISO 8601, UTC, milliseconds."""
    return datetime.fromtimestamp(at_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
