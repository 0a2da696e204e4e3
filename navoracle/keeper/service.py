"""The service: the same line as everywhere, run by the clock, by what moves, and by those who may ask for it.

Every job can be called by itself, so that tests and rehearsals drive it step by step; `run` puts them on a scheduler.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from typing import Any, Final

from navoracle.domain.cadence import QUARTER, Cadence, ScheduledSlot
from navoracle.domain.errors import NavoracleError
from navoracle.domain.frame import NavFrame
from navoracle.domain.units import Timestamp
from navoracle.keeper.chain_look import ChainLook
from navoracle.keeper.consequences import Consequences
from navoracle.keeper.failures import Failures
from navoracle.keeper.left_behind import left_behind, untold
from navoracle.keeper.parts import Keeper, ServiceTimes
from navoracle.keeper.risk_looks import RiskLooks, watched_funds
from navoracle.keeper.schedule import Scheduler
from navoracle.keeper.slot_queue import SlotQueue, slots_since
from navoracle.keeper.tasks import Tasks
from navoracle.keeper.trades import SeenTrade
from navoracle.keeper.watch import STEP, WINDOW
from navoracle.lane_port import Lane
from navoracle.store_port import Claim, SlotOutcome, SlotRow, SlotState

DAY: Final = STEP * WINDOW


class KeeperService:
    """Runs a keeper for as long as it is not stopped."""

    def __init__(self, keeper: Keeper, times: ServiceTimes) -> None:
        self._keeper = keeper
        self._times = times
        self._more_jobs: list[tuple[int, str, Callable[[], Awaitable[Any]]]] = []
        self._companions: list[Callable[[], Coroutine[Any, Any, None]]] = []
        self._queue = SlotQueue()
        self._tasks = Tasks(keeper.observer)
        self._in_hand: dict[tuple[str, Timestamp], Claim | None] = {}
        self._began = False
        self._looking = asyncio.Lock()
        self.failures = Failures(keeper.observer)
        self._chain = ChainLook(keeper, self.failures)
        self._risk = _risk_looks(keeper, self.ask_emergency)
        self._consequences = Consequences(keeper, self.failures, self._risk, self.ask_emergency)

    # ---- the whole

    @property
    def keeper(self) -> Keeper:
        """Its parts."""
        return self._keeper

    @property
    def risk(self) -> RiskLooks | None:
        """Its looks at risk; None where no fund has limits or a gate."""
        return self._risk

    def also(self, seconds: int, name: str, job: Callable[[], Awaitable[Any]]) -> None:
        """Run a job of somebody else's beside the keeper's own, every so many seconds."""
        self._more_jobs.append((seconds, name, job))

    async def run_others(self) -> None:
        """Run once what `also` was given, as far as it is due at all: for whoever lets time go by steps."""
        for _, _, job in self._more_jobs:
            await job()

    def accompany(self, companion: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run something in the background while the service runs; it ends by being cancelled."""
        self._companions.append(companion)

    async def run(self, stop: asyncio.Event) -> None:
        """Start, work until `stop` is set, and end in order.

        Raises:
            StoreError: the database cannot be read at the start.
        """
        await self.start()
        scheduler = Scheduler(
            self._keeper.clock, misfire_grace=self._times.misfire_grace, on_event=self._keeper.observer.job
        )
        for seconds, name, job in self.jobs():
            scheduler.every(seconds, name, job)
        background = [asyncio.create_task(companion()) for companion in self._companions]
        scheduler.start()
        try:
            await stop.wait()
        finally:
            scheduler.stop()
            for task in background:
                task.cancel()
            await asyncio.gather(*background, return_exceptions=True)
            await self.finish()

    def jobs(self) -> tuple[tuple[int, str, Callable[[], Awaitable[Any]]], ...]:
        """Every job, by its interval in seconds and its name."""
        return (
            (1, "emergencies", self.look_for_slots),
            (QUARTER, "slots", self.look_for_slots),
            (self._times.sample, "sample", lambda: self.failures.guard("sample", self.sample)),
            (self._times.tick, "transactions", self.look_at_transactions),
            (max(1, self._times.lease // 2), "recovery", self.recover),
            (2, "requests", self.act_on_requests),
            (self._times.health, "health", self.look_at_chain),
            (self._times.settle, "settlements", self.settle),
            *(() if self._risk is None else ((self._times.risk, "risk", self.look_at_risk),)),
            *self._more_jobs,
        )

    async def start(self) -> None:
        """Pick up what an earlier run left behind: its samples, the slots that fell due since, posts under way.

        Raises:
            StoreError: the database cannot be read or written.
        """
        self._began = True
        store, now = self._keeper.store, self._keeper.clock.now()
        newest = {row.fund: row for row in reversed(store.slots(since=Timestamp(now - DAY)))}
        regular = [row for row in newest.values() if row.cadence is not Cadence.EMERGENCY]
        last = max(regular, key=lambda row: row.slot_time, default=None)
        self._keeper.watch.restore(
            store.load_samples(Timestamp(now - DAY)), None if last is None else last.cadence, now
        )
        for fund in self._keeper.planner.subject.funds:
            known = store.slots(fund=fund, limit=1)
            for slot in slots_since(known[0].slot_time, now) if known else ():
                self._miss(self._queue.add(slot, (fund,)), "no keeper ran")
        await self.look_at_transactions()
        await self.failures.guard("sample", self.sample)
        for row, outcome in untold(store, Timestamp(now - DAY)):
            self._keeper.observer.slot_ended(row.fund, row.slot_time, row.cadence, outcome, None)
        await self.look_for_slots()
        await self.recover()
        await self.look_at_chain()

    async def finish(self) -> None:
        """Wait for the slots under way, as long as the grace allows; what is left is claimed, and recovered later."""
        await self._tasks.finish(self._times.stop_grace)
        for lane in self._keeper.lanes:
            await lane.close()

    async def abandon(self) -> None:
        """Drop what is under way and keep every lease, as a process that dies does; for rehearsals."""
        await self._tasks.abandon()

    @property
    def busy(self) -> bool:
        """Whether anything is worked on."""
        return bool(self._tasks)

    # ---- slots

    def ask_emergency(self, fund: str, cause: str, reason: str) -> None:
        """Ask for an EMERGENCY slot; it begins at once, or when the fund's last one is a minute old.

        Before the start it is the start's, or that of whoever works slots off until then.
        """
        self._keeper.watch.ask(fund, reason, self._keeper.clock.now())
        self._keeper.observer.emergency_asked(fund, cause, reason)
        if self._began:
            self._tasks.begin(self.look_for_slots())

    def trade_seen(self, trade: SeenTrade) -> None:
        """A large trade: an EMERGENCY slot at once, and another one when the first valued a block before the trade."""
        self._consequences.of_trade(trade)

    async def sample(self) -> None:
        """Run the sampler's frame, and let the watch look at it."""
        keeper, began = self._keeper, time.monotonic()
        try:
            frame = await keeper.runner.sample(keeper.clock.now())
        except NavoracleError:
            keeper.observer.cycle("sample", ok=False, seconds=time.monotonic() - began)
            raise
        self._consequences.of_sample(frame)
        keeper.observer.cycle("sample", ok=True, seconds=time.monotonic() - began)

    async def look_at_risk(self) -> None:
        """Look at the risks of every fund that has a monitor or a gate and is not worked on."""
        if self._risk is not None:
            busy = frozenset(fund for fund, _ in self._in_hand)
            await self.failures.guard("risk", self._risk.look, busy)

    async def look_for_slots(self) -> None:
        """Begin every slot that is due and can be had."""
        self._keeper.observer.beat()
        async with self._looking:
            for slot, funds in self._keeper.watch.due(self._keeper.clock.now()):
                self._miss(self._queue.add(slot, funds), "superseded by a newer slot")
            if not len(self._queue):
                return
            others = await self._targets_of_others()
            plans = self._keeper.planner.subject.funds
            for slot, funds in self._queue.take(lambda fund: plans[fund].target not in others):
                claims = self._keeper.runner.claim(funds, slot.time, slot.cadence)
                if claims:
                    self._tasks.begin(self._work(slot, claims))

    async def _targets_of_others(self) -> set[str]:
        """The outboxes whose lane another keeper has: their slots are its own until its lease runs out."""
        outboxes = self._keeper.ports.outboxes.items()
        return {target for target, outbox in outboxes if outbox.lane is not None and not await outbox.lane.open()}

    async def _work(self, slot: ScheduledSlot, claims: Sequence[Claim]) -> None:
        began = time.monotonic()
        self._in_hand |= {(claim.fund, claim.slot_time): claim for claim in claims}
        try:
            frames, outcomes = await self._keeper.runner.work(claims, slot.time, slot.cadence)
        except NavoracleError as error:
            self._keeper.observer.cycle("slot", ok=False, seconds=time.monotonic() - began)
            self.failures.tell(f"slot {slot.time}", error)
            return
        finally:
            for claim in claims:
                self._in_hand.pop((claim.fund, claim.slot_time), None)
        ok = any(outcome.state is not SlotState.FAILED for outcome in outcomes.values())
        self._keeper.observer.cycle("slot", ok=ok, seconds=time.monotonic() - began)
        await self._after(slot.time, slot.cadence, frames, outcomes)

    async def _after(
        self, slot_time: Timestamp, cadence: Cadence, frames: Sequence[NavFrame], outcomes: dict[str, SlotOutcome]
    ) -> None:
        """What follows from a slot; after a post it is looked at what the contracts serve, and what can be settled."""
        await self._consequences.of_slot(slot_time, cadence, frames, outcomes)
        if any(outcome.post is not None for outcome in outcomes.values()):
            await self._chain.registries()
        if any(outcome.state is SlotState.POSTED for outcome in outcomes.values()):
            await self.settle()

    def _miss(self, slots: Iterable[tuple[str, ScheduledSlot]], reason: str) -> None:
        now = self._keeper.clock.now()
        for fund, slot in slots:
            if self._keeper.store.miss_slot(fund, slot.time, slot.cadence, reason, now):
                outcome = SlotOutcome(SlotState.MISSED, reason, None, None)
                self._keeper.observer.slot_ended(fund, slot.time, slot.cadence, outcome, None)

    # ---- what runs beside

    async def look_at_transactions(self) -> None:
        """Renew the lanes, or try to take them, and see every open transaction on its way."""
        for lane in self._keeper.lanes:
            await self.failures.guard(f"transactions of {lane.address}", _tick, lane)

    async def recover(self) -> None:
        """Renew what this keeper works on, and take over slots whose keeper is gone: together what is run again."""
        mine = [claim for claim in self._in_hand.values() if claim is not None]
        await self.failures.guard("leases", self._renew, mine)
        funds_here, others = self._keeper.planner.subject.funds, await self._targets_of_others()

        def is_ours(row: SlotRow) -> bool:
            fund = funds_here.get(row.fund)
            return fund is not None and fund.target not in others and (row.fund, row.slot_time) not in self._in_hand

        found = left_behind(self._keeper.store, self._keeper.clock.now(), is_ours)
        for row, still_due in found.to_end:
            self._tasks.begin(self._resume(row, still_due=still_due))
        for slot, funds in found.again.items():
            claims = self._keeper.runner.claim(funds, slot.time, slot.cadence)
            if claims:
                self._tasks.begin(self._work(slot, claims))

    async def _renew(self, claims: Sequence[Claim]) -> None:
        if claims:
            self._keeper.store.renew_claims(claims, self._times.lease)

    async def _resume(self, row: SlotRow, *, still_due: bool) -> None:
        slot = (row.fund, row.slot_time)
        if slot in self._in_hand:
            return
        self._in_hand[slot] = None
        try:
            outcome = await self._keeper.runner.resume(row, still_due=still_due)
        except NavoracleError as error:
            self.failures.tell(f"recovery of slot {row.slot_time} of {row.fund}", error)
            return
        finally:
            self._in_hand.pop(slot, None)
        if outcome is not None and outcome.state is not SlotState.CLAIMED:
            await self._after(row.slot_time, row.cadence, (), {row.fund: outcome})

    def hurry_requests(self) -> None:
        """A signed request was taken: act on it now, not at the next look; before the start it waits for that."""
        if self._began:
            self._tasks.begin(self.act_on_requests())

    async def act_on_requests(self) -> None:
        """Do what signed requests ask for."""
        await self.failures.guard("requests", self._keeper.requests.act, self.ask_emergency)

    async def look_at_chain(self) -> None:
        """What the chain serves, what the lanes have left, how far the clock is off, and which breakers cooled down."""
        keeper = self._keeper
        self._consequences.of_breakers(keeper.breakers.cool_down(keeper.clock.now()))
        self._consequences.try_funds()
        await self._chain.all()

    async def settle(self) -> None:
        """Settle what can be settled, and see to its end what was sent."""
        settlements = self._keeper.settlements
        if settlements is None:
            return
        for fund in settlements.vaults:
            await self.failures.guard(f"settlement of {fund}", settlements.look, fund)


async def _tick(lane: Lane) -> None:
    if await lane.open():
        await lane.tick()


def _risk_looks(keeper: Keeper, ask_emergency: Callable[[str, str, str], None]) -> RiskLooks | None:
    if keeper.monitor is None:
        return None
    watched = watched_funds(keeper.planner.subject.funds.values())
    return RiskLooks(keeper.monitor, keeper.runner, keeper.clock, keeper.observer, watched, ask_emergency)
