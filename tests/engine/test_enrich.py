"""Enrichment: where a person came from, from what real SDKs send."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.engine.channels import CLICK_IDS
from sojourn.engine.enrich import CACHED_BYTES, FIELD_CHARS, NOTHING, Enrichment, enrich
from sojourn.engine.referrers import owner, site_of

SHOP = "https://shop.example.com/shoes"


def context(url: str = SHOP, referrer: str = "", **more: Any) -> bytes:
    """Make a browser's context."""
    return json.dumps({"page": {"url": url, "referrer": referrer}} | more).encode()


def test_a_whole_browser_context_is_read() -> None:
    """This is what analytics-next sends on a landing from an advertisement."""
    body = json.dumps(
        {
            "page": {
                "path": "/shoes",
                "referrer": "https://www.google.com/",
                "search": "?utm_source=google&utm_medium=cpc&gclid=abc",
                "title": "Red shoes",
                "url": SHOP + "?utm_source=google&utm_medium=cpc&gclid=abc",
            },
            "campaign": {
                "source": "google",
                "medium": "cpc",
                "name": "spring",
                "term": "shoes",
                "content": "a",
            },
            "locale": "en-GB",
            "timezone": "Europe/London",
            "library": {"name": "analytics.js", "version": "npm:next-1.60.0"},
            "userAgentData": {"brands": [{"brand": "Chrome", "version": "119"}], "mobile": False},
        }
    ).encode()
    assert enrich(body) == Enrichment(
        channel="paid_search",
        source="google",
        medium="cpc",
        campaign="spring",
        term="shoes",
        content="a",
        click_id="gclid",
        referrer_host="www.google.com",
        referrer_class="search",
        page_host="shop.example.com",
        page_path="/shoes",
        page_title="Red shoes",
        locale="en-GB",
        time_zone="Europe/London",
        library="analytics.js/npm:next-1.60.0",
    )


@pytest.mark.parametrize(
    ("query", "referrer", "channel", "source"),
    [
        ("", "", "direct", ""),
        ("", "https://shop.example.com/", "", ""),
        ("", "https://www.example.com/", "", ""),
        ("", "https://www.google.de/", "organic_search", "google"),
        ("", "https://www.google.co.uk/url?q=x", "organic_search", "google"),
        ("", "https://de.search.yahoo.com/", "organic_search", "yahoo"),
        ("", "android-app://com.google.android.googlequicksearchbox/", "organic_search", "google"),
        ("", "https://l.facebook.com/", "organic_social", "facebook"),
        ("", "https://t.co/abc", "organic_social", "twitter"),
        ("", "https://mail.google.com/", "email", "gmail"),
        ("", "https://gemini.google.com/", "ai", "gemini"),
        ("", "https://chatgpt.com/", "ai", "chatgpt"),
        ("", "https://docs.google.com/document", "referral", "google-docs"),
        ("", "https://googleads.g.doubleclick.net/", "display", "google-ads"),
        ("", "https://blog.partner.org/post", "referral", "blog.partner.org"),
        ("", "https://google.evil.com/", "referral", "google.evil.com"),
        ("utm_source=facebook&utm_medium=cpc", "", "paid_social", "facebook"),
        ("utm_source=fb&utm_medium=paid_social", "", "paid_social", "fb"),
        ("utm_source=bing&utm_medium=ppc", "", "paid_search", "bing"),
        ("utm_source=partner&utm_medium=cpc", "", "paid_other", "partner"),
        ("utm_source=partner&utm_medium=cpm", "", "display", "partner"),
        ("utm_source=partner&utm_medium=banner", "", "display", "partner"),
        ("utm_source=crm&utm_medium=Email", "https://www.google.com/", "email", "crm"),
        ("utm_source=newsletter", "", "email", "newsletter"),
        ("utm_source=p&utm_medium=affiliate", "", "affiliates", "p"),
        ("utm_source=app&utm_medium=push", "", "push", "app"),
        ("utm_source=app&utm_medium=sms", "", "sms", "app"),
        ("utm_source=chatgpt.com", "", "ai", "chatgpt.com"),
        ("utm_source=google", "", "organic_search", "google"),
        ("utm_source=x&utm_medium=social", "", "organic_social", "x"),
        ("utm_source=poster&utm_medium=qr", "", "other", "poster"),
        ("utm_campaign=spring", "", "other", ""),
        ("gclid=1", "", "paid_search", "google"),
        ("ttclid=1", "", "paid_social", "tiktok"),
        ("dclid=1", "", "display", "google-ads"),
        ("fbclid=1", "", "organic_social", "facebook"),
        ("fbclid=1&utm_medium=cpc", "", "paid_social", "facebook"),
        ("fbclid=1&gclid=2", "", "paid_search", "google"),
        ("mc_eid=1", "https://mail.yahoo.com/", "email", "mailchimp"),
        ("gclid=", "", "direct", ""),
    ],
)
def test_the_channel_follows_from_link_then_referrer(
    query: str, referrer: str, channel: str, source: str
) -> None:
    """Each line is one rule of the table at the head of `channels`."""
    seen = enrich(context(f"{SHOP}?{query}" if query else SHOP, referrer))
    assert (seen.channel, seen.source) == (channel, source)


@pytest.mark.parametrize("click_id", CLICK_IDS)
def test_every_click_id_is_known_by_its_kind_and_never_by_its_value(click_id: str) -> None:
    """A click id names a person: its value has no place in facts."""
    seen = enrich(context(f"{SHOP}?{click_id.upper()}=person-17"))
    assert seen.click_id == click_id
    assert "person-17" not in repr(seen)


def test_a_servers_event_has_no_channel() -> None:
    """It came from nowhere; calling it direct would make every server a marketing success."""
    seen = enrich(b'{"library": {"name": "analytics-python", "version": "2.3"}}')
    assert seen == Enrichment(library="analytics-python/2.3")


def test_percent_signs_and_pluses_are_read_as_browsers_write_them() -> None:
    """`spring+sale` and `spring%20sale` are one campaign."""
    assert enrich(context(SHOP + "?utm_campaign=spring+sale")).campaign == "spring sale"
    assert enrich(context(SHOP + "?utm_campaign=spr%C3%BCnge%20sale")).campaign == "sprünge sale"


def test_the_parsed_campaign_wins_over_the_link() -> None:
    """The SDK may keep the first touch's campaign while the address has moved on."""
    body = context(SHOP + "?utm_source=late", campaign={"source": "early"})
    assert enrich(body).source == "early"


def test_the_query_may_stand_apart_from_the_url() -> None:
    """Segment sends `page.search`; some proxies strip it from `page.url`."""
    body = json.dumps({"page": {"url": SHOP, "search": "?gclid=1"}}).encode()
    assert enrich(body).click_id == "gclid"


def test_the_referrer_may_stand_outside_the_page() -> None:
    """Segment's specification has `context.referrer`, as an object or as a string."""
    as_object = json.dumps(
        {"page": {"url": SHOP}, "referrer": {"type": "x", "url": "https://bing.com/"}}
    ).encode()
    as_string = json.dumps({"page": {"url": SHOP}, "referrer": "https://bing.com/"}).encode()
    assert enrich(as_object).channel == enrich(as_string).channel == "organic_search"


def test_a_page_events_properties_help_where_the_context_names_no_page() -> None:
    """A server's page call has its page in the properties only; PostHog has it there always."""
    properties = b'{"$current_url": "https://a.example/x?gclid=1", "$referrer": "$direct", "title": "X"}'
    seen = enrich(b'{"locale": "de"}', properties)
    assert (seen.page_host, seen.page_path, seen.page_title, seen.channel) == (
        "a.example",
        "/x",
        "X",
        "paid_search",
    )
    assert seen.locale == "de"


def test_properties_never_overrule_a_context_that_names_its_page() -> None:
    """Otherwise every event would cost a second decode."""
    assert enrich(context(), b'{"url": "https://other.example/"}').page_host == "shop.example.com"


@pytest.mark.parametrize(
    ("url", "host", "path"),
    [
        ("https://user:secret@Shop.Example.com:8443/a/b?x#y", "shop.example.com", "/a/b"),
        ("https://[::1]:80/a", "[::1]", "/a"),
        ("//cdn.example.com/a", "cdn.example.com", "/a"),
        ("example.com/a", "example.com", "/a"),
        ("/only/a/path?x=1", "", "/only/a/path"),
        ("http://localhost:3000/", "localhost", "/"),
        ("https://example.com", "example.com", "/"),
        ("about:blank", "", ""),
    ],
)
def test_addresses_are_cut_into_host_and_path(url: str, host: str, path: str) -> None:
    """Secrets, ports and fragments are no part of a page."""
    seen = enrich(context(url))
    assert (seen.page_host, seen.page_path) == (host, path)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"7",
        b'"x"',
        b"{",
        b'{"page": "\xff"}',
        b'{"a":' * 9000,
        b'{"page": {"url": "\\ud800"}}',
    ],
)
def test_what_nobody_can_read_is_nothing(body: bytes) -> None:
    """Enrichment is a help; it refuses no event."""
    assert enrich(body) == enrich(body, body) == NOTHING


def test_wrong_types_cost_only_themselves() -> None:
    """A number for a campaign is text; a list for a page is nothing; the rest stays."""
    body = json.dumps(
        {
            "page": {"url": ["x"], "title": 7, "referrer": None},
            "campaign": {"source": 17, "medium": True},
            "locale": {"a": 1},
            "library": "x",
            "timezone": "UTC",
        }
    ).encode()
    assert enrich(body) == Enrichment(channel="other", source="17", page_title="7", time_zone="UTC")


def test_long_values_are_cut() -> None:
    """Everything has a bound, and facts keep these strings for years."""
    seen = enrich(context(SHOP + "?utm_source=" + "s" * 9_000 + "&utm_campaign=" + "c" * 9_000))
    assert (len(seen.source), len(seen.campaign)) == (FIELD_CHARS, FIELD_CHARS)


def test_a_context_too_large_for_the_cache_is_read_all_the_same() -> None:
    """The cache is bounded in bytes, not only in entries."""
    assert enrich(context(more="x" * CACHED_BYTES)).page_host == "shop.example.com"


@pytest.mark.parametrize(
    ("host", "registered"),
    [
        ("shop.example.co.uk", "example.co.uk"),
        ("a.b.example.com", "example.com"),
        ("example.com", "example.com"),
        ("ann.github.io", "ann.github.io"),
        ("192.168.1.10", "192.168.1.10"),
        ("localhost", "localhost"),
    ],
)
def test_the_owner_of_a_host_is_who_registered_it(host: str, registered: str) -> None:
    """Two customers of one hoster are two sites; two hosts of one shop are one."""
    assert owner(host) == registered


def test_a_more_exact_host_wins() -> None:
    """Mail, documents and search live under one name."""
    kinds = {host: site_of(host) for host in ("mail.google.com", "www.google.com", "docs.google.com")}
    assert [site.kind for site in kinds.values() if site] == ["email", "search", "other"]


TEXT = st.text(max_size=30)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
URLS = st.one_of(
    ANYTHING,
    st.builds(
        "{}://{}/{}?{}={}".format,
        TEXT,
        TEXT,
        TEXT,
        st.sampled_from(["utm_source", "utm_medium", "gclid"]),
        TEXT,
    ),
)
PARTS = st.fixed_dictionaries(
    {},
    optional={
        "page": st.dictionaries(st.sampled_from(["url", "path", "title", "referrer", "search"]), URLS)
        | ANYTHING,
        "campaign": st.dictionaries(st.sampled_from(["source", "medium", "name"]), URLS) | ANYTHING,
        "referrer": ANYTHING,
        "locale": ANYTHING,
        "library": ANYTHING,
    },
)


@given(
    st.one_of(st.binary(), ANYTHING.map(json.dumps).map(str.encode), PARTS.map(json.dumps).map(str.encode))
)
def test_enrichment_never_raises_and_always_answers_the_same(body: bytes) -> None:
    """Bytes come from strangers, and replay must see what live saw."""
    first = enrich(body, body)
    assert enrich(bytes(bytearray(body)), body) == first
    assert all(len(text) <= FIELD_CHARS for text in msgspec.structs.astuple(first))
