"""What the risk monitor says of one fund at one frame."""

from __future__ import annotations

from dataclasses import dataclass

from navoracle.domain.failures import Failure
from navoracle.domain.risk.lending_account import LendingAccount
from navoracle.domain.risk.levels import RiskStatus
from navoracle.domain.risk.margin_account import PerpetualExposure
from navoracle.domain.units import Wad


@dataclass(frozen=True, slots=True)
class RiskAlert:
    """A limit that was crossed.

    Attributes:
        name: for example "AAVE_LTV_CRITICAL", "BINANCE_MARGIN_WARNING", "DELTA_DRIFT_WARNING".
        watch: the account or rule that it is about.
        message: the figure and the limit, for people.
        advice: what can be done.
    """

    name: str
    watch: str
    status: RiskStatus
    message: str
    advice: str


@dataclass(frozen=True, slots=True)
class LendingRisk:
    """One account at a lender, by the protocol or by the fund's positions.

    Attributes:
        target_ltv: where the operator wants it (Wad); reported, not judged.
        ltv_status: by the loan-to-value; CRITICAL where there is debt and the collateral is worth nothing.
        health_factor_status: by the health factor, SAFE where that has no limits; CRITICAL, whatever the limits, once
            the account can be liquidated.
        status: the worse of the two.
    """

    watch: str
    label: str
    account: LendingAccount
    target_ltv: Wad
    ltv_status: RiskStatus
    health_factor_status: RiskStatus
    status: RiskStatus


@dataclass(frozen=True, slots=True)
class MarginRisk:
    """One account at an exchange; amounts are whole units of `asset` (Wad).

    Its status is CRITICAL, whatever the limits, below the maintenance margin, and where the balance itself is owed.

    Attributes:
        margin_ratio: balance / exposure, rounded down; None without exposure (nothing can be liquidated).
        required_margin: initial margin of the exposure, rounded up.
        free_margin: balance - required margin; negative when nothing may be opened.
        buffer_to_liquidation: margin ratio - maintenance margin; None without exposure.
        funding_per_year: what holding the positions costs in 365 days, rounded up; negative when it earns; None where
            it is not counted.
        exposures: the open positions, marked: what a stress test needs.
    """

    watch: str
    venue: str
    asset: str
    balance: Wad
    exposure: Wad
    margin_ratio: Wad | None
    required_margin: Wad
    free_margin: Wad
    maintenance_margin: Wad
    buffer_to_liquidation: Wad | None
    funding_per_year: Wad | None
    status: RiskStatus
    exposures: tuple[PerpetualExposure, ...]


@dataclass(frozen=True, slots=True)
class DeltaRisk:
    """Net exposure to one asset, in whole units of it (Wad, signed).

    Attributes:
        drift: net delta - target.
        equity: NAV in the unit, rounded down.
        drift_part: size of the drift over the equity, rounded up; None when there is no equity to measure it by, which
            is critical unless there is no drift.
    """

    unit: str
    net_delta: Wad
    target: Wad
    drift: Wad
    equity: Wad
    drift_part: Wad | None
    limit: Wad
    status: RiskStatus


@dataclass(frozen=True, slots=True)
class LimitRisk:
    """One limit of the fund as a whole: "leverage", "exposure", "drawdown" or "funding_cost".

    Attributes:
        value: the figure (Wad ratio), rounded up; None where it cannot be said (a NAV that is not positive), which is
            critical. An exposure is without sign; a funding cost is negative when it earns.
        limit: what it may be.
        subject: the asset that an exposure is to; empty otherwise.
    """

    name: str
    value: Wad | None
    limit: Wad
    subject: str
    status: RiskStatus


@dataclass(frozen=True, slots=True)
class RiskReport:
    """All of one fund's risks.

    Attributes:
        status: the worst of all; at least WARNING where something could not be read (`failures`), because what is not
            known is not safe.
        lending, margin, delta, limits: those that its mode has.
        worst_margin_ratio: the lowest of all venues; None without exposure.
        alerts: the crossed limits, the worst first.
        failures: what could not be read or computed.
    """

    status: RiskStatus
    lending: tuple[LendingRisk, ...]
    margin: tuple[MarginRisk, ...]
    worst_margin_ratio: Wad | None
    delta: DeltaRisk | None
    limits: tuple[LimitRisk, ...]
    alerts: tuple[RiskAlert, ...]
    failures: tuple[Failure, ...]
