"""State files of a running keeper or a replay: which funds have them, where their positions are, what they tell."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, Literal

from navoracle.composition.risk_facts import facts_of
from navoracle.composition.system import System
from navoracle.config.models import Config
from navoracle.config.state_files import StateFilesSection
from navoracle.domain.errors import RiskCalculationFailed
from navoracle.domain.frame import FundFrame, NavFrame
from navoracle.domain.prior import ConfirmedNav
from navoracle.domain.risk.gates import DAY
from navoracle.domain.units import Timestamp, Wad
from navoracle.keeper.plan import FundPlan
from navoracle.ports import PositionReader
from navoracle.risk.health import HealthStatus
from navoracle.risk.monitor import RiskMonitor
from navoracle.risk.stress import StressRow, stress_table
from navoracle.state_files.external import ExternalFiles
from navoracle.state_files.facts import STATUSES, FundView, MonitorHealth, NavPoint, Place, Reporting, StressLine
from navoracle.state_files.names import CURRENT, folder_name
from navoracle.state_files.state_files import StateFiles
from navoracle.state_files.writer import SetWriter
from navoracle.store_port import FundFrameRow, Store
from navoracle.telemetry.alerts import Alerts
from navoracle.telemetry.metrics import Metrics

WALLET: Final = "wallet"
_HELD_THERE: Final = frozenset({"erc20", "native"})
"""Kinds whose units lie at an account of the fund's own, and nowhere else."""


_HEALTH: Final[Mapping[HealthStatus, Literal["healthy", "degraded", "unhealthy"]]] = {
    HealthStatus.HEALTHY: "healthy",
    HealthStatus.DEGRADED: "degraded",
    HealthStatus.UNHEALTHY: "unhealthy",
}


class FrameRelay:
    """Passes frames on to whoever listens by then."""

    def __init__(self) -> None:
        self.listeners: list[Callable[[NavFrame], None]] = []

    def __call__(self, frame: NavFrame) -> None:
        """A frame was run."""
        for listener in self.listeners:
            listener(frame)


def state_files_of(
    section: StateFilesSection,
    config: Config,
    system: System,
    store: Store,
    served: Mapping[str, ConfirmedNav],
    *,
    folder: Path | None = None,
    monitor: RiskMonitor | None = None,
) -> StateFiles:
    """The state files of all funds of a system.

    Args:
        served: what the chain serves, by fund, as it is known at any time.
        folder: where they are written, instead of where the configuration says.
        monitor: the risk monitor that runs.

    Raises:
        StoreError: the database cannot be read.
    """
    where, now = section.folder if folder is None else folder, system.clock.now
    views = _Views(config, system, section.venues)
    return StateFiles(
        SetWriter(where, fsync=section.fsync),
        now=now,
        view_of=views.view_of,
        served=served,
        overrides=lambda: system.planner.overrides,
        stress=views.stress,
        monitor=lambda: None if monitor is None else _health(monitor, now()),
        past=_past(config, store, where, section.history),
        samples=store.load_samples(Timestamp(now() - DAY)),
        external=ExternalFiles(
            section.external.router, section.external.symbols, section.external.execution, section.max_external_age
        ),
        history=section.history,
    )


def state_folder_of(config: Config, instead: Path | None = None) -> Path | None:
    """Where the state files are; None where none are written."""
    section = config.state_files
    return None if section is None else section.folder if instead is None else instead


class StateFilesJob:
    """Writes what is due, away from the loop, and tells of changes between failing and working.

    Args:
        tell: told why nothing can be written, and None once it can again.
    """

    def __init__(self, files: StateFiles, tell: Callable[[str | None], None]) -> None:
        self._files = files
        self._tell = tell
        self._told: str | None = None

    async def run(self) -> None:
        """Write what is due."""
        await asyncio.to_thread(self._files.write)
        if self._files.trouble != self._told:
            self._told = self._files.trouble
            self._tell(self._told)


def tell_state_files(trouble: str | None, metrics: Metrics, alerts: Alerts) -> None:
    """The state files cannot be written, or can again."""
    metrics.state_files_work(trouble is None)
    if trouble is None:
        alerts.clear("StateFilesFailing", "")
    else:
        alerts.raise_("StateFilesFailing", "", trouble)


class _Views:
    """Funds as their plans are now; a plan that has not changed is looked at once."""

    def __init__(self, config: Config, system: System, venues: Mapping[str, str]) -> None:
        said = config.reporting
        self._reporting = None if said is None else Reporting(said.currency, said.asset, said.fallback)
        self._unit = config.unit_of_account
        self._system = system
        self._venues = venues
        self._known: dict[str, tuple[FundPlan, FundView]] = {}

    def view_of(self, fund: str) -> FundView | None:
        """A fund as it is configured now; None for one that is not."""
        plan = self._system.planner.subject.funds.get(fund)
        if plan is None:
            return None
        known = self._known.get(fund)
        if known is None or known[0] is not plan:
            places = {reader.id: place_of(reader, self._venues) for reader in plan.positions}
            known = self._known[fund] = plan, FundView(fund, self._unit, places, plan.gate, self._reporting)
        return known[1]

    def stress(self, frame: NavFrame, part: FundFrame) -> Sequence[StressLine] | None:
        """The stress table of a fund at a frame; None for a fund that has none, or could not be valued."""
        plan = self._system.planner.subject.funds[part.fund].risk
        report = part.risk
        if plan is None or report is None or not plan.policy.stress:
            return None
        try:
            return [
                _line(row) for row in stress_table(facts_of(plan.policy, self._unit, report, part, frame.estimates))
            ]
        except RiskCalculationFailed:  # without a valuation there is nothing to fall
            return None


def place_of(reader: PositionReader, venues: Mapping[str, str]) -> Place:
    """Where a position is: an exchange by its name in the configuration, a protocol by its kind, or a wallet."""
    exchange: str | None = getattr(reader, "exchange", None)
    kind: str = getattr(reader, "kind", WALLET)
    venue = exchange or (WALLET if kind in _HELD_THERE else kind)
    return Place(venues.get(reader.id, venue), reader.chain, exchange is not None)


def _health(monitor: RiskMonitor, now: Timestamp) -> MonitorHealth:
    found = monitor.health(now)
    return MonitorHealth(_HEALTH[found.status], found.updates, found.errors, found.error_rate)


def _line(row: StressRow) -> StressLine:
    liquidated = [loan.watch for loan in row.loans if loan.liquidation is not None]
    liquidated += [venue.watch for venue in row.venues if venue.liquidation is not None]
    return StressLine(
        name=row.name,
        assets=row.assets,
        fall=row.fall,
        nav=row.nav,
        nav_per_share=row.nav_per_share,
        change=row.change,
        liquidated=tuple(liquidated),
        cost=Wad(sum(loan.cost for loan in row.loans) + sum(venue.cost for venue in row.venues)),
        failures=tuple(failure.message for failure in row.failures),
    )


def _past(config: Config, store: Store, folder: Path, limit: int) -> Mapping[str, Sequence[NavPoint]]:
    """The recorded points of funds that have no files yet, oldest first."""
    return {
        fund: [_point(row) for row in reversed(store.fund_frames(fund=fund, limit=limit))]
        for fund in config.funds
        if not _has_files(folder / folder_name(fund))
    }


def _has_files(folder: Path) -> bool:
    try:
        return (folder / CURRENT).exists()
    except OSError:  # a folder that cannot be looked into cannot be written to either; the writer tells of it
        return False


def _point(row: FundFrameRow) -> NavPoint:
    values = row.values
    return NavPoint(
        time=row.now,
        nav=None if values is None else values.nav_after,
        price_per_share=None if values is None else values.price_per_share,
        status=STATUSES[row.status],
        frame=row.frame,
        source="slot",
    )
