"""What risk looks at in a loan, whatever the protocol: worth, debt, limits, and how far liquidation is.

For risk only, never for the NAV: prices and limits are the protocol's own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, Self

from navoracle.domain.errors import OutOfRange
from navoracle.domain.lending import AavePosition
from navoracle.domain.morpho import MorphoPosition
from navoracle.domain.units import BPS, WAD, Rounding, Wad, divide, mul_div


@dataclass(frozen=True, slots=True)
class LendingAccount:
    """An account at a lending protocol, or one made of a fund's own positions (`positions`).

    Attributes:
        collateral, debt: in the protocol's base unit. At Morpho it is the raw unit of the loan token, and collateral
            is worth what the market's oracle says, rounded down.
        base_decimals: their scale (8 for Aave's US dollar).
        loan_to_value: debt over collateral, rounded up; None where the collateral is worth nothing.
        max_ltv: up to which the protocol lends (0.93e18 is 93 %).
        liquidation_threshold: the loan-to-value from which the account can be liquidated.
        liquidation_bonus: what a liquidator takes beyond the debt that it repays (0.01e18 is 1 %). Of an Aave account:
            that of its largest collateral, 0 without any.
        health_factor: liquidation is possible below 1e18; None without debt.
        detail: what a simulation needs; None where there is no protocol to ask.

    Raises:
        OutOfRange: a figure that is negative.
    """

    protocol: Literal["aave_v3", "morpho_blue", "positions"]
    collateral: int
    debt: int
    base_decimals: int
    loan_to_value: Wad | None
    max_ltv: Wad
    liquidation_threshold: Wad
    liquidation_bonus: Wad
    health_factor: Wad | None
    detail: AavePosition | MorphoPosition | None

    def __post_init__(self) -> None:
        figures = {
            "collateral": self.collateral,
            "debt": self.debt,
            "base_decimals": self.base_decimals,
            "max_ltv": self.max_ltv,
            "liquidation_threshold": self.liquidation_threshold,
            "liquidation_bonus": self.liquidation_bonus,
        }
        negative = sorted(name for name, figure in figures.items() if figure < 0)
        if negative:
            raise OutOfRange(
                f"{self.protocol}: {', '.join(negative)} of a lending account is negative",
                advice="State what is owed as a debt; a limit is at least zero.",
            )

    @classmethod
    def of_aave(cls, position: AavePosition, base_decimals: int) -> Self:
        """The account of an Aave v3 pool whose base currency has these decimals.

        Raises:
            DomainError: a reserve belongs to an efficiency mode, and the account is in none.
        """
        account, largest = position.account(), position.largest_collateral()
        bonus = None if largest is None else position.liquidation_bonus(largest)
        return cls(
            protocol="aave_v3",
            collateral=account.collateral,
            debt=account.debt,
            base_decimals=base_decimals,
            loan_to_value=account.loan_to_value,
            max_ltv=_of_bps(account.max_ltv),
            liquidation_threshold=_of_bps(account.liquidation_threshold),
            liquidation_bonus=_of_bps(bonus or 0),
            health_factor=account.health_factor,
            detail=position,
        )

    @classmethod
    def of_morpho(cls, position: MorphoPosition, loan_decimals: int) -> Self:
        """The account in a Morpho Blue market. Morpho lends up to the loan-to-value from which it liquidates."""
        return cls(
            protocol="morpho_blue",
            collateral=position.worth,
            debt=position.debt,
            base_decimals=loan_decimals,
            loan_to_value=position.loan_to_value,
            max_ltv=position.lltv,
            liquidation_threshold=position.lltv,
            liquidation_bonus=position.liquidation_bonus,
            health_factor=position.health_factor,
            detail=position,
        )

    def dropped(self, drop: Wad) -> LendingAccount:
        """The account after collateral has fallen against debt by `drop` (0.1e18 is 10 %); rounded down.

        By the protocol's own figures where `detail` has them: at Aave, what is collateral and owed at once keeps its
        price.

        Raises:
            OutOfRange: a drop outside 0 to 1e18.
        """
        if isinstance(self.detail, AavePosition):
            return LendingAccount.of_aave(self.detail.dropped(drop), self.base_decimals)
        if isinstance(self.detail, MorphoPosition):
            return LendingAccount.of_morpho(self.detail.dropped(drop), self.base_decimals)
        if not 0 <= drop <= WAD:
            raise OutOfRange(f"a drop of {drop} lies outside 0 to 1e18", advice="State a part: 0.1e18 is 10 %.")
        collateral = mul_div(self.collateral, WAD - drop, WAD, Rounding.DOWN)
        limit = collateral * self.liquidation_threshold
        return replace(
            self,
            collateral=collateral,
            loan_to_value=Wad(mul_div(self.debt, WAD, collateral, Rounding.UP)) if collateral else None,
            health_factor=Wad(divide(limit, self.debt, Rounding.DOWN)) if self.debt else None,
        )

    @property
    def is_liquidatable(self) -> bool:
        """Whether anybody may liquidate the account now."""
        return self.health_factor is not None and self.health_factor < WAD

    @property
    def move_to_liquidation(self) -> Wad | None:
        """How far collateral may fall against debt until the health factor is 1: 1 - 1/HF, rounded down.

        Zero once the account can be liquidated; None without debt.
        """
        if self.health_factor is None:
            return None
        if self.health_factor <= WAD:
            return Wad(0)
        return Wad(mul_div(self.health_factor - WAD, WAD, self.health_factor, Rounding.DOWN))

    @property
    def buffer_to_max_ltv(self) -> Wad | None:
        """What the loan-to-value may still rise until nothing more can be borrowed; negative beyond; None as it is."""
        return None if self.loan_to_value is None else Wad(self.max_ltv - self.loan_to_value)

    @property
    def buffer_to_liquidation(self) -> Wad | None:
        """What the loan-to-value may still rise until the threshold; negative beyond; None as the loan-to-value is."""
        return None if self.loan_to_value is None else Wad(self.liquidation_threshold - self.loan_to_value)


def _of_bps(ratio: int) -> Wad:
    return Wad(ratio * (WAD // BPS))
