"""What a liquidation would take: at a lender after a fall of collateral against debt, and at an exchange."""

from __future__ import annotations

from dataclasses import dataclass

from navoracle.domain import aave_liquidation, morpho_liquidation
from navoracle.domain.errors import OutOfRange, RiskCalculationFailed
from navoracle.domain.lending import AavePosition
from navoracle.domain.morpho import MorphoPosition
from navoracle.domain.risk.lending_account import LendingAccount
from navoracle.domain.risk.margin_account import MarginAccount
from navoracle.domain.risk.policy import PositionTerms
from navoracle.domain.units import WAD, Rounding, Wad, divide, mul_div
from navoracle.risk.lending import account_of
from navoracle.risk.margin import exposure_of, liquidates


@dataclass(frozen=True, slots=True)
class LendingLiquidation:
    """A liquidation of a loan; amounts are in the account's base unit, at the prices after the fall.

    Attributes:
        trigger: why it is liquidated, for people.
        before, after: the account once prices have fallen, and once the liquidator is done.
        repaid: debt that the liquidator pays back, rounded down.
        seized: worth of the collateral that it takes for it, its bonus and the protocol's fee included, rounded up.
        lost: what the account is poorer by: seized - repaid.
        forgiven: debt that nobody pays, because no collateral is left for it; the lenders lose it.
    """

    trigger: str
    before: LendingAccount
    after: LendingAccount
    repaid: int
    seized: int
    lost: int
    forgiven: int


@dataclass(frozen=True, slots=True)
class ExchangeLiquidation:
    """A liquidation at an exchange: all of the margin is lost (Wad of the account's asset)."""

    venue: str
    asset: str
    margin_ratio: Wad
    margin_lost: Wad
    remaining_balance: Wad


def lending_drop(account: LendingAccount, terms: PositionTerms | None, drop: Wad) -> LendingLiquidation | None:
    """What happens to a loan when its collateral falls against its debt by `drop` (0.1e18 is 10 %); None while safe.

    At a protocol its own rules decide: close factor, bonus, fee, dust, bad debt. The largest debt is repaid for the
    largest collateral. A loan by the fund's positions is repaid by the close factor of its terms.

    Raises:
        OutOfRange: the drop lies outside 0 to 1e18.
        RiskCalculationFailed: there are neither details of the account nor terms.
        DomainError: the protocol cannot liquidate such an account.
    """
    if not 0 <= drop < WAD:
        raise OutOfRange(f"a drop of {drop} lies outside 0 to 1e18", advice="State a part: 0.1e18 is 10 %.")
    match account.detail:
        case AavePosition():
            fallen = LendingAccount.of_aave(account.detail.dropped(drop), account.base_decimals)
        case MorphoPosition():
            fallen = LendingAccount.of_morpho(account.detail.dropped(drop), account.base_decimals)
        case None:
            worth = mul_div(account.collateral, WAD - drop, WAD, Rounding.DOWN)
            fallen = account_of(_terms_of(account, terms), collateral=worth, debt=account.debt)
    return liquidation_of(fallen, terms)


def liquidation_of(account: LendingAccount, terms: PositionTerms | None) -> LendingLiquidation | None:
    """The liquidation of an account as it is; None while its health factor is at least 1. Raises as `lending_drop`."""
    if account.health_factor is None or account.health_factor >= WAD:
        return None
    match account.detail:
        case AavePosition():
            return _of_aave(account, account.detail)
        case MorphoPosition():
            return _of_morpho(account, account.detail)
        case None:
            return _by_terms(account, _terms_of(account, terms))


def _terms_of(account: LendingAccount, terms: PositionTerms | None) -> PositionTerms:
    if terms is None:
        raise RiskCalculationFailed(
            f"{account.protocol}: neither the account's details nor its terms are known, so nothing can be simulated",
            advice="State the lender's terms, or read the account.",
        )
    return terms


def _of_aave(account: LendingAccount, position: AavePosition) -> LendingLiquidation | None:
    debt, collateral = position.largest_debt(), position.largest_collateral()
    if debt is None or collateral is None:
        return None
    taken = aave_liquidation.simulate_liquidation(position, debt.token, collateral.token)
    if taken is None:
        return None
    repaid = mul_div(taken.repaid.value, position.price(debt), debt.unit, Rounding.DOWN)
    after = LendingAccount.of_aave(taken.after, account.base_decimals)
    reserves = {reserve.token: reserve for reserve in position.reserves}
    forgiven = sum(
        mul_div(amount.value, position.price(reserves[token]), reserves[token].unit, Rounding.DOWN)
        for token, amount in taken.written_off
    )
    return LendingLiquidation(_trigger(account), account, after, repaid, repaid + taken.lost, taken.lost, forgiven)


def _of_morpho(account: LendingAccount, position: MorphoPosition) -> LendingLiquidation | None:
    taken = morpho_liquidation.simulate_liquidation(position)
    if taken is None:
        return None
    after = LendingAccount.of_morpho(taken.after, account.base_decimals)
    return LendingLiquidation(
        _trigger(account), account, after, taken.repaid, taken.repaid + taken.lost, taken.lost, taken.bad_debt
    )


def _by_terms(account: LendingAccount, terms: PositionTerms) -> LendingLiquidation:
    """The close factor's part of the debt is repaid for as much collateral with the bonus, or for all there is."""
    repaid = mul_div(account.debt, terms.close_factor, WAD, Rounding.DOWN)
    with_bonus = WAD + terms.liquidation_bonus
    seized = mul_div(repaid, with_bonus, WAD, Rounding.UP)
    if seized > account.collateral:
        seized, repaid = account.collateral, divide(account.collateral * WAD, with_bonus, Rounding.DOWN)
    after = account_of(terms, collateral=account.collateral - seized, debt=account.debt - repaid)
    return LendingLiquidation(_trigger(account), account, after, repaid, seized, seized - repaid, 0)


def _trigger(account: LendingAccount) -> str:
    health = 0 if account.health_factor is None else account.health_factor
    thousandths = health * 1_000 // WAD
    return f"the health factor falls to {thousandths // 1_000}.{thousandths % 1_000:03d}, below 1"


def exchange_liquidation(account: MarginAccount, maintenance_margin: Wad) -> ExchangeLiquidation | None:
    """What a venue takes from a marked account: everything, once balance / exposure is below the maintenance margin.

    None while it is safe, which it is without exposure. A balance that is owed already stays owed: nothing more is
    there to be lost.
    """
    exposure = exposure_of(account)
    if not liquidates(account.balance, exposure, maintenance_margin):
        return None
    return ExchangeLiquidation(
        venue=account.venue,
        asset=account.asset,
        margin_ratio=Wad(mul_div(account.balance, WAD, exposure, Rounding.DOWN)),
        margin_lost=Wad(max(0, account.balance)),
        remaining_balance=Wad(min(0, account.balance)),
    )
