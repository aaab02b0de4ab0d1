"""Known data: the shared sets as encoded events."""

from __future__ import annotations

from functools import cache

import duckdb

from sojourn.analytics.events import Events
from tests.analytics.making import events_of, shared


@cache
def ecom_events() -> Events:
    """Read the shop with planted friction; file order breaks ties."""
    path = shared("ecom_events/ecom_events.csv.gz")
    rows = duckdb.sql(f"""
        select user_id, event, epoch_ms(timestamp), session_id, platform, acquisition_channel from '{path}'
    """).fetchall()
    return events_of(
        (user, event, at, {"session": str(session), "platform": platform, "channel": channel})
        for user, event, at, session, platform, channel in rows
    )


@cache
def helpdesk() -> Events:
    """Read the tickets of a help desk; each ticket is a person."""
    path = shared("helpdesk/helpdesk.csv.gz")
    rows = duckdb.sql(f"select case_id, event, epoch_ms(timestamp), product from '{path}'").fetchall()
    return events_of((case, event, at, {"product": product}) for case, event, at, product in rows)


@cache
def online_retail() -> Events:
    """Read the purchases of customers who have an id, cancellations left out."""
    path = shared("online_retail/online_retail.parquet")
    rows = duckdb.sql(f"""
        select CustomerID, 'Bought', epoch_ms(InvoiceDate), Country from '{path}'
        where CustomerID is not null and Quantity > 0
    """).fetchall()
    return events_of((who, step, at, {"country": country}) for who, step, at, country in rows)
