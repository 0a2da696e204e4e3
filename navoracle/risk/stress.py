"""The stress table: what the fund would be worth, and what would be liquidated, if assets fell together. Pure.

Everything falls at once and nobody reacts: no rebalancing, one round of liquidations at the prices after the fall.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from navoracle.domain.errors import DomainError, RiskCalculationFailed
from navoracle.domain.failures import Failure
from navoracle.domain.lending import AavePosition
from navoracle.domain.morpho import MorphoPosition
from navoracle.domain.nav import FundValuation
from navoracle.domain.risk.lending_account import LendingAccount
from navoracle.domain.risk.margin_account import MarginAccount, PerpetualExposure
from navoracle.domain.risk.policy import LendingLimits, MarginLimits
from navoracle.domain.shares import price_per_share
from navoracle.domain.units import WAD, Rounding, Wad, divide, mul_div
from navoracle.domain.valuation import PositionValue
from navoracle.risk.assess import loan_of, venue_of
from navoracle.risk.inputs import RiskInput
from navoracle.risk.lending import account_of, rows_of
from navoracle.risk.margin import asset_of, marked, notional_of
from navoracle.risk.marks import Marks, own_rows, required
from navoracle.risk.simulate import ExchangeLiquidation, LendingLiquidation, exchange_liquidation, liquidation_of

COLLATERAL: Final = "collateral"
LOAN: Final = "loan"


@dataclass(frozen=True, slots=True)
class StressedLoan:
    """A loan after a fall.

    Attributes:
        liquidation: None while it is safe.
        cost: what the liquidation costs the fund (Wad of the unit of account), rounded up; what lenders forgive is not
            counted as a gain.
    """

    watch: str
    label: str
    account: LendingAccount
    liquidation: LendingLiquidation | None
    cost: Wad


@dataclass(frozen=True, slots=True)
class StressedVenue:
    """An account at an exchange after a fall.

    Attributes:
        account: with what its perpetuals gained or lost, and marked anew.
        profit: of its perpetuals (Wad of the unit of account), rounded down; negative for a loss.
        liquidation: None while it is safe.
        cost: the margin that is lost (Wad of the unit of account), rounded up.
    """

    watch: str
    venue: str
    account: MarginAccount
    profit: Wad
    liquidation: ExchangeLiquidation | None
    cost: Wad


@dataclass(frozen=True, slots=True)
class StressRow:
    """One fall of one block of the table.

    Attributes:
        nav, nav_per_share: afterwards (Wad); None where a part of it could not be computed (`failures`).
        change: nav / NAV_before - 1 (Wad), rounded down; None without one of them, or where NAV_before is not positive.
        perpetuals_profit: the profits of all venues together; None as the NAV.
        failures: what could not be computed, by the watch's name.
    """

    name: str
    assets: tuple[str, ...]
    fall: Wad
    nav: Wad | None
    nav_per_share: Wad | None
    change: Wad | None
    perpetuals_profit: Wad | None
    loans: tuple[StressedLoan, ...]
    venues: tuple[StressedVenue, ...]
    failures: tuple[Failure, ...]


def stress_table(facts: RiskInput) -> tuple[StressRow, ...]:
    """Every fall of every block of the policy's stress test, in its order.

    Holdings and debts of the assets follow their fall, perpetuals gain or lose by their size, and loans and venues are
    liquidated as `navoracle.risk.simulate` says. The accounts are taken to be among the fund's positions, as they are
    where the fund is valued by them; fees payable stay as they are.

    Raises:
        RiskCalculationFailed: the fund could not be valued.
    """
    valuation = required(facts.valuation)
    return tuple(
        _row(facts, valuation, shock.name, shock.assets, fall) for shock in facts.policy.stress for fall in shock.falls
    )


def _row(facts: RiskInput, valuation: FundValuation, name: str, assets: tuple[str, ...], fall: Wad) -> StressRow:
    falls = dict.fromkeys(assets, fall)
    before, after = Marks(facts.unit, facts.estimates, {}), Marks(facts.unit, facts.estimates, falls)
    loans: list[StressedLoan] = []
    venues: list[StressedVenue] = []
    failures: list[Failure] = []
    for lender in facts.policy.lending:
        try:
            loans.append(_loan(lender, facts, valuation, after))
        except DomainError as error:
            failures.append(_failure(lender.watch, error))
    for exchange in facts.policy.margin:
        try:
            venues.append(_venue(exchange, facts, before, after))
        except DomainError as error:
            failures.append(_failure(exchange.watch, error))
    if failures:
        return StressRow(name, assets, fall, None, None, None, None, tuple(loans), tuple(venues), tuple(failures))
    profit = sum(venue.profit for venue in venues)
    costs = sum(loan.cost for loan in loans) + sum(venue.cost for venue in venues)
    nav = Wad(valuation.before.nav - _loss(own_rows(valuation), falls) + profit - costs)
    opening = valuation.before.nav
    return StressRow(
        name=name,
        assets=assets,
        fall=fall,
        nav=nav,
        nav_per_share=price_per_share(nav, valuation.shares),
        change=Wad(divide((nav - opening) * WAD, opening, Rounding.DOWN)) if opening > 0 else None,
        perpetuals_profit=Wad(profit),
        loans=tuple(loans),
        venues=tuple(venues),
        failures=(),
    )


def _failure(watch: str, error: DomainError) -> Failure:
    return Failure(watch, RiskCalculationFailed.code, error.message, error.advice)


def _loss(rows: Iterator[PositionValue], falls: Mapping[str, Wad]) -> int:
    """What holdings lose, less what debts become cheaper by (Wad)."""
    return sum(_changed(row, falls) for row in rows)


def _changed(row: PositionValue, falls: Mapping[str, Wad]) -> int:
    lost = row.value - fallen(row, falls)
    return -lost if row.component.is_liability else lost


def fallen(row: PositionValue, falls: Mapping[str, Wad]) -> int:
    """A row's value after the fall of its asset: what is owned rounds down, what is owed up."""
    fall = falls.get(row.asset)
    if fall is None:
        return row.value
    rounding = Rounding.UP if row.component.is_liability else Rounding.DOWN
    return mul_div(row.value, WAD - fall, WAD, rounding)


def _loan(limits: LendingLimits, facts: RiskInput, valuation: FundValuation, marks: Marks) -> StressedLoan:
    found = loan_of(limits, facts)
    terms = limits.terms
    if terms is not None:
        rows = rows_of(terms, valuation)
        found = account_of(
            terms,
            collateral=sum(fallen(row, marks.falls) for row in rows if not row.component.is_liability),
            debt=sum(fallen(row, marks.falls) for row in rows if row.component.is_liability),
        )
        liquidation = liquidation_of(found, terms)
        cost = 0 if liquidation is None else liquidation.lost
        return StressedLoan(limits.watch, limits.label, found, liquidation, Wad(cost))
    assets = dict(limits.assets)
    match found.detail:
        case AavePosition():
            position = _aave_after(found.detail, assets, marks.falls)
            found = LendingAccount.of_aave(position, found.base_decimals)
            liquidation = liquidation_of(found, None)
            cost = 0 if liquidation is None else _aave_cost(position, liquidation.lost, assets, marks)
        case MorphoPosition():
            found = LendingAccount.of_morpho(_morpho_after(found.detail, assets, marks.falls), found.base_decimals)
            liquidation = liquidation_of(found, None)
            lost = 0 if liquidation is None else liquidation.lost
            cost = mul_div(lost, marks.price(_named(assets, LOAN)), 10**found.base_decimals, Rounding.UP)
        case None:
            raise RiskCalculationFailed(
                f"{limits.watch} states no details of the account", advice="Read it with a reader that does."
            )
    return StressedLoan(limits.watch, limits.label, found, liquidation, Wad(cost))


def _aave_after(position: AavePosition, assets: Mapping[str, str], falls: Mapping[str, Wad]) -> AavePosition:
    """The same balances, each of the pool's prices lower as its asset's is; an efficiency mode's own price is left."""
    own = position.dropped(Wad(0))
    prices = {}
    for reserve in own.reserves:
        fall = falls.get(_named(assets, reserve.token))
        if fall is not None:
            prices[reserve.token] = mul_div(reserve.price, WAD - fall, WAD, Rounding.DOWN)
    return own.marked(prices)


def _aave_cost(position: AavePosition, lost: int, assets: Mapping[str, str], marks: Marks) -> int:
    """What is lost, as an amount of the seized collateral at the pool's price, valued at the frame's."""
    seized = position.largest_collateral()
    if seized is None:
        return 0
    return mul_div(lost, marks.price(_named(assets, seized.token)), position.price(seized), Rounding.UP)


def _morpho_after(position: MorphoPosition, assets: Mapping[str, str], falls: Mapping[str, Wad]) -> MorphoPosition:
    """The same position at a price that has moved as collateral and loan have moved against each other."""
    kept = [WAD - falls.get(_named(assets, part), 0) for part in (COLLATERAL, LOAN)]
    return replace(position, price=mul_div(position.price, kept[0], kept[1], Rounding.DOWN))


def _named(assets: Mapping[str, str], token: str) -> str:
    asset = assets.get(token)
    if asset is None:
        raise RiskCalculationFailed(
            f"nobody said which asset {token} is, so its fall is not known",
            advice="Name it under `assets` of the account.",
        )
    return asset


def _venue(limits: MarginLimits, facts: RiskInput, before: Marks, after: Marks) -> StressedVenue:
    account = marked(venue_of(limits, facts), before)
    profit = _profit(account, before, after)
    settles_at = after.price(account.asset)
    balance = account.balance + mul_div(profit, WAD, settles_at, Rounding.DOWN)
    fallen_account = replace(account, balance=Wad(balance), exposures=tuple(_marked_anew(account, before, after)))
    liquidation = exchange_liquidation(fallen_account, limits.maintenance_margin)
    lost = 0 if liquidation is None else mul_div(liquidation.margin_lost, settles_at, WAD, Rounding.UP)
    return StressedVenue(limits.watch, limits.venue, fallen_account, Wad(profit), liquidation, Wad(lost))


def _profit(account: MarginAccount, before: Marks, after: Marks) -> int:
    """Size x the move of the asset's price (Wad of the unit of account), rounded down.

    A linear perpetual is quoted in what it settles in: where that falls too, the quoted price has moved by less. An
    inverse one settles in its own asset, and its profit is by the move itself.
    """
    total = 0
    for exposure in account.exposures:
        asset = asset_of(exposure)
        old, new = before.price(asset), after.price(asset)
        if asset != account.asset:
            old = Wad(mul_div(old, after.price(account.asset), before.price(account.asset), Rounding.DOWN))
        total += mul_div(exposure.size, new - old, WAD, Rounding.DOWN)
    return total


def _marked_anew(account: MarginAccount, before: Marks, after: Marks) -> Iterator[PerpetualExposure]:
    """The exposures after the fall, rounded up: a linear one follows its price, an inverse one is so many dollars."""
    for exposure in account.exposures:
        asset, notional = asset_of(exposure), notional_of(exposure)
        old, new = before.price(asset), after.price(asset)
        if asset == account.asset:
            size, held = mul_div(exposure.size, old, new, Rounding.DOWN), mul_div(notional, old, new, Rounding.UP)
        else:
            settled, settles = before.price(account.asset), after.price(account.asset)
            size, held = exposure.size, divide(notional * new * settled, old * settles, Rounding.UP)
        yield replace(exposure, size=Wad(size), notional=Wad(held))
