"""Following transactions into blocks, and out again: receipts, depth, reorganizations, nonces used by others."""

from __future__ import annotations

from dataclasses import dataclass

from navoracle.chain.reverts import describe_revert
from navoracle.chain.transactions.desk import Desk
from navoracle.chain.transactions.nodes import ReceiptSearch
from navoracle.chain.transactions.receipts import MinedReceipt
from navoracle.chain.transactions.simulation import replayed_reason
from navoracle.domain.errors import ChainError
from navoracle.domain.frame import BlockStamp
from navoracle.domain.units import Timestamp
from navoracle.failpoints import fail_point
from navoracle.store_port.records import Severity
from navoracle.store_port.states import TransactionState
from navoracle.store_port.transactions import Attempt, TransactionKind, TransactionRow


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at the lane starts from: the newest block, and how many of the sender's transactions are in blocks.

    `head` is None where no quorum says what it is: then nothing is final.
    """

    now: Timestamp
    head: BlockStamp | None
    count: int


@dataclass(slots=True)
class _Missing:
    """A nonce that is used while no receipt of ours is known."""

    since: Timestamp
    looks: int = 0


class Watcher:
    """Decides what became of transactions that were signed."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._missing: dict[int, _Missing] = {}

    async def settle(self, row: TransactionRow, look: Look) -> bool:
        """Look one transaction up by all its hashes and record what became of it.

        Returns:
            Whether there is nothing left to do for it in this look; False: it is in no block and its nonce is free.

        Raises:
            ChainError: no node says anything.
        """
        search = await self._desk.nodes.receipts([attempt.signed.hash for attempt in row.attempts])
        standing, undecided = await self._standing(search)
        if standing is not None:
            self._missing.pop(row.id, None)
            await self._is_in_block(row, standing, look)
            return True
        if undecided:
            return True
        if row.state is TransactionState.MINED:
            if not await self._left_the_chain(row, look):
                return True
            self._unmine(row)
        if row.nonce is not None and look.count > row.nonce:
            await self._nonce_is_used(row, search, look)
            return True
        self._missing.pop(row.id, None)
        return False

    async def is_gone(self, row: TransactionRow, look: Look) -> bool:
        """Whether a transaction that was final is in no block any more, under any of its hashes."""
        if not await self._left_the_chain(row, look):
            return False
        search = await self._desk.nodes.receipts([attempt.signed.hash for attempt in row.attempts])
        standing, undecided = await self._standing(search)
        return standing is None and not undecided and search.empty

    async def _standing(self, search: ReceiptSearch) -> tuple[MinedReceipt | None, bool]:
        """The receipt whose block a quorum has; and, without one, whether one may still turn out to be."""
        undecided = False
        for votes, found in search.found:
            has = await self._desk.nodes.has_block(found.receipt.block_number, found.receipt.block_hash)
            undecided = undecided or has is None
            if has:
                rivals = [other for many, other in search.found if many >= votes and other is not found]
                if any(_contradicts(found, other) for other in rivals):
                    return None, True
                return found, False
        return None, undecided

    async def _is_in_block(self, row: TransactionRow, found: MinedReceipt, look: Look) -> None:
        desk, receipt = self._desk, found.receipt
        attempt = next(each for each in row.attempts if each.signed.hash == receipt.hash)
        if row.state is TransactionState.MINED and row.receipt != receipt:
            self._unmine(row)
        if row.state is not TransactionState.MINED or row.receipt != receipt:
            desk.store.record_mined(desk.lease, row.id, receipt, found.fee_or(attempt.max_fee), desk.clock.now())
            message = f"transaction {receipt.hash} is in block {receipt.block_number}"
            desk.tell("mined", Severity.INFO, message, row=row, hash=receipt.hash)
            fail_point("after_mined")
        if look.head is not None and look.head.number - receipt.block_number >= desk.policy.post_confirmations:
            await self._finish(row, found, attempt)

    async def _finish(self, row: TransactionRow, found: MinedReceipt, attempt: Attempt) -> None:
        """Record the end of a transaction whose block is deep enough."""
        receipt = found.receipt
        if attempt.noop and row.intent.kind is not TransactionKind.NOOP:
            what = f"expired: its nonce {row.nonce} was freed by {receipt.hash}"
            self._end(row, TransactionState.REPLACED, what)
            self._desk.tell("replaced", Severity.INFO, f"transaction {row.id} {what}", row=row, hash=receipt.hash)
        elif receipt.success:
            self._end(row, TransactionState.CONFIRMED, None)
            message = f"transaction {receipt.hash} is confirmed in block {receipt.block_number}"
            self._desk.tell("confirmed", Severity.INFO, message, row=row, hash=receipt.hash)
            fail_point("after_confirm")
        else:
            reason = await self._revert_reason(row, found, attempt)
            what = f"mined in block {receipt.block_number} and reverted: {reason}"
            self._end(row, TransactionState.FAILED, what)
            self._desk.tell(
                "failed",
                Severity.WARNING,
                f"transaction {receipt.hash} was {what}",
                "The contract's state changed after the simulation: the reason says which rule refused it.",
                row=row,
                hash=receipt.hash,
            )

    async def _revert_reason(self, row: TransactionRow, found: MinedReceipt, attempt: Attempt) -> str:
        """The reason that a replay at the block before gives: without what stood before it in its own block."""
        receipt = found.receipt
        call = {
            "from": row.sender,
            "to": row.intent.to,
            "data": "0x" + row.intent.data.hex(),
            "gas": hex(attempt.gas),
        }
        blocks = (receipt.block_number - 1, receipt.block_number)
        reasons = [await replayed_reason(self._desk.nodes, call, block) for block in blocks if block >= 0]
        known = [reason for reason in reasons if reason is not None]
        if known:
            return describe_revert(known[0])
        used_up = receipt.gas_used >= attempt.gas
        return "out of gas" if used_up else "no node could say why"

    def _end(self, row: TransactionRow, state: TransactionState, error: str | None) -> None:
        self._desk.store.end_transaction(self._desk.lease, row.id, state, self._desk.clock.now(), error)
        self._desk.forget(row)

    async def _left_the_chain(self, row: TransactionRow, look: Look) -> bool:
        """Whether a quorum has another block in the place of the one that the transaction was in."""
        receipt = row.receipt
        if receipt is None:
            return True
        has = await self._desk.nodes.has_block(receipt.block_number, receipt.block_hash)
        if has is None:
            return look.head is not None and look.head.number < receipt.block_number
        return not has

    def _unmine(self, row: TransactionRow) -> None:
        desk = self._desk
        desk.store.record_unmined(desk.lease, row.id, desk.clock.now())
        desk.forget(row)
        desk.waiting_since[row.id] = desk.clock.now()
        was = "its block" if row.receipt is None else f"block {row.receipt.block_number}"
        desk.tell(
            "reorganized",
            Severity.WARNING,
            f"a reorganization of {desk.chain} took {was} away, and transaction {row.id} with it",
            "Nothing to do: the same bytes are broadcast again. Raise `confirmations` if this happens often.",
            row=row,
        )

    async def _user_of(self, nonce: int, newest: int) -> str | None:
        """The hash of what used a nonce; None where no node shows it, as nodes without old states do not."""
        try:
            return await self._desk.nodes.user_of(self._desk.sender, nonce, newest)
        except ChainError:
            return None

    async def _nonce_is_used(self, row: TransactionRow, search: ReceiptSearch, look: Look) -> None:
        """Its nonce is used and no node has a receipt of ours: after enough looks, another transaction used it."""
        desk = self._desk
        if not search.empty or look.head is None or row.nonce is None:
            return
        missing = self._missing.setdefault(row.id, _Missing(look.now))
        missing.looks += 1
        waited = look.now - missing.since
        if missing.looks < desk.policy.missing_looks or waited < desk.policy.missing_after:
            return
        deep = max(0, look.head.number - desk.policy.post_confirmations)
        if await desk.nodes.count(desk.sender, hex(deep)) <= row.nonce:
            return
        user = await self._user_of(row.nonce, look.head.number)
        if user in {attempt.signed.hash for attempt in row.attempts}:
            return  # It is ours: nodes have its block, and their receipts are still to come.
        what = f"another transaction of {desk.sender} used nonce {row.nonce}{'' if user is None else f' ({user})'}"
        self._end(row, TransactionState.REPLACED, what)
        self._missing.pop(row.id, None)
        desk.tell(
            "key_used_elsewhere",
            Severity.CRITICAL,
            f"{what} on {desk.chain}: none of the {len(row.attempts)} signed forms of transaction {row.id} was mined",
            "Find out what else uses this key: another keeper with another database, a script, or a thief. Take the "
            "POSTER role from the key if nobody knows.",
            row=row,
        )


def _contradicts(one: MinedReceipt, other: MinedReceipt) -> bool:
    """Whether two nodes say different things of the same transaction in the same block."""
    return (
        one.receipt.hash == other.receipt.hash
        and one.receipt.block_hash == other.receipt.block_hash
        and one.receipt.success is not other.receipt.success
    )
