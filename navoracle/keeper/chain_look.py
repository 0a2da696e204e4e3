"""A look at the chain beside the slots: what it serves, what the lanes have left, how far the clock is off."""

from __future__ import annotations

from navoracle.keeper.failures import Failures
from navoracle.keeper.parts import Keeper
from navoracle.keeper.publishing import Outbox
from navoracle.lane_port import Lane


class ChainLook:
    """Tells the observer; a chain that cannot be read is told too, and hides no other."""

    def __init__(self, keeper: Keeper, failures: Failures) -> None:
        self._keeper = keeper
        self._failures = failures

    async def all(self) -> None:
        """Everything."""
        await self.registries()
        for lane in self._keeper.lanes:
            await self._failures.guard(f"balance of {lane.address}", self._balance, lane)

    async def registries(self) -> None:
        """What the contracts serve, and how old the blocks are."""
        for target, outbox in self._keeper.ports.outboxes.items():
            await self._failures.guard(f"NAVs on {target}", self._confirmed, target, outbox)

    async def _confirmed(self, target: str, outbox: Outbox) -> None:
        keeper, chain = self._keeper, outbox.publisher.chain
        ids = {name: fund.fund_id for name, fund in keeper.planner.subject.funds.items() if fund.target == target}
        for fund, confirmed in (await outbox.publisher.confirmed(ids)).items():
            keeper.observer.confirmed(fund, confirmed)
            if confirmed.nav is not None:
                keeper.latest.start_from(fund, confirmed.nav)
        stamp = await keeper.ports.chains[chain].stamp()
        keeper.observer.skew(chain, keeper.clock.now() - stamp.timestamp)

    async def _balance(self, lane: Lane) -> None:
        status = await lane.status()
        epoch = lane.lease.epoch if await lane.open() else None
        self._keeper.observer.lane(status, epoch)
