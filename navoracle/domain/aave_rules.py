"""How Aave v3 rounds, version by version: percentages, scaled balances, and what a liquidation may take.

From the pool's libraries PercentageMath, WadRayMath, TokenMath and LiquidationLogic (3.0 to 3.7).
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from navoracle.domain.units import BPS, Rounding, divide, mul_div

RAY: Final = 10**27
"""The scale of an index: what one scaled unit has grown to."""


class AaveRules(Enum):
    """The rules of a pool's version, in order; each holds until the next one.

    V3_0 (to 3.2): half of the debt in a reserve can be liquidated at once, all of it at a low health factor; what is
        left owed without collateral stays.
    V3_3 (and 3.4): half of the account's whole debt, all of it also where collateral or debt is small; nothing small
        may be left over; debt without collateral is written off.
    V3_5: debts round up and supplies down, no longer half up; the health factor comes from the exact sum, and rounds
        down at the end.
    V3_6: collateral whose own threshold is zero counts, with the threshold that applies to it.
    V3_7: what a liquidator takes rounds down, the protocol's fee up.
    """

    V3_0 = (3, 0)
    V3_3 = (3, 3)
    V3_5 = (3, 5)
    V3_6 = (3, 6)
    V3_7 = (3, 7)

    def since(self, first: AaveRules) -> bool:
        """Whether these rules are `first` or later ones."""
        return self.value >= first.value

    @property
    def debt_rounding(self) -> Rounding:
        """Of a debt's value in the base currency."""
        return Rounding.UP if self.since(AaveRules.V3_5) else Rounding.DOWN

    def scaled_supply(self, amount: int, index: int) -> int:
        """The scaled units that leave a supply with an amount; of a whole balance: those that it consists of."""
        return mul_div(amount, RAY, index, Rounding.UP) if self.since(AaveRules.V3_5) else half_up(amount * RAY, index)

    def supply(self, scaled: int, index: int) -> int:
        """The balance that scaled units of a supply amount to."""
        return (
            mul_div(scaled, index, RAY, Rounding.DOWN) if self.since(AaveRules.V3_5) else half_up(scaled * index, RAY)
        )

    def scaled_debt(self, amount: int, index: int) -> int:
        """The scaled units that an amount repays; of a whole debt: those that it consists of."""
        if self.since(AaveRules.V3_5):
            return mul_div(amount, RAY, index, Rounding.DOWN)
        return half_up(amount * RAY, index)

    def debt(self, scaled: int, index: int) -> int:
        """The debt at the variable rate that scaled units amount to."""
        return mul_div(scaled, index, RAY, Rounding.UP) if self.since(AaveRules.V3_5) else half_up(scaled * index, RAY)

    def with_bonus(self, amount: int, bonus: int) -> int:
        """An amount of collateral and the bonus (Bps) upon it."""
        return percent(amount, BPS + bonus, Rounding.DOWN if self.since(AaveRules.V3_7) else None)

    def without_bonus(self, amount: int, bonus: int) -> int:
        """The part of seized collateral that is no bonus (Bps)."""
        rounding = Rounding.DOWN if self.since(AaveRules.V3_7) else None
        return _divided(amount * BPS, BPS + bonus, rounding)

    def debt_for_all(self, worth: int, bonus: int) -> int:
        """The debt that pays for all of a collateral which is worth so much of it, bonus (Bps) included."""
        return _divided(worth * BPS, BPS + bonus, Rounding.UP if self.since(AaveRules.V3_5) else None)

    def protocol_fee(self, bonus: int, part: int) -> int:
        """The protocol's part (Bps) of the bonus collateral."""
        return percent(bonus, part, Rounding.UP if self.since(AaveRules.V3_7) else None)


def percent(amount: int, part: int, rounding: Rounding | None = None) -> int:
    """Part (Bps) of an amount; half up where no rounding is named."""
    return _divided(amount * part, BPS, rounding)


def half_up(numerator: int, denominator: int) -> int:
    """The quotient as Aave's libraries round it: half the denominator is added, then it is cut off."""
    return divide(numerator + denominator // 2, denominator, Rounding.DOWN)


def _divided(numerator: int, denominator: int, rounding: Rounding | None) -> int:
    return half_up(numerator, denominator) if rounding is None else divide(numerator, denominator, rounding)
