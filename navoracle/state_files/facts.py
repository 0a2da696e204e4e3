"""What the documents of a fund are made of: a frame, what the chain serves, and what was kept of earlier frames."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from navoracle.domain.frame import FundFrame, NavFrame, NavStatus
from navoracle.domain.nav import FundValuation
from navoracle.domain.prior import ConfirmedNav
from navoracle.domain.risk.gates import GateDecision, GatePolicy
from navoracle.domain.risk.levels import RiskStatus
from navoracle.domain.units import Timestamp, Wad
from navoracle.domain.valuation import PositionValue
from navoracle.state_files.external import UNCONFIGURED, External
from navoracle.state_files.price_ranges import PriceRange

Status = Literal["live", "estimated", "verified", "suspicious", "halted", "insolvent", "confirmed"]
"""What a frame says of a NAV (`NavStatus`); "confirmed" where there is no frame."""

RiskLevel = Literal["safe", "warning", "urgent", "critical"]
"""`RiskStatus`, as text."""

Source = Literal["slot", "look", "confirmed"]
"""Where a set comes from: the frame of a slot, a look between slots, or what the chain serves (no frame)."""


STATUSES: Final[Mapping[NavStatus, Status]] = {
    NavStatus.LIVE: "live",
    NavStatus.ESTIMATED: "estimated",
    NavStatus.VERIFIED: "verified",
    NavStatus.SUSPICIOUS: "suspicious",
    NavStatus.HALTED: "halted",
    NavStatus.INSOLVENT: "insolvent",
}
LEVELS: Final[Mapping[RiskStatus, RiskLevel]] = {
    RiskStatus.SAFE: "safe",
    RiskStatus.WARNING: "warning",
    RiskStatus.URGENT: "urgent",
    RiskStatus.CRITICAL: "critical",
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a position is.

    Attributes:
        venue: an exchange's name in the configuration, a protocol, "wallet", or the operator's own label.
        chain: None off chain.
        at_exchange: whether an account at an exchange is read.
    """

    venue: str
    chain: str | None
    at_exchange: bool = False


@dataclass(frozen=True, slots=True)
class Reporting:
    """The currency that the NAV is also told in: units of it for one of account are 1 / the price of `asset`.

    Attributes:
        fallback: the rate (Wad) that is told, and marked, where that price is not to be had; None: it is unknown then.
    """

    currency: str
    asset: str
    fallback: Wad | None


@dataclass(frozen=True, slots=True)
class FundView:
    """A fund as it is configured, as far as its files tell of it; `places` are by the ids of its position readers."""

    fund: str
    unit: str
    places: Mapping[str, Place]
    gate: GatePolicy | None = None
    reporting: Reporting | None = None

    def place_of(self, row: PositionValue) -> Place:
        """Where a row is: it is called as its reader, or as its reader, "/" and what it is of."""
        found = self.places.get(row.position)
        return self.places[row.position.rpartition("/")[0]] if found is None else found


@dataclass(frozen=True, slots=True)
class NavPoint:
    """A point of the series. Wad; the figures are None for a frame that could not value the fund."""

    time: Timestamp
    nav: Wad | None
    price_per_share: Wad | None
    status: Status
    frame: str | None
    source: Source


@dataclass(frozen=True, slots=True)
class RiskPoint:
    """The risk status from a time on, with the names of the alerts."""

    time: Timestamp
    status: RiskLevel
    alerts: tuple[str, ...]
    frame: str


@dataclass(frozen=True, slots=True)
class StressLine:
    """One fall of the stress table; figures are Wad, None where they could not be computed (`failures`).

    Attributes:
        liquidated: the loans and venues that would be liquidated.
        cost: what these liquidations would cost, in the unit of account.
    """

    name: str
    assets: tuple[str, ...]
    fall: Wad
    nav: Wad | None
    nav_per_share: Wad | None
    change: Wad | None
    liquidated: tuple[str, ...]
    cost: Wad
    failures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MonitorHealth:
    """Whether the risk monitor does its work, by its last updates; `error_rate`: those with an error by all (Wad)."""

    status: Literal["healthy", "degraded", "unhealthy"]
    updates: int
    errors: int
    error_rate: Wad


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that one set of documents says.

    Attributes:
        frame, part: what a frame found; None for a set that is seeded from what the chain serves.
        confirmed: what the chain serves; None where it serves nothing, or was not read yet.
        series: oldest first. risk_history: oldest first, one for each change.
        ranges: of the prices of assets, as far as they are known.
        overrides: limits that are overridden while the keeper runs, by path, as plain JSON.
        stress: None where there is no stress table.
        monitor: None where none runs.
        now: when it is written.
    """

    view: FundView
    frame: NavFrame | None
    part: FundFrame | None
    source: Source
    confirmed: ConfirmedNav | None
    now: Timestamp
    series: tuple[NavPoint, ...] = ()
    risk_history: tuple[RiskPoint, ...] = ()
    ranges: Mapping[str, PriceRange] = field(default_factory=dict)
    overrides: Mapping[str, Any] = field(default_factory=dict)
    stress: tuple[StressLine, ...] | None = None
    monitor: MonitorHealth | None = None
    external: External = UNCONFIGURED

    @property
    def status(self) -> Status:
        """What is said of the NAV."""
        return "confirmed" if self.part is None else STATUSES[self.part.status]

    @property
    def valuation(self) -> FundValuation | None:
        """What the fund is worth by the frame."""
        return None if self.part is None else self.part.valuation

    @property
    def gate(self) -> GateDecision | None:
        """What its gate decided."""
        return None if self.part is None else self.part.gate

    @property
    def unvalued(self) -> str:
        """Why there are no figures of a valuation."""
        if self.part is None:
            return "no_frame"
        return self.part.reason or "not_valued"

    @property
    def ungated(self) -> str:
        """Why there are no figures of a gate."""
        return "no_frame" if self.part is None else "no_gate"
