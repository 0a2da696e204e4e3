"""The first form of a transaction: simulated, priced, given a nonce, signed, stored, and only then broadcast."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

from navoracle.chain.node import Node
from navoracle.chain.transactions.desk import Desk
from navoracle.chain.transactions.funds import Funds
from navoracle.chain.transactions.nodes import Offer
from navoracle.chain.transactions.nonces import next_nonce
from navoracle.chain.transactions.replacing import is_expired
from navoracle.chain.transactions.simulation import estimated_gas, sufficient_gas
from navoracle.domain.errors import (
    CallReverted,
    ChainError,
    ChainRolledBack,
    FeeAboveCeiling,
    FeeBudgetSpent,
    InsufficientFunds,
    NavoracleError,
    WrongSignature,
)
from navoracle.domain.gas_fees import Fees, first_fees
from navoracle.failpoints import fail_point
from navoracle.store_port.records import Severity
from navoracle.store_port.states import TransactionState
from navoracle.store_port.transactions import Attempt, TransactionRow, Urgency

_KINDS: Final[Mapping[type[NavoracleError], str]] = {
    FeeAboveCeiling: "fee_cap",
    FeeBudgetSpent: "fee_budget",
    InsufficientFunds: "no_funds",
    WrongSignature: "wrong_signature",
}


class Submitter:
    """Brings intents to their first broadcast. `busy` are those under way, which nobody else may touch."""

    def __init__(self, desk: Desk, funds: Funds) -> None:
        self._desk = desk
        self._funds = funds
        self.busy: set[int] = set()

    async def submit(self, transaction: int) -> None:
        """See `Lane.submit`; one that has a form already, or has ended, is left as it is."""
        desk = self._desk
        row = desk.store.find_transaction(transaction)
        if transaction in self.busy or row.attempts or row.state.is_end:
            return
        self.busy.add(transaction)
        try:
            await self._submit(row)
        except (CallReverted, ChainError) as error:
            desk.store.end_transaction(desk.lease, row.id, TransactionState.FAILED, desk.clock.now(), error.message)
            self._tell_failed(row, error)
            raise
        finally:
            self.busy.discard(transaction)

    async def _submit(self, row: TransactionRow) -> None:
        desk, intent = self._desk, row.intent
        if desk.halted is not None:
            raise ChainRolledBack(desk.halted, advice=ROLLED_BACK)
        if is_expired(row, desk.clock.now()):
            raise ChainError(
                f"transaction {row.id} expired before it was signed",
                advice="Nothing was sent; the next slot posts anew.",
            )
        nodes, to, data = desk.nodes, intent.to, intent.data
        estimate, offer, count, balance = await asyncio.gather(
            estimated_gas(nodes, row.sender, to, data),
            nodes.offer(),
            nodes.count(row.sender),
            nodes.balance(row.sender),
        )
        gas = await sufficient_gas(nodes, row.sender, to, data, estimate=estimate, block_gas=offer.block_gas)
        fees = self.price(offer, intent.urgency)
        async with desk.nonces:
            others, cost = desk.open_rows(), gas * fees.max_fee
            self._funds.require_budget(intent.urgency, cost, others)
            self._funds.require_balance(balance, cost, others)
            nonce = next_nonce(count, desk.nonces_of_ours())
            attempt, only = await self.sign(row, nonce, gas, fees)
        await self.send(row, attempt, only)

    def price(self, offer: Offer, urgency: Urgency) -> Fees:
        """The first price. Raises FeeAboveCeiling."""
        fees = first_fees(offer.base_fee, offer.tip, self._desk.policy.limits(urgency))
        if fees is None:
            raise FeeAboveCeiling(
                f"the base fee on {self._desk.chain} is {offer.base_fee} wei per gas, the ceiling of {urgency.value} "
                f"transactions is {self._desk.policy.ceiling(urgency)}",
                advice="Wait for the base fee to fall, or raise the chain's max_fee.",
            )
        return fees

    async def sign(self, row: TransactionRow, nonce: int, gas: int, fees: Fees) -> tuple[Attempt, Node]:
        """Sign and store the first form; held under `desk.nonces` with the choice of the nonce.

        Returns:
            The form, and the node that it may go to.

        Raises:
            ChainError: it was not signed. LeaseLost, StoreError: it was not stored. Nothing was broadcast.
        """
        desk = self._desk
        attempt, only = await desk.sign(row, nonce, gas, fees, noop=False)
        fail_point("after_sign")
        desk.store.save_attempt(desk.lease, row.id, attempt)
        fail_point("after_save")
        return attempt, only

    async def send(self, row: TransactionRow, attempt: Attempt, only: Node) -> None:
        """Broadcast the stored form once, to one node. What it is answered with is no error here."""
        desk = self._desk
        found = await desk.broadcast(row, attempt, only)
        fail_point("after_send")
        desk.record(row, attempt, found)
        fail_point("after_mark")
        message = f"transaction {attempt.signed.hash} was broadcast with nonce {attempt.signed.nonce}"
        desk.tell("sent", Severity.INFO, message, row=row, hash=attempt.signed.hash)

    def _tell_failed(self, row: TransactionRow, error: NavoracleError) -> None:
        critical = row.intent.urgency is Urgency.EMERGENCY or isinstance(error, InsufficientFunds | WrongSignature)
        severity = Severity.CRITICAL if critical else Severity.WARNING
        self._desk.tell(_KINDS.get(type(error), "failed"), severity, error.message, error.advice, row=row)


ROLLED_BACK = (
    "Look at the chain in an explorer and through other nodes. Sending resumes by itself once the transaction is in a "
    "block again; on a chain that was made anew, use a new database."
)
