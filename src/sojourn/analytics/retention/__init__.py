"""Retention: who comes back, and how long after."""

from __future__ import annotations

from sojourn.analytics.retention.answer import RetentionAnswer, retention
from sojourn.analytics.retention.definition import Retention, parse_brackets

__all__ = ["Retention", "RetentionAnswer", "parse_brackets", "retention"]
