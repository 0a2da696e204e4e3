"""Loans: how near each is to its lender's limits and to the operator's."""

from __future__ import annotations

from navoracle.domain.nav import FundValuation
from navoracle.domain.risk.lending_account import LendingAccount
from navoracle.domain.risk.levels import RiskStatus, worst
from navoracle.domain.risk.policy import LendingLimits, PositionTerms
from navoracle.domain.risk.report import LendingRisk
from navoracle.domain.units import WAD, Rounding, Wad, mul_div
from navoracle.domain.valuation import PositionValue

_VALUE_DECIMALS = 18


def lending_risk(limits: LendingLimits, account: LendingAccount) -> LendingRisk:
    """Judge an account: loan-to-value and health factor against their limits, compared exactly."""
    by_ltv, by_health = _by_loan_to_value(limits, account), _by_health_factor(limits, account)
    return LendingRisk(
        watch=limits.watch,
        label=limits.label,
        account=account,
        target_ltv=limits.target_ltv,
        ltv_status=by_ltv,
        health_factor_status=by_health,
        status=worst((by_ltv, by_health)),
    )


def _by_loan_to_value(limits: LendingLimits, account: LendingAccount) -> RiskStatus:
    if account.debt == 0:
        return RiskStatus.SAFE
    if account.collateral == 0 or account.loan_to_value is None:
        return RiskStatus.CRITICAL
    # At Morpho the collateral is rounded to a token's unit, so the protocol's own ratio is the exacter one.
    return limits.ltv.status(account.loan_to_value)


def _by_health_factor(limits: LendingLimits, account: LendingAccount) -> RiskStatus:
    if account.health_factor is None:
        return RiskStatus.SAFE
    if account.is_liquidatable:
        return RiskStatus.CRITICAL
    return RiskStatus.SAFE if limits.health_factor is None else limits.health_factor.status(account.health_factor)


def account_of_positions(terms: PositionTerms, valuation: FundValuation) -> LendingAccount:
    """The account that the fund's own positions make up, at the frame's prices as valued: haircuts included.

    What its positions own is collateral, rounded down; what they owe is debt, rounded up. Queued deposits that are in
    the account secure its loan too. The base unit is a Wad of the unit of account.
    """
    rows = rows_of(terms, valuation)
    return account_of(
        terms,
        collateral=sum(row.value for row in rows if not row.component.is_liability),
        debt=sum(row.value for row in rows if row.component.is_liability),
    )


def rows_of(terms: PositionTerms, valuation: FundValuation) -> list[PositionValue]:
    """The rows of the positions that make up the account: a reader's own, and its parts `ID/...`."""
    names, parts = frozenset(terms.positions), tuple(f"{name}/" for name in terms.positions)
    return [row for row in valuation.positions if row.position in names or row.position.startswith(parts)]


def account_of(terms: PositionTerms, *, collateral: int, debt: int) -> LendingAccount:
    """The account with these totals (Wad of the unit of account). A health factor is collateral x threshold / debt.

    The loan-to-value is rounded up, the health factor down. A loss on a cost basis never makes collateral negative.
    """
    worth = max(0, collateral)
    health = mul_div(worth, terms.liquidation_threshold, debt, Rounding.DOWN) if debt else None
    return LendingAccount(
        protocol="positions",
        collateral=worth,
        debt=debt,
        base_decimals=_VALUE_DECIMALS,
        loan_to_value=Wad(mul_div(debt, WAD, worth, Rounding.UP)) if worth else None,
        max_ltv=terms.max_ltv,
        liquidation_threshold=terms.liquidation_threshold,
        liquidation_bonus=terms.liquidation_bonus,
        health_factor=None if health is None else Wad(health),
        detail=None,
    )
