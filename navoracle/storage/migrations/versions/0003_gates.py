"""Peaks of a fund's price per share, and what its gate decided in each frame.

Down: both are lost, for the schema before has no place for them; a gate rebuilds its peaks from the history.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision: str | None = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table and the column; frames of before have no gate."""
    op.create_table(
        "peaks",
        sa.Column("fund", sa.Text(), nullable=False),
        sa.Column("measure", sa.Text(), nullable=False),
        sa.Column("peak", sa.Text(), nullable=False),
        sa.Column("peak_at", sa.BigInteger(), nullable=False),
        sa.Column("daily_peak", sa.Text(), nullable=False),
        sa.Column("daily_peak_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("frame", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["frame"], ["frames.id"], name="fk_peaks_frame_frames"),
        sa.PrimaryKeyConstraint("fund", name="pk_peaks"),
    )
    op.add_column("fund_frames", sa.Column("gate", sa.JSON()))


def downgrade() -> None:
    """Drop both."""
    with op.batch_alter_table("fund_frames") as fund_frames:
        fund_frames.drop_column("gate")
    op.drop_table("peaks")
