"""A replay from its options to its report: build the world, let time pass, verify everything that was recorded."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from navoracle.composition.cadence import watch_of
from navoracle.composition.embedded import EmbeddedWorld, FundOpening, embedded_chain, embedded_registry
from navoracle.composition.evidence_plans import plan_from_evidence
from navoracle.composition.risk_plans import risk_monitor
from navoracle.composition.system import ONE_SHOT, System, open_system
from navoracle.config.models import Config
from navoracle.domain.errors import VerificationFailed
from navoracle.domain.prior import ConfirmedNav
from navoracle.domain.units import Timestamp
from navoracle.keeper.audit import audit
from navoracle.keeper.risk_looks import RiskLooks, watched_funds
from navoracle.keeper.watch import Watch
from navoracle.replay.clock import ReplayClock
from navoracle.replay.configured import ConfiguredReplay
from navoracle.replay.events import ReplayEvents
from navoracle.replay.report import SlotReport, report_slot
from navoracle.replay.risk import ReplayRisk, RiskTable
from navoracle.replay.setup import CHAIN, ReplayOptions, ReplaySetup, replay_config
from navoracle.replay.state_files import ReplayStateFiles
from navoracle.replay.timeline import Ask, RiskSchedule, Script, WorkedSlot, run_timeline
from navoracle.store_port import SlotState, Store

Progress = Callable[[Timestamp, SlotReport], None]


@dataclass(frozen=True, slots=True)
class Verification:
    """How many evidence documents were computed again, and what was wrong with those that failed."""

    accepted: int
    rejected: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """Every slot in order, and the verification of all frames.

    Attributes:
        risk: what the risk monitor saw; nothing where no fund has limits or a gate.
        event_trouble, state_trouble: why event files, or state files, are not whole.
    """

    slots: tuple[SlotReport, ...]
    verification: Verification
    registry: str | None
    risk: ReplayRisk
    event_trouble: str | None = None
    state_trouble: str | None = None


async def replay(
    options: ReplayOptions,
    setup: ReplaySetup,
    store: Store,
    progress: Progress,
    *,
    events_folder: Path | None = None,
    state_folder: Path | None = None,
) -> ReplayResult:
    """Run the replay of one declared fund; every slot is reported as it ends.

    Args:
        events_folder: where its events are written while it runs, beside the database.
        state_folder: where its state files are written after every frame.
    """
    world = await _world(setup.start, [setup.opening]) if options.chain == "embedded" else None
    config = replay_config(options, setup, None if world is None else world.registry)
    folders = _Folders(events_folder, state_folder)
    return await _run(config, setup.start, setup.end, world, store, progress, folders, None)


async def replay_configuration(
    prepared: ConfiguredReplay,
    store: Store,
    progress: Progress,
    *,
    events_folder: Path | None = None,
    state_folder: Path | None = None,
    readings: RiskTable | None = None,
) -> ReplayResult:
    """Run the replay of a whole configuration: its risk monitors and gates too.

    Args:
        events_folder, state_folder: as `replay`.
        readings: is given every reading of the risk monitor.
    """
    world = None
    if prepared.openings:
        world = await _world(prepared.start, prepared.openings)
        prepared = prepared.posting_to(world.registry)
    folders = _Folders(events_folder, state_folder)
    return await _run(prepared.config, prepared.start, prepared.end, world, store, progress, folders, readings)


@dataclass(frozen=True, slots=True)
class _Folders:
    """Where files are written while it runs; None: none of them."""

    events: Path | None
    state: Path | None


async def _world(start: Timestamp, openings: Sequence[FundOpening]) -> EmbeddedWorld:
    return await embedded_registry(embedded_chain(start), CHAIN, openings)


async def _run(
    config: Config,
    start: Timestamp,
    end: Timestamp,
    world: EmbeddedWorld | None,
    store: Store,
    progress: Progress,
    folders: _Folders,
    readings: RiskTable | None,
) -> ReplayResult:
    clock = ReplayClock(start, None if world is None else world.chain)
    events = ReplayEvents(store, clock, folders.events, until=end)
    state = ReplayStateFiles(folders.state)
    running = replace(ONE_SHOT, on_lane_event=events.transaction, on_frame=state.framed)
    access = {} if world is None else {CHAIN: world.access}
    system = await open_system(
        config, clock=clock, store=store, live=True, chains=access, services=False, running=running
    )
    watch = watch_of(config, Timestamp(start - 1))

    def ask_emergency(fund: str, cause: str, reason: str) -> None:
        watch.ask(fund, reason, clock.now())
        events.emergency_asked(fund, cause, reason)

    heard = ReplayRisk(events.record, clock) if readings is None else ReplayRisk(events.record, clock, readings.hear)
    risk = _risk_schedule(config, system, heard, ask_emergency)
    try:
        events.began(system, has_monitor=risk is not None)
        state.began(system, store)
        slots = await run_slots(
            system,
            watch,
            clock,
            until=end,
            sample_seconds=config.cadence.sample_seconds,
            progress=progress,
            risk=risk,
            ask_emergency=ask_emergency,
            worked_off=events.worked,
            served=state.served,
        )
    finally:
        trouble, state_trouble = events.close(), state.close()
    registry = None if world is None else world.registry
    return ReplayResult(slots, verify_store(store), registry, heard, trouble, state_trouble)


def _risk_schedule(config: Config, system: System, heard: ReplayRisk, ask_emergency: Ask) -> RiskSchedule | None:
    """The looks of a monitor as the service would have it; None where no fund is watched."""
    funds = tuple(system.subject.funds.values())
    monitor = risk_monitor(config.service, funds, system.clock.now())
    if monitor is None:
        return None
    looks = RiskLooks(monitor, system.runner_or_fail(), system.clock, heard, watched_funds(funds), ask_emergency)
    return RiskSchedule(looks, config.service.risk_seconds)


async def run_slots(
    system: System,
    watch: Watch,
    clock: ReplayClock,
    *,
    until: Timestamp,
    sample_seconds: int,
    progress: Progress,
    risk: RiskSchedule | None = None,
    ask_emergency: Ask | None = None,
    script: Script | None = None,
    blocks_between_slots: bool = False,
    worked_off: Callable[[WorkedSlot], None] | None = None,
    after_post: Callable[[], Awaitable[None]] | None = None,
    served: dict[str, ConfirmedNav] | None = None,
) -> tuple[SlotReport, ...]:
    """Run a timeline and report its slots, each beside what the contracts say after it.

    Args:
        risk, ask_emergency, script, blocks_between_slots: as `run_timeline` takes them.
        worked_off: told of every slot before it is reported.
        after_post: what the service does once a slot was posted: settling the vaults.
        served: is given what the contracts say.
    """
    slots: list[SlotReport] = []
    async for worked in run_timeline(
        system.runner_or_fail(),
        watch,
        clock,
        until=until,
        sample_seconds=sample_seconds,
        risk=risk,
        ask_emergency=ask_emergency,
        script=script,
        blocks_between_slots=blocks_between_slots,
    ):
        if worked_off is not None:
            worked_off(worked)
        said = await confirmed(system, worked.outcomes)
        if served is not None:
            served.update(said)
        for report in report_slot(worked, said):
            slots.append(report)
            progress(worked.slot.time, report)
        if after_post is not None and any(end.state is SlotState.POSTED for end in worked.outcomes.values()):
            await after_post()
    return tuple(slots)


async def confirmed(system: System, funds: Iterable[str]) -> dict[str, ConfirmedNav]:
    """What the funds' contracts serve now, by fund."""
    found: dict[str, ConfirmedNav] = {}
    names = tuple(funds)
    funds = system.subject.funds
    for target, outbox in system.ports.outboxes.items():
        ids = {name: funds[name].fund_id for name in names if funds[name].target == target}
        if ids:
            found.update(await outbox.publisher.confirmed(ids))
    return found


def verify_store(store: Store) -> Verification:
    """Compute every recorded fund frame again from its evidence, and check the proofs of those that were posted."""
    accepted, rejected = 0, []
    for row in store.fund_frames():
        try:
            audit(store, row.frame, row.fund, plan_from_evidence)
        except VerificationFailed as error:
            rejected.append(error.message)
        else:
            accepted += 1
    return Verification(accepted, tuple(rejected))
