"""Settings: the small documents that browser SDKs fetch before they send anything."""

from __future__ import annotations

from typing import Any


def segment_settings(write_key: str, *, host: str, scheme: str) -> dict[str, Any]:
    """Return what analytics-next boots with (`/v1/projects/<key>/settings`): no integration but this server.

    How it retries is left to its own defaults (10 attempts, 0.5 to 60 s apart, Retry-After honoured).
    """
    return {
        "integrations": {
            "Segment.io": {"apiKey": write_key, "apiHost": f"{host}/v1", "protocol": scheme},
        },
        "plan": {
            kind: {"__default": {"enabled": True, "integrations": {}}}
            for kind in ("track", "identify", "group")
        },
        "edgeFunction": {},
        "analyticsNextEnabled": True,
        "middlewareSettings": {},
        "enabledMiddleware": {},
        "metrics": {"sampleRate": 0},
        "legacyVideoPluginsEnabled": False,
        "remotePlugins": [],
    }


def source_config(write_key: str, source: str) -> dict[str, Any]:
    """Return what RudderStack's SDKs boot with (`/sourceConfig`): an enabled source without device-side
    destinations.

    Their own error and metric reports are off: they would go to this server, which has no use for them.
    """
    off = {"enabled": False}
    return {
        "source": {
            "id": source,
            "name": source,
            "writeKey": write_key,
            "enabled": True,
            "config": {"statsCollection": {"errors": off, "metrics": off}},
            "workspaceId": "sojourn",
            "destinations": [],
            "connections": [],
            "dataplanes": {},
            "updatedAt": "2026-01-01T00:00:00.000Z",
        },
        "consentManagementMetadata": {"providers": []},
        "isHosted": False,
    }
