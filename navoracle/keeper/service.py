"""The service: the same line as everywhere, run by the clock, by what moves, and by those who may ask for it.

Every job can be called by itself, so that tests and rehearsals drive it step by step; `run` puts them on a scheduler.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from typing import Any, Final

from navoracle.domain.breaker import BreakerState
from navoracle.domain.cadence import QUARTER, Cadence, ScheduledSlot
from navoracle.domain.errors import NavoracleError
from navoracle.domain.frame import NavFrame
from navoracle.domain.units import Timestamp
from navoracle.keeper.breakers import BreakerChange
from navoracle.keeper.chain_look import ChainLook
from navoracle.keeper.failures import Failures
from navoracle.keeper.parts import Keeper, ServiceTimes
from navoracle.keeper.schedule import Scheduler
from navoracle.keeper.slot_queue import SlotQueue, is_still_due, slots_since
from navoracle.keeper.trades import SeenTrade
from navoracle.keeper.watch import STEP, WINDOW
from navoracle.lane_port import Lane
from navoracle.store_port import BreakerSubject, Claim, SlotOutcome, SlotRow, SlotState

DAY: Final = STEP * WINDOW
_ASK_AGAIN: Final = frozenset({"interval", "registry:too_early"})
"""Endings of an EMERGENCY slot that came too soon after a post: it is asked for again, never lost."""


class KeeperService:
    """Runs a keeper for as long as it is not stopped."""

    def __init__(
        self,
        keeper: Keeper,
        times: ServiceTimes,
    ) -> None:
        self._keeper = keeper
        self._times = times
        self._more_jobs: list[tuple[int, str, Callable[[], Awaitable[Any]]]] = []
        self._companions: list[Callable[[], Coroutine[Any, Any, None]]] = []
        self._queue = SlotQueue()
        self._working: set[asyncio.Task[None]] = set()
        self._in_hand: dict[tuple[str, Timestamp], Claim | None] = {}
        self._trades: dict[str, SeenTrade] = {}
        self._looking = asyncio.Lock()
        self.failures = Failures(keeper.observer)
        self._chain = ChainLook(keeper, self.failures)

    # ---- the whole

    def also(self, seconds: int, name: str, job: Callable[[], Awaitable[Any]]) -> None:
        """Run a job of somebody else's beside the keeper's own, every so many seconds."""
        self._more_jobs.append((seconds, name, job))

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
            *self._more_jobs,
        )

    async def start(self) -> None:
        """Pick up what an earlier run left behind: its samples, the slots that fell due since, posts under way.

        Raises:
            StoreError: the database cannot be read or written.
        """
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
        self._tell_untold(now)
        await self.look_for_slots()
        await self.recover()
        await self.look_at_chain()

    def _tell_untold(self, now: Timestamp) -> None:
        """Tell of slots that ended just before an earlier run did, and of which it could tell nobody any more."""
        store, since = self._keeper.store, Timestamp(now - DAY)
        told = {
            (row.event.fund, row.event.data.get("slot_time"))
            for row in store.events(since=since)
            if row.event.kind.startswith("slot_")
        }
        for row in reversed(store.slots(since=since)):
            if row.state is not SlotState.CLAIMED and (row.fund, row.slot_time) not in told:
                outcome = SlotOutcome(row.state, row.reason, row.frame, row.post)
                self._keeper.observer.slot_ended(row.fund, row.slot_time, row.cadence, outcome, None)

    async def finish(self) -> None:
        """Wait for the slots under way, as long as the grace allows; what is left is claimed, and recovered later."""
        if self._working:
            _, late = await asyncio.wait(self._working, timeout=self._times.stop_grace)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        for lane in self._keeper.lanes:
            await lane.close()

    async def abandon(self) -> None:
        """Drop what is under way and keep every lease, as a process that dies does; for rehearsals."""
        for task in self._working:
            task.cancel()
        await asyncio.gather(*self._working, return_exceptions=True)

    @property
    def busy(self) -> bool:
        """Whether anything is worked on."""
        return bool(self._working)

    # ---- slots

    def ask_emergency(self, fund: str, cause: str, reason: str) -> None:
        """Ask for an EMERGENCY slot; it begins at once, or when the fund's last one is a minute old."""
        self._keeper.watch.ask(fund, reason, self._keeper.clock.now())
        self._keeper.observer.emergency_asked(fund, cause, reason)
        self._spawn(self.look_for_slots())

    def trade_seen(self, trade: SeenTrade) -> None:
        """A large trade: an EMERGENCY slot at once, and another one when the first valued a block before the trade."""
        known = self._trades.get(trade.fund)
        if known is None or known.block < trade.block:
            self._trades[trade.fund] = trade
        self.ask_emergency(trade.fund, "trade", trade.reason)

    def _after_trade(self, fund: str, frame: NavFrame) -> None:
        """The fund was valued: was the trade that was seen part of it?"""
        trade = self._trades.get(fund)
        if trade is None:
            return
        if any(stamp.chain == trade.chain and stamp.number < trade.block for stamp in frame.stamps):
            self.ask_emergency(fund, "repeated", f"{trade.reason}, block {trade.block}, was not final yet")
        else:
            del self._trades[fund]

    async def sample(self) -> None:
        """Run the sampler's frame, and let the watch look at it."""
        keeper, began = self._keeper, time.monotonic()
        try:
            frame = await keeper.runner.sample(keeper.clock.now())
        except NavoracleError:
            keeper.observer.cycle("sample", ok=False, seconds=time.monotonic() - began)
            raise
        asked = {emergency.fund: emergency.reasons for emergency in keeper.watch.state.pending}
        keeper.watch.observe_sample(frame)
        for emergency in keeper.watch.state.pending:
            if emergency.reasons != asked.get(emergency.fund):
                keeper.observer.emergency_asked(emergency.fund, "oracle_move", emergency.reasons[-1])
        keeper.latest.observe(frame)
        keeper.observer.framed(frame)
        self._moved(keeper.breakers.after_frame(frame))
        keeper.observer.cycle("sample", ok=True, seconds=time.monotonic() - began)

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
                    self._spawn(self._work(slot, claims))

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
        """What follows from a slot: the watch, breakers, requests and whoever listens hear of it."""
        keeper = self._keeper
        for frame in frames:
            keeper.watch.observe_slot(frame)
            keeper.latest.observe(frame)
            keeper.observer.framed(frame)
            await self.failures.guard("insolvency", keeper.insolvency.after_frame, frame)
            self._moved(keeper.breakers.after_frame(frame))
        for fund, outcome in outcomes.items():
            found = next((frame for frame in frames if frame.id == outcome.frame), None)
            keeper.observer.slot_ended(fund, slot_time, cadence, outcome, found)
            keeper.requests.slot_ended(fund, outcome)
            if found is not None:
                self._after_trade(fund, found)
            if outcome.state is SlotState.POSTED and found is not None:
                self._use_rebase(fund, found.clock)
            if cadence is Cadence.EMERGENCY and outcome.reason in _ASK_AGAIN:
                self.ask_emergency(fund, "repeated", f"an emergency came too soon after a post ({outcome.reason})")
        if any(outcome.post is not None for outcome in outcomes.values()):
            await self._chain.registries()
        if any(outcome.state is SlotState.POSTED for outcome in outcomes.values()):
            await self.settle()

    def _moved(self, changes: Iterable[BreakerChange]) -> None:
        """Tell of breakers that moved; a fund that is free again is posted at once."""
        for subject, before, after in changes:
            self._keeper.observer.breaker_changed(subject, before, after)
            if after.state is BreakerState.CLOSED:
                self._value_anew(subject, "its breaker closed")

    def _try_funds(self) -> None:
        """Ask for a frame of every fund on trial, minute by minute: frames an hour apart rarely agree."""
        known = self._keeper.breakers.load()
        self._keeper.observer.breakers(known)
        for subject, breaker in known.items():
            if breaker.state is BreakerState.HALF_OPEN:
                self._value_anew(subject, f"its breaker is half open, {breaker.agreed} frames agreed")

    def _value_anew(self, subject: BreakerSubject, reason: str) -> None:
        if subject.kind == "fund" and subject.name in self._keeper.planner.subject.funds:
            self.ask_emergency(subject.name, "breaker", reason)

    def _use_rebase(self, fund: str, valued_at: Timestamp) -> None:
        """A re-base that was granted when the fund was valued has served its one post."""
        store = self._keeper.store
        granted = store.rebase_of(fund, valued_at)
        if granted is not None:
            store.use_rebase(fund, granted, self._keeper.clock.now())

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
        store = self._keeper.store
        mine = [claim for claim in self._in_hand.values() if claim is not None]
        await self.failures.guard("leases", self._renew, mine)
        newest: dict[str, Timestamp] = {}
        again: dict[ScheduledSlot, list[str]] = {}
        others = await self._targets_of_others()
        for row in store.abandoned_slots():
            fund = self._keeper.planner.subject.funds.get(row.fund)
            if fund is None or fund.target in others or (row.fund, row.slot_time) in self._in_hand:
                continue
            if row.fund not in newest:
                newest[row.fund] = store.slots(fund=row.fund, limit=1)[0].slot_time
            due = is_still_due(row.slot_time, newest[row.fund], self._keeper.clock.now())
            if due and row.post is None:
                again.setdefault(ScheduledSlot(row.slot_time, row.cadence), []).append(row.fund)
            else:
                self._spawn(self._resume(row, still_due=due))
        for slot, funds in again.items():
            claims = self._keeper.runner.claim(funds, slot.time, slot.cadence)
            if claims:
                self._spawn(self._work(slot, claims))

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
        """A signed request was taken: act on it now, not at the next look."""
        self._spawn(self.act_on_requests())

    async def act_on_requests(self) -> None:
        """Do what signed requests ask for."""
        await self.failures.guard("requests", self._keeper.requests.act, self.ask_emergency)

    async def look_at_chain(self) -> None:
        """What the chain serves, what the lanes have left, how far the clock is off, and which breakers cooled down."""
        keeper = self._keeper
        self._moved(keeper.breakers.cool_down(keeper.clock.now()))
        self._try_funds()
        await self._chain.all()

    async def settle(self) -> None:
        """Settle what can be settled, and see to its end what was sent."""
        settlements = self._keeper.settlements
        if settlements is None:
            return
        for fund in settlements.vaults:
            await self.failures.guard(f"settlement of {fund}", settlements.look, fund)

    # ---- tasks

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._working.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._working.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._keeper.observer.crashed("slot", error)


async def _tick(lane: Lane) -> None:
    if await lane.open():
        await lane.tick()
