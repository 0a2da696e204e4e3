"""A keeper's service in one process: the small world, a real store, a registry and a lane that do as they are told."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from navoracle.domain.breaker import Breaker, BreakerPolicy
from navoracle.domain.cadence import Cadence
from navoracle.domain.errors import LeaseLost, NavoracleError
from navoracle.domain.frame import NavFrame
from navoracle.domain.prior import ConfirmedNav
from navoracle.domain.units import Timestamp, to_wad
from navoracle.keeper.breakers import Breakers
from navoracle.keeper.emergency_path import GuardianHolds, InsolvencyPath
from navoracle.keeper.frame import FramePorts
from navoracle.keeper.parts import Keeper, ServiceTimes
from navoracle.keeper.planner import Planner, Subject
from navoracle.keeper.publishing import Outbox
from navoracle.keeper.request_actions import RequestActions
from navoracle.keeper.risk_looks import Trigger
from navoracle.keeper.service import KeeperService
from navoracle.keeper.slots import SlotRunner
from navoracle.keeper.trades import LatestValues
from navoracle.keeper.watch import Watch, WatchPolicy
from navoracle.lane_port import LaneStatus
from navoracle.ports import Address
from navoracle.publisher_port import Receipt, SignedTransaction
from navoracle.publishers.nav_registry_calls import NavRegistryCalls
from navoracle.risk.health import ComponentHealth
from navoracle.risk.monitor import Observation, RiskMonitor
from navoracle.storage import SqlStore
from navoracle.store_port import (
    Attempt,
    BreakerSubject,
    Claim,
    LaneLease,
    NewTransaction,
    RequestRow,
    RequestState,
    SlotOutcome,
    TransactionState,
)
from navoracle.testing import FixedClock
from tests.unit.addresses import address
from tests.unit.keeper.fakes import FakePublisher, MovingChain
from tests.unit.keeper.world import CHAIN, FEED, NOW, World, funds, subject, world
from tests.unit.storage.builders import empty_sqlite_store, expire

HOUR = 3_600
FUNDS = {name: plan for name, plan in funds().items() if name in ("cash", "levered")}
SUBJECT = replace(subject(), funds=FUNDS)
START = Timestamp((NOW // HOUR + 1) * HOUR + 5)
"""Five seconds after a full hour."""


class MachineClock(FixedClock):
    """A clock that stands until it is set, and on which the machine's time is the same."""

    moves = False

    async def sleep(self, seconds: float) -> None:
        """Let others go on; the time stands unless it `moves`."""
        await asyncio.sleep(0.001)
        if self.moves:
            self.time = Timestamp(self.time + max(1, int(seconds)))

    def machine_time_of(self, at: float) -> float:
        return at

    def time_of(self, machine: float) -> float:
        return machine


class StoreLane:
    """A lane that writes as a real one does, and whose chain mines at the first look unless it is told to wait."""

    def __init__(self, store: SqlStore, clock: FixedClock, owner: str) -> None:
        self.store = store
        self.clock = clock
        self.owner = owner
        self.mines = True
        self.dies_before_signing = False
        self.held: LaneLease | None = None

    @property
    def address(self) -> Address:
        return address(0xBB)

    @property
    def lease(self) -> LaneLease:
        if self.held is None:
            raise LeaseLost("no lease", advice="Open the lane.")
        return self.held

    async def open(self) -> bool:
        if self.held is not None:
            try:
                self.store.renew_lane(self.held, 60)
            except LeaseLost:
                self.held = None
        if self.held is None:
            self.held = self.store.claim_lane(CHAIN, self.address, owner=self.owner, lease=60)
        return self.held is not None

    async def add(self, intent: NewTransaction) -> int:
        return self.store.add_transaction(self.lease, intent, self.clock.now())

    async def submit(self, transaction: int) -> None:
        if self.dies_before_signing:
            raise SystemExit("killed")
        highest = self.store.highest_nonce(CHAIN, self.address)
        nonce = 0 if highest is None else highest + 1
        signed = SignedTransaction(f"0x{transaction:02x}", f"0x{transaction:064x}", nonce, self.address, address(0xAA))
        attempt = Attempt(signed, 100_000, 2, 1, noop=False, signed_at=self.clock.now(), sent_at=None)
        self.store.save_attempt(self.lease, transaction, attempt)
        self.store.record_broadcast(self.lease, signed.hash, self.clock.now())

    async def tick(self) -> None:
        for row in self.store.open_transactions(CHAIN, self.address):
            if self.mines and row.attempts:
                receipt = Receipt(row.attempts[-1].signed.hash, True, 101, "0xblock", 33_000)
                self.store.record_mined(self.lease, row.id, receipt, 1, self.clock.now())
                self.store.end_transaction(self.lease, row.id, TransactionState.CONFIRMED, self.clock.now())

    async def status(self) -> LaneStatus:
        return LaneStatus(CHAIN, self.address, 10**18, None, 0, 0, 0, None)

    async def close(self) -> None:
        if self.held is not None:
            self.store.release_lane(self.held)
            self.held = None


@dataclass
class Heard:
    """An observer that keeps what it is told."""

    ended: list[tuple[str, int, str, str | None]] = field(default_factory=list)
    emergencies: list[tuple[str, str, str]] = field(default_factory=list)
    failures: list[tuple[str, str]] = field(default_factory=list)
    recoveries: list[str] = field(default_factory=list)
    crashes: list[BaseException] = field(default_factory=list)
    moves: list[tuple[BreakerSubject, Breaker]] = field(default_factory=list)
    requests: list[tuple[str, RequestState, str | None]] = field(default_factory=list)
    risks: list[tuple[Trigger, Observation, ComponentHealth]] = field(default_factory=list)
    unseen_risks: list[ComponentHealth] = field(default_factory=list)
    beats: int = 0

    def beat(self) -> None:
        self.beats += 1

    def job(self, name: str, result: str) -> None:
        pass

    def cycle(self, kind: str, *, ok: bool, seconds: float) -> None:
        pass

    def framed(self, frame: NavFrame) -> None:
        pass

    def slot_ended(
        self, fund: str, slot_time: Timestamp, cadence: Cadence, outcome: SlotOutcome, found: NavFrame | None
    ) -> None:
        self.ended.append((fund, slot_time, outcome.state.value, outcome.reason))

    def emergency_asked(self, fund: str, cause: str, reason: str) -> None:
        self.emergencies.append((fund, cause, reason))

    def breaker_changed(self, subject: BreakerSubject, before: Breaker, after: Breaker) -> None:
        self.moves.append((subject, after))

    def confirmed(self, fund: str, confirmed: ConfirmedNav) -> None:
        pass

    def breakers(self, known: Mapping[BreakerSubject, Breaker]) -> None:
        pass

    def lane(self, status: LaneStatus, epoch: int | None) -> None:
        pass

    def request_ended(self, row: RequestRow) -> None:
        self.requests.append((row.record.action, row.state, row.result))

    def skew(self, chain: str, seconds: int) -> None:
        pass

    def failed(self, what: str, error: NavoracleError) -> None:
        self.failures.append((what, error.message))

    def risk_observed(self, seen: Observation, health: ComponentHealth, trigger: Trigger, seconds: float) -> None:
        self.risks.append((trigger, seen, health))

    def risk_unseen(self, health: ComponentHealth) -> None:
        self.unseen_risks.append(health)

    def crashed(self, what: str, error: BaseException) -> None:
        self.crashes.append(error)

    def recovered(self, what: str) -> None:
        self.recoveries.append(what)


class ServiceWorld:
    """One keeper's service over a world that others may share: same store file, same registry, same clock."""

    def __init__(
        self,
        path: Path,
        name: str = "a",
        *,
        beside: ServiceWorld | None = None,
        subject: Subject = SUBJECT,
        monitor: RiskMonitor | None = None,
    ) -> None:
        self.path = path
        self.subject = subject
        self.monitor = monitor
        self.log: list[str] = []
        self.frames: list[NavFrame] = []
        self.clock: MachineClock = MachineClock(START) if beside is None else beside.clock
        self.world: World = world() if beside is None else beside.world
        self.chain = MovingChain(self.clock, self.world.chain.block)
        self.chain.answers = self.world.chain.answers
        self.publisher: FakePublisher = FakePublisher(self.log) if beside is None else beside.publisher
        if beside is None:
            for plan in FUNDS.values():
                self.publisher.served[plan.fund_id] = opening()
        self.store = SqlStore.open(empty_sqlite_store(path) if beside is None else f"sqlite:///{path}")
        self.lane = StoreLane(self.store, self.clock, name)
        self.heard = Heard()
        self.refresh()
        self.service = self._service(name)

    def _service(self, name: str) -> KeeperService:
        outbox = Outbox(
            chain=self.chain,
            publisher=self.publisher,
            lane=self.lane,
            store=self.store,
            clock=self.clock,
            live=True,
        )
        ports = FramePorts({CHAIN: self.chain}, self.world.markets, self.clock, self.store, {CHAIN: outbox})
        self.planner = Planner(self.subject, self.store, {CHAIN: outbox}, now=self.clock.now())
        self.breakers = Breakers(self.store, BreakerPolicy())
        holds = GuardianHolds(FUNDS, {}, NavRegistryCalls(), self.store, self.clock)
        self.keeper = Keeper(
            planner=self.planner,
            ports=ports,
            runner=SlotRunner(
                self.planner, ports, self.store, owner=name, lease=60, patience=None, on_frame=self.frames.append
            ),
            watch=Watch(FUNDS, WatchPolicy(), since=self.clock.now()),
            latest=LatestValues("USD"),
            store=self.store,
            breakers=self.breakers,
            requests=RequestActions(self.store, self.breakers, holds, self.heard, self.clock),
            insolvency=InsolvencyPath(holds, self.store),
            observer=self.heard,
            clock=self.clock,
            lanes=(self.lane,),
            monitor=self.monitor,
        )
        return KeeperService(self.keeper, ServiceTimes(stop_grace=1))

    def forget_leases(self) -> None:
        """Let the leases of all claimed slots, and of the lane, run out."""
        for row in self.store.slots():
            expire(self.store, Claim(row.fund, row.slot_time, row.cadence, row.owner or "", row.epoch))
        if self.lane.held is not None:
            expire(self.store, self.lane.held)

    async def begin(self, seconds: int) -> None:
        """Let it be so many seconds after the start, and begin what is due without waiting for it."""
        self.clock.set(START + seconds)
        self.refresh()
        await self.service.look_for_slots()
        async with asyncio.timeout(20):
            while not any(row.attempts for row in self.store.transactions()):
                await asyncio.sleep(0)

    def refresh(self) -> None:
        """Let every source say again, now, what it said."""
        now = self.clock.now()
        for series, (_, price) in list(self.world.markets.rows.items()):
            self.world.markets.rows[series] = (now - 20, price)  # known at the newest block, which is up to 12 s old
        types = ("uint80", "int256", "uint256", "uint256", "uint80")
        self.world.chain.put(FEED, "latestRoundData()", (), types, 7, 100_000_000, now - 60, now - 60, 7)

    async def at(self, seconds: int) -> None:
        """Let it be so many seconds after the start, look for slots, and wait until what is due is done."""
        self.clock.set(START + seconds)
        self.refresh()
        await self.service.look_for_slots()
        await self.idle()

    async def idle(self) -> None:
        """Wait until nothing is worked on."""
        async with asyncio.timeout(20):
            while self.service.busy:
                await asyncio.sleep(0)

    def slots(self, fund: str = "cash") -> list[tuple[int, str, str | None]]:
        """The fund's slots, oldest first: seconds after the hour before the start, state, reason."""
        rows: Any = reversed(self.store.slots(fund=fund))
        return [(row.slot_time - (START - 5), row.state.value, row.reason) for row in rows]


def opening() -> ConfirmedNav:
    """What the registry serves at first."""
    return ConfirmedNav(
        to_wad("1000"), to_wad("1"), Timestamp(START - HOUR), held=False, block_number=1, frame=None, live=True
    )
