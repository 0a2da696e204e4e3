"""Morpho Blue: a market accrued to a block, and what shares of it are worth, as the contract computes them to the wei.

A market's stored totals are those of its last touch; interest since then is in no balance that the contract shows.
Formulas: Morpho.sol (_accrueInterest, _isHealthy, liquidate), MathLib, SharesMathLib.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from navoracle.domain.errors import OutOfRange
from navoracle.domain.units import WAD, Rounding, Timestamp, Wad, divide, mul_div

VIRTUAL_SHARES: Final = 10**6
VIRTUAL_ASSETS: Final = 1
ORACLE_SCALE: Final = 10**36
MAX_UINT128: Final = 2**128 - 1
LIQUIDATION_CURSOR: Final = Wad(3 * WAD // 10)
MAX_INCENTIVE_FACTOR: Final = Wad(115 * WAD // 100)


@dataclass(frozen=True, slots=True)
class MorphoMarket:
    """A market's totals, in raw units of the loan token and in shares, at its last update.

    Attributes:
        last_update: Unix seconds; zero for a market that does not exist.
        fee: the part of the interest that goes to the fee recipient (Wad).

    Raises:
        OutOfRange: a figure that the contract cannot hold.
    """

    total_supply_assets: int
    total_supply_shares: int
    total_borrow_assets: int
    total_borrow_shares: int
    last_update: Timestamp
    fee: Wad

    def __post_init__(self) -> None:
        figures = (
            self.total_supply_assets,
            self.total_supply_shares,
            self.total_borrow_assets,
            self.total_borrow_shares,
            self.last_update,
        )
        if not all(0 <= figure <= MAX_UINT128 for figure in figures) or not 0 <= self.fee <= WAD:
            raise OutOfRange(
                f"{self!r} holds a figure outside 0 to 2**128 - 1, or a fee above one",
                advice="Check the contract's address: Morpho itself would revert here.",
            )


@dataclass(frozen=True, slots=True)
class Accrued:
    """A market with its interest up to a time, and the supply shares that the fee recipient gained by it."""

    market: MorphoMarket
    fee_shares: int


def accrue(market: MorphoMarket, borrow_rate: Wad, now: Timestamp) -> Accrued:
    """Add the interest since the last update at `borrow_rate` (Wad per second); every division rounds down.

    Raises:
        OutOfRange: `now` lies before the last update, the rate is negative, or a total outgrows 128 bits.
    """
    elapsed = now - market.last_update
    if elapsed < 0 or borrow_rate < 0:
        raise OutOfRange(
            f"cannot accrue over {elapsed} s at the rate {borrow_rate}",
            advice="Read market, rate and time at one block.",
        )
    interest = mul_div(market.total_borrow_assets, taylor_compounded(borrow_rate, elapsed), WAD, Rounding.DOWN)
    supply = market.total_supply_assets + interest
    fee = mul_div(interest, market.fee, WAD, Rounding.DOWN)
    fee_shares = to_shares(fee, supply - fee, market.total_supply_shares, Rounding.DOWN)
    accrued = MorphoMarket(
        total_supply_assets=supply,
        total_supply_shares=market.total_supply_shares + fee_shares,
        total_borrow_assets=market.total_borrow_assets + interest,
        total_borrow_shares=market.total_borrow_shares,
        last_update=now,
        fee=market.fee,
    )
    return Accrued(accrued, fee_shares)


def taylor_compounded(rate: Wad, seconds: int) -> Wad:
    """e**(rate x seconds) - 1 by its first three terms (Wad), each rounded down."""
    first = rate * seconds
    second = mul_div(first, first, 2 * WAD, Rounding.DOWN)
    third = mul_div(second, first, 3 * WAD, Rounding.DOWN)
    return Wad(first + second + third)


def to_shares(assets: int, total_assets: int, total_shares: int, rounding: Rounding) -> int:
    """Shares for assets, with the virtual ones that keep an empty market from being inflated."""
    return mul_div(assets, total_shares + VIRTUAL_SHARES, total_assets + VIRTUAL_ASSETS, rounding)


def to_assets(shares: int, total_assets: int, total_shares: int, rounding: Rounding) -> int:
    """Assets for shares; a supply rounds down and a debt up."""
    return mul_div(shares, total_assets + VIRTUAL_ASSETS, total_shares + VIRTUAL_SHARES, rounding)


def supplied(shares: int, market: MorphoMarket) -> int:
    """What supply shares can be withdrawn for, rounded down."""
    return to_assets(shares, market.total_supply_assets, market.total_supply_shares, Rounding.DOWN)


def owed(shares: int, market: MorphoMarket) -> int:
    """What borrow shares are repaid with, rounded up: it may exceed the market's total by one."""
    return to_assets(shares, market.total_borrow_assets, market.total_borrow_shares, Rounding.UP)


@dataclass(frozen=True, slots=True)
class MorphoPosition:
    """What an account has borrowed in a market, and pledged for it.

    Attributes:
        market: accrued to the block.
        borrow_shares: of the account.
        collateral: raw units of the collateral token.
        price: of the market's oracle, scaled by 10**(36 + loan decimals - collateral decimals).
        lltv: the loan-to-value at which liquidation begins, and up to which the market lends.

    Raises:
        OutOfRange: a figure that the contract cannot hold.
    """

    market: MorphoMarket
    borrow_shares: int
    collateral: int
    price: int
    lltv: Wad

    def __post_init__(self) -> None:
        shares, total = self.borrow_shares, self.market.total_borrow_shares
        if not (0 <= shares <= total and 0 <= self.collateral <= MAX_UINT128 and self.price >= 0):
            raise OutOfRange(
                f"{shares} of {total} borrow shares, {self.collateral} pledged, price {self.price}: not a position",
                advice="Read position, market and price at one block.",
            )
        if not 0 <= self.lltv < WAD:
            raise OutOfRange(f"a limit of {self.lltv} lies outside 0 to 1e18", advice="Check the contract's address.")

    @property
    def debt(self) -> int:
        """Raw units of the loan token, rounded up."""
        return owed(self.borrow_shares, self.market)

    @property
    def worth(self) -> int:
        """What the collateral is worth in raw units of the loan token, rounded down."""
        return mul_div(self.collateral, self.price, ORACLE_SCALE, Rounding.DOWN)

    @property
    def is_healthy(self) -> bool:
        """Whether the contract lets nobody liquidate it."""
        return is_healthy(self.debt, self.collateral, self.price, self.lltv)

    @property
    def loan_to_value(self) -> Wad | None:
        """Debt over the collateral's worth, rounded up once; None where the collateral is worth nothing."""
        return loan_to_value(self.debt, self.collateral, self.price)

    @property
    def health_factor(self) -> Wad | None:
        """The most that may be owed over what is owed, rounded down: under 1e18 exactly if it is not healthy.

        None without debt.
        """
        limit = mul_div(self.worth, self.lltv, WAD, Rounding.DOWN)
        return Wad(mul_div(limit, WAD, self.debt, Rounding.DOWN)) if self.debt else None

    @property
    def liquidation_bonus(self) -> Wad:
        """What a liquidator takes beyond the debt that it repays."""
        return Wad(liquidation_incentive_factor(self.lltv) - WAD)

    def dropped(self, drop: Wad) -> MorphoPosition:
        """The same position after collateral has fallen against debt by `drop` (0.1e18 is 10 %); rounded down.

        Raises:
            OutOfRange: a drop outside 0 to 1e18.
        """
        if not 0 <= drop <= WAD:
            raise OutOfRange(f"a drop of {drop} lies outside 0 to 1e18", advice="State a part: 0.1e18 is 10 %.")
        return replace(self, price=mul_div(self.price, WAD - drop, WAD, Rounding.DOWN))


def liquidation_incentive_factor(lltv: Wad) -> Wad:
    """What a liquidator gets for one unit of debt: min(1.15, 1 / (1 - 0.3 x (1 - lltv))), each step rounded down."""
    discount = mul_div(LIQUIDATION_CURSOR, WAD - lltv, WAD, Rounding.DOWN)
    return Wad(min(MAX_INCENTIVE_FACTOR, divide(WAD * WAD, WAD - discount, Rounding.DOWN)))


def is_healthy(debt: int, collateral: int, price: int, lltv: Wad) -> bool:
    """Whether a position cannot be liquidated.

    Args:
        debt, collateral: raw units of the loan and of the collateral token.
        price: of the market's oracle, scaled by 10**(36 + loan decimals - collateral decimals).
        lltv: the loan-to-value at which liquidation begins.
    """
    worth = mul_div(collateral, price, ORACLE_SCALE, Rounding.DOWN)
    return mul_div(worth, lltv, WAD, Rounding.DOWN) >= debt


def loan_to_value(debt: int, collateral: int, price: int) -> Wad | None:
    """Debt over the collateral's worth (Wad), rounded up once; None where the collateral is worth nothing."""
    worth = collateral * price
    return Wad(divide(debt * ORACLE_SCALE * WAD, worth, Rounding.UP)) if worth else None
