"""A replay from its options to its report: build the world, let time pass, verify everything that was recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from navoracle.composition import ChainAccess, System, open_system, plan_from_evidence, watch_of
from navoracle.composition.embedded import embedded_chain, embedded_registry
from navoracle.composition.system import ONE_SHOT
from navoracle.domain.errors import VerificationFailed
from navoracle.domain.prior import ConfirmedNav
from navoracle.domain.units import Timestamp
from navoracle.keeper.audit import audit
from navoracle.keeper.watch import Watch
from navoracle.replay.clock import ReplayClock
from navoracle.replay.events import ReplayEvents
from navoracle.replay.report import SlotReport, report_slot
from navoracle.replay.setup import CHAIN, ReplayOptions, ReplaySetup, replay_config
from navoracle.replay.state_files import ReplayStateFiles
from navoracle.replay.timeline import Script, WorkedSlot, run_timeline
from navoracle.store_port import Store

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
        event_trouble, state_trouble: why event files, or state files, are not whole.
    """

    slots: tuple[SlotReport, ...]
    verification: Verification
    registry: str | None
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
    """Run the replay; every slot is reported as it ends.

    Args:
        events_folder: where its events are written while it runs, beside the database.
        state_folder: where its state files are written after every frame.
    """
    access: dict[str, ChainAccess] = {}
    registry = None
    chain = None
    if options.chain == "embedded":
        chain = embedded_chain(setup.start)
        world = await embedded_registry(chain, CHAIN, [setup.opening])
        access[CHAIN], registry = world.access, world.registry
    config = replay_config(options, setup, registry)
    clock = ReplayClock(setup.start, chain)
    events = ReplayEvents(store, clock, events_folder, until=setup.end)
    state = ReplayStateFiles(state_folder)
    running = replace(ONE_SHOT, on_lane_event=events.transaction, on_frame=state.framed)
    system = await open_system(
        config, clock=clock, store=store, live=True, chains=access, services=False, running=running
    )
    try:
        events.began(system)
        state.began(system, store)
        slots = await run_slots(
            system,
            watch_of(config, Timestamp(setup.start - 1)),
            clock,
            until=setup.end,
            sample_seconds=options.sample_seconds,
            progress=progress,
            worked_off=events.worked,
            served=state.served,
        )
    finally:
        trouble, state_trouble = events.close(), state.close()
    return ReplayResult(slots, verify_store(store), registry, trouble, state_trouble)


async def run_slots(
    system: System,
    watch: Watch,
    clock: ReplayClock,
    *,
    until: Timestamp,
    sample_seconds: int,
    progress: Progress,
    script: Script | None = None,
    blocks_between_slots: bool = False,
    worked_off: Callable[[WorkedSlot], None] | None = None,
    served: dict[str, ConfirmedNav] | None = None,
) -> tuple[SlotReport, ...]:
    """Run a timeline and report its slots, each beside what the contracts say after it.

    Args:
        worked_off: told of every slot before it is reported.
        served: is given what the contracts say.
    """
    slots: list[SlotReport] = []
    async for worked in run_timeline(
        system.runner_or_fail(),
        watch,
        clock,
        until=until,
        sample_seconds=sample_seconds,
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
