"""What dashboards and rules ask Prometheus for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
DASHBOARDS = sorted((DEPLOY / "grafana" / "dashboards").glob("*.json"))
RULES = DEPLOY / "prometheus" / "rules.yaml"

_NAME = re.compile(r"\b(?:sojourn|flink)_\w+")


def panels_of(dashboard: Path) -> list[dict[str, Any]]:
    """Return a dashboard's panels, all but the headings of rows."""
    found: list[dict[str, Any]] = json.loads(dashboard.read_text(encoding="utf-8"))["panels"]
    return [panel for panel in found if panel["type"] != "row"]


def expressions() -> Iterator[tuple[str, str]]:
    """Yield (where it stands, PromQL)."""
    for dashboard in DASHBOARDS:
        for panel in panels_of(dashboard):
            for target in panel["targets"]:
                yield f"{dashboard.name}: {panel['title']}", target["expr"]
    for group in yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]:
        for rule in group["rules"]:
            yield f"{RULES.name}: {rule.get('alert') or rule['record']}", rule["expr"]


def names() -> dict[str, list[str]]:
    """Return every metric that is asked for, with where."""
    found: dict[str, list[str]] = {}
    for where, expression in expressions():
        for name in _NAME.findall(expression):
            found.setdefault(name, []).append(where)
    return found


def flink_names() -> set[str]:
    """Return those that Flink's reporter is to have."""
    return {name for name in names() if name.startswith("flink_")}
