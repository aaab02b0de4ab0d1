"""Starting: what `sojourn init` writes into an empty folder."""

from __future__ import annotations

import secrets
from pathlib import Path

from msgspec import Struct

from sojourn.config.loading import FILE_NAME
from sojourn.config.reading import NAME
from sojourn.model.errors import ConfigError

TOKEN_BYTES = 24  # 192 bits: nobody guesses it.

_SETTINGS = """\
# Sojourn's configuration. A setting can also come from the environment (SOJOURN_HTTP_PORT=9000), which wins.
# This file holds secrets, so it is readable by you only. To keep it in git, write `write_key_env: NAME` and
# `admin_token_env: NAME` instead, and put the values into the environment.

data: data          # the data folder: back it up
journeys: journeys  # files, or folders of files

http:
  host: 127.0.0.1   # this machine only; 0.0.0.0 for everybody
  port: 8080
  # proxies: 1      # how many proxies of yours stand before it

# Who may send events. Each app or site has a write key of its own, which its SDK is given.
sources:
  {source}:
    write_key: {write_key}

# Where actions go. A journey names a sink as it is named here.
sinks:
  console: {{ type: console }}
  # support:
  #   type: webhook
  #   url: https://example.com/hooks/sojourn
  #   secret_env: SOJOURN_SUPPORT_SECRET   # signs requests, as Standard Webhooks does

# Opens the API; without it the API stays shut.
admin_token: {admin_token}

# The order in which a person is meant to pass your product's steps: what `regressed()` asks about.
# steps: [Product Viewed, Cart Viewed, Checkout Started, Order Completed]

# dedup_window: 30d     # how long a message id is remembered
# session_gap: 30m      # so long without an event, and the next visit begins
# keep_full_ip: false   # addresses are cut to /24 and /48
# geo_database: GeoLite2-City.mmdb
# deliver: {{ max_attempts: 12, max_in_flight: 16, rate: 100/s }}
# decisions: {{ keys: {{ shop: {{ key_env: SOJOURN_DECISIONS_KEY }} }} }}  # who may ask about people
# unsubscribe: {{ secret_env: SOJOURN_LINK_SECRET, public_url: https://shop.example }}
# log: {{ level: info, format: auto }}
"""

_JOURNEY = """\
# Somebody signs up. Who has not ordered a day later is told how; after three more days they leave.
# `sojourn check` says what is wrong in a journey, and where.
journey: welcome
entry: { on: Signed Up }
goal:  { on: Order Completed, within: 14d }
holdout: 5%  # of people get nothing, so that it shows what this is worth to the others; off for none
states:
  waiting:
    after: { 1d: nudged }
  nudged:
    do:
      - sink: console
        body: { say: "Welcome, {{ profile.user_id }}: here is how to begin." }
    after: { 3d: done }
"""


class Started(Struct, frozen=True):
    """What was written."""

    config: Path
    journey: Path
    source: str


def start(folder: Path, *, source: str = "web", write_key: str | None = None) -> Started:
    """Write a commented configuration with fresh secrets, and an example journey.

    Args:
        folder: Made where it is not there.
        source: The first source's name.
        write_key: Its write key; None: a fresh one.

    Raises:
        ConfigError: A configuration is there already, a name is none, or the folder cannot be written.
    """
    for name, given in (("source", source), ("write key", write_key)):
        if given is not None and not NAME.fullmatch(given):
            raise ConfigError(
                f"{name}: expected letters, digits, `_`, `.` and `-`, at most 64, got {given!r}"
            )
    config, journey = folder / FILE_NAME, folder / "journeys" / "welcome.yaml"
    if config.exists():
        raise ConfigError(f"{config}: is there already; delete it first, or choose another folder")
    text = _SETTINGS.format(
        source=source,
        write_key=write_key or secrets.token_urlsafe(TOKEN_BYTES),
        admin_token=secrets.token_urlsafe(TOKEN_BYTES),
    )
    try:
        journey.parent.mkdir(parents=True, exist_ok=True)
        if not any(journey.parent.iterdir()):
            journey.write_text(_JOURNEY, encoding="utf-8")
        config.touch(mode=0o600, exist_ok=False)
        config.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be written ({error.strerror}); choose another folder") from None
    return Started(config, journey, source)
