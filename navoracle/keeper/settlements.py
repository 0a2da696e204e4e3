"""Settling vaults: once a post is served that is newer than every request of an epoch, the epoch is settled with it.

What a settlement would do is planned and asked of the vault (`examined_settlements`), and only then sent, with the
components of the frame that was posted. The intent and the plan are stored together before anything is signed; a
keeper that starts again finds them and sees the transaction to its end. Afterwards the vault is read back: what it did
must be what was planned.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from navoracle.domain.errors import CallReverted, ChainError
from navoracle.domain.settlement import Refusal
from navoracle.domain.units import Timestamp, format_wad
from navoracle.keeper.examined_settlements import Examined, VaultAccess, examine
from navoracle.keeper.gated_settlements import gate_refusals
from navoracle.keeper.settlement_events import (
    StartedSettlement,
    ended,
    last_failure,
    open_settlement,
    started,
    told_reasons,
    waiting,
)
from navoracle.keeper.settlement_look import Settlement, Step
from navoracle.lane_port import Lane, ProposedCall, Proposer
from navoracle.ports import Clock
from navoracle.store_port import NewTransaction, Store, TransactionKind, TransactionRow, TransactionState
from navoracle.vault_port import SettledEpoch


class Settlements:
    """Settles the vaults of a keeper's funds, one look at a time.

    Args:
        vaults: by fund.
        live: whether settlements are sent.
    """

    def __init__(self, vaults: Mapping[str, VaultAccess], store: Store, clock: Clock, *, live: bool) -> None:
        self.vaults = vaults
        self._store = store
        self._clock = clock
        self._live = live
        self._looking = asyncio.Lock()

    async def look(self, fund: str) -> Settlement:
        """See a settlement that is under way on, or plan one, and send it where nothing speaks against it.

        Raises:
            ChainError: the chain cannot be read. ConfigurationError: the vault settles on another fund.
            LeaseLost: another keeper has the lane. StoreError: the database cannot be used.
        """
        access = self.vaults[fund]
        async with self._looking:
            under_way = open_settlement(self._store, fund)
            if under_way is not None:
                return await self._follow(access, under_way)
            examined = await examine(access, self._store, access.sender)
            examined = replace(examined, refusals=(*examined.refusals, *self._own_refusals(examined)))
            if not self._live or access.sender is None:
                return Settlement(fund, Step.WAITING, _reason(examined) or "dry_run", examined)
            if examined.refusals or examined.data is None:
                self._tell_waiting(examined)
                return Settlement(fund, Step.WAITING, _reason(examined), examined)
            if access.proposer is not None:
                return await self._propose(access, access.proposer, examined, examined.data)
            if access.lane is None or not await access.lane.open():
                return Settlement(fund, Step.WAITING, "another keeper has the lane", examined)
            return await self._send(access, access.lane, examined, examined.data)

    async def _propose(self, access: VaultAccess, proposer: Proposer, examined: Examined, data: bytes) -> Settlement:
        """Propose the settlement, once for each post; its owners execute it."""
        plan, post = examined.plan, examined.post
        sentence = (
            f"{access.fund}: settle epoch {plan.epoch} at a price per share of {format_wad(post.price_per_share)}: "
            f"{format_wad(plan.deposits.shares)} shares minted for deposits, {format_wad(plan.redemptions.burned)} "
            f"burned, {format_wad(plan.fees.shares)} minted for fees"
        )
        call = ProposedCall(
            action="settle",
            to=access.contract.address,
            data=data,
            funds=(access.fund,),
            sentences=(sentence,),
            slot_time=post.valuation_time,
            valuation_time=post.valuation_time,
            valid_until=Timestamp(post.valuation_time + post.max_age),
        )
        place = await proposer.propose(call)
        proposed = Refusal(
            "proposed",
            f"its settlement is proposed, {place}",
            "The Safe's owners sign and execute it: `navoracle safe show FILE`.",
        )
        self._tell_waiting(replace(examined, refusals=(proposed,)))
        return Settlement(access.fund, Step.WAITING, f"proposed: {place}", examined)

    def _own_refusals(self, examined: Examined) -> tuple[Refusal, ...]:
        """A settlement that failed is not repeated with the same post: what made it fail is still there."""
        failed = last_failure(self._store, examined.fund)
        if failed is None or failed != (examined.plan.epoch, examined.post.valuation_time):
            return ()
        return (
            Refusal(
                "failed_before",
                f"epoch {examined.plan.epoch} could not be settled on the post of {examined.post.valuation_time}",
                "Look at the transaction; the next post is tried anew.",
            ),
        )

    def _tell_waiting(self, examined: Examined) -> None:
        """Leave an event of each reason once an epoch."""
        told = told_reasons(self._store, examined.fund, examined.plan.epoch)
        for refusal in examined.refusals:
            if refusal.code not in told:
                self._store.append_event(waiting(examined.fund, examined.plan.epoch, refusal, self._clock.now()))

    async def _send(self, access: VaultAccess, lane: Lane, examined: Examined, data: bytes) -> Settlement:
        epoch, valued = examined.plan.epoch, examined.post.valuation_time
        intent = NewTransaction(
            key=f"settle:{access.chain}:{access.contract.address}:{epoch}:{valued}",
            kind=TransactionKind.SETTLE,
            to=access.contract.address,
            data=data,
            valid_until=Timestamp(valued + examined.post.max_age),
        )
        with self._store.transaction():
            number = self._store.add_transaction(lane.lease, intent, self._clock.now())
            begun = StartedSettlement(access.fund, number, examined.expected, examined.look.flows)
            self._store.append_event(started(begun, self._clock.now()))
        return await self._submit(access, lane, begun, examined)

    async def _submit(
        self, access: VaultAccess, lane: Lane, begun: StartedSettlement, examined: Examined | None
    ) -> Settlement:
        try:
            await lane.submit(begun.transaction)
        except (ChainError, CallReverted) as error:
            return self._failed(access.fund, begun, f"{error.code}: {error.message}", error.advice, examined)
        return Settlement(access.fund, Step.SENT, None, examined, begun.transaction)

    async def _follow(self, access: VaultAccess, begun: StartedSettlement) -> Settlement:
        row = self._store.find_transaction(begun.transaction)
        if not row.state.is_end:
            if row.attempts or access.lane is None or not self._live or not await access.lane.open():
                return Settlement(access.fund, Step.SENT, None, None, begun.transaction)
            takes_deposits = begun.expected.deposited > 0
            for stopped in gate_refusals(self._store, access.fund, takes_deposits=takes_deposits):
                return Settlement(access.fund, Step.WAITING, stopped.code, None, begun.transaction)
            return await self._submit(access, access.lane, begun, None)
        if row.state is not TransactionState.CONFIRMED or row.receipt is None:
            return self._failed(access.fund, begun, row.error or row.state.value, _LOOK_IT_UP, None)
        return await self._read_back(access, begun, row)

    async def _read_back(self, access: VaultAccess, begun: StartedSettlement, row: TransactionRow) -> Settlement:
        if row.receipt is None:
            return Settlement(access.fund, Step.SENT, None, None, begun.transaction)
        found = await access.contract.settled(begun.expected.epoch, row.receipt, begun.flows)
        if found is None:
            return self._failed(access.fund, begun, "confirmed, and the epoch is not settled", _LOOK_IT_UP, None)
        differs = _differences(begun.expected, found)
        self._store.append_event(ended(begun, self._clock.now(), settled=found, differs=differs))
        return Settlement(access.fund, Step.SETTLED, None, None, begun.transaction, found, differs)

    def _failed(
        self, fund: str, begun: StartedSettlement, reason: str, advice: str, examined: Examined | None
    ) -> Settlement:
        self._store.append_event(ended(begun, self._clock.now(), reason=reason, advice=advice))
        return Settlement(fund, Step.FAILED, reason, examined, begun.transaction)


_LOOK_IT_UP: Final = "Look the transaction up in an explorer; the next post is tried anew."


def _reason(examined: Examined) -> str | None:
    return examined.refusals[0].code if examined.refusals else None


def _differences(planned: SettledEpoch, found: SettledEpoch) -> tuple[str, ...]:
    """What the vault did otherwise than planned, one sentence each."""
    told = [
        f"{what}: {shown(getattr(planned, name))} planned, {shown(getattr(found, name))} settled"
        for name, what, shown in (
            ("epoch", "epoch", str),
            ("price_per_share", "share price", format_wad),
            ("valuation_time", "valuation time", str),
            ("deposited", "deposits", format_wad),
            ("minted", "shares minted", format_wad),
            ("fee_shares", "fee shares", format_wad),
            ("burned", "shares burned", format_wad),
            ("payouts", "payouts", str),
        )
        if getattr(planned, name) != getattr(found, name)
    ]
    return tuple(told)
