"""Channels: by which kind of road a person came.

The channel, first rule that fits (names and order after GA4's default channel groups, made shorter):

1. the link's `utm_medium`: email, affiliates, sms, push, display; a paid medium (`cpc`, `ppc`, `paid...`) is
   `paid_search` or `paid_social` by its source, else `paid_other`; organic, social, referral as they say;
2. an advertiser's click id (`gclid`, `msclkid`, `ttclid`, ...) or a mailer's (`mc_eid`, `_kx`, ...);
3. the link's `utm_source`, where it names a well-known place; other links with a campaign are `other`;
4. the referrer: search, social, AI assistant, email, advertising, else `referral`; one's own site is ``;
5. a page without any of these is `direct`; an event without a page (a server's) has no channel: ``.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from sojourn.engine.referrers import Site, site_named

Channel = Literal[
    "paid_search",
    "paid_social",
    "paid_other",
    "display",
    "organic_search",
    "organic_social",
    "ai",
    "email",
    "affiliates",
    "sms",
    "push",
    "referral",
    "other",
    "direct",
    "",
]
ReferrerClass = Literal["search", "social", "email", "ai", "paid", "other", "internal", "direct", ""]


class Link(Struct, frozen=True, gc=False):
    """What the link that was followed says."""

    source: str
    """`utm_source`, lower case."""
    medium: str
    """`utm_medium`, lower case."""
    has_campaign: bool
    click_id: str
    """A name in CLICK_IDS, or empty."""


CLICK_IDS: dict[str, tuple[str, Channel]] = {
    # Google, Microsoft, Yandex: search ads; dclid: display ads.
    "gclid": ("google", "paid_search"),
    "gbraid": ("google", "paid_search"),
    "wbraid": ("google", "paid_search"),
    "gad_source": ("google", "paid_search"),
    "msclkid": ("bing", "paid_search"),
    "yclid": ("yandex", "paid_search"),
    "dclid": ("google-ads", "display"),
    # Social networks' ads.
    "ttclid": ("tiktok", "paid_social"),
    "li_fat_id": ("linkedin", "paid_social"),
    "twclid": ("twitter", "paid_social"),
    "sccid": ("snapchat", "paid_social"),
    "rdt_cid": ("reddit", "paid_social"),
    "qclid": ("quora", "paid_social"),
    # Affiliate networks: Impact, CJ, Awin.
    "irclickid": ("impact", "affiliates"),
    "cjevent": ("cj", "affiliates"),
    "awc": ("awin", "affiliates"),
    # Mailers: Mailchimp, Klaviyo, HubSpot, Marketo.
    "mc_eid": ("mailchimp", "email"),
    "mc_cid": ("mailchimp", "email"),
    "_kx": ("klaviyo", "email"),
    "_hsenc": ("hubspot", "email"),
    "mkt_tok": ("marketo", "email"),
    # Put on every outgoing link, paid or not: they say where, not that it was paid.
    "fbclid": ("facebook", "organic_social"),
    "igshid": ("instagram", "organic_social"),
    "igsh": ("instagram", "organic_social"),
    "epik": ("pinterest", "organic_social"),
    "srsltid": ("google", "organic_search"),
}
"""Click id (lower case) -> (source, channel); where a link carries several, the first one here counts."""

_MEDIUMS: dict[str, Channel] = {
    **dict.fromkeys(("email", "e-mail", "e_mail", "e mail", "newsletter"), "email"),
    **dict.fromkeys(("affiliate", "affiliates"), "affiliates"),
    **dict.fromkeys(("sms", "mms"), "sms"),
    **dict.fromkeys(("push", "webpush", "web-push", "web_push", "notification"), "push"),
    **dict.fromkeys(("display", "banner", "expandable", "interstitial"), "display"),
    **dict.fromkeys(("social", "sm", "social-network", "social network"), "organic_social"),
    **dict.fromkeys(("social-media", "social media", "organic-social", "organic_social"), "organic_social"),
}
_SOURCES: dict[str, Channel] = {
    name: channel for name, channel in _MEDIUMS.items() if channel in ("email", "sms")
}
_BY_KIND: dict[str, Channel] = {
    "search": "organic_search",
    "social": "organic_social",
    "email": "email",
    "ai": "ai",
    "paid": "display",
    "other": "referral",
}
_PAID_BY_KIND: dict[str, Channel] = {"search": "paid_search", "social": "paid_social", "paid": "display"}
_PAID_OF: dict[Channel, Channel] = {"organic_search": "paid_search", "organic_social": "paid_social"}


def channel_of(link: Link, referrer_class: ReferrerClass) -> Channel:
    """Say by which channel the person came."""
    site = site_named(link.source) if link.source else None
    clicked: Channel = CLICK_IDS[link.click_id][1] if link.click_id else ""
    by_medium = _channel_of_medium(link.medium, site, clicked) if link.medium else ""
    if by_medium or clicked:
        return by_medium or clicked
    if link.has_campaign:
        return _BY_KIND[site.kind] if site is not None else _SOURCES.get(link.source, "other")
    if referrer_class in ("internal", "direct", ""):
        return "direct" if referrer_class == "direct" else ""
    return _BY_KIND[referrer_class]


def _channel_of_medium(medium: str, site: Site | None, clicked: Channel) -> Channel:
    if medium in _MEDIUMS:
        return _MEDIUMS[medium]
    if "cp" in medium or medium in ("ppc", "retargeting") or medium.startswith("paid"):
        by_source = _PAID_BY_KIND.get(site.kind) if site is not None else _PAID_OF.get(clicked, clicked)
        return by_source or ("display" if medium == "cpm" else "paid_other")
    if medium == "organic":
        return _BY_KIND[site.kind] if site is not None else "organic_search"
    if medium in ("referral", "app", "link"):
        return _BY_KIND[site.kind] if site is not None else "referral"
    return ""
