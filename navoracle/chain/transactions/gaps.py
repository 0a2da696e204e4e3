"""What stands still because the chain lacks something of ours: nonces that nothing uses, and blocks that were final."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from navoracle.chain.transactions.desk import Desk
from navoracle.chain.transactions.nonces import free_nonces, nonces_of_ours
from navoracle.chain.transactions.replacing import urgency_of
from navoracle.chain.transactions.simulation import transfer_gas
from navoracle.chain.transactions.submitting import ROLLED_BACK, Submitter
from navoracle.chain.transactions.watching import Look, Watcher
from navoracle.domain.errors import FeeAboveCeiling, SignerFailed, WrongSignature
from navoracle.domain.gas_fees import Fees, replacement_fees, suggested_fees
from navoracle.domain.units import Timestamp
from navoracle.store_port.records import Severity
from navoracle.store_port.states import TransactionState
from navoracle.store_port.transactions import NewTransaction, TransactionKind, TransactionRow, Urgency

_RECENT: Final = 200
"""Among how many transactions the ended one that had a nonce is looked for."""

_NEWEST: Final = 20
"""Among how many transactions the newest confirmed ones are looked for."""

_FINAL: Final = 5
"""How many confirmed transactions are looked at when the newest one is gone."""


@dataclass(frozen=True, slots=True)
class _Gap:
    """A free nonce: since when it was seen, and how often."""

    since: Timestamp
    looks: int


class GapFiller:
    """Fills nonces that stand before transactions of ours and that nothing uses."""

    def __init__(self, desk: Desk, submitter: Submitter, watcher: Watcher) -> None:
        self._desk = desk
        self._submitter = submitter
        self._watcher = watcher
        self._gaps: dict[int, _Gap] = {}
        self._highest_count = 0

    async def look(self, look: Look, lost: Collection[int]) -> None:
        """Note which nonces are free, and fill those that have been for long enough.

        Args:
            lost: nonces of confirmed transactions that the chain took back.

        Raises:
            ChainError: the nodes do not say what is needed for it.
        """
        policy, rows = self._desk.policy, self._desk.open_rows()
        free = free_nonces(look.count, nonces_of_ours(rows), lost)
        known = self._gaps
        self._gaps = {nonce: known.get(nonce, _Gap(look.now, 0)) for nonce in free}
        # A count below one that was seen is most likely a node that lags: it gets as long as a missing receipt.
        patience = policy.gap_after if look.count >= self._highest_count else policy.missing_after
        self._highest_count = max(self._highest_count, look.count)
        for nonce in free:
            gap = self._gaps[nonce] = _Gap(self._gaps[nonce].since, self._gaps[nonce].looks + 1)
            waited = look.now - gap.since
            if nonce in lost or (gap.looks >= policy.gap_looks and waited >= patience):
                await self._fill(nonce, waited, rows, look)

    async def _fill(self, nonce: int, waited: int, rows: Sequence[TransactionRow], look: Look) -> None:
        desk = self._desk
        ended = self._ended(nonce)
        if ended is not None and ended.receipt is not None:
            if not await self._watcher.is_gone(ended, look):
                return  # it is used: the nodes that count too few are wrong
            if waited < desk.policy.resubmit_after:
                await rebroadcast(desk, ended)
                return
        blocked = [row for row in rows if row.nonce is not None and row.nonce > nonce]
        urgency = urgency_of(blocked[0], blocked) if blocked else Urgency.ROUTINE
        offer = await desk.nodes.offer()
        try:
            fees = self._submitter.price(offer, urgency)
            if ended is not None:
                # Its bytes may lie in a mempool: what takes their place must offer more.
                wanted = suggested_fees(offer.base_fee, offer.tip, desk.policy.limits(urgency))
                fees = self._above(ended, wanted, urgency)
        except FeeAboveCeiling as error:
            desk.tell_once(("gap", nonce), "fee_cap", Severity.WARNING, error.message, error.advice)
            return
        gas = await transfer_gas(desk.nodes, desk.sender, offer.block_gas)
        row = self._intent(nonce, urgency)
        try:
            async with desk.nonces:
                attempt, only = await self._submitter.sign(row, nonce, gas, fees)
        except SignerFailed as error:
            kind = "wrong_signature" if isinstance(error, WrongSignature) else "send_failed"
            desk.tell_once(("gap", nonce), kind, Severity.CRITICAL, error.message, error.advice)
            return
        await self._submitter.send(row, attempt, only)
        desk.tell(
            "gap_filled",
            Severity.WARNING,
            f"nothing used nonce {nonce} of {desk.sender} on {desk.chain}, and later ones waited for it: it was filled",
            "Nothing to do. If it happens again, see whether the database was restored from an older copy.",
            row=row,
        )

    def _intent(self, nonce: int, urgency: Urgency) -> TransactionRow:
        """A new intent to fill a nonce; one that filled it before has ended."""
        desk = self._desk
        key = base = f"gap:{desk.chain}:{desk.sender}:{nonce}"
        while True:
            intent = NewTransaction(key, TransactionKind.NOOP, desk.sender, b"", urgency)
            row = desk.store.find_transaction(desk.store.add_transaction(desk.lease, intent, desk.clock.now()))
            if not row.state.is_end:
                return row
            key = f"{base}:{row.id}"

    def _ended(self, nonce: int) -> TransactionRow | None:
        """The newest of ours that had a nonce and ended."""
        desk = self._desk
        rows = desk.store.transactions(desk.chain, _RECENT)
        return next(
            (row for row in rows if row.sender == desk.sender and row.nonce == nonce and row.state.is_end), None
        )

    def _above(self, ended: TransactionRow, wanted: Fees, urgency: Urgency) -> Fees:
        dearest = max((Fees(each.max_fee, each.max_tip) for each in ended.attempts), key=lambda fees: fees.max_fee)
        ceiling = self._desk.policy.ceiling(urgency)
        fees = replacement_fees(dearest, wanted, ceiling)
        if fees is None:
            raise FeeAboveCeiling(
                f"nonce {ended.nonce} is free; what takes the place of transaction {ended.id} would go above {ceiling}",
                advice="Wait for fees to fall, or raise the chain's max_fee.",
            )
        return fees


class FinalityWatch:
    """Sees whether what counts as final still is."""

    def __init__(self, desk: Desk, watcher: Watcher) -> None:
        self._desk = desk
        self._watcher = watcher
        self._doubted: dict[int, int] = {}

    async def look(self, look: Look) -> set[int]:
        """Look at the newest confirmed transaction, and at more where it is gone.

        Nothing new is sent while a nonce that was used is free again.

        Returns:
            The nonces of those that are gone and that nothing uses now.

        Raises:
            ChainError: the nodes do not say.
        """
        desk = self._desk
        gone: list[TransactionRow] = []
        for row in self._confirmed()[:_FINAL]:
            if not await self._watcher.is_gone(row, look):
                break
            gone.append(row)
        self._doubted = {row.id: self._doubted.get(row.id, 0) + 1 for row in gone}
        certain = [row for row in gone if self._doubted[row.id] >= desk.policy.gap_looks]
        for row in reversed(certain):
            message = f"{desk.chain} took back a block that was final, and transaction {row.id} with it"
            desk.tell_once(row.id, "deep_reorganization", Severity.CRITICAL, message, ROLLED_BACK, row=row)
        lost = {row.nonce for row in certain if row.nonce is not None and row.nonce >= look.count}
        named = ", ".join(str(nonce) for nonce in sorted(lost))
        desk.halted = (
            f"{desk.chain} took back the final blocks of nonces {named}: nothing new is sent" if lost else None
        )
        return lost

    def _confirmed(self) -> list[TransactionRow]:
        desk = self._desk
        rows = desk.store.transactions(desk.chain, _NEWEST)
        return [row for row in rows if row.sender == desk.sender and row.state is TransactionState.CONFIRMED]


async def rebroadcast(desk: Desk, row: TransactionRow) -> None:
    """Broadcast again what had ended and was taken back, as often as anything is broadcast again."""
    mined = row.receipt.hash if row.receipt is not None else row.attempts[-1].signed.hash
    attempt = next(each for each in row.attempts if each.signed.hash == mined)
    last = desk.published.get(mined)
    if last is None or desk.clock.now() - last >= desk.policy.republish_after:
        await desk.broadcast(row, attempt)
