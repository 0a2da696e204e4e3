"""Transactions of their own, lanes, breakers, requests, alerts; leases.

Up: every post gets a transaction that holds what the post and its attempts knew; a post that nothing was signed for
cannot go on, because its sender is not known, and ends as failed. Of several unfinished posts with the same nonce the
newest stays open. Down: missed slots become skipped ones; transactions that carry no post, lanes, breakers, requests
and alerts are lost, for the first schema has no place for them.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from navoracle.domain.errors import StoreError

revision = "0002"
down_revision: str | None = "0001"
branch_labels = None
depends_on = None

NOBODY = "0x0000000000000000000000000000000000000000"
OPEN = ("prepared", "sent", "mined")


def upgrade() -> None:
    """Build the new tables and move what posts and attempts hold into them."""
    _create_transactions()
    _create_lanes_and_what_stops_them()
    op.add_column("posts", sa.Column("transaction", sa.Integer()))
    for column in (
        sa.Column("transaction", sa.Integer()),
        sa.Column("gas", sa.BigInteger()),
        sa.Column("max_fee", sa.Text()),
        sa.Column("max_tip", sa.Text()),
        sa.Column("noop", sa.Boolean()),
        sa.Column("error", sa.Text()),
    ):
        op.add_column("attempts", column)
    _convert_posts(op.get_bind())
    with op.batch_alter_table("posts", table_kwargs={"sqlite_autoincrement": True}) as posts:
        posts.drop_index("ix_posts_state")
        for name in ("state", "transaction_hash", "block_number", "error"):
            posts.drop_column(name)
        posts.alter_column("transaction", existing_type=sa.Integer(), nullable=False)
        posts.create_foreign_key("fk_posts_transaction_transactions", "transactions", ["transaction"], ["id"])
        posts.create_unique_constraint("uq_posts_transaction", ["transaction"])
    with op.batch_alter_table("attempts") as attempts:
        attempts.drop_index("ix_attempts_post")
        attempts.drop_constraint("fk_attempts_post_posts", type_="foreignkey")
        attempts.drop_column("post")
        for name, kind in (
            ("transaction", sa.Integer()),
            ("gas", sa.BigInteger()),
            ("max_fee", sa.Text()),
            ("max_tip", sa.Text()),
            ("noop", sa.Boolean()),
        ):
            attempts.alter_column(name, existing_type=kind, nullable=False)
        attempts.create_foreign_key("fk_attempts_transaction_transactions", "transactions", ["transaction"], ["id"])
        attempts.create_index("ix_attempts_transaction", ["transaction"])
        attempts.create_index("ix_attempts_sender_nonce", ["sender", "nonce"])
    op.create_index("ix_slots_state", "slots", ["state"])
    slots = _table("slots", "state", "lease_until")
    op.execute(slots.update().where(slots.c.state == "claimed").values(lease_until=0))  # whoever comes may take them
    if op.get_bind().dialect.name == "postgresql":
        _make_events_append_only()


def downgrade() -> None:
    """Put what a post's transaction holds back into posts and attempts, and drop the rest."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER events_append_only ON events")
        op.execute("DROP FUNCTION navoracle_events_are_append_only")
    op.drop_index("ix_slots_state", "slots")
    slots = _table("slots", "owner", "lease_until", "state", "reason")
    op.execute(slots.update().values(owner=None, lease_until=None))
    missed = sa.literal("missed: ", sa.Text()) + slots.c.reason
    op.execute(slots.update().where(slots.c.state == "missed").values(state="skipped", reason=missed))
    for name, kind in (
        ("state", sa.Text()),
        ("transaction_hash", sa.Text()),
        ("block_number", sa.BigInteger()),
        ("error", sa.Text()),
    ):
        op.add_column("posts", sa.Column(name, kind))
    op.add_column("attempts", sa.Column("post", sa.Integer()))
    _convert_back(op.get_bind())
    with op.batch_alter_table("posts", table_kwargs={"sqlite_autoincrement": True}) as posts:
        posts.drop_constraint("uq_posts_transaction", type_="unique")
        posts.drop_constraint("fk_posts_transaction_transactions", type_="foreignkey")
        posts.drop_column("transaction")
        posts.alter_column("state", existing_type=sa.Text(), nullable=False)
        posts.create_index("ix_posts_state", ["state"])
    with op.batch_alter_table("attempts") as attempts:
        attempts.drop_index("ix_attempts_sender_nonce")
        attempts.drop_index("ix_attempts_transaction")
        attempts.drop_constraint("fk_attempts_transaction_transactions", type_="foreignkey")
        for name in ("transaction", "gas", "max_fee", "max_tip", "noop", "error"):
            attempts.drop_column(name)
        attempts.alter_column("post", existing_type=sa.Integer(), nullable=False)
        attempts.create_foreign_key("fk_attempts_post_posts", "posts", ["post"], ["id"])
        attempts.create_index("ix_attempts_post", ["post"])
    for table in ("alerts", "requests", "rebases", "breakers", "lanes", "transactions"):
        op.drop_table(table)


def _create_transactions() -> None:
    op.create_table(
        "transactions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("chain", sa.Text(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("to", sa.Text(), nullable=False),
        sa.Column("calldata", sa.Text(), nullable=False),
        sa.Column("urgency", sa.Text(), nullable=False),
        sa.Column("valid_until", sa.BigInteger()),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("nonce", sa.BigInteger()),
        sa.Column("hash", sa.Text()),
        sa.Column("success", sa.Boolean()),
        sa.Column("block_number", sa.BigInteger()),
        sa.Column("block_hash", sa.Text()),
        sa.Column("gas_used", sa.BigInteger()),
        sa.Column("fee_paid", sa.Text()),
        sa.Column("error", sa.Text()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("mined_at", sa.BigInteger()),
        sa.Column("finished_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="pk_transactions"),
        sa.UniqueConstraint("key", name="uq_transactions_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_transactions_chain_sender_mined_at", "transactions", ["chain", "sender", "mined_at"])
    is_open = sa.column("state").in_(OPEN)
    op.create_index(
        "ix_transactions_open_nonces",
        "transactions",
        ["chain", "sender", "nonce"],
        unique=True,
        sqlite_where=is_open,
        postgresql_where=is_open,
    )


def _create_lanes_and_what_stops_them() -> None:
    op.create_table(
        "lanes",
        sa.Column("chain", sa.Text(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("lease_until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("chain", "sender", name="pk_lanes"),
    )
    op.create_table(
        "breakers",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("since", sa.BigInteger()),
        sa.Column("needs_reset", sa.Boolean(), nullable=False),
        sa.Column("agreed", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "name", name="pk_breakers"),
    )
    op.create_table(
        "rebases",
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("fund", sa.Text(), nullable=False),
        sa.Column("granted_at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("request", name="pk_rebases"),
    )
    op.create_index("ix_rebases_fund", "rebases", ["fund"])
    op.create_table(
        "requests",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("fund", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("signer", sa.Text(), nullable=False),
        sa.Column("chain_id", sa.Text(), nullable=False),
        sa.Column("contract", sa.Text(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("slot", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("deadline", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("received_by", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger()),
        sa.Column("result", sa.Text()),
        sa.PrimaryKeyConstraint("number", name="pk_requests"),
        sa.UniqueConstraint("id", name="uq_requests_id"),
        sa.UniqueConstraint(
            "chain_id", "contract", "signer", "nonce", name="uq_requests_chain_id_contract_signer_nonce"
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_requests_fund_action_received_at", "requests", ["fund", "action", "received_at"])
    op.create_table(
        "alerts",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("advice", sa.Text(), nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("notified_at", sa.BigInteger()),
        sa.Column("escalated_at", sa.BigInteger()),
        sa.Column("acknowledged_at", sa.BigInteger()),
        sa.Column("acknowledged_by", sa.Text()),
        sa.Column("resolved_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("key", name="pk_alerts"),
    )
    op.create_index("ix_alerts_last_at", "alerts", ["last_at"])


def _make_events_append_only() -> None:
    """What the first revision does on SQLite."""
    op.execute(
        "CREATE FUNCTION navoracle_events_are_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'events are append-only'; END $$"
    )
    op.execute(
        "CREATE TRIGGER events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON events "
        "FOR EACH STATEMENT EXECUTE FUNCTION navoracle_events_are_append_only()"
    )


def _table(name: str, *columns: str) -> sa.TableClause:
    return sa.table(name, *map(sa.column, columns))


def _convert_posts(connection: sa.Connection) -> None:
    posts = _table(
        "posts", "id", "chain", "registry", "calldata", "state", "created_at", "finished_at", "transaction_hash",
        "block_number", "error", "transaction",
    )  # fmt: skip
    attempts = _table(
        "attempts", "id", "post", "hash", "raw", "nonce", "sender", "transaction", "gas", "max_fee", "max_tip", "noop"
    )
    transactions = _table(
        "transactions", "id", "key", "chain", "sender", "kind", "to", "calldata", "urgency", "state", "nonce", "hash",
        "success", "block_number", "error", "created_at", "mined_at", "finished_at",
    )  # fmt: skip

    def read(number: int) -> tuple[dict[str, Any], Any, Any]:
        post = connection.execute(sa.select(posts).where(posts.c.id == number)).one()
        query = sa.select(attempts).where(attempts.c.post == number).order_by(attempts.c.id)
        signed = connection.execute(query).all()
        return _transaction(post, signed), post, signed

    numbers = connection.execute(sa.select(posts.c.id).order_by(posts.c.id)).scalars().all()
    taken: set[tuple[str, str, int]] = set()
    outdone: set[int] = set()
    for number in reversed(numbers):
        values, _, _ = read(number)
        lane = values["chain"], values["sender"], values["nonce"]
        if values["state"] in OPEN:
            outdone |= {number} if lane in taken else set()
            taken.add(lane)
    for number in numbers:
        values, post, signed = read(number)
        if number in outdone:
            values |= {"state": "replaced", "error": "a later post uses its nonce", "finished_at": post.created_at}
        added = connection.execute(transactions.insert().values(**values).returning(transactions.c.id)).scalar_one()
        connection.execute(posts.update().where(posts.c.id == number).values(transaction=added))
        for attempt in signed:
            changes = {"transaction": added, "noop": False} | _fees(attempt.hash, attempt.raw)
            connection.execute(attempts.update().where(attempts.c.id == attempt.id).values(**changes))


def _transaction(post: sa.Row[Any], signed: Any) -> dict[str, Any]:
    mined = [attempt for attempt in signed if attempt.hash == post.transaction_hash]
    chosen = (mined or signed or [None])[-1]
    given_up = post.state in OPEN and chosen is None
    landed = post.transaction_hash is not None
    return {
        "key": f"post:{post.id}",
        "chain": post.chain,
        "sender": NOBODY if chosen is None else chosen.sender,
        "kind": "post",
        "to": post.registry,
        "calldata": post.calldata,
        "urgency": "routine",
        "state": "failed" if given_up else post.state,
        "nonce": None if chosen is None else chosen.nonce,
        "hash": post.transaction_hash,
        "success": post.state == "confirmed" if landed else None,
        "block_number": post.block_number,
        "error": "nothing was signed for it" if given_up else post.error,
        "created_at": post.created_at,
        "mined_at": post.finished_at if landed else None,
        "finished_at": post.created_at if given_up else post.finished_at,
    }


def _fees(transaction_hash: str, raw: str) -> dict[str, Any]:
    """Gas and fees of signed bytes: EIP-1559's fields, or the one gas price of a legacy transaction."""
    try:
        data = bytes.fromhex(raw.removeprefix("0x"))
        typed = data[:1] == b"\x02"
        fields = _numbers(data[1:] if typed else data)
        tip, fee, gas = fields[2:5] if typed else (fields[1], fields[1], fields[2])
    except (IndexError, ValueError) as error:
        raise StoreError(
            f"attempt {transaction_hash} is no signed transaction",
            advice="The database was left as it was. Restore it from a backup, and report this as a defect.",
        ) from error
    return {"gas": gas, "max_fee": str(fee), "max_tip": str(tip)}


def _numbers(encoded: bytes) -> list[int]:
    """The first five items of an RLP list, which are numbers in every kind of transaction."""
    items: list[int] = []
    if encoded[0] < 0xC0:
        raise ValueError("no list")
    at = 1 if encoded[0] < 0xF8 else encoded[0] - 0xF6
    while len(items) < 5:
        first = encoded[at]
        length, start = (1, at) if first < 0x80 else (first - 0x80, at + 1)
        if not 0 <= length <= 32 or start + length > len(encoded):
            raise ValueError("no number")
        items.append(int.from_bytes(encoded[start : start + length], "big"))
        at = start + length
    return items


def _convert_back(connection: sa.Connection) -> None:
    posts = _table("posts", "id", "state", "finished_at", "transaction_hash", "block_number", "error", "transaction")
    attempts = _table("attempts", "post", "transaction")
    transactions = _table("transactions", "id", "state", "finished_at", "hash", "block_number", "error")
    of_post = transactions.c.id == posts.c.transaction

    def of_transaction(column: Any) -> Any:
        return sa.select(column).where(of_post).scalar_subquery()

    # The first schema knows no state between sent and confirmed, and none for a nonce that was lost.
    state = sa.case(
        (transactions.c.state == "mined", "sent"),
        (transactions.c.state == "replaced", "failed"),
        else_=transactions.c.state,
    )
    connection.execute(
        posts.update().values(
            state=of_transaction(state),
            finished_at=sa.func.coalesce(posts.c.finished_at, of_transaction(transactions.c.finished_at)),
            transaction_hash=of_transaction(transactions.c.hash),
            block_number=of_transaction(transactions.c.block_number),
            error=of_transaction(transactions.c.error),
        )
    )
    post = sa.select(posts.c.id).where(posts.c.transaction == attempts.c.transaction).scalar_subquery()
    connection.execute(attempts.update().values(post=post))
    connection.execute(attempts.delete().where(attempts.c.post.is_(None)))
