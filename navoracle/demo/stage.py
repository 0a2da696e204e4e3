"""A demo that is watched: its slots are told to the service's own observer, and its state files are kept up to date.

What the pages show is what a keeper would have told: alerts with advice, events, files, the next slot.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from navoracle import __version__
from navoracle.composition import System
from navoracle.composition.alerts import alert_notifier, alert_policy
from navoracle.composition.observers import ServiceObserver
from navoracle.composition.read_model import read_model_of
from navoracle.composition.state_files import FrameRelay, state_files_of
from navoracle.config.state_files import StateFilesSection
from navoracle.domain.cadence import next_slot
from navoracle.domain.prior import ConfirmedNav
from navoracle.domain.units import Timestamp
from navoracle.keeper.watch import Watch
from navoracle.read_model import ReadModel
from navoracle.read_model.operations import CheckRecord, LaneRecord, NextSlot, NodeRecord
from navoracle.replay.clock import ReplayClock
from navoracle.replay.timeline import Script, WorkedSlot
from navoracle.store_port import Store
from navoracle.telemetry.alerts import Alerts
from navoracle.telemetry.metrics import Metrics

BREATH_SECONDS: Final = 0.02
"""What the pages get of the loop between two steps of the story."""

NAV_AGE_LIMIT: Final = 7_200


@dataclass(frozen=True, slots=True)
class Stage:
    """How a demo is watched.

    Attributes:
        state_folder: where its state files are written.
        opened: shows the read model while the block runs.
        stop: set when nobody watches any more.
        pace: seconds that a quarter of an hour takes once the story is over.
    """

    state_folder: Path
    opened: Callable[[ReadModel], AbstractAsyncContextManager[object]]
    stop: asyncio.Event
    pace: float


class Performance:
    """A watched demo while it runs.

    Attributes:
        served: what the registry serves; whoever reads it puts it there.
    """

    def __init__(self, stage: Stage, store: Store, clock: ReplayClock) -> None:
        self._stage = stage
        self._store = store
        self._clock = clock
        self._relay = FrameRelay()
        self.served: dict[str, ConfirmedNav] = {}
        self.framed = self._relay

    def begin(self, system: System, watch: Watch) -> ReadModel:
        """The system is there. Gives what the pages read."""
        metrics = Metrics(__version__, self._clock.now)
        config, now = system.config, self._clock.now
        self._alerts = Alerts(
            self._store,
            alert_notifier(config.alerts),
            alert_policy(config.alerts),
            now=now,
            journal=self._store.append_event,
            metrics=metrics,
        )
        self._observer = ServiceObserver(
            self._store, metrics, self._alerts, self._store.append_event, self._clock, nav_age_limit=NAV_AGE_LIMIT
        )
        folder = self._stage.state_folder
        section = StateFilesSection(folder=folder, fsync=False)  # whatever is lost can be played again
        self._files = state_files_of(section, config, system, self._store, self.served)
        self._relay.listeners.append(self._files.hear)
        return read_model_of(
            system.subject, self._store, self._clock, state_folder=folder, live=_Live(system, watch, self._clock)
        )

    def worked(self, worked: WorkedSlot) -> None:
        """A slot was worked off."""
        for frame in worked.frames:
            self._observer.framed(frame)
        for fund, outcome in sorted(worked.outcomes.items()):
            found = next((frame for frame in worked.frames if frame.id == outcome.frame), None)
            self._observer.slot_ended(fund, worked.slot.time, worked.slot.cadence, outcome, found)

    async def tell(self) -> None:
        """Tell what the registry serves, and write the files."""
        for fund, served in self.served.items():
            self._observer.confirmed(fund, served)
        self._observer.breakers(self._store.load_breakers())
        await self._alerts.tick(self._clock.now())
        await asyncio.to_thread(self._files.write)

    def paced(self, script: Script) -> Script:
        """The same story, with time for those who watch."""

        async def play(now: Timestamp) -> None:
            await self.tell()
            await asyncio.sleep(BREATH_SECONDS)
            await script(now)

        return play

    async def rest(self) -> bool:
        """Wait until the next quarter of an hour; False when nobody watches any more."""
        await self.tell()
        try:
            await asyncio.wait_for(self._stage.stop.wait(), self._stage.pace)
        except TimeoutError:
            return True
        return False

    def close(self) -> None:
        """Write what is due."""
        self._files.close()


class _Live:
    """Implements `read_model.Live` for a chain in this process."""

    def __init__(self, system: System, watch: Watch, clock: ReplayClock) -> None:
        self._system = system
        self._watch = watch
        self._clock = clock

    def nodes(self) -> tuple[NodeRecord, ...]:
        """The embedded chain."""
        return tuple(
            NodeRecord(chain=name, node=node.name, operator=node.operator, state=node.state.value, head=node.head)
            for name, access in self._system.chains.items()
            for node in access.reader.pool.nodes()
        )

    def lanes(self) -> tuple[LaneRecord, ...]:
        """None: a demo's poster holds no lease."""
        return ()

    def next_slot(self, fund: str) -> NextSlot:
        """The fund's next slot by the cadence as it stands."""
        slot = next_slot(self._watch.state, fund, self._clock.now())
        return NextSlot(slot_time=slot.time, cadence=slot.cadence.value, reasons=list(slot.reasons))

    def checks(self) -> tuple[CheckRecord, ...]:
        """None: everything is in this process."""
        return ()
