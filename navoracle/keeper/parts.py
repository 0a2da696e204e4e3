"""The parts of a running keeper, and its times."""

from __future__ import annotations

from dataclasses import dataclass

from navoracle.keeper.breakers import Breakers
from navoracle.keeper.emergency_path import InsolvencyPath
from navoracle.keeper.frame import FramePorts
from navoracle.keeper.observer import Observer
from navoracle.keeper.planner import Planner
from navoracle.keeper.request_actions import RequestActions
from navoracle.keeper.schedule import ScheduledClock
from navoracle.keeper.settlements import Settlements
from navoracle.keeper.slots import SlotRunner
from navoracle.keeper.trades import LatestValues
from navoracle.keeper.watch import Watch
from navoracle.lane_port import Lane
from navoracle.risk.monitor import RiskMonitor
from navoracle.store_port import Store


@dataclass(frozen=True, slots=True)
class ServiceTimes:
    """Seconds: see `config.service.ServiceSection`."""

    sample: int = 60
    tick: int = 4
    lease: int = 30
    misfire_grace: int = 450
    health: int = 60
    stop_grace: int = 30
    settle: int = 15
    risk: int = 60


@dataclass(frozen=True, slots=True)
class Keeper:
    """The parts of a running keeper.

    `settlements` is None where no fund has a vault of its own, `monitor` where none has a risk monitor or a gate.
    """

    planner: Planner
    ports: FramePorts
    runner: SlotRunner
    watch: Watch
    latest: LatestValues
    store: Store
    breakers: Breakers
    requests: RequestActions
    insolvency: InsolvencyPath
    observer: Observer
    clock: ScheduledClock
    lanes: tuple[Lane, ...] = ()
    settlements: Settlements | None = None
    monitor: RiskMonitor | None = None
