"""Lookups: what user agents and addresses say of people."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from sojourn.adapters.lookups import CACHED_ADDRESSES, CACHED_USER_AGENTS, LocalLookups
from sojourn.model.errors import ConfigError
from sojourn.model.event import Device, Geo

CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/119.0.0.0"


@pytest.fixture(scope="module")
def lookups() -> LocalLookups:
    """Lookups without a database; the tables are loaded once."""
    return LocalLookups()


@pytest.mark.parametrize(
    ("user_agent", "device"),
    [
        (
            f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {CHROME} Safari/537.36",
            Device(browser="Chrome", os="Mac OS X", kind="desktop"),
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:120.0) Gecko/20100101 Firefox/120.0",
            Device(browser="Firefox", os="Windows", kind="desktop"),
        ),
        (
            f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {CHROME} Safari/537.36",
            Device(browser="Chrome", os="Chrome OS", kind="desktop"),
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 16_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
            "Version/16.5 Mobile/15E148 Safari/604.1",
            Device(browser="Mobile Safari", os="iOS", kind="mobile"),
        ),
        (
            "Mozilla/5.0 (iPad; CPU OS 15_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
            "Version/15.5 Mobile/15E148 Safari/604.1",
            Device(browser="Mobile Safari", os="iOS", kind="tablet"),
        ),
        (
            f"Mozilla/5.0 (Linux; Android 12; SM-X200) {CHROME} Safari/537.36",
            Device(browser="Chrome", os="Android", kind="tablet"),
        ),
        (
            "Mozilla/5.0 (SMART-TV; Linux; Tizen 5.0) AppleWebKit/538.1 (KHTML, like Gecko) TV Safari/538.1",
            Device(browser="Safari", os="Tizen", kind="tv"),
        ),
        ("analytics-python/2.3.2", Device()),
        ("okhttp/4.9.0", Device(browser="okhttp")),
    ],
)
def test_devices_are_told_apart(lookups: LocalLookups, user_agent: str, device: Device) -> None:
    """Desktop, telephone, tablet, television, and a server's SDK that is none of them."""
    assert lookups.device(user_agent) == device


@pytest.mark.parametrize(
    "user_agent",
    [
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.0; +https://openai.com/gptbot)",
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/119.0.0.0",
        f"Mozilla/5.0 (Linux; Android 11; moto g power) {CHROME} Mobile Safari/537.36 Chrome-Lighthouse",
        "curl/8.1.2",
    ],
)
def test_bots_are_known(lookups: LocalLookups, user_agent: str) -> None:
    """Also those that `bot|crawler|spider` misses."""
    device = lookups.device(user_agent)
    assert device is not None
    assert (device.is_bot, device.kind) == (True, "bot")


def test_a_telephone_whose_name_sounds_like_a_bot_is_none(lookups: LocalLookups) -> None:
    """CUBOT makes telephones; a well-known gateway drops their owners."""
    assert lookups.device(
        f"Mozilla/5.0 (Linux; Android 9; CUBOT_X19) {CHROME} Mobile Safari/537.36"
    ) == Device(browser="Chrome Mobile", os="Android", kind="mobile")


def test_without_a_user_agent_nothing_is_known(lookups: LocalLookups) -> None:
    """Servers send none."""
    assert lookups.device("") is None


def test_garbage_is_some_other_device(lookups: LocalLookups) -> None:
    """Strangers write this header."""
    for user_agent in ("\x00", "ü" * 100_000, "(" * 5_000, "Mozilla/5.0 " + "a.b;" * 3_000):
        device = lookups.device(user_agent)
        assert device is not None
        assert len(device.browser) <= 128


def test_caches_are_bounded(lookups: LocalLookups) -> None:
    """Anybody may send a new user agent with every event."""
    assert lookups._cached_device.cache_parameters()["maxsize"] == CACHED_USER_AGENTS
    assert lookups._cached_geo.cache_parameters()["maxsize"] == CACHED_ADDRESSES


BERLIN = {
    "country": {"iso_code": "DE", "names": {"en": "Germany", "de": "Deutschland"}},
    "subdivisions": [{"iso_code": "BE", "names": {"en": "Land Berlin"}}],
    "city": {"names": {"en": "Berlin", "ru": "Берлин"}},
    "location": {"time_zone": "Europe/Berlin", "latitude": 52.5},
}
PLACES = {
    "1.2.3.0/24": BERLIN,
    "1.2.4.0/24": {"country": {"iso_code": "FR"}},
    "1.2.5.0/24": {
        "country": "US",
        "region": "California",
        "city": "Oakland",
        "timezone": "America/Los_Angeles",
    },
    "1.2.6.0/24": {"country": "United States", "country_code": "US"},
    "1.2.7.0/24": {"traits": {"is_anonymous_proxy": True}},
    "1.2.8.0/24": {"country": 7, "subdivisions": [3], "city": {"names": 4}, "location": 5},
    "2001:db8::/48": BERLIN,
}


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A small database in MaxMind's format."""
    writer = MMDBWriter(6, "Test-City", ipv4_compatible=True)
    for network, record in PLACES.items():
        writer.insert_network(IPSet([network]), record)
    writer.to_db_file(str(tmp_path / "places.mmdb"))
    return tmp_path / "places.mmdb"


@pytest.mark.parametrize(
    ("ip", "geo"),
    [
        ("1.2.3.4", Geo(country="DE", region="BE", city="Berlin", time_zone="Europe/Berlin")),
        ("1.2.3.0", Geo(country="DE", region="BE", city="Berlin", time_zone="Europe/Berlin")),
        ("2001:db8::", Geo(country="DE", region="BE", city="Berlin", time_zone="Europe/Berlin")),
        ("1.2.4.9", Geo(country="FR")),
        ("1.2.5.9", Geo(country="US", region="California", city="Oakland", time_zone="America/Los_Angeles")),
        ("1.2.6.9", Geo(country="US")),
        ("1.2.7.9", None),
        ("1.2.8.9", None),
        ("9.9.9.9", None),
        ("", None),
        ("not an address", None),
        ("1.2.3.4, 5.6.7.8", None),
        ("1" * 9_999, None),
    ],
)
def test_an_address_is_somewhere_or_nowhere(database: Path, ip: str, geo: Geo | None) -> None:
    """Also when it was truncated at the door, and never an error: strangers write X-Forwarded-For."""
    lookups = LocalLookups(database)
    assert lookups.geo(ip) == geo
    lookups.close()


def test_without_a_database_nobody_is_anywhere() -> None:
    """The operator brings it, or does not."""
    assert LocalLookups().geo("1.2.3.4") is None


def test_a_closed_database_answers_nothing(database: Path) -> None:
    """Also what it had answered before."""
    lookups = LocalLookups(database)
    assert lookups.geo("1.2.3.4") is not None
    lookups.close()
    assert lookups.geo("1.2.3.4") is None


def test_a_missing_database_is_the_operators_to_mend(tmp_path: Path) -> None:
    """The setting names a file: then it is meant to be there."""
    with pytest.raises(ConfigError, match="there is no such file; download"):
        LocalLookups(tmp_path / "none.mmdb")


@pytest.mark.parametrize("content", [b"", b"network,country\n1.2.3.0/24,DE\n", b"\x1f\x8b" + bytes(500)])
def test_a_file_that_is_no_database_is_refused(tmp_path: Path, content: bytes) -> None:
    """The .csv and the .tar.gz are what people download first."""
    (tmp_path / "wrong.mmdb").write_bytes(content)
    with pytest.raises(ConfigError, match=r"this is no MaxMind database"):
        LocalLookups(tmp_path / "wrong.mmdb")


def test_a_folder_is_no_database(tmp_path: Path) -> None:
    """A path one level too high."""
    with pytest.raises(ConfigError):
        LocalLookups(tmp_path)


def test_a_torn_database_never_stops_an_event(database: Path) -> None:
    """Records that cannot be read are nowhere."""
    whole = database.read_bytes()
    half = len(whole) // 3
    database.write_bytes(whole[:half] + b"\xff" * 40 + whole[half + 40 :])
    lookups = LocalLookups(database)
    for network in PLACES:
        lookups.geo(str(ipaddress.ip_network(network)[1]))
    lookups.close()
