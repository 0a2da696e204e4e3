"""Transactions, what was signed for them, the lanes that send them, and the posts that they carry."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Boolean, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint

from navoracle.storage.columns import FreeText, IntegerText
from navoracle.storage.tables.base import metadata
from navoracle.store_port.states import TransactionState

OPEN_STATES = tuple(state.value for state in TransactionState if not state.is_end)
"""The states of a transaction that has not ended."""

transactions = Table(
    "transactions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", Text, nullable=False),
    Column("chain", Text, nullable=False),
    Column("sender", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("to", Text, nullable=False),
    Column("calldata", Text, nullable=False),
    Column("urgency", Text, nullable=False),
    Column("valid_until", BigInteger),
    Column("state", Text, nullable=False),
    Column("nonce", BigInteger),
    Column("hash", Text),  # this and what follows up to the fee: of the attempt that was mined
    Column("success", Boolean),
    Column("block_number", BigInteger),
    Column("block_hash", Text),
    Column("gas_used", BigInteger),
    Column("fee_paid", IntegerText),
    Column("error", FreeText),
    Column("created_at", BigInteger, nullable=False),
    Column("mined_at", BigInteger),
    Column("finished_at", BigInteger),
    UniqueConstraint("key"),
    Index(None, "chain", "sender", "mined_at"),
    sqlite_autoincrement=True,  # the number of a transaction is never given again
)
_is_open = transactions.c.state.in_(OPEN_STATES)
open_nonces = Index(
    "ix_transactions_open_nonces",
    transactions.c.chain,
    transactions.c.sender,
    transactions.c.nonce,
    unique=True,  # two transactions that may still be mined never share a nonce
    sqlite_where=_is_open,
    postgresql_where=_is_open,
)

attempts = Table(
    "attempts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("transaction", ForeignKey("transactions.id"), nullable=False),
    Column("hash", Text, nullable=False),
    Column("raw", Text, nullable=False),
    Column("nonce", BigInteger, nullable=False),
    Column("sender", Text, nullable=False),
    Column("to", Text, nullable=False),
    Column("gas", BigInteger, nullable=False),
    Column("max_fee", IntegerText, nullable=False),
    Column("max_tip", IntegerText, nullable=False),
    Column("noop", Boolean, nullable=False),
    Column("signed_at", BigInteger, nullable=False),
    Column("sent_at", BigInteger),
    Column("error", FreeText),
    UniqueConstraint("hash"),
    Index(None, "transaction"),
    Index(None, "sender", "nonce"),
)

lanes = Table(
    "lanes",
    metadata,
    Column("chain", Text, primary_key=True),
    Column("sender", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("lease_until", BigInteger, nullable=False),
)

posts = Table(
    "posts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("frame", ForeignKey("frames.id"), nullable=False),
    Column("transaction", ForeignKey("transactions.id"), nullable=False),
    Column("chain", Text, nullable=False),
    Column("registry", Text, nullable=False),
    Column("valuation_time", BigInteger, nullable=False),
    Column("evidence_root", Text, nullable=False),
    Column("calldata", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("finished_at", BigInteger),  # when the contract was read back
    UniqueConstraint("transaction"),
    Index(None, "frame"),
    sqlite_autoincrement=True,  # the number of a post is never given again
)

post_funds = Table(
    "post_funds",
    metadata,
    Column("post", ForeignKey("posts.id"), primary_key=True),
    Column("fund", Text, primary_key=True),
    Column("place", Integer, nullable=False),  # the record's place in the calldata
    Column("fund_id", BigInteger, nullable=False),
    Column("nav", IntegerText, nullable=False),
    Column("price_per_share", IntegerText, nullable=False),
    Column("nav_before", IntegerText, nullable=False),
    Column("components", JSON, nullable=False),
    Column("confidence", Integer, nullable=False),
    Column("estimated", Boolean, nullable=False),
    Column("proof", JSON, nullable=False),
    Column("evidence_hash", Text, nullable=False),
    Column("outcome", Text),
    Column("reason", FreeText),
    Index(None, "fund"),
)
