"""What the next frame starts from: prices, values, fee clocks and peaks, each with the frame that left it."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, Table, Text

from navoracle.storage.columns import IntegerText
from navoracle.storage.tables.base import metadata

last_valid = Table(
    "last_valid",
    metadata,
    Column("asset", Text, primary_key=True),
    Column("side", Text, primary_key=True),
    Column("price", IntegerText, nullable=False),
    Column("confidence", Integer, nullable=False),
    Column("observed_at", BigInteger, nullable=False),
    Column("frame", ForeignKey("frames.id"), nullable=False),
)

samples = Table(
    "samples",
    metadata,
    Column("time", BigInteger, primary_key=True, autoincrement=False),
    Column("asset", Text, primary_key=True),
    Column("price", IntegerText, nullable=False),
    Column("frame", ForeignKey("frames.id"), nullable=False),
)

position_values = Table(
    "position_values",
    metadata,
    Column("fund", Text, primary_key=True),
    Column("position", Text, primary_key=True),
    Column("value", IntegerText, nullable=False),
    Column("frame", ForeignKey("frames.id"), nullable=False),
)

fee_states = Table(
    "fee_states",
    metadata,
    Column("fund", Text, primary_key=True),
    Column("high_water_mark", IntegerText),
    Column("accrued_since", BigInteger, nullable=False),
    Column("frame", ForeignKey("frames.id"), nullable=False),
)

peaks = Table(
    "peaks",
    metadata,
    Column("fund", Text, primary_key=True),
    Column("measure", Text, nullable=False),
    Column("peak", IntegerText, nullable=False),
    Column("peak_at", BigInteger, nullable=False),
    Column("daily_peak", IntegerText, nullable=False),
    Column("daily_peak_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("frame", ForeignKey("frames.id"), nullable=False),
)
