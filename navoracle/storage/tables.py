"""The tables. `migrations/` builds them; a test holds the two against each other.

Money is decimal text (`IntegerText`), times are Unix seconds, states are the enums' values. A frame's id is text.
Leases end at a time of the database's clock, in milliseconds.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

from navoracle.storage.columns import FreeText, IntegerText, SourceTime
from navoracle.store_port.states import TransactionState

OPEN_STATES = tuple(state.value for state in TransactionState if not state.is_end)
"""The states of a transaction that has not ended."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

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
