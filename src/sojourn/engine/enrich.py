"""Enrichment: what an event's context says of where the person came from and where they are.

Pure and cached by value: the same bytes always give the same answer; unreadable ones give an empty answer.
What a channel means stands in `channels`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, TypeVar
from urllib.parse import unquote_plus

import msgspec
from msgspec import Struct, field

from sojourn.engine.channels import CLICK_IDS, Channel, Link, ReferrerClass, channel_of
from sojourn.engine.referrers import Site, owner, site_of

FIELD_CHARS = 512
"""A longer value is cut: links of real campaigns stay under 300."""
MAX_CATEGORIES = 100  # of consent, in one event: more than any banner shows.
CACHED_BYTES = 4096  # A browser's context is 500-1,500 bytes; larger ones are rarely seen twice.
CACHE_ENTRIES = 4096  # With CACHED_BYTES: at most about 16 MB of keys.


class Enrichment(Struct, frozen=True, kw_only=True, gc=False):
    """What the context says; an empty string where it says nothing."""

    channel: Channel = ""
    source: str = ""
    """`utm_source` as given, else the name of the advertiser or referrer, else the referrer's host."""
    medium: str = ""
    campaign: str = ""
    term: str = ""
    content: str = ""
    click_id: str = ""
    """Which kind of click id the link carried (`gclid`), not its value: that names a person."""
    referrer_host: str = ""
    referrer_class: ReferrerClass = ""
    page_host: str = ""
    page_path: str = ""
    page_title: str = ""
    locale: str = ""
    time_zone: str = ""
    library: str = ""
    """The SDK, as `name/version`."""
    consent: tuple[tuple[str, bool], ...] = ()
    """What the person allows, by category (`consent.categoryPreferences` of the Segment spec)."""


NOTHING = Enrichment()


def enrich(context: bytes, properties: bytes | None = None) -> Enrichment:
    """Read what an event's context says of its origin and its page; never raises.

    `context` is a JSON object in Segment's shape. `properties` (a page event's) are looked at only where the
    context names no page; leave them out for other events, they only cost time.
    """
    known = _of_context(context) if len(context) <= CACHED_BYTES else _of_context.__wrapped__(context)
    if properties is None or known.page_host or known.page_path:
        return known
    return _with_properties(context, properties)


@lru_cache(maxsize=CACHE_ENTRIES)
def _of_context(context: bytes) -> Enrichment:
    seen = _read(context, None)
    return _judge(seen) if seen is not None else NOTHING


def _with_properties(context: bytes, properties: bytes) -> Enrichment:
    seen = _read(context, properties)
    return _judge(seen) if seen is not None else NOTHING


# -- Reading: only the parts we ask for are decoded.


class _Campaign(Struct, gc=False):
    source: str | None = None
    medium: str | None = None
    name: str | None = None
    term: str | None = None
    content: str | None = None


class _Page(Struct, gc=False):
    url: str | None = None
    path: str | None = None
    title: str | None = None
    referrer: str | None = None
    search: str | None = None


class _Referrer(Struct, gc=False):
    url: str | None = None


class _Library(Struct, gc=False):
    name: str | None = None
    version: str | None = None


class _Context(Struct, gc=False):
    campaign: _Campaign | None = None
    page: _Page | None = None
    referrer: _Referrer | str | None = None
    locale: str | None = None
    timezone: str | None = None
    library: _Library | None = None
    consent: Any = None


class _Properties(Struct, gc=False):
    """A page event's properties: Segment's names, and PostHog's with a dollar."""

    url: str | None = None
    path: str | None = None
    title: str | None = None
    referrer: str | None = None
    search: str | None = None
    current_url: str | None = field(name="$current_url", default=None)
    pathname: str | None = field(name="$pathname", default=None)
    posthog_referrer: str | None = field(name="$referrer", default=None)
    utm_source: str | None = None
    utm_medium: str | None = None
    utm_campaign: str | None = None
    utm_term: str | None = None
    utm_content: str | None = None


class _Seen(Struct, frozen=True, gc=False):
    """The strings that a judgement rests on."""

    url: str
    path: str
    title: str
    referrer: str
    search: str
    source: str
    medium: str
    campaign: str
    term: str
    content: str
    locale: str
    time_zone: str
    library: str
    consent: tuple[tuple[str, bool], ...]


_CONTEXT = msgspec.json.Decoder(_Context)
_PROPERTIES = msgspec.json.Decoder(_Properties)
_ANY = msgspec.json.Decoder()
_NO_PROPERTIES = _Properties()


def _read(context: bytes, properties: bytes | None) -> _Seen | None:
    about = _decode(_CONTEXT, _Context, context)
    if about is None and properties is None:
        return None
    about = about if about is not None else _Context()
    page = about.page or _Page()
    campaign = about.campaign or _Campaign()
    library = about.library or _Library()
    referrer = about.referrer.url if isinstance(about.referrer, _Referrer) else about.referrer
    more = _decode(_PROPERTIES, _Properties, properties) if properties is not None else None
    more = more or _NO_PROPERTIES
    return _Seen(
        url=page.url or more.url or more.current_url or "",
        path=page.path or more.path or more.pathname or "",
        title=page.title or more.title or "",
        referrer=page.referrer or referrer or more.referrer or more.posthog_referrer or "",
        search=page.search or more.search or "",
        source=campaign.source or more.utm_source or "",
        medium=campaign.medium or more.utm_medium or "",
        campaign=campaign.name or more.utm_campaign or "",
        term=campaign.term or more.utm_term or "",
        content=campaign.content or more.utm_content or "",
        locale=about.locale or "",
        time_zone=about.timezone or "",
        library="/".join(filter(None, (library.name, library.version))),
        consent=_preferences(about.consent) if about.consent is not None else (),
    )


def _preferences(said: Any) -> tuple[tuple[str, bool], ...]:
    preferences = said.get("categoryPreferences") if isinstance(said, dict) else None
    if not isinstance(preferences, dict):
        return ()
    several = [(name, granted) for name, granted in preferences.items() if isinstance(granted, bool)]
    return tuple(several[:MAX_CATEGORIES])


T = TypeVar("T")


def _decode(decoder: msgspec.json.Decoder[T], kind: type[T], body: bytes) -> T | None:
    try:
        return decoder.decode(body)
    except msgspec.ValidationError:
        return _decode_leniently(kind, body)
    except (ValueError, RecursionError):  # Not JSON, not UTF-8, or nested beyond reason.
        return None


_OBJECTS = frozenset({"campaign", "page", "referrer", "library"})


def _decode_leniently(kind: type[T], body: bytes) -> T | None:
    """Keep what has the right type, write numbers as text, and drop the rest."""
    try:
        given = _ANY.decode(body)
        if not isinstance(given, dict):
            return None
        objects = _OBJECTS if kind is _Context else frozenset()
        kept: dict[str, Any] = {}
        for name, value in given.items():
            if name == "consent":
                kept[name] = value
            elif isinstance(value, dict):
                if name in objects:
                    kept[name] = _texts(value)
            elif name not in objects or name == "referrer":
                kept |= _texts({name: value})
        return msgspec.convert(kept, kind)
    except (ValueError, RecursionError):
        return None


def _texts(given: dict[str, Any]) -> dict[str, str]:
    texts = {name: value for name, value in given.items() if isinstance(value, str)}
    numbers = {
        name: str(value)
        for name, value in given.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    return texts | numbers


# -- Judging.

_RANKS = {name: rank for rank, name in enumerate(CLICK_IDS)}
_UTM = frozenset({"utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content"})
_QUERY_PARTS = 100  # A link with more parameters than this is not a link somebody wrote.


def _judge(seen: _Seen) -> Enrichment:
    page_host, path, query = _split(seen.url)
    asked = _asked(query or seen.search.removeprefix("?"))
    click_id = min(_RANKS.keys() & asked.keys(), key=_RANKS.__getitem__, default="") if asked else ""
    source = _cut(seen.source or asked.get("utm_source", ""))
    medium = _cut(seen.medium or asked.get("utm_medium", ""))
    campaign = _cut(seen.campaign or asked.get("utm_campaign", ""))
    referrer_host = _split(seen.referrer)[0] if seen.referrer else ""
    referrer = site_of(referrer_host)
    referrer_class = _referrer_class(referrer_host, referrer, page_host)
    page_path = _cut(path or seen.path)
    if referrer_class == "direct" and not (page_host or page_path):
        referrer_class = ""  # Not on a page: a server's event came from nowhere, not directly.
    link = Link(source.lower(), medium.lower(), bool(source or medium or campaign), click_id)
    return Enrichment(
        channel=channel_of(link, referrer_class),
        source=source or _source(click_id, referrer_class, referrer, referrer_host),
        medium=medium,
        campaign=campaign,
        term=_cut(seen.term or asked.get("utm_term", "")),
        content=_cut(seen.content or asked.get("utm_content", "")),
        click_id=click_id,
        referrer_host=referrer_host,
        referrer_class=referrer_class,
        page_host=page_host,
        page_path=page_path,
        page_title=_cut(seen.title),
        locale=_cut(seen.locale),
        time_zone=_cut(seen.time_zone),
        library=_cut(seen.library),
        consent=seen.consent,
    )


def _cut(text: str) -> str:
    return text.strip()[:FIELD_CHARS]


def _split(url: str) -> tuple[str, str, str]:
    """Return (host, path, query) of a URL as browsers write it; urllib's parser costs five times as much."""
    rest, _, query = url.partition("#")[0].partition("?")
    _, scheme, after = rest.partition("//")
    if scheme:
        rest = after
    authority, slash, path = rest.partition("/")
    host = authority.rpartition("@")[2].strip().lower()
    host = host.partition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0].rstrip(".")
    if not scheme and "." not in host:
        return "", rest if slash and not host else "", query
    return host[:FIELD_CHARS], "/" + path, query


def _asked(query: str) -> dict[str, str]:
    """Return the parameters of a query that say something of its origin, by name in lower case."""
    asked: dict[str, str] = {}
    for part in query.split("&", _QUERY_PARTS) if query else ():
        name, _, value = part.partition("=")
        name = name.lower()
        if value and (name in _UTM or name in CLICK_IDS) and name not in asked:
            asked[name] = unquote_plus(value) if "%" in value or "+" in value else value
    return asked


def _referrer_class(host: str, site: Site | None, page_host: str) -> ReferrerClass:
    if not host:
        return "direct"
    if page_host and owner(host) == owner(page_host):
        return "internal"
    return site.kind if site is not None else "other"


def _source(click_id: str, referrer_class: ReferrerClass, site: Site | None, host: str) -> str:
    """Return a name for where the person came from, where the link's author gave none."""
    if click_id:
        return CLICK_IDS[click_id][0]
    if referrer_class in ("internal", "direct", ""):
        return ""
    return site.name if site is not None else host
