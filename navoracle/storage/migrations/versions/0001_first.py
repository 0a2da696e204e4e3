"""The first schema.

Column types are those of SQL: integers of any size are decimal text. Dropping a table drops its indexes and triggers.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision: str | None = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Build every table."""
    op.create_table(
        "events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("fund", sa.Text()),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("advice", sa.Text(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_events_at", "events", ["at"])
    op.create_table(
        "flows",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("fund", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("amount", sa.Text(), nullable=False),
        sa.Column("per_share", sa.Text()),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_flows"),
    )
    op.create_index("ix_flows_fund_at", "flows", ["fund", "at"])
    op.create_table(
        "frames",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("slot_time", sa.BigInteger(), nullable=False),
        sa.Column("cadence", sa.Text(), nullable=False),
        sa.Column("clock", sa.BigInteger(), nullable=False),
        sa.Column("now", sa.BigInteger(), nullable=False),
        sa.Column("stamps", sa.JSON(), nullable=False),
        sa.Column("verifies", sa.Text()),
        sa.Column("stop_after", sa.Text()),
        sa.Column("code_version", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["verifies"], ["frames.id"], name="fk_frames_verifies_frames"),
        sa.PrimaryKeyConstraint("id", name="pk_frames"),
    )
    op.create_index("ix_frames_now", "frames", ["now"])
    op.create_table(
        "estimates",
        sa.Column("frame", sa.Text(), nullable=False),
        sa.Column("asset", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("price", sa.Text()),
        sa.Column("confidence", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("spread_bps", sa.BigInteger()),
        sa.Column("as_of", sa.BigInteger()),
        sa.ForeignKeyConstraint(["frame"], ["frames.id"], name="fk_estimates_frame_frames"),
        sa.PrimaryKeyConstraint("frame", "asset", "side", name="pk_estimates"),
    )
    op.create_table(
        "evidence",
        sa.Column("frame", sa.Text(), nullable=False),
        sa.Column("fund", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["frame"], ["frames.id"], name="fk_evidence_frame_frames"),
        sa.PrimaryKeyConstraint("frame", "fund", name="pk_evidence"),
    )
    op.create_index("ix_evidence_hash", "evidence", ["hash"])
    op.create_table(
        "fee_states",
        sa.Column("fund", sa.Text(), nullable=False),
        sa.Column("high_water_mark", sa.Text()),
        sa.Column("accrued_since", sa.BigInteger(), nullable=False),
        sa.Column("frame", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["frame"], ["frames.id"], name="fk_fee_states_frame_frames"),
        sa.PrimaryKeyConstraint("fund", name="pk_fee_states"),
    )
    op.create_table(
        "fund_frames",
        sa.Column("frame", sa.Text(), nullable=False),
        sa.Column("fund", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("nav_before", sa.Text()),
        sa.Column("nav_after", sa.Text()),
        sa.Column("price_per_share", sa.Text()),
        sa.Column("shares", sa.Text()),
        sa.Column("confidence", sa.Integer()),
        sa.Column("undecayed_nav", sa.Text()),
        sa.Column("estimated", sa.Boolean()),
        sa.Column("fees", sa.Text()),
        sa.Column("components", sa.JSON(none_as_null=True)),
        sa.Column("verdicts", sa.JSON(), nullable=False),
        sa.Column("failures", sa.JSON(), nullable=False),
        sa.Column("immaterial", sa.JSON(), nullable=False),
        sa.Column("evidence_hash", sa.Text()),
        sa.ForeignKeyConstraint(["frame"], ["frames.id"], name="fk_fund_frames_frame_frames"),
        sa.PrimaryKeyConstraint("frame", "fund", name="pk_fund_frames"),
    )
    op.create_index("ix_fund_frames_fund", "fund_frames", ["fund"])
    op.create_table(
        "last_valid",
        sa.Column("asset", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("price", sa.Text(), nullable=False),
        sa.Column("confidence", sa.Integer(), nullable=False),
        sa.Column("observed_at", sa.BigInteger(), nullable=False),
        sa.Column("frame", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["frame"], ["frames.id"], name="fk_last_valid_frame_frames"),
        sa.PrimaryKeyConstraint("asset", "side", name="pk_last_valid"),
    )
    op.create_table(
        "position_values",
        sa.Column("fund", sa.Text(), nullable=False),
        sa.Column("position", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("frame", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["frame"], ["frames.id"], name="fk_position_values_frame_frames"),
        sa.PrimaryKeyConstraint("fund", "position", name="pk_position_values"),
    )
    op.create_table(
        "posts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("frame", sa.Text(), nullable=False),
        sa.Column("chain", sa.Text(), nullable=False),
        sa.Column("registry", sa.Text(), nullable=False),
        sa.Column("valuation_time", sa.BigInteger(), nullable=False),
        sa.Column("evidence_root", sa.Text(), nullable=False),
        sa.Column("calldata", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger()),
        sa.Column("transaction_hash", sa.Text()),
        sa.Column("block_number", sa.BigInteger()),
        sa.Column("error", sa.Text()),
        sa.ForeignKeyConstraint(["frame"], ["frames.id"], name="fk_posts_frame_frames"),
        sa.PrimaryKeyConstraint("id", name="pk_posts"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_posts_frame", "posts", ["frame"])
    op.create_index("ix_posts_state", "posts", ["state"])
    op.create_table(
        "quotes",
        sa.Column("frame", sa.Text(), nullable=False),
        sa.Column("asset", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("group", sa.Text(), nullable=False),
        sa.Column("price", sa.Text(), nullable=False),
        sa.Column("confidence", sa.Integer(), nullable=False),
        sa.Column("observed_at", sa.BigInteger(), nullable=False),
        sa.Column("published_at", sa.BigInteger()),
        sa.Column("used", sa.Boolean(), nullable=False),
        sa.Column("excluded_reason", sa.Text()),
        sa.ForeignKeyConstraint(["frame"], ["frames.id"], name="fk_quotes_frame_frames"),
        sa.PrimaryKeyConstraint("frame", "asset", "source", name="pk_quotes"),
    )
    op.create_table(
        "samples",
        sa.Column("time", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("asset", sa.Text(), nullable=False),
        sa.Column("price", sa.Text(), nullable=False),
        sa.Column("frame", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["frame"], ["frames.id"], name="fk_samples_frame_frames"),
        sa.PrimaryKeyConstraint("time", "asset", name="pk_samples"),
    )
    op.create_table(
        "attempts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("post", sa.Integer(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.Column("nonce", sa.BigInteger(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("to", sa.Text(), nullable=False),
        sa.Column("signed_at", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", sa.BigInteger()),
        sa.ForeignKeyConstraint(["post"], ["posts.id"], name="fk_attempts_post_posts"),
        sa.PrimaryKeyConstraint("id", name="pk_attempts"),
        sa.UniqueConstraint("hash", name="uq_attempts_hash"),
    )
    op.create_index("ix_attempts_post", "attempts", ["post"])
    op.create_table(
        "post_funds",
        sa.Column("post", sa.Integer(), nullable=False),
        sa.Column("fund", sa.Text(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("fund_id", sa.BigInteger(), nullable=False),
        sa.Column("nav", sa.Text(), nullable=False),
        sa.Column("price_per_share", sa.Text(), nullable=False),
        sa.Column("nav_before", sa.Text(), nullable=False),
        sa.Column("components", sa.JSON(), nullable=False),
        sa.Column("confidence", sa.Integer(), nullable=False),
        sa.Column("estimated", sa.Boolean(), nullable=False),
        sa.Column("proof", sa.JSON(), nullable=False),
        sa.Column("evidence_hash", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text()),
        sa.Column("reason", sa.Text()),
        sa.ForeignKeyConstraint(["post"], ["posts.id"], name="fk_post_funds_post_posts"),
        sa.PrimaryKeyConstraint("post", "fund", name="pk_post_funds"),
    )
    op.create_index("ix_post_funds_fund", "post_funds", ["fund"])
    op.create_table(
        "slots",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("fund", sa.Text(), nullable=False),
        sa.Column("slot_time", sa.BigInteger(), nullable=False),
        sa.Column("cadence", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("frame", sa.Text()),
        sa.Column("post", sa.Integer()),
        sa.Column("claimed_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger()),
        sa.Column("owner", sa.Text()),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("lease_until", sa.BigInteger()),
        sa.ForeignKeyConstraint(["frame"], ["frames.id"], name="fk_slots_frame_frames"),
        sa.ForeignKeyConstraint(["post"], ["posts.id"], name="fk_slots_post_posts"),
        sa.PrimaryKeyConstraint("id", name="pk_slots"),
        sa.UniqueConstraint("fund", "slot_time", name="uq_slots_fund_slot_time"),
    )
    op.create_index("ix_slots_slot_time", "slots", ["slot_time"])
    if op.get_bind().dialect.name == "sqlite":
        for change in ("update", "delete"):
            op.execute(
                f"CREATE TRIGGER events_no_{change} BEFORE {change} ON events "
                "BEGIN SELECT RAISE(ABORT, 'events are append-only'); END"
            )


def downgrade() -> None:
    """Drop every table."""
    for table in (
        "slots",
        "post_funds",
        "attempts",
        "samples",
        "quotes",
        "posts",
        "position_values",
        "last_valid",
        "fund_frames",
        "fee_states",
        "evidence",
        "estimates",
        "frames",
        "flows",
        "events",
    ):
        op.drop_table(table)
