"""What a frame found."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Boolean, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text

from navoracle.storage.columns import FreeText, IntegerText, SourceTime
from navoracle.storage.tables.base import metadata

frames = Table(
    "frames",
    metadata,
    Column("id", Text, primary_key=True),
    Column("slot_time", BigInteger, nullable=False),
    Column("cadence", Text, nullable=False),
    Column("clock", BigInteger, nullable=False),
    Column("now", BigInteger, nullable=False),
    Column("stamps", JSON, nullable=False),
    Column("verifies", ForeignKey("frames.id")),
    Column("stop_after", Text),
    Column("code_version", Text, nullable=False),
    Index(None, "now"),
)

fund_frames = Table(
    "fund_frames",
    metadata,
    Column("frame", ForeignKey("frames.id"), primary_key=True),
    Column("fund", Text, primary_key=True),
    Column("status", Text, nullable=False),
    Column("reason", FreeText),
    Column("nav_before", IntegerText),
    Column("nav_after", IntegerText),
    Column("price_per_share", IntegerText),
    Column("shares", IntegerText),
    Column("confidence", Integer),
    Column("undecayed_nav", IntegerText),
    Column("estimated", Boolean),
    Column("fees", IntegerText),
    Column("components", JSON(none_as_null=True)),
    Column("verdicts", JSON, nullable=False),
    Column("failures", JSON, nullable=False),
    Column("immaterial", JSON, nullable=False),
    Column("gate", JSON(none_as_null=True)),
    Column("evidence_hash", Text),
    Index(None, "fund"),
)

evidence = Table(
    "evidence",
    metadata,
    Column("frame", ForeignKey("frames.id"), primary_key=True),
    Column("fund", Text, primary_key=True),
    Column("hash", Text, nullable=False),
    Column("document", LargeBinary, nullable=False),  # zlib
    Index(None, "hash"),
)

quotes = Table(
    "quotes",
    metadata,
    Column("frame", ForeignKey("frames.id"), primary_key=True),
    Column("asset", Text, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("group", Text, nullable=False),
    Column("price", IntegerText, nullable=False),
    Column("confidence", Integer, nullable=False),
    Column("observed_at", SourceTime, nullable=False),
    Column("published_at", SourceTime),
    Column("used", Boolean, nullable=False),
    Column("excluded_reason", Text),
)

estimates = Table(
    "estimates",
    metadata,
    Column("frame", ForeignKey("frames.id"), primary_key=True),
    Column("asset", Text, primary_key=True),
    Column("side", Text, primary_key=True),
    Column("price", IntegerText),
    Column("confidence", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("reason", Text),
    Column("spread_bps", BigInteger),
    Column("as_of", BigInteger),
)
