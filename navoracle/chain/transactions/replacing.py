"""Pushing what is not mined: broadcast again, replaced by a dearer form, or by one that only frees the nonce."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from navoracle.chain.transactions.broadcasting import Verdict
from navoracle.chain.transactions.desk import Desk
from navoracle.chain.transactions.funds import Funds
from navoracle.chain.transactions.nodes import Offer
from navoracle.chain.transactions.simulation import estimated_gas, sufficient_gas, transfer_gas
from navoracle.domain.errors import CallReverted, ChainError, FeeAboveCeiling, FeeBudgetSpent, WrongSignature
from navoracle.domain.gas_fees import Fees, least_replacement, replacement_fees, suggested_fees
from navoracle.domain.units import Timestamp
from navoracle.failpoints import fail_point
from navoracle.store_port.records import Severity
from navoracle.store_port.transactions import Attempt, TransactionKind, TransactionRow, Urgency

_MOST_IN_A_ROW = 5
"""How often in a row a node's word that a fee is too low is followed at once; then the ordinary pace is kept."""

_CEILING = "It is broadcast again until fees fall. Raise the chain's max_fee if the post is worth more than that."


def urgency_of(row: TransactionRow, rows: Sequence[TransactionRow]) -> Urgency:
    """The urgency that counts: a routine transaction that stands before an emergency is one itself."""
    behind = (each for each in rows if each.nonce is not None and row.nonce is not None and each.nonce >= row.nonce)
    urgent = any(each.intent.urgency is Urgency.EMERGENCY for each in (row, *behind))
    return Urgency.EMERGENCY if urgent else Urgency.ROUTINE


def is_expired(row: TransactionRow, now: Timestamp) -> bool:
    """Whether it must not land any more."""
    return row.intent.valid_until is not None and now > row.intent.valid_until


class Replacer:
    """Sees to it that transactions get mined, or at least that their nonces do."""

    def __init__(self, desk: Desk, funds: Funds) -> None:
        self._desk = desk
        self._funds = funds
        self._underpriced: dict[int, int] = {}

    async def push(self, row: TransactionRow, rows: Sequence[TransactionRow]) -> None:
        """Do what is due for a transaction that is in no block; `rows` are all that wait, by nonce."""
        now, newest = self._desk.clock.now(), row.attempts[-1]
        if is_expired(row, now) and not newest.noop:
            await self._replace(row, rows, noop=True)
        elif newest.sent_at is None and newest.signed.hash not in self._desk.published:
            # A process before this one, or an error, came between storing and sending.
            await self._publish(row, newest)
        elif await self._is_stuck(row, rows, now):
            await self._replace(row, rows, noop=newest.noop)
        else:
            await self._publish_again(row)

    async def _is_stuck(self, row: TransactionRow, rows: Sequence[TransactionRow], now: Timestamp) -> bool:
        """Whether a dearer form is due: it waits too long, and it is its own fee that it waits for."""
        desk, newest = self._desk, row.attempts[-1]
        verdict = desk.verdicts.get(newest.signed.hash)
        if verdict is Verdict.NO_FUNDS:
            return False
        if verdict in (Verdict.UNDERPRICED, Verdict.FEE_TOO_LOW) and self._underpriced.get(row.id, 0) < _MOST_IN_A_ROW:
            self._underpriced[row.id] = self._underpriced.get(row.id, 0) + 1
            return True
        if self._falls_public(row, newest, now):
            return True
        since = max(newest.signed_at, desk.waiting_since.get(row.id, 0))
        if now - since < desk.policy.resubmit_after:
            return False
        self._underpriced.pop(row.id, None)
        if row.nonce == rows[0].nonce:
            return True
        # Those behind the first wait for it; they are raised beside it only where the next block could not take them.
        return (await desk.nodes.offer()).base_fee > newest.max_fee

    def _falls_public(self, row: TransactionRow, newest: Attempt, now: Timestamp) -> bool:
        """Whether the relay's time is over and no form of the transaction was made for the public mempool yet."""
        desk = self._desk
        if not desk.may_be_private(row) or newest.noop:
            return False
        first = row.attempts[0].signed_at
        public_from = first + desk.policy.private_patience
        return now >= public_from > newest.signed_at

    # ---- replacing

    async def _replace(self, row: TransactionRow, rows: Sequence[TransactionRow], *, noop: bool) -> None:
        desk, newest = self._desk, row.attempts[-1]
        try:
            attempt = await self._dearer(row, rows, noop=noop)
        except FeeAboveCeiling as error:
            emergency = urgency_of(row, rows) is Urgency.EMERGENCY
            severity = Severity.CRITICAL if emergency else Severity.WARNING
            desk.tell_once(row.id, "fee_cap", severity, error.message, error.advice, row=row)
        except FeeBudgetSpent as error:
            desk.tell_once(row.id, "fee_budget", Severity.WARNING, error.message, error.advice, row=row)
        except WrongSignature as error:
            desk.tell_once(row.id, "wrong_signature", Severity.CRITICAL, error.message, error.advice, row=row)
        except ChainError as error:
            desk.tell_once(row.id, "send_failed", Severity.WARNING, error.message, error.advice, row=row)
        else:
            self._tell_replaced(row, newest, attempt)
            await self._publish(replace(row, attempts=(*row.attempts, attempt)), attempt, point="after_bump_send")
            return
        await self._publish_again(row)

    async def _dearer(self, row: TransactionRow, rows: Sequence[TransactionRow], *, noop: bool) -> Attempt:
        """A form of the transaction that nodes take in the place of its newest one; signed and stored."""
        desk, newest = self._desk, row.attempts[-1]
        frees = noop or row.intent.kind is TransactionKind.NOOP
        urgency = Urgency.EMERGENCY if noop else urgency_of(row, rows)
        offer = await desk.nodes.offer()
        wanted = suggested_fees(offer.base_fee, offer.tip, desk.policy.limits(urgency))
        ceiling = desk.policy.ceiling(urgency)
        fees = replacement_fees(Fees(newest.max_fee, newest.max_tip), wanted, ceiling)
        if fees is None:
            message = (
                f"transaction {row.id} offers {newest.max_fee} wei per gas and is not mined; a replacement would go "
                f"above the ceiling of {ceiling} (the base fee is {offer.base_fee})"
            )
            if newest.noop or not noop:
                raise FeeAboveCeiling(message, advice=_CEILING)
            # Nodes that still hold the expired form refuse this one; those that dropped it must get something to mine.
            desk.tell_once(row.id, "fee_cap", Severity.WARNING, message, _CEILING, row=row)
            fees = Fees(ceiling, min(max(least_replacement(newest.max_tip), wanted.max_tip), ceiling))
        gas = await (self._freeing_gas(newest, offer) if frees else self._gas(row, newest, offer))
        async with desk.nonces:  # the budget is nobody else's between the look at it and the storing
            if not frees:
                others = (each for each in desk.open_rows() if each.id != row.id)
                self._funds.require_budget(urgency, gas * fees.max_fee, others)
            attempt, _ = await desk.sign(row, newest.signed.nonce, gas, fees, noop=noop)
            fail_point("after_bump_sign")
            desk.store.save_attempt(desk.lease, row.id, attempt)
            fail_point("after_bump_save")
        return attempt

    async def _gas(self, row: TransactionRow, newest: Attempt, offer: Offer) -> int:
        """The gas anew; what it had where the simulation fails, for it may stand before what it needs."""
        try:
            nodes, to, data = self._desk.nodes, row.intent.to, row.intent.data
            estimate = await estimated_gas(nodes, row.sender, to, data)
            needed = await sufficient_gas(nodes, row.sender, to, data, estimate=estimate, block_gas=offer.block_gas)
        except (CallReverted, ChainError):
            return newest.gas
        return max(newest.gas, needed)

    async def _freeing_gas(self, newest: Attempt, offer: Offer) -> int:
        try:
            return await transfer_gas(self._desk.nodes, self._desk.sender, offer.block_gas)
        except (CallReverted, ChainError):
            return newest.gas

    def _tell_replaced(self, row: TransactionRow, newest: Attempt, attempt: Attempt) -> None:
        transaction_hash = attempt.signed.hash
        if attempt.noop and not newest.noop:
            self._desk.tell(
                "expired",
                Severity.WARNING,
                f"transaction {row.id} was not mined in time: its nonce {row.nonce} is freed by {transaction_hash}",
                "The post is late: see why it was not mined (fees, nodes, balance); the next slot posts anew.",
                row=row,
                hash=transaction_hash,
            )
        else:
            message = (
                f"transaction {row.id} is replaced by {transaction_hash}: {newest.max_fee} to {attempt.max_fee} wei "
                f"per gas, of it a tip of {newest.max_tip} to {attempt.max_tip}"
            )
            self._desk.tell("bumped", Severity.INFO, message, row=row, hash=transaction_hash)

    # ---- broadcasting again

    async def _publish(self, row: TransactionRow, attempt: Attempt, *, point: str = "after_send") -> None:
        found = await self._desk.broadcast(row, attempt)
        fail_point(point)
        self._desk.record(row, attempt, found)

    async def _publish_again(self, row: TransactionRow) -> None:
        """Broadcast the newest form again where it is time, and where it may still land."""
        desk, newest = self._desk, row.attempts[-1]
        now = desk.clock.now()
        if is_expired(row, now) and not newest.noop:
            return
        last = desk.published.get(newest.signed.hash)
        fell_out = row.id in desk.waiting_since and last is None
        since = newest.sent_at if last is None else last
        if fell_out or since is None or now - since >= desk.policy.republish_after:
            await self._publish(row, newest)
            message = f"transaction {newest.signed.hash} was broadcast again"
            desk.tell("republished", Severity.INFO, message, row=row, hash=newest.signed.hash)
