"""Encoded: the events of a lake kept as numbers beside its files, and what came since, joined."""

from sojourn.adapters.lake.encoded.answering import columns_for, events_of
from sojourn.adapters.lake.encoded.delta import Columns
from sojourn.adapters.lake.encoded.following import Slices
from sojourn.adapters.lake.encoded.keeping import FEW_EVENTS, is_due, keep_up, read_known
from sojourn.adapters.lake.encoded.known import Known
from sojourn.adapters.lake.encoded.remembering import Memory
from sojourn.adapters.lake.encoded.some import Reader

__all__ = [
    "FEW_EVENTS",
    "Columns",
    "Known",
    "Memory",
    "Reader",
    "Slices",
    "columns_for",
    "events_of",
    "is_due",
    "keep_up",
    "read_known",
]
