"""A liquidation in a Morpho Blue market as the contract would execute it, to the wei (Morpho.sol, liquidate)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from navoracle.domain.errors import DomainError
from navoracle.domain.morpho import (
    ORACLE_SCALE,
    MorphoPosition,
    liquidation_incentive_factor,
    owed,
    to_assets,
    to_shares,
)
from navoracle.domain.units import WAD, Rounding, mul_div


@dataclass(frozen=True, slots=True)
class MorphoLiquidation:
    """What a liquidation takes and leaves.

    Attributes:
        repaid, repaid_shares: debt that the liquidator pays back, in raw units of the loan token and in shares.
        seized: raw units of collateral that it gets.
        bad_debt, bad_debt_shares: what nobody pays, because no collateral is left: the lenders lose it.
        lost: what the account loses by it, in raw units of the loan token: the seized collateral at the oracle's price,
            rounded up, less what was repaid.
        before, after: the account, at the same price.
    """

    repaid: int
    repaid_shares: int
    seized: int
    bad_debt: int
    bad_debt_shares: int
    lost: int
    before: MorphoPosition
    after: MorphoPosition


def simulate_liquidation(
    position: MorphoPosition, *, seized: int | None = None, repaid_shares: int | None = None
) -> MorphoLiquidation | None:
    """Liquidate an account, at the price in `position`; None while it is healthy.

    Args:
        seized, repaid_shares: what the liquidator names: the collateral that it wants, or the shares that it repays.
            None of them: all of the debt where the collateral lasts for it, else all of the collateral.

    Raises:
        DomainError: both are named, an amount is not positive, more is asked for than there is, or shares are repaid
            at a price of zero.
    """
    if position.is_healthy:
        return None
    if seized is not None and repaid_shares is not None:
        raise DomainError(
            f"a liquidation of {seized} collateral and of {repaid_shares} shares: one of them follows from the other",
            advice="Name what is seized or what is repaid.",
        )
    if seized is not None:
        asked, repaid_shares = seized, _shares_for(position, seized)
    elif repaid_shares is not None:
        asked, seized = repaid_shares, _seized_for(position, repaid_shares)
    else:
        seized, repaid_shares = _most(position)
        asked = max(seized, repaid_shares)
    if asked <= 0:
        raise DomainError("nothing is seized or repaid", advice="State a positive amount of what there is.")
    if seized > position.collateral or repaid_shares > position.borrow_shares:
        raise DomainError(
            f"{seized} of {position.collateral} collateral for {repaid_shares} of {position.borrow_shares} shares",
            advice="Let the liquidator take less: the contract would revert.",
        )
    return _executed(position, seized, repaid_shares)


def _most(position: MorphoPosition) -> tuple[int, int]:
    """What is seized and the shares that are repaid when all of the debt is, or else all of the collateral."""
    # An oracle that says zero gives no amount for a debt: whoever likes takes the collateral for nothing.
    if position.price and (seized := _seized_for(position, position.borrow_shares)) <= position.collateral:
        return seized, position.borrow_shares
    # Never more shares than are owed: less collateral than they would buy pays for no more of them.
    return position.collateral, _shares_for(position, position.collateral)


def _shares_for(position: MorphoPosition, seized: int) -> int:
    """The borrow shares that pay for collateral: every division rounds up."""
    factor = liquidation_incentive_factor(position.lltv)
    quoted = mul_div(seized, position.price, ORACLE_SCALE, Rounding.UP)
    assets = mul_div(quoted, WAD, factor, Rounding.UP)
    return to_shares(assets, position.market.total_borrow_assets, position.market.total_borrow_shares, Rounding.UP)


def _seized_for(position: MorphoPosition, repaid_shares: int) -> int:
    """The collateral that repaid borrow shares buy: every division rounds down."""
    market, factor = position.market, liquidation_incentive_factor(position.lltv)
    assets = to_assets(repaid_shares, market.total_borrow_assets, market.total_borrow_shares, Rounding.DOWN)
    return mul_div(mul_div(assets, factor, WAD, Rounding.DOWN), ORACLE_SCALE, position.price, Rounding.DOWN)


def _executed(position: MorphoPosition, seized: int, repaid_shares: int) -> MorphoLiquidation:
    repaid = owed(repaid_shares, position.market)
    market = replace(
        position.market,
        # What is repaid may exceed the total by one.
        total_borrow_assets=max(0, position.market.total_borrow_assets - repaid),
        total_borrow_shares=position.market.total_borrow_shares - repaid_shares,
    )
    shares, collateral = position.borrow_shares - repaid_shares, position.collateral - seized
    bad_debt = bad_debt_shares = 0
    if collateral == 0:
        bad_debt_shares, shares = shares, 0
        bad_debt = min(market.total_borrow_assets, owed(bad_debt_shares, market))
        market = replace(
            market,
            total_borrow_assets=market.total_borrow_assets - bad_debt,
            total_supply_assets=market.total_supply_assets - bad_debt,
            total_borrow_shares=market.total_borrow_shares - bad_debt_shares,
        )
    return MorphoLiquidation(
        repaid=repaid,
        repaid_shares=repaid_shares,
        seized=seized,
        bad_debt=bad_debt,
        bad_debt_shares=bad_debt_shares,
        lost=mul_div(seized, position.price, ORACLE_SCALE, Rounding.UP) - repaid,
        before=position,
        after=replace(position, market=market, borrow_shares=shares, collateral=collateral),
    )
