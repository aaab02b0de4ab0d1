"""Referrers: the well-known hosts people come from, and what kind of place each is.

The tables are from public knowledge of the services themselves. A host that is not here is a plain referral.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

SiteClass = Literal["search", "social", "email", "ai", "paid", "other"]


class Site(Struct, frozen=True):
    """A place people come from."""

    name: str
    kind: SiteClass


# name: hosts, each with all hosts below it. A more exact host wins over a shorter one.
_SEARCH = {
    "aol": "search.aol.com",
    "ask": "ask.com",
    "baidu": "baidu.com",
    "bing": "bing.com cn.bing.com",
    "brave": "search.brave.com",
    "coccoc": "coccoc.com",
    "daum": "search.daum.net",
    "dogpile": "dogpile.com",
    "duckduckgo": "duckduckgo.com",
    "ecosia": "ecosia.org",
    "google": "com.google.android.googlequicksearchbox com.google.android.apps.searchlite",
    "haosou": "so.com haosou.com",
    "kagi": "kagi.com",
    "lycos": "search.lycos.com",
    "marginalia": "search.marginalia.nu marginalia-search.com",
    "metager": "metager.org metager.de",
    "mojeek": "mojeek.com",
    "msn": "msn.com",
    "naver": "search.naver.com m.search.naver.com",
    "petal": "petalsearch.com",
    "presearch": "presearch.com",
    "qwant": "qwant.com",
    "rambler": "nova.rambler.ru",
    "searx": "searx.be",
    "seznam": "search.seznam.cz",
    "shenma": "sm.cn",
    "sogou": "sogou.com",
    "startpage": "startpage.com",
    "swisscows": "swisscows.com",
    "yahoo": "search.yahoo.com search.yahoo.co.jp",
    "yandex": "ya.ru",
    "yep": "yep.com",
    "you": "you.com",
}
_SOCIAL = {
    "bluesky": "bsky.app go.bsky.app",
    "discord": "discord.com discordapp.com",
    "facebook": "facebook.com fb.com fb.me m.me messenger.com com.facebook.katana com.facebook.orca",
    "hackernews": "news.ycombinator.com",
    "instagram": "instagram.com com.instagram.android",
    "kakao": "story.kakao.com",
    "line": "line.me",
    "linkedin": "linkedin.com lnkd.in com.linkedin.android",
    "lobsters": "lobste.rs",
    "mastodon": "mastodon.social mastodon.online mstdn.social fosstodon.org",
    "medium": "medium.com",
    "meetup": "meetup.com",
    "nextdoor": "nextdoor.com",
    "ok": "ok.ru odnoklassniki.ru",
    "pinterest": "pinterest.com pin.it com.pinterest",
    "producthunt": "producthunt.com",
    "quora": "quora.com",
    "reddit": "reddit.com redd.it com.reddit.frontpage",
    "slack": "slack.com com.slack",
    "snapchat": "snapchat.com com.snapchat.android",
    "stackoverflow": "stackoverflow.com stackexchange.com",
    "substack": "substack.com",
    "telegram": "t.me telegram.org web.telegram.org org.telegram.messenger",
    "threads": "threads.net threads.com",
    "tiktok": "tiktok.com com.zhiliaoapp.musically",
    "tumblr": "tumblr.com",
    "twitch": "twitch.tv",
    "twitter": "twitter.com t.co x.com com.twitter.android",
    "viber": "viber.com",
    "vimeo": "vimeo.com",
    "vk": "vk.com vk.ru away.vk.com",
    "wechat": "wechat.com weixin.qq.com",
    "weibo": "weibo.com weibo.cn",
    "whatsapp": "whatsapp.com wa.me com.whatsapp",
    "xing": "xing.com",
    "youtube": "youtube.com youtu.be com.google.android.youtube",
    "zhihu": "zhihu.com",
}
_EMAIL = {
    "163mail": "mail.163.com",
    "aolmail": "mail.aol.com",
    "fastmail": "fastmail.com app.fastmail.com",
    "gmail": "mail.google.com inbox.google.com com.google.android.gm",
    "gmx": "gmx.com gmx.net gmx.de",
    "icloud": "icloud.com",
    "mailru": "e.mail.ru",
    "naver-mail": "mail.naver.com",
    "orange-mail": "messagerie.orange.fr",
    "outlook": "outlook.com outlook.live.com outlook.office.com outlook.office365.com hotmail.com",
    "proton": "mail.proton.me mail.protonmail.com",
    "qqmail": "mail.qq.com",
    "rediff": "mail.rediff.com",
    "seznam-mail": "email.seznam.cz",
    "tuta": "app.tuta.com mail.tutanota.com",
    "webde": "web.de",
    "yahoo-mail": "mail.yahoo.com mail.yahoo.co.jp",
    "yandex-mail": "mail.yandex.ru mail.yandex.com",
    "zoho": "mail.zoho.com mail.zoho.eu",
}
_AI = {
    "chatgpt": "chatgpt.com chat.openai.com com.openai.chatgpt",
    "claude": "claude.ai",
    "copilot": "copilot.microsoft.com copilot.cloud.microsoft",
    "deepseek": "chat.deepseek.com",
    "doubao": "doubao.com",
    "gemini": "gemini.google.com bard.google.com",
    "grok": "grok.com",
    "kimi": "kimi.com kimi.moonshot.cn",
    "lechat": "chat.mistral.ai",
    "meta-ai": "meta.ai",
    "notebooklm": "notebooklm.google.com",
    "perplexity": "perplexity.ai",
    "phind": "phind.com",
    "poe": "poe.com",
    "qwen": "chat.qwen.ai",
}
_PAID = {
    "adroll": "adroll.com",
    "amazon-ads": "amazon-adsystem.com",
    "bing-ads": "bat.bing.com",
    "criteo": "criteo.com criteo.net",
    "google-ads": "doubleclick.net googleadservices.com googlesyndication.com adservice.google.com",
    "outbrain": "outbrain.com",
    "taboola": "taboola.com",
    "teads": "teads.tv",
    "yandex-ads": "an.yandex.ru",
}
# Parts of a search engine's house that are not its search.
_OTHER = {
    "google-accounts": "accounts.google.com",
    "google-docs": "docs.google.com drive.google.com sites.google.com classroom.google.com",
    "google-news": "news.google.com",
    "google-pay": "pay.google.com payments.google.com",
    "google-translate": "translate.google.com translate.goog",
    "microsoft-login": "login.microsoftonline.com login.live.com",
}

# Engines under many top-level domains (google.de, google.co.uk): known by the name before the public suffix.
_SEARCH_BRANDS = frozenset({"google", "yahoo", "yandex", "bing"})
_SEARCH_PREFIXES = frozenset({"", "www", "m", "images", "cse", "ipv4", "ipv6"})

# Two-label public suffixes: under a country's two letters these second labels are not names of owners.
_SECOND_LEVEL = frozenset(
    {"ac", "co", "com", "edu", "go", "gob", "gov", "gv", "me", "ne", "net", "or", "org"}
)
# Hosting where each customer is a site of its own.
_SHARED_HOSTING = frozenset(
    [
        "appspot.com",
        "azurewebsites.net",
        "blogspot.com",
        "cloudfront.net",
        "firebaseapp.com",
        "fly.dev",
        "github.io",
        "gitlab.io",
        "herokuapp.com",
        "myshopify.com",
        "netlify.app",
        "onrender.com",
        "pages.dev",
        "vercel.app",
        "web.app",
        "webflow.io",
        "wixsite.com",
        "wordpress.com",
        "workers.dev",
    ]
)

_SOURCE_NAMES = {
    "adwords": "google",
    "fb": "facebook",
    "ig": "instagram",
    "insta": "instagram",
    "meta": "facebook",
    "openai": "chatgpt",
    "tt": "tiktok",
    "x": "twitter",
    "yt": "youtube",
}
"""What authors of links write for the names above."""


def _table() -> dict[str, Site]:
    kinds: list[tuple[SiteClass, dict[str, str]]] = [
        ("search", _SEARCH),
        ("social", _SOCIAL),
        ("email", _EMAIL),
        ("ai", _AI),
        ("paid", _PAID),
        ("other", _OTHER),
    ]
    return {
        host: Site(name, kind)
        for kind, sites in kinds
        for name, hosts in sites.items()
        for host in hosts.split()
    }


_SITES = _table()
_BRANDS = {name: Site(name, "search") for name in _SEARCH_BRANDS}
_BY_NAME = {site.name: site for site in _SITES.values()} | _BRANDS


def owner(host: str) -> str:
    """Return the part of a host that one owner registered: `example.co.uk` of `shop.example.co.uk`.

    Approximates the public-suffix list: it knows two-label country suffixes and large shared hosts;
    an address (`10.0.0.1`, `[::1]`) or a single label is its own owner.
    """
    labels = host.split(".")
    if len(labels) <= 2 or labels[-1].isdigit() or host.startswith("["):
        return host
    is_country = len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVEL
    if is_country or ".".join(labels[-2:]) in _SHARED_HOSTING:
        return ".".join(labels[-3:])
    return ".".join(labels[-2:])


def site_of(host: str) -> Site | None:
    """Return the well-known place a host (lower case) belongs to; None where it is not known."""
    if not host:
        return None
    rest = host
    while rest:
        site = _SITES.get(rest)
        if site is not None:
            return site
        rest = rest.partition(".")[2]
    return _search_brand(host)


def site_named(source: str) -> Site | None:
    """Return the place a `utm_source` (lower case: a name or a host) means; None where it is not known."""
    return _BY_NAME.get(_SOURCE_NAMES.get(source, source)) or (site_of(source) if "." in source else None)


def _search_brand(host: str) -> Site | None:
    registered = owner(host)
    brand = registered.partition(".")[0]
    if brand not in _SEARCH_BRANDS:
        return None
    prefix = host[: -len(registered)].rstrip(".")
    if prefix in _SEARCH_PREFIXES or prefix.endswith("search"):
        return _BRANDS[brand]
    return None
