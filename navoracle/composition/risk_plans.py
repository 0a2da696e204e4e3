"""From configuration to what a fund's risk monitor watches, and to the monitor itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from navoracle.config.naming import watch_id
from navoracle.config.risk import DeltaSection, LimitsSection, LoanSection, MarginSection, RiskSection
from navoracle.config.service import ServiceSection
from navoracle.domain.errors import ConfigurationError
from navoracle.domain.risk.policy import (
    DeltaLimits,
    FundingTerms,
    FundLimits,
    LendingLimits,
    MarginLimits,
    PositionTerms,
    RiskPolicy,
    Shock,
)
from navoracle.domain.units import Timestamp
from navoracle.keeper.plan import FundPlan, RiskPlan
from navoracle.keeper.risk_looks import watched_funds
from navoracle.risk.health import HealthRule
from navoracle.risk.monitor import RiskMonitor

_HOUR: Final = 3_600
MISSED_LOOKS: Final = 10
"""Looks that may be left out, while every fund's slot waits for its transaction, before the monitor is unhealthy."""

LEAST_MAX_AGE: Final = 600
"""Seconds in which a slot can end, however often is looked between slots."""


def risk_monitor(section: ServiceSection, funds: Iterable[FundPlan], started: Timestamp) -> RiskMonitor | None:
    """The monitor of a service or a replay; None where no fund has limits or a gate."""
    if not watched_funds(funds):
        return None
    rule = HealthRule(section.risk_max_error_rate, max_age=max(LEAST_MAX_AGE, MISSED_LOOKS * section.risk_seconds))
    return RiskMonitor(history_limit=section.risk_history, rule=rule, started=started)


def risk_plan(fund: str, section: RiskSection) -> RiskPlan:
    """The limits of a fund, and the readers of its accounts at lenders and exchanges, not resolved yet."""
    return RiskPlan(
        policy=RiskPolicy(
            mode=section.mode,
            lending=tuple(_lending(fund, loan) for loan in section.lending),
            margin=tuple(_margin(fund, venue) for venue in section.margin),
            delta=None if section.delta is None else _delta(section.delta),
            limits=_limits(section.limits),
            stress=tuple(Shock(block.name, block.assets, block.falls) for block in section.stress),
        ),
        lending=tuple(loan.account for loan in section.lending if loan.account is not None),
        margin=tuple(venue.account for venue in section.margin),
    )


def _lending(fund: str, loan: LoanSection) -> LendingLimits:
    return LendingLimits(
        watch=watch_id(fund, loan.name),
        label=loan.label,
        target_ltv=loan.target_ltv,
        ltv=loan.ltv.levels(),
        health_factor=None if loan.health_factor is None else loan.health_factor.levels(),
        terms=_terms(fund, loan) if loan.account is None else None,
        assets=() if loan.assets is None else tuple(sorted(loan.assets.items())),
    )


def _terms(fund: str, loan: LoanSection) -> PositionTerms:
    if (
        loan.positions is None
        or loan.max_ltv is None
        or loan.liquidation_threshold is None
        or loan.liquidation_bonus is None
        or loan.close_factor is None
    ):
        raise ConfigurationError(
            f"funds.{fund}.risk.lending: {loan.name} has neither an account nor all of the lender's terms",
            advice="State an `account`, or `positions` with the lender's terms.",
        )
    return PositionTerms(
        positions=loan.positions,
        max_ltv=loan.max_ltv,
        liquidation_threshold=loan.liquidation_threshold,
        liquidation_bonus=loan.liquidation_bonus,
        close_factor=loan.close_factor,
    )


def _margin(fund: str, venue: MarginSection) -> MarginLimits:
    funding = venue.funding
    return MarginLimits(
        watch=watch_id(fund, venue.name),
        venue=venue.venue,
        ratio=venue.ratio.levels(),
        initial_margin=venue.initial_margin,
        maintenance_margin=venue.maintenance_margin,
        funding=None if funding is None else FundingTerms(funding.rate, funding.hours * _HOUR),
    )


def _delta(section: DeltaSection) -> DeltaLimits:
    return DeltaLimits(
        unit=section.unit,
        assets=section.assets,
        target=section.target,
        limit=section.limit,
        warning_part=section.warning_part,
    )


def _limits(section: LimitsSection) -> FundLimits:
    return FundLimits(
        max_leverage=section.max_leverage,
        max_exposure=section.max_exposure,
        max_drawdown=section.max_drawdown,
        max_funding_cost=section.max_funding_cost,
        warning_part=section.warning_part,
    )
