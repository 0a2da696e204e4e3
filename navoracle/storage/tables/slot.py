"""Slots: who works on what, until when, and how it ended."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint

from navoracle.storage.columns import FreeText
from navoracle.storage.tables.base import metadata

slots = Table(
    "slots",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("fund", Text, nullable=False),
    Column("slot_time", BigInteger, nullable=False),
    Column("cadence", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", FreeText),
    Column("frame", ForeignKey("frames.id")),
    Column("post", ForeignKey("posts.id")),
    Column("claimed_at", BigInteger, nullable=False),
    Column("finished_at", BigInteger),
    Column("owner", Text),
    Column("epoch", BigInteger, nullable=False),
    Column("lease_until", BigInteger),
    UniqueConstraint("fund", "slot_time"),
    Index(None, "slot_time"),
    Index(None, "state"),
)
