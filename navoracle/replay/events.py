"""What a replay tells: the same events as the service, by the replay's clock, in the database and in event files."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from navoracle import __version__
from navoracle.composition.service_events import (
    Part,
    emergency_event,
    initialization_event,
    slot_event,
    transaction_event,
)
from navoracle.composition.system import System
from navoracle.config.loading import config_hash
from navoracle.domain.cadence import Cadence
from navoracle.domain.errors import UsageError
from navoracle.domain.units import Timestamp
from navoracle.lane_port import LaneEvent
from navoracle.ports import Clock
from navoracle.replay.timeline import WorkedSlot
from navoracle.store_port import Event, Store
from navoracle.telemetry.event_folder import day_of, event_files, head_files
from navoracle.telemetry.events import EventLog, redact_event


class ReplayEvents:
    """Keeps what happens in a replay; nothing of it goes to the process's own log.

    Args:
        folder: where event files are written while the replay runs; None for the database alone.
        until: the replay's end; no file is deleted before it.
    """

    def __init__(self, store: Store, clock: Clock, folder: Path | None, *, until: Timestamp) -> None:
        self._store = store
        self._clock = clock
        self._day = day_of(clock.now())
        self._asked: set[tuple[str, str]] = set()
        days = (day_of(until) - self._day + timedelta(days=2)).days
        self._log = (
            None if folder is None else EventLog(folder, store, now=clock.now, retention_days=days, say=lambda _: None)
        )

    def began(self, system: System, *, has_monitor: bool) -> None:
        """The parts of the replay begin."""
        lanes = (Part("chain", f"lane {name}:{lane.address}") for name, lane in system.posters.items())
        monitor = (Part("risk", "risk monitor"),) if has_monitor else ()
        for part in (Part("keeper", "replay"), Part("prices", "sampler"), *lanes, *monitor):
            self.record(
                initialization_event(
                    part, version=__version__, configuration=config_hash(system.config), at=self._clock.now()
                )
            )

    def worked(self, worked: WorkedSlot) -> None:
        """A slot was worked off."""
        now = self._clock.now()
        for fund, outcome in sorted(worked.outcomes.items()):
            untold = [reason for reason in worked.slot.reasons if (fund, reason) not in self._asked]
            self._asked -= {(fund, reason) for reason in worked.slot.reasons}
            if worked.slot.cadence is Cadence.EMERGENCY and untold:
                self.record(emergency_event(fund, "oracle_move", "; ".join(untold), now))
            found = next((frame for frame in worked.frames if frame.id == outcome.frame), None)
            self.record(slot_event(fund, worked.slot.time, worked.slot.cadence, outcome, found, now))
        if day_of(now) > self._day:
            self._day = day_of(now)
            self.catch_up()

    def emergency_asked(self, fund: str, cause: str, reason: str) -> None:
        """Somebody else than the watch asked for an EMERGENCY slot."""
        self._asked.add((fund, reason))
        self.record(emergency_event(fund, cause, reason, self._clock.now()))

    def transaction(self, event: LaneEvent) -> None:
        """What became of a transaction."""
        self.record(transaction_event(event, self._clock.now()))

    def record(self, event: Event) -> None:
        """Keep an event. Raises StoreError."""
        if self._log is None:
            self._store.append_event(redact_event(event))
        else:
            self._log.record(event)

    def catch_up(self) -> None:
        """Write what others stored to the files, and make them safe. Raises StoreError."""
        if self._log is not None:
            self._log.catch_up()

    def close(self) -> str | None:
        """Bring the files up to the end; why they could not be written, or None. Raises StoreError."""
        self.catch_up()
        if self._log is None:
            return None
        self._log.close()
        return self._log.trouble


def require_fresh_folder(folder: Path) -> None:
    """Refuse a folder in which event files are already. Raises UsageError."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is no folder", advice="Name a new folder.")
    if event_files(folder) or head_files(folder):
        raise UsageError(f"{folder} has event files already", advice="Name a new folder; nothing is added to a log.")
