"""Lookups: what a user agent is and where an address is, asked at the door and kept with the event.

User agents are read by ua-parser (Rust core), bots by crawlerdetect, addresses in the operator's own database
in MaxMind's format (GeoLite2, DB-IP, IPinfo). Answers are cached by value: a shop sees few user agents.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from sojourn.model.errors import ConfigError
from sojourn.model.event import Device, Geo

CACHED_USER_AGENTS = 8_192  # With the bound below at most about 8 MB; a large shop sees some thousands a day.
CACHED_ADDRESSES = 16_384
USER_AGENT_CHARS = 1_024
"""What comes after is not looked at: real user agents stay under 400."""
ADDRESS_CHARS = 64
NAME_CHARS = 128

Kind = Literal["desktop", "mobile", "tablet", "tv", "bot", "other"]


class LocalLookups:
    """Answers from this machine alone; safe to ask from several threads."""

    def __init__(self, geo_database: Path | None = None) -> None:
        """Open the database; raise ConfigError where it is not one. Without one nobody is anywhere."""
        self._reader = _open(geo_database) if geo_database is not None else None
        self._cached_device = lru_cache(maxsize=CACHED_USER_AGENTS)(_Devices().read)
        self._cached_geo = lru_cache(maxsize=CACHED_ADDRESSES)(self._read_geo)

    def device(self, user_agent: str) -> Device | None:
        """Say what a user agent is; None where there is none."""
        return self._cached_device(user_agent[:USER_AGENT_CHARS]) if user_agent else None

    def geo(self, ip: str) -> Geo | None:
        """Say where an address is; None where nobody knows, or where it is no address."""
        if self._reader is None or not ip or len(ip) > ADDRESS_CHARS:
            return None
        return self._cached_geo(ip)

    def close(self) -> None:
        """Close the database; nobody is anywhere from then on."""
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()

    def _read_geo(self, ip: str) -> Geo | None:
        reader = self._reader
        if reader is None:
            return None
        try:
            found = reader.get(ip)
        except (ValueError, RuntimeError):  # No address, or a torn page of the database: nowhere.
            return None
        return _geo(found) if isinstance(found, dict) else None


# -- Devices.

_TV = re.compile(
    r"smart-?tv|(apple|google|android) ?tv|hbbtv|netcast|web0s|bravia|roku|crkey|viera|\baft[a-z]{1,4}\b",
    re.IGNORECASE,
)
_TABLET = re.compile(r"ipad|tablet|kindle|silk/|playbook|\bsm-t\d|\bnexus (7|9|10)\b", re.IGNORECASE)
_MOBILE = re.compile(r"mobi|iphone|ipod|windows phone|blackberry|opera mini|symbian|kaios", re.IGNORECASE)
_DESKTOP = re.compile(r"windows nt|macintosh|x11|cros |linux x86_64", re.IGNORECASE)
# Libraries that apps speak through: crawlerdetect takes them for scrapers, but their events are people's.
_APP = re.compile(r"^(okhttp|dart)/", re.IGNORECASE)


class _Devices:
    """The two libraries, loaded when the first user agent comes: their tables take 0.2-1 s."""

    def __init__(self) -> None:
        self._parser: Any = None
        self._crawlers: Any = None

    def read(self, user_agent: str) -> Device:
        """Say what a user agent is."""
        if self._parser is None:
            self._load()
        is_bot = self._is_bot(user_agent)
        parsed = self._parser.parse(user_agent)
        return Device(
            browser=parsed.user_agent.family[:NAME_CHARS] if parsed.user_agent else "",
            os=parsed.os.family[:NAME_CHARS] if parsed.os else "",
            kind="bot" if is_bot else _kind(user_agent),
            is_bot=is_bot,
        )

    def _load(self) -> None:
        from crawlerdetect import CrawlerDetect  # noqa: PLC0415  - a heavy table, and not everybody asks
        from ua_parser import Parser, load_lazy_builtins  # noqa: PLC0415
        from ua_parser.regex import Resolver  # noqa: PLC0415

        self._crawlers = CrawlerDetect()
        # Without ua-parser's own cache: ours in front is cheaper.
        self._parser = Parser(Resolver(load_lazy_builtins()))

    def _is_bot(self, user_agent: str) -> bool:
        return not _APP.match(user_agent) and bool(self._crawlers.is_crawler(user_agent))


def _kind(user_agent: str) -> Kind:
    """Read the device class. The order counts: televisions and tablets call themselves Android too."""
    if _TV.search(user_agent):
        return "tv"
    if _TABLET.search(user_agent):
        return "tablet"
    if _MOBILE.search(user_agent):
        return "mobile"
    if "Android" in user_agent:
        return "tablet"  # Android's own rule: telephones say Mobile, tablets do not.
    return "desktop" if _DESKTOP.search(user_agent) else "other"


# -- Places.


def _open(path: Path) -> Any:
    import maxminddb  # noqa: PLC0415  - only where an operator brings a database

    try:
        return maxminddb.open_database(str(path))
    except FileNotFoundError as error:
        raise ConfigError(
            f"geo database {path}: there is no such file; download a .mmdb (GeoLite2-City, DB-IP City Lite) "
            "or leave the setting out [no-geo-database]"
        ) from error
    except OSError as error:
        raise ConfigError(f"geo database {path}: cannot be read: {error} [no-geo-database]") from error
    except (maxminddb.InvalidDatabaseError, ValueError) as error:
        raise ConfigError(
            f"geo database {path}: this is no MaxMind database (.mmdb); unpack a .tar.gz, and "
            "instead of a .csv take the .mmdb edition [bad-geo-database]"
        ) from error


def _geo(record: dict[str, Any]) -> Geo | None:
    """Read a record in MaxMind's shape, or in the flat one of IPinfo."""
    country = record.get("country") or record.get("registered_country") or record.get("country_code")
    divisions = record.get("subdivisions")
    region = divisions[0] if isinstance(divisions, list) and divisions else record.get("region")
    location = record.get("location")
    time_zone = location.get("time_zone") if isinstance(location, dict) else record.get("timezone")
    geo = Geo(
        country=_name(record.get("country_code") or country),
        region=_name(region),
        city=_name(record.get("city")),
        time_zone=_name(time_zone),
    )
    return None if geo == Geo() else geo


def _name(value: object) -> str:
    """Return a place's ISO code, else its English name."""
    if isinstance(value, dict):
        names = value.get("names")
        value = value.get("iso_code") or (names.get("en") if isinstance(names, dict) else None)
    return value[:NAME_CHARS] if isinstance(value, str) else ""
