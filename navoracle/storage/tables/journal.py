"""What happened: alerts, events, and what flowed into funds and out of them."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, Index, Integer, Table, Text

from navoracle.storage.columns import FreeText, IntegerText
from navoracle.storage.tables.base import metadata

alerts = Table(
    "alerts",
    metadata,
    Column("key", Text, primary_key=True),
    Column("rule", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("message", FreeText, nullable=False),
    Column("advice", FreeText, nullable=False),
    Column("first_at", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("notified_at", BigInteger),
    Column("escalated_at", BigInteger),
    Column("acknowledged_at", BigInteger),
    Column("acknowledged_by", FreeText),
    Column("resolved_at", BigInteger),
    Index(None, "last_at"),
)

events = Table(
    "events",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("fund", Text),
    Column("severity", Text, nullable=False),
    Column("message", FreeText, nullable=False),
    Column("advice", FreeText, nullable=False),
    Column("data", JSON, nullable=False),
    Index(None, "at"),
    sqlite_autoincrement=True,
)

flows = Table(
    "flows",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("fund", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("amount", IntegerText, nullable=False),
    Column("per_share", IntegerText),  # dividends only
    Column("at", BigInteger, nullable=False),
    Index(None, "fund", "at"),
)
