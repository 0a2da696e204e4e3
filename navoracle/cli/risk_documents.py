"""Simulations and stress tests as JSON; amounts of a loan are in its base unit, which has `base_decimals`."""

from __future__ import annotations

from typing import Any

from navoracle.composition.risk_documents import account_document, failure_document
from navoracle.domain.risk.lending_account import LendingAccount
from navoracle.domain.risk.margin_account import MarginAccount
from navoracle.domain.risk.policy import LendingLimits, MarginLimits
from navoracle.domain.units import wad_text
from navoracle.risk.margin import exposure_of
from navoracle.risk.simulate import ExchangeLiquidation, LendingLiquidation
from navoracle.risk.stress import StressRow


def loan_document(
    limits: LendingLimits, now: LendingAccount, fallen: LendingAccount, taken: LendingLiquidation | None
) -> dict[str, Any]:
    """A loan now, once its collateral has fallen, and once the liquidator is done; null where nobody may liquidate."""
    return {
        "watch": limits.watch,
        "label": limits.label,
        "now": account_document(now),
        "fallen": account_document(fallen),
        "liquidation": None if taken is None else liquidation_document(taken),
    }


def liquidation_document(taken: LendingLiquidation) -> dict[str, Any]:
    """What a liquidation takes from a loan."""
    return {
        "trigger": taken.trigger,
        "repaid": wad_text(taken.repaid),
        "seized": wad_text(taken.seized),
        "lost": wad_text(taken.lost),
        "forgiven": wad_text(taken.forgiven),
        "after": account_document(taken.after),
    }


def exchange_document(limits: MarginLimits, now: MarginAccount, taken: ExchangeLiquidation | None) -> dict[str, Any]:
    """An account at an exchange; `at_stake` is lost once its margin ratio is below the maintenance margin."""
    return {
        "watch": limits.watch,
        "venue": limits.venue,
        "asset": now.asset,
        "balance": wad_text(now.balance),
        "exposure": wad_text(exposure_of(now)),
        "maintenance_margin": wad_text(limits.maintenance_margin),
        "at_stake": wad_text(max(0, now.balance)),
        "liquidation": None if taken is None else exchange_liquidation_document(taken),
    }


def exchange_liquidation_document(taken: ExchangeLiquidation) -> dict[str, Any]:
    """What an exchange takes."""
    return {
        "margin_ratio": wad_text(taken.margin_ratio),
        "margin_lost": wad_text(taken.margin_lost),
        "remaining_balance": wad_text(taken.remaining_balance),
    }


def stress_document(row: StressRow) -> dict[str, Any]:
    """A row of the stress table; costs and profits in the unit of account (Wad)."""
    return {
        "name": row.name,
        "assets": list(row.assets),
        "fall": wad_text(row.fall),
        "nav": wad_text(row.nav),
        "nav_per_share": wad_text(row.nav_per_share),
        "change": wad_text(row.change),
        "perpetuals_profit": wad_text(row.perpetuals_profit),
        "loans": [
            {
                "watch": loan.watch,
                "label": loan.label,
                "account": account_document(loan.account),
                "liquidation": None if loan.liquidation is None else liquidation_document(loan.liquidation),
                "cost": wad_text(loan.cost),
            }
            for loan in row.loans
        ],
        "venues": [
            {
                "watch": venue.watch,
                "venue": venue.venue,
                "asset": venue.account.asset,
                "balance": wad_text(venue.account.balance),
                "profit": wad_text(venue.profit),
                "liquidation": None if venue.liquidation is None else exchange_liquidation_document(venue.liquidation),
                "cost": wad_text(venue.cost),
            }
            for venue in row.venues
        ],
        "failures": [failure_document(failure) for failure in row.failures],
    }
