"""Transactions: intents stored before they are signed, signed bytes before they are sent, receipts as they come.

What must be known after a loss of power, because it may be on its way to the chain, is written durably. Every write
may be repeated: the second time it changes nothing.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Final

from sqlalchemy import Connection, Row, RowMapping, Select, select, update

from navoracle.domain.errors import StoreError
from navoracle.domain.units import Timestamp
from navoracle.ports import Address
from navoracle.publisher_port import Receipt
from navoracle.storage import tables
from navoracle.storage.database import Database
from navoracle.storage.failures import defect
from navoracle.storage.lanes import lock_lane
from navoracle.storage.rows import transaction_row
from navoracle.storage.upsert import keeping
from navoracle.store_port.states import TransactionState
from navoracle.store_port.transactions import Attempt, LaneLease, NewTransaction, TransactionRow, Urgency

_TABLE: Final = tables.transactions
_ATTEMPTS: Final = tables.attempts
_ADD: Final = keeping(_TABLE, "key").returning(_TABLE.c.id)
_UNMINED: Final = dict.fromkeys(("hash", "success", "block_number", "block_hash", "gas_used", "fee_paid", "mined_at"))


class TransactionStore:
    """The part of the store that keeps transactions and their attempts."""

    _database: Database

    def add_transaction(self, lane: LaneLease, intent: NewTransaction, at: Timestamp) -> int:
        """Store an intent before it is signed; the number of the one that has its key already where there is one.

        Raises:
            LeaseLost: the lane is another keeper's.
            StoreError: the key belongs to another lane's transaction.
        """
        with self._database.write(durable=True) as connection:
            lock_lane(connection, lane)
            return insert_transaction(connection, lane, intent, at)

    def save_attempt(self, lane: LaneLease, transaction: int, attempt: Attempt) -> None:
        """Store signed bytes before they are broadcast; the first one gives the transaction its nonce.

        Raises:
            LeaseLost: the lane is another keeper's.
            StoreError: the transaction has ended, has another nonce, or the nonce belongs to another open transaction;
                or the bytes are another sender's or another transaction's.
        """
        signed = attempt.signed
        if signed.sender != lane.sender:
            raise defect(f"an attempt of {signed.sender} in the lane of {lane.sender}")
        with self._database.write(durable=True) as connection:
            lock_lane(connection, lane)
            known = connection.execute(
                select(_ATTEMPTS.c.transaction).where(_ATTEMPTS.c.hash == signed.hash)
            ).scalar_one_or_none()
            if known == transaction:
                return
            if known is not None:
                raise defect(f"attempt {signed.hash} belongs to transaction {known}, not to {transaction}")
            row = _require_open(connection, lane, transaction)
            if row.nonce is None:
                _require_free(connection, lane, signed.nonce)
                connection.execute(update(_TABLE).where(_TABLE.c.id == transaction).values(nonce=signed.nonce))
            elif row.nonce != signed.nonce:
                raise defect(f"transaction {transaction} has nonce {row.nonce}, its attempt {signed.nonce}")
            connection.execute(
                _ATTEMPTS.insert(),
                {
                    "transaction": transaction,
                    "hash": signed.hash,
                    "raw": signed.raw,
                    "nonce": signed.nonce,
                    "sender": signed.sender,
                    "to": signed.to,
                    "gas": attempt.gas,
                    "max_fee": attempt.max_fee,
                    "max_tip": attempt.max_tip,
                    "noop": attempt.noop,
                    "signed_at": attempt.signed_at,
                    "sent_at": attempt.sent_at,
                    "error": attempt.error,
                },
            )

    def record_broadcast(self, lane: LaneLease, transaction_hash: str, at: Timestamp, error: str | None = None) -> None:
        """An attempt was broadcast: SENT. With an `error` it may have arrived all the same, and the state stays.

        Raises:
            LeaseLost: the lane is another keeper's.
            StoreError: no attempt of this lane has that hash.
        """
        with self._database.write(durable=error is not None) as connection:
            lock_lane(connection, lane)
            found = connection.execute(
                select(_TABLE.c.id, _TABLE.c.state)
                .join(_ATTEMPTS, _ATTEMPTS.c.transaction == _TABLE.c.id)
                .where(_ATTEMPTS.c.hash == transaction_hash, *_is_of(lane))
            ).one_or_none()
            if found is None:
                raise defect(f"{transaction_hash} is no attempt of {lane.sender} on {lane.chain}")
            connection.execute(
                update(_ATTEMPTS).where(_ATTEMPTS.c.hash == transaction_hash).values(sent_at=at, error=error)
            )
            if TransactionState(found.state).is_end:
                return
            values: dict[str, object] = {"error": error}
            if error is None and found.state == TransactionState.PREPARED.value:
                values["state"] = TransactionState.SENT.value
            connection.execute(update(_TABLE).where(_TABLE.c.id == found.id).values(**values))

    def record_mined(self, lane: LaneLease, transaction: int, receipt: Receipt, fee_paid: int, at: Timestamp) -> None:
        """One of its attempts is in a block: MINED. `fee_paid` in wei.

        A receipt of another block, after a reorganization, takes the place of the one before; the same again changes
        nothing.

        Raises:
            LeaseLost: the lane is another keeper's.
            StoreError: the transaction has ended, or the receipt is of none of its attempts.
        """
        with self._database.write(durable=True) as connection:
            lock_lane(connection, lane)
            row = _require(connection, lane, transaction)
            mined = {
                "hash": receipt.hash,
                "success": receipt.success,
                "block_number": receipt.block_number,
                "block_hash": receipt.block_hash,
                "gas_used": receipt.gas_used,
                "fee_paid": fee_paid,
            }
            if all(getattr(row, name) == value for name, value in mined.items()):
                return
            _refuse_ended(row)
            query = select(_ATTEMPTS.c.id).where(
                _ATTEMPTS.c.transaction == transaction, _ATTEMPTS.c.hash == receipt.hash
            )
            if connection.execute(query).one_or_none() is None:
                raise defect(f"receipt {receipt.hash} is of no attempt of transaction {transaction}")
            values = mined | {"state": TransactionState.MINED.value, "mined_at": at, "error": None}
            connection.execute(update(_TABLE).where(_TABLE.c.id == transaction).values(**values))

    def record_unmined(self, lane: LaneLease, transaction: int, at: Timestamp) -> None:
        """Its block is no longer part of the chain: SENT again, without a receipt.

        Raises:
            LeaseLost: the lane is another keeper's.
            StoreError: the transaction has ended, or was not mined.
        """
        with self._database.write(durable=True) as connection:
            lock_lane(connection, lane)
            row = _require_open(connection, lane, transaction)
            if row.state == TransactionState.PREPARED.value:
                raise defect(f"transaction {transaction} was never mined")
            values = _UNMINED | {"state": TransactionState.SENT.value}
            connection.execute(update(_TABLE).where(_TABLE.c.id == transaction).values(**values))

    def end_transaction(
        self, lane: LaneLease, transaction: int, state: TransactionState, at: Timestamp, error: str | None = None
    ) -> None:
        """CONFIRMED, REPLACED or FAILED, for good; the same end again is no change.

        Raises:
            LeaseLost: the lane is another keeper's.
            StoreError: it has ended otherwise, or the state is no end.
        """
        if not state.is_end:
            raise defect(f"transaction {transaction} cannot end as {state.value}")
        with self._database.write(durable=True) as connection:
            lock_lane(connection, lane)
            row = _require(connection, lane, transaction)
            if row.state == state.value:
                return
            _refuse_ended(row)
            values = {"state": state.value, "error": error, "finished_at": at}
            connection.execute(update(_TABLE).where(_TABLE.c.id == transaction).values(**values))

    def open_transactions(self, chain: str, sender: Address) -> tuple[TransactionRow, ...]:
        """Those that have not ended: by nonce, then those without one in the order of storing."""
        query = (
            select(_TABLE)
            .where(_TABLE.c.chain == chain, _TABLE.c.sender == sender, _TABLE.c.state.in_(tables.OPEN_STATES))
            .order_by(_TABLE.c.nonce.is_(None), _TABLE.c.nonce, _TABLE.c.id)
        )
        with self._database.read() as connection:
            return transaction_rows(connection, query)

    def find_transaction(self, transaction: int) -> TransactionRow:
        """One transaction. Raises StoreError for an unknown number."""
        with self._database.read() as connection:
            found = transaction_rows(connection, select(_TABLE).where(_TABLE.c.id == transaction))
        if not found:
            raise _unknown(transaction)
        return found[0]

    def transactions(self, chain: str | None = None, limit: int | None = None) -> tuple[TransactionRow, ...]:
        """Transactions, newest first."""
        query = select(_TABLE).order_by(_TABLE.c.id.desc()).limit(limit)
        if chain is not None:
            query = query.where(_TABLE.c.chain == chain)
        with self._database.read() as connection:
            return transaction_rows(connection, query)

    def highest_nonce(self, chain: str, sender: Address) -> int | None:
        """The highest nonce of any attempt that was ever stored; None before the first."""
        query = (
            select(_ATTEMPTS.c.nonce)
            .join(_TABLE, _TABLE.c.id == _ATTEMPTS.c.transaction)
            .where(_ATTEMPTS.c.sender == sender, _TABLE.c.chain == chain)
            .order_by(_ATTEMPTS.c.nonce.desc())
            .limit(1)
        )
        with self._database.read() as connection:
            nonce: int | None = connection.execute(query).scalar_one_or_none()
        return nonce

    def fees_paid_since(self, chain: str, sender: Address, since: Timestamp, urgency: Urgency | None = None) -> int:
        """Wei paid for transactions mined at `since` or later, whatever became of them; of one urgency, or all."""
        query = select(_TABLE.c.fee_paid).where(
            _TABLE.c.chain == chain, _TABLE.c.sender == sender, _TABLE.c.mined_at >= since
        )
        if urgency is not None:
            query = query.where(_TABLE.c.urgency == urgency.value)
        with self._database.read() as connection:
            return sum(fee for fee in connection.execute(query).scalars() if fee is not None)


def insert_transaction(connection: Connection, lane: LaneLease, intent: NewTransaction, at: Timestamp) -> int:
    """Add an intent to a lane that is locked, or find the one that has its key."""
    values = {
        "key": intent.key,
        "chain": lane.chain,
        "sender": lane.sender,
        "kind": intent.kind.value,
        "to": intent.to,
        "calldata": "0x" + intent.data.hex(),
        "urgency": intent.urgency.value,
        "valid_until": intent.valid_until,
        "state": TransactionState.PREPARED.value,
        "created_at": at,
    }
    added: int | None = connection.execute(_ADD, values).scalar_one_or_none()
    if added is not None:
        return added
    query = select(_TABLE.c.id, _TABLE.c.chain, _TABLE.c.sender).where(_TABLE.c.key == intent.key)
    known = connection.execute(query).one()
    if (known.chain, known.sender) != (lane.chain, lane.sender):
        raise defect(f"the key {intent.key} belongs to a transaction of {known.sender} on {known.chain}")
    return int(known.id)


def attempts_of(connection: Connection, transactions: Select[Any]) -> dict[int, list[RowMapping]]:
    """The attempts of the transactions whose numbers are selected, by transaction, oldest first."""
    found: dict[int, list[RowMapping]] = defaultdict(list)
    query = select(_ATTEMPTS).where(_ATTEMPTS.c.transaction.in_(transactions)).order_by(_ATTEMPTS.c.id)
    for row in connection.execute(query).mappings():
        found[row["transaction"]].append(row)
    return found


def transaction_rows(connection: Connection, query: Select[Any]) -> tuple[TransactionRow, ...]:
    """The transactions of a query on their table, with their attempts."""
    rows = connection.execute(query).mappings().all()
    attempts = attempts_of(connection, select(query.with_only_columns(_TABLE.c.id).subquery()))
    return tuple(transaction_row(row, attempts[row["id"]]) for row in rows)


def _is_of(lane: LaneLease) -> tuple[Any, ...]:
    return _TABLE.c.chain == lane.chain, _TABLE.c.sender == lane.sender


def _require(connection: Connection, lane: LaneLease, transaction: int) -> Row[Any]:
    row = connection.execute(select(_TABLE).where(_TABLE.c.id == transaction)).one_or_none()
    if row is None:
        raise _unknown(transaction)
    if (row.chain, row.sender) != (lane.chain, lane.sender):
        raise defect(f"transaction {transaction} is of {row.sender} on {row.chain}, not of this lane")
    return row


def _require_open(connection: Connection, lane: LaneLease, transaction: int) -> Row[Any]:
    row = _require(connection, lane, transaction)
    _refuse_ended(row)
    return row


def _refuse_ended(row: Row[Any]) -> None:
    if TransactionState(row.state).is_end:
        raise defect(f"transaction {row.id} has ended as {row.state}")


def _require_free(connection: Connection, lane: LaneLease, nonce: int) -> None:
    query = select(_TABLE.c.id).where(*_is_of(lane), _TABLE.c.nonce == nonce, _TABLE.c.state.in_(tables.OPEN_STATES))
    holder = connection.execute(query).scalar_one_or_none()
    if holder is not None:
        raise defect(f"nonce {nonce} of {lane.sender} on {lane.chain} belongs to transaction {holder}, which is open")


def _unknown(transaction: int) -> StoreError:
    return defect(f"transaction {transaction} is not recorded")
