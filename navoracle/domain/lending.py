"""The account of a borrower at Aave v3: collateral, debt and health factor as the pool computes them, to the wei.

For risk only, never for the NAV: the pool's prices are its own (capped, possibly stale), and what is supplied without
being enabled as collateral is not in it.

Amounts in the pool's base currency carry the scale of its oracle (usually 1e8 for the US dollar).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum

from navoracle.domain.errors import DomainError, OutOfRange
from navoracle.domain.units import BPS, WAD, Bps, RawAmount, Rounding, Wad, divide, mul_div


class AaveRules(Enum):
    """How a pool of a version computes an account; which one holds is found by comparing with the pool's own figures.

    V3_0 (3.0 to 3.4): debt rounds down in the base currency, the health factor is taken from the rounded average
    threshold, half up. V3_5: debt rounds up, the health factor comes from the exact sum, and rounds down at the end.
    V3_6 (and later): as V3_5, and collateral whose own threshold is zero counts, with the threshold that applies to it.
    """

    V3_0 = "3.0"
    V3_5 = "3.5"
    V3_6 = "3.6"


@dataclass(frozen=True, slots=True)
class EMode:
    """The efficiency mode that an account is in.

    Attributes:
        category: its number, from 1.
        liquidation_threshold: of collateral of the category, instead of the reserve's own.
        price: of every asset of the category (base currency per whole token); None where each has its own.
    """

    category: int
    liquidation_threshold: Bps
    price: int | None = None


@dataclass(frozen=True, slots=True)
class AaveReserve:
    """What an account has in one reserve.

    Attributes:
        token: the reserve's underlying token.
        supplied, owed: balances of the aToken and of the debt tokens, accrued to the block.
        price: base currency per whole token, by the pool's oracle.
        liquidation_threshold: the reserve's own.
        is_collateral: whether the account has enabled it as collateral.
        in_e_mode: whether it belongs to the account's efficiency mode.

    Raises:
        OutOfRange: a price that is not positive, or balances of different scales.
    """

    token: str
    supplied: RawAmount
    owed: RawAmount
    price: int
    liquidation_threshold: Bps
    is_collateral: bool
    in_e_mode: bool = False

    def __post_init__(self) -> None:
        if self.price <= 0:
            raise OutOfRange(
                f"{self.token} has the price {self.price}", advice="Look at the pool's feed; nothing is worth nothing."
            )
        if self.supplied.decimals != self.owed.decimals:
            raise OutOfRange(
                f"{self.token} is supplied and owed in different scales",
                advice="State both balances in units of the underlying token.",
            )


@dataclass(frozen=True, slots=True)
class AaveAccount:
    """The pool's view of an account, in the base currency.

    Attributes:
        collateral, debt: totals.
        liquidation_threshold: average over the collateral, rounded down.
        health_factor: liquidation is possible below 1e18; None without debt, where the pool says 2**256 - 1.
    """

    collateral: int
    debt: int
    liquidation_threshold: Bps
    health_factor: Wad | None

    @property
    def loan_to_value(self) -> Wad | None:
        """Debt over collateral, rounded up; None without collateral."""
        return Wad(mul_div(self.debt, WAD, self.collateral, Rounding.UP)) if self.collateral else None

    @property
    def distance_to_liquidation(self) -> Bps | None:
        """How far collateral may fall against debt until the health factor is 1: 1 - 1 / HF, rounded down.

        None without debt; zero once it can be liquidated.
        """
        if self.health_factor is None:
            return None
        if self.health_factor <= WAD:
            return Bps(0)
        return Bps(mul_div(self.health_factor - WAD, BPS, self.health_factor, Rounding.DOWN))


@dataclass(frozen=True, slots=True)
class AavePosition:
    """Everything that an account's health depends on."""

    reserves: tuple[AaveReserve, ...]
    e_mode: EMode | None
    rules: AaveRules

    def account(self) -> AaveAccount:
        """The account as the pool computes it (GenericLogic.calculateUserAccountData).

        Each reserve's collateral rounds down, its debt by the rules.

        Raises:
            DomainError: a reserve belongs to an efficiency mode, and the account is in none.
        """
        owed_rounding = Rounding.DOWN if self.rules is AaveRules.V3_0 else Rounding.UP
        collateral = weighted = debt = 0
        for reserve in self.reserves:
            price, threshold = self._terms(reserve)
            unit = 10**reserve.supplied.decimals
            if reserve.is_collateral and (reserve.liquidation_threshold or self.rules is AaveRules.V3_6):
                value = mul_div(reserve.supplied.value, price, unit, Rounding.DOWN)
                collateral += value
                weighted += value * threshold
            debt += mul_div(reserve.owed.value, price, unit, owed_rounding)
        average = Bps(divide(weighted, collateral, Rounding.DOWN) if collateral else 0)
        if self.rules is AaveRules.V3_0:
            health = health_factor(collateral, average, debt)
        else:
            health = health_factor_of_sum(weighted, debt)
        return AaveAccount(collateral, debt, average, health)

    def marked(self, prices: Mapping[str, int]) -> AavePosition:
        """The same balances at other prices (base currency per whole token), by underlying token.

        Raises:
            DomainError: a token is not among the reserves: its price would change nothing.
        """
        strangers = sorted(prices.keys() - {reserve.token for reserve in self.reserves})
        if strangers:
            raise DomainError(
                f"{', '.join(strangers)}: the account has nothing in such a reserve",
                advice="Mark the tokens that the account supplies or owes.",
            )
        reserves = tuple(replace(reserve, price=prices.get(reserve.token, reserve.price)) for reserve in self.reserves)
        return replace(self, reserves=reserves)

    def _terms(self, reserve: AaveReserve) -> tuple[int, Bps]:
        """The price and the liquidation threshold that apply to a reserve."""
        if not reserve.in_e_mode:
            return reserve.price, reserve.liquidation_threshold
        if self.e_mode is None:
            raise DomainError(
                f"{reserve.token} is said to be in an efficiency mode that the account is not in",
                advice="State the account's efficiency mode.",
            )
        price = reserve.price if self.e_mode.price is None else self.e_mode.price
        return price, self.e_mode.liquidation_threshold


def health_factor(collateral: int, liquidation_threshold: Bps, debt: int) -> Wad | None:
    """Collateral x threshold / debt as Aave 3.0 computes it: both divisions round half up; None without debt."""
    if debt == 0:
        return None
    discounted = _half_up(collateral * liquidation_threshold, BPS)
    return Wad(_half_up(discounted * WAD, debt))


def health_factor_of_sum(weighted: int, debt: int) -> Wad | None:
    """The sum of collateral x threshold (base currency x Bps) over debt as Aave 3.5 computes it.

    The division by the debt rounds half up, the one by 10_000 down; None without debt.
    """
    return Wad(divide(_half_up(weighted * WAD, debt), BPS, Rounding.DOWN)) if debt else None


def _half_up(numerator: int, denominator: int) -> int:
    """The quotient as WadRayMath and PercentageMath round it: half the denominator is added, then it is cut off."""
    return divide(numerator + denominator // 2, denominator, Rounding.DOWN)
