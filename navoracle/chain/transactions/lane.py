"""One sender on one chain: the only one that uses its nonces."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine

from navoracle.chain.pool import NodePool
from navoracle.chain.signers import Signer
from navoracle.chain.transactions.desk import Desk
from navoracle.chain.transactions.funds import Funds
from navoracle.chain.transactions.gaps import FinalityWatch, GapFiller
from navoracle.chain.transactions.nodes import ChainNodes
from navoracle.chain.transactions.nonces import next_nonce
from navoracle.chain.transactions.policy import LanePolicy, Relay
from navoracle.chain.transactions.replacing import Replacer, is_expired
from navoracle.chain.transactions.submitting import Submitter
from navoracle.chain.transactions.watching import Look, Watcher
from navoracle.domain.errors import ChainError, ConfigurationError, LeaseLost
from navoracle.lane_port import LaneEvent, LaneStatus
from navoracle.ports import Address, Clock
from navoracle.store_port.records import Severity
from navoracle.store_port.states import TransactionState
from navoracle.store_port.transactions import (
    LaneLease,
    NewTransaction,
    TransactionKind,
    TransactionRow,
    TransactionStore,
    Urgency,
)


class TransactionLane:
    """Implements `lane_port.Lane` over a pool of nodes.

    Nothing that matters is kept in memory: another process with the same store goes on where this one ended.

    Args:
        pool: the chain's nodes.
        signer: who signs.
        store: where transactions are kept before they are broadcast.
        clock: what ages are measured by.
        chain: the configuration's name of the chain.
        chain_id: what a node must say its chain is before anything is signed.
        policy: what may be spent, and how patient it is.
        owner: this process's name in leases: of two processes never the same.
        on_event: told of everything that an operator may have to know.
        relay: a private relay for routine transactions.

    Raises:
        ConfigurationError: the pool is of another chain.
    """

    def __init__(
        self,
        *,
        pool: NodePool,
        signer: Signer,
        store: TransactionStore,
        clock: Clock,
        chain: str,
        chain_id: int,
        policy: LanePolicy,
        owner: str,
        on_event: Callable[[LaneEvent], None] | None = None,
        relay: Relay | None = None,
    ) -> None:
        if pool.chain_id != chain_id:
            raise ConfigurationError(
                f"{chain}: the nodes are of chain {pool.chain_id}, transactions of chain {chain_id}",
                advice="Give both the same chain id.",
            )
        self._owner = owner
        self._desk = Desk(
            chain=chain,
            nodes=ChainNodes(pool),
            signer=signer,
            store=store,
            clock=clock,
            policy=policy,
            relay=relay,
            on_event=on_event,
        )
        self._funds = Funds(self._desk)
        self._submitter = Submitter(self._desk, self._funds)
        self._watcher = Watcher(self._desk)
        self._replacer = Replacer(self._desk, self._funds)
        self._gaps = GapFiller(self._desk, self._submitter, self._watcher)
        self._finality = FinalityWatch(self._desk, self._watcher)
        self._looking = asyncio.Lock()

    def __repr__(self) -> str:
        return f"TransactionLane({self._desk.sender} on {self._desk.chain})"

    @property
    def address(self) -> Address:
        """The sender."""
        return self._desk.sender

    @property
    def lease(self) -> LaneLease:
        """The lease under which it writes. Raises LeaseLost while it has none."""
        return self._desk.lease

    async def open(self) -> bool:
        """Claim the lane, or renew the claim; False while another keeper has it. Raises StoreError."""
        desk = self._desk
        if desk.held is not None:
            try:
                desk.store.renew_lane(desk.held, desk.policy.lease)
            except LeaseLost:
                desk.held = None
        if desk.held is None:
            desk.held = desk.store.claim_lane(desk.chain, desk.sender, owner=self._owner, lease=desk.policy.lease)
        return desk.held is not None

    async def add(self, intent: NewTransaction) -> int:
        """Store an intent; its number. Raises LeaseLost, StoreError."""
        return self._desk.store.add_transaction(self._desk.lease, intent, self._desk.clock.now())

    async def submit(self, transaction: int) -> None:
        """Simulate, price, sign, store and broadcast a prepared transaction; see `lane_port.Lane`.

        One that was signed before, or has ended, is left to `tick`.
        """
        self._renew()
        await self._submitter.submit(transaction)

    async def tick(self) -> None:
        """One look at everything that is open, and what it asks for; see `lane_port.Lane`."""
        async with self._looking:
            self._renew()
            try:
                look = await self._look()
            except ChainError:
                return  # the pool tells of its nodes; there is nothing to see
            waiting = [row for row in self._open_rows() if not await self._settled(row, look)]
            for row in waiting:
                await self._unless_nodes_fail(self._replacer.push(row, waiting))
            await self._unless_nodes_fail(self._fill_gaps(look))
            await self._unless_nodes_fail(self._funds.look())

    async def status(self) -> LaneStatus:
        """Balance, runway and nonces. Raises ChainError, StoreError."""
        desk = self._desk
        balance, count = await asyncio.gather(desk.nodes.balance(desk.sender), desk.nodes.count(desk.sender))
        return LaneStatus(
            chain=desk.chain,
            sender=desk.sender,
            balance=balance,
            runway=self._funds.lasts(balance),
            pending=len(desk.open_rows()),
            next_nonce=next_nonce(count, desk.nonces_of_ours()),
            spent_today=self._funds.spent_today(),
            budget_per_day=desk.policy.budget(Urgency.ROUTINE),
        )

    async def close(self) -> None:
        """Give the lease up, and the connection to the relay; the pool is its owner's."""
        desk = self._desk
        held, desk.held = desk.held, None
        if held is not None:
            desk.store.release_lane(held)
        if desk.relay is not None:
            await desk.relay.endpoint.close()

    # ---- a look

    def _renew(self) -> None:
        """Whoever slept through the lease finds out here, before anything is signed or broadcast."""
        self._desk.store.renew_lane(self._desk.lease, self._desk.policy.lease)

    async def _look(self) -> Look:
        desk = self._desk
        try:
            head = await desk.nodes.head()
        except ChainError:
            head = None
        return Look(desk.clock.now(), head, await desk.nodes.count(desk.sender))

    def _open_rows(self) -> list[TransactionRow]:
        """What may be looked at: everything that is not just being submitted."""
        return [row for row in self._desk.open_rows() if row.id not in self._submitter.busy]

    async def _settled(self, row: TransactionRow, look: Look) -> bool:
        """Whether nothing need be done for a transaction; True also where no node says anything of it."""
        if not row.attempts:
            self._drop_unsigned(row)
            return True
        try:
            return await self._watcher.settle(row, look)
        except ChainError:
            return True

    async def _fill_gaps(self, look: Look) -> None:
        await self._gaps.look(look, await self._finality.look(look))

    def _drop_unsigned(self, row: TransactionRow) -> None:
        """An intent that was never signed ends when its time is over; until then it is the caller's to submit.

        One that was to fill a nonce ends at once: where the nonce is still free, the gap is seen anew.
        """
        desk = self._desk
        fills = row.intent.kind is TransactionKind.NOOP
        if not (fills or is_expired(row, desk.clock.now())):
            return
        what = "was never signed" if fills else "expired before it was signed"
        desk.store.end_transaction(desk.lease, row.id, TransactionState.FAILED, desk.clock.now(), what)
        desk.tell(
            "failed",
            Severity.INFO if fills else Severity.WARNING,
            f"transaction {row.id} {what}",
            "Nothing was sent: a keeper stopped before it came to it. The next slot posts anew.",
            row=row,
        )

    async def _unless_nodes_fail(self, step: Coroutine[object, object, None]) -> None:
        """Take a step; where nodes fail, the next look takes it again."""
        try:
            await step
        except ChainError:
            return
