"""Accounts at lenders and exchanges, and how far each is from being liquidated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from navoracle.domain.risk.report import LendingRisk, MarginRisk
from navoracle.state_files.facts import LEVELS, RiskLevel
from navoracle.state_files.values import DOCUMENT, Decimal, Unknown, decimal, decimal_of


@dataclass(frozen=True, slots=True, kw_only=True)
class LendingEntry:
    """One account at a lender; amounts are in its base unit (US dollars at Aave, the loan's token at Morpho)."""

    __pydantic_config__ = DOCUMENT

    watch: str
    """Its name in alerts."""
    label: str
    """What its alerts begin with."""
    protocol: Literal["aave_v3", "morpho_blue", "positions"]
    """Who says the figures; "positions": the fund's own."""
    status: RiskLevel
    """The worse of the next two."""
    ltv_status: RiskLevel
    """By the loan-to-value."""
    health_factor_status: RiskLevel
    """By the health factor."""
    collateral: Decimal
    """What the collateral is worth."""
    debt: Decimal
    """What is owed."""
    ltv: Decimal | None
    """Debt over collateral: a fraction, rounded up; null where the collateral is worth nothing."""
    target_ltv: Decimal
    """Where the operator wants it."""
    max_ltv: Decimal
    """Up to which the lender lends."""
    liquidation_threshold: Decimal
    """From which the account can be liquidated."""
    liquidation_bonus: Decimal
    """What a liquidator takes beyond the debt that it repays."""
    health_factor: Decimal | None
    """Liquidation is possible below 1; null without debt."""
    buffer_to_max_ltv: Decimal | None
    """What the loan-to-value may still rise until nothing more can be borrowed; negative beyond."""
    buffer_to_liquidation: Decimal | None
    """What the loan-to-value may still rise until the threshold; negative beyond."""
    move_to_liquidation: Decimal | None
    """How far collateral may fall against debt until the health factor is 1; null without debt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginEntry:
    """One account at an exchange; amounts are whole units of `asset`."""

    __pydantic_config__ = DOCUMENT

    watch: str
    """Its name in alerts."""
    venue: str
    """What its alerts begin with."""
    asset: str
    """What it settles in."""
    status: RiskLevel
    """By the margin ratio."""
    balance: Decimal
    """Equity: wallet and unrealized profit; negative when it is owed."""
    exposure: Decimal
    """All notionals, long and short."""
    margin_ratio: Decimal | None
    """Balance over exposure; null without exposure."""
    required_margin: Decimal
    """Initial margin of the exposure."""
    free_margin: Decimal
    """Balance less required margin."""
    maintenance_margin: Decimal
    """The ratio at which the venue liquidates."""
    buffer_to_liquidation: Decimal | None
    """Margin ratio less maintenance margin; null without exposure."""
    funding_per_year: Decimal | None
    """What holding the positions costs in 365 days; negative when it earns; null where it is not counted."""


def lending_entry(risk: LendingRisk, at: int, unknown: Unknown) -> LendingEntry:
    """An account at a lender; `at` is its place in the document's list."""
    account, place = risk.account, f"/lending/{at}"
    return LendingEntry(
        watch=risk.watch,
        label=risk.label,
        protocol=account.protocol,
        status=LEVELS[risk.status],
        ltv_status=LEVELS[risk.ltv_status],
        health_factor_status=LEVELS[risk.health_factor_status],
        collateral=decimal_of(account.collateral, account.base_decimals),
        debt=decimal_of(account.debt, account.base_decimals),
        ltv=unknown.wad(f"{place}/ltv", account.loan_to_value, "no_collateral"),
        target_ltv=decimal(risk.target_ltv),
        max_ltv=decimal(account.max_ltv),
        liquidation_threshold=decimal(account.liquidation_threshold),
        liquidation_bonus=decimal(account.liquidation_bonus),
        health_factor=unknown.wad(f"{place}/health_factor", account.health_factor, "no_debt"),
        buffer_to_max_ltv=unknown.wad(f"{place}/buffer_to_max_ltv", account.buffer_to_max_ltv, "no_collateral"),
        buffer_to_liquidation=unknown.wad(
            f"{place}/buffer_to_liquidation", account.buffer_to_liquidation, "no_collateral"
        ),
        move_to_liquidation=unknown.wad(f"{place}/move_to_liquidation", account.move_to_liquidation, "no_debt"),
    )


def margin_entry(risk: MarginRisk, at: int, unknown: Unknown) -> MarginEntry:
    """An account at an exchange; `at` as in `lending_entry`."""
    place = f"/margin/{at}"
    return MarginEntry(
        watch=risk.watch,
        venue=risk.venue,
        asset=risk.asset,
        status=LEVELS[risk.status],
        balance=decimal(risk.balance),
        exposure=decimal(risk.exposure),
        margin_ratio=unknown.wad(f"{place}/margin_ratio", risk.margin_ratio, "no_exposure"),
        required_margin=decimal(risk.required_margin),
        free_margin=decimal(risk.free_margin),
        maintenance_margin=decimal(risk.maintenance_margin),
        buffer_to_liquidation=unknown.wad(f"{place}/buffer_to_liquidation", risk.buffer_to_liquidation, "no_exposure"),
        funding_per_year=unknown.wad(f"{place}/funding_per_year", risk.funding_per_year, "not_counted"),
    )
