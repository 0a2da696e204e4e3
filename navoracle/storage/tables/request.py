"""What stops a fund, and what people signed about it."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Boolean, Column, Index, Integer, Table, Text, UniqueConstraint

from navoracle.storage.columns import FreeText, IntegerText
from navoracle.storage.tables.base import metadata

breakers = Table(
    "breakers",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("reasons", JSON, nullable=False),
    Column("since", BigInteger),
    Column("needs_reset", Boolean, nullable=False),
    Column("agreed", Integer, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
)

rebases = Table(
    "rebases",
    metadata,
    Column("request", Text, primary_key=True),
    Column("fund", Text, nullable=False),
    Column("granted_at", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("used_at", BigInteger),
    Index(None, "fund"),
)

requests = Table(
    "requests",
    metadata,
    Column("number", Integer, primary_key=True),  # in the order of arrival
    Column("id", Text, nullable=False),
    Column("fund", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("signer", Text, nullable=False),
    Column("chain_id", IntegerText, nullable=False),
    Column("contract", Text, nullable=False),
    Column("nonce", IntegerText, nullable=False),
    Column("slot", BigInteger, nullable=False),
    Column("reason", FreeText, nullable=False),
    Column("deadline", BigInteger, nullable=False),
    Column("document", FreeText, nullable=False),
    Column("received_by", FreeText, nullable=False),
    Column("state", Text, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("finished_at", BigInteger),
    Column("result", FreeText),
    UniqueConstraint("id"),
    UniqueConstraint("chain_id", "contract", "signer", "nonce"),
    Index(None, "fund", "action", "received_at"),
    sqlite_autoincrement=True,
)
