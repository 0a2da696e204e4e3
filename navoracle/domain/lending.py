"""The account of a borrower at Aave v3: collateral, debt and health factor as the pool computes them, to the wei.

For risk only, never for the NAV: the pool's prices are its own (capped, possibly stale), and what is supplied without
being enabled as collateral is not in it.

Amounts in the pool's base currency carry the scale of its oracle (usually 1e8 for the US dollar).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from navoracle.domain.aave_rules import RAY, AaveRules, half_up, percent
from navoracle.domain.errors import DomainError, OutOfRange
from navoracle.domain.units import BPS, WAD, Bps, RawAmount, Rounding, Wad, divide, mul_div


@dataclass(frozen=True, slots=True)
class EMode:
    """The efficiency mode that an account is in. Its terms hold for collateral of the category, instead of its own.

    Attributes:
        category: its number, from 1.
        loan_to_value: up to which the pool lends.
        liquidation_threshold: from which it liquidates.
        liquidation_bonus: what a liquidator takes beyond the debt that it repays (100 is 1 %).
        price: of every asset of the category (base currency per whole token); None where each has its own.
        isolated: whether nothing is lent against collateral outside the category (3.7).
    """

    category: int
    loan_to_value: Bps
    liquidation_threshold: Bps
    liquidation_bonus: Bps
    price: int | None = None
    isolated: bool = False


@dataclass(frozen=True, slots=True)
class AaveReserve:
    """What an account has in one reserve.

    Attributes:
        token: the reserve's underlying token.
        supplied, owed: balances of the aToken and of the debt tokens, accrued to the block.
        owed_at_stable_rate: the part of `owed` at the stable rate, in raw units (before 3.2).
        supply_index, debt_index: what a scaled unit of a supply, and of a debt at the variable rate, has grown to at
            the block (1e27).
        price: base currency per whole token, by the pool's oracle.
        loan_to_value, liquidation_threshold: the reserve's own.
        liquidation_bonus: the reserve's own (500 is 5 %); None where it has none, and cannot be seized by itself.
        protocol_fee: the part of the bonus that goes to the protocol.
        is_collateral: whether the account has enabled it as collateral.
        in_e_mode: whether it belongs to the account's efficiency mode.
        lends_nothing_in_e_mode: whether nothing is lent against it there (3.6).

    Raises:
        OutOfRange: a price that is not positive, balances of different scales, an index below one, or more owed at
            the stable rate than in all.
    """

    token: str
    supplied: RawAmount
    owed: RawAmount
    price: int
    loan_to_value: Bps
    liquidation_threshold: Bps
    liquidation_bonus: Bps | None
    protocol_fee: Bps
    is_collateral: bool
    supply_index: int
    debt_index: int
    owed_at_stable_rate: int = 0
    in_e_mode: bool = False
    lends_nothing_in_e_mode: bool = False

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
        if min(self.supply_index, self.debt_index) < RAY:
            raise OutOfRange(
                f"{self.token} has the indices {self.supply_index} and {self.debt_index}: one lies below 1e27",
                advice="Check the pool's address; interest never makes a balance smaller.",
            )
        if not 0 <= self.owed_at_stable_rate <= self.owed.value:
            raise OutOfRange(
                f"{self.token}: {self.owed_at_stable_rate} owed at the stable rate of {self.owed.value} in all",
                advice="State the debts of both rates in `owed`.",
            )

    @property
    def unit(self) -> int:
        """Raw units of a whole token."""
        return int(10**self.supplied.decimals)


@dataclass(frozen=True, slots=True)
class AaveAccount:
    """The pool's view of an account, in the base currency.

    Attributes:
        collateral, debt: totals.
        liquidation_threshold: average over the collateral, rounded down.
        max_ltv: up to which the pool lends: average over the collateral, rounded down.
        health_factor: liquidation is possible below 1e18; None without debt, where the pool says 2**256 - 1.
    """

    collateral: int
    debt: int
    liquidation_threshold: Bps
    max_ltv: Bps
    health_factor: Wad | None

    @property
    def loan_to_value(self) -> Wad | None:
        """Debt over collateral, rounded up; None without collateral."""
        return Wad(mul_div(self.debt, WAD, self.collateral, Rounding.UP)) if self.collateral else None


@dataclass(frozen=True, slots=True)
class AavePosition:
    """Everything that an account's health, and its liquidation, depend on."""

    reserves: tuple[AaveReserve, ...]
    e_mode: EMode | None
    rules: AaveRules

    def account(self) -> AaveAccount:
        """The account as the pool computes it (GenericLogic.calculateUserAccountData).

        Each reserve's collateral rounds down, its debt by the rules.

        Raises:
            DomainError: a reserve belongs to an efficiency mode, and the account is in none.
        """
        collateral = weighted = lendable = debt = 0
        for reserve in self.reserves:
            if self.counts(reserve):
                value = self.supplied_worth(reserve)
                collateral += value
                weighted += value * self.liquidation_threshold(reserve)
                lendable += value * self.loan_to_value(reserve)
            debt += self.owed_worth(reserve)
        average, max_ltv = (
            Bps(divide(total, collateral, Rounding.DOWN) if collateral else 0) for total in (weighted, lendable)
        )
        if self.rules.since(AaveRules.V3_5):
            health = health_factor_of_sum(weighted, debt)
        else:
            health = health_factor(collateral, average, debt)
        return AaveAccount(collateral, debt, average, max_ltv, health)

    def reserve(self, token: str) -> AaveReserve:
        """What the account has in the reserve of a token.

        Raises:
            DomainError: it has nothing there.
        """
        found = next((reserve for reserve in self.reserves if reserve.token == token), None)
        if found is None:
            raise _strangers([token])
        return found

    def counts(self, reserve: AaveReserve) -> bool:
        """Whether what is supplied there is collateral: enabled, and with a threshold of its own until 3.6."""
        return reserve.is_collateral and (reserve.liquidation_threshold > 0 or self.rules.since(AaveRules.V3_6))

    def price(self, reserve: AaveReserve) -> int:
        """Base currency per whole token, the efficiency mode's where it has one."""
        e_mode = self._e_mode_of(reserve)
        return reserve.price if e_mode is None or e_mode.price is None else e_mode.price

    def supplied_worth(self, reserve: AaveReserve) -> int:
        """What is supplied, in the base currency, rounded down."""
        return mul_div(reserve.supplied.value, self.price(reserve), reserve.unit, Rounding.DOWN)

    def owed_worth(self, reserve: AaveReserve) -> int:
        """What is owed, in the base currency, rounded by the rules."""
        return mul_div(reserve.owed.value, self.price(reserve), reserve.unit, self.rules.debt_rounding)

    def liquidation_threshold(self, reserve: AaveReserve) -> Bps:
        """That applies to a reserve."""
        e_mode = self._e_mode_of(reserve)
        return reserve.liquidation_threshold if e_mode is None else e_mode.liquidation_threshold

    def liquidation_bonus(self, reserve: AaveReserve) -> Bps | None:
        """That applies to a reserve; None where there is none."""
        e_mode = self._e_mode_of(reserve)
        return reserve.liquidation_bonus if e_mode is None else e_mode.liquidation_bonus

    def loan_to_value(self, reserve: AaveReserve) -> Bps:
        """Up to which the pool lends against a reserve; until 3.6 its own zero holds in an efficiency mode too."""
        e_mode = self._e_mode_of(reserve)
        if not self.rules.since(AaveRules.V3_6):
            return reserve.loan_to_value if e_mode is None or not reserve.loan_to_value else e_mode.loan_to_value
        if e_mode is not None:
            return Bps(0) if reserve.lends_nothing_in_e_mode else e_mode.loan_to_value
        return Bps(0) if self.e_mode is not None and self.e_mode.isolated else reserve.loan_to_value

    def largest_collateral(self) -> AaveReserve | None:
        """The collateral of the highest worth, the first of equals; None where there is none."""
        return max((one for one in self.reserves if self.counts(one)), key=self.supplied_worth, default=None)

    def largest_debt(self) -> AaveReserve | None:
        """The reserve with the highest debt, the first of equals; None where nothing is owed."""
        return max((one for one in self.reserves if one.owed.value), key=self.owed_worth, default=None)

    def marked(self, prices: Mapping[str, int]) -> AavePosition:
        """The same balances at other prices (base currency per whole token), by underlying token.

        Raises:
            DomainError: a token is not among the reserves: its price would change nothing.
        """
        strangers = sorted(prices.keys() - {reserve.token for reserve in self.reserves})
        if strangers:
            raise _strangers(strangers)
        reserves = tuple(replace(reserve, price=prices.get(reserve.token, reserve.price)) for reserve in self.reserves)
        return replace(self, reserves=reserves)

    def dropped(self, drop: Wad) -> AavePosition:
        """The same balances after collateral has fallen against debt: its prices are lower by `drop` (0.1e18 is 10 %).

        What is collateral and owed at once keeps its price. Where an efficiency mode gives one price to all of its
        assets, each takes it for its own first. Prices round down.

        Raises:
            OutOfRange: a drop below zero, or so deep that nothing is left of a price.
        """
        if not 0 <= drop < WAD:
            raise OutOfRange(f"a drop of {drop} lies outside 0 to 1e18", advice="State a part: 0.1e18 is 10 %.")
        reserves = []
        for reserve in self.reserves:
            price = self.price(reserve)
            if reserve.is_collateral and not reserve.owed.value:
                price = mul_div(price, WAD - drop, WAD, Rounding.DOWN)
            reserves.append(replace(reserve, price=price))
        e_mode = None if self.e_mode is None else replace(self.e_mode, price=None)
        return replace(self, reserves=tuple(reserves), e_mode=e_mode)

    def _e_mode_of(self, reserve: AaveReserve) -> EMode | None:
        """The efficiency mode whose terms apply to a reserve; None where its own do."""
        if not reserve.in_e_mode:
            return None
        if self.e_mode is None:
            raise DomainError(
                f"{reserve.token} is said to be in an efficiency mode that the account is not in",
                advice="State the account's efficiency mode.",
            )
        return self.e_mode


def health_factor(collateral: int, liquidation_threshold: Bps, debt: int) -> Wad | None:
    """Collateral x threshold / debt as Aave 3.0 computes it: both divisions round half up; None without debt."""
    return Wad(half_up(percent(collateral, liquidation_threshold) * WAD, debt)) if debt else None


def health_factor_of_sum(weighted: int, debt: int) -> Wad | None:
    """The sum of collateral x threshold (base currency x Bps) over debt as Aave 3.5 computes it.

    The division by the debt rounds half up, the one by 10_000 down; None without debt.
    """
    return Wad(divide(half_up(weighted * WAD, debt), BPS, Rounding.DOWN)) if debt else None


def _strangers(tokens: list[str]) -> DomainError:
    return DomainError(
        f"{', '.join(tokens)}: the account has nothing in such a reserve",
        advice="Name tokens that the account supplies or owes.",
    )
