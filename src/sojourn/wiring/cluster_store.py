"""The serving store of a cluster, as it is configured."""

from __future__ import annotations

import os

from sojourn.adapters.serving_store import OWNER, Place
from sojourn.config import Config
from sojourn.model.errors import ConfigError


def store_of(config: Config) -> Place:
    """Say where the configured store is; raises ConfigError where none is, or its password is not set."""
    serving = config.cluster.serving
    if not serving.url:
        raise ConfigError(
            f"{OWNER}: url is not set; say where Redis or Valkey is: `cluster: {{ serving: {{ url: "
            "redis://host:6379/0 } }` in sojourn.yaml [no-store]"
        )
    password = ""
    if serving.password_env:
        password = os.environ.get(serving.password_env, "")
        if not password:
            raise ConfigError(f"{OWNER}: environment variable {serving.password_env} is not set [no-secret]")
    return Place(serving.url, config.cluster.prefix, password, serving.username)
