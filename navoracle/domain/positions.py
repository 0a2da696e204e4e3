"""What a fund holds and owes.

A position is either *marked* (its value follows the market price) or *carried at cost* (its cost is collateral and its
gain is accrued income). They are different types, and only the second one has a gain: counting a gain twice cannot be
written down.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from navoracle.domain.errors import DomainError, OutOfRange
from navoracle.domain.tick_math import MAX_TICK, MIN_TICK
from navoracle.domain.units import BPS, Bps, RawAmount, Timestamp, Wad


class Component(Enum):
    """The part of the NAV that a value belongs to.

    `order` is its place in a breakdown; `is_liability` says that it is owed. Both are plain attributes, because
    valuation asks for them once for every position and an enumeration's hash is slow.
    """

    order: int
    is_liability: bool

    CASH = "cash"
    COLLATERAL = "collateral"
    ACCRUED_INCOME = "accrued_income"
    REWARDS = "rewards"
    DEBT = "debt"
    PENDING_WITHDRAWALS = "pending_withdrawals"
    MARGIN_CALLS = "margin_calls"


LIABILITIES: Final = frozenset({Component.DEBT, Component.PENDING_WITHDRAWALS, Component.MARGIN_CALLS})
for _order, _component in enumerate(Component):
    _component.order = _order
    _component.is_liability = _component in LIABILITIES
_AT_COST: Final = frozenset({Component.CASH, Component.COLLATERAL})
_ACCRUING: Final = frozenset({Component.ACCRUED_INCOME, Component.REWARDS, Component.DEBT})


@dataclass(frozen=True, slots=True)
class Holding:
    """An amount of an asset, marked at the market price; liabilities are amounts owed.

    `epoch` names the settlement epoch whose queued deposits it comes from; None is the fund's own. Confidence (Bps) is
    that of the amount; it multiplies the price's.
    """

    id: str
    component: Component
    asset: str
    amount: RawAmount
    epoch: int | None = None
    confidence: Bps = Bps(BPS)


@dataclass(frozen=True, slots=True)
class HoldingAtCost:
    """An amount carried at its cost (Wad per whole token); the unrealized gain is accrued income.

    Raises:
        DomainError: the component is not cash or collateral, or the entry price is negative.
    """

    id: str
    component: Component
    asset: str
    amount: RawAmount
    entry_price: Wad
    epoch: int | None = None
    confidence: Bps = Bps(BPS)

    def __post_init__(self) -> None:
        if self.component not in _AT_COST:
            raise DomainError(
                f"position {self.id}: {self.component.value} cannot be carried at cost",
                advice="Carry cash or collateral at cost; mark everything else at market.",
            )
        if self.entry_price < 0:
            raise DomainError(f"position {self.id}: negative entry price", advice="State the price paid per token.")


@dataclass(frozen=True, slots=True)
class Accrual:
    """Simple interest on an amount since a time: amount x rate x seconds / 365 days, valued at the asset's price.

    `annual_rate` is a Wad (5 % = 0.05e18). For income that accrues outside a token balance, or a debt's interest.

    Raises:
        DomainError: the component is neither income, rewards nor debt, or the rate is negative.
    """

    id: str
    component: Component
    asset: str
    amount: RawAmount
    annual_rate: Wad
    since: Timestamp
    epoch: int | None = None
    confidence: Bps = Bps(BPS)

    def __post_init__(self) -> None:
        if self.component not in _ACCRUING:
            raise DomainError(
                f"position {self.id}: {self.component.value} does not accrue",
                advice="Use accrued_income, rewards or debt for an accrual.",
            )
        if self.annual_rate < 0:
            raise DomainError(f"position {self.id}: negative rate", advice="State interest owed as a debt.")


@dataclass(frozen=True, slots=True)
class MarginCall:
    """The shortfall of a margin account: maintenance margin less collateral, when positive; a liability."""

    id: str
    asset: str
    maintenance: RawAmount
    collateral: RawAmount
    epoch: int | None = None
    confidence: Bps = Bps(BPS)

    def __post_init__(self) -> None:
        if self.maintenance.decimals != self.collateral.decimals:
            raise DomainError(
                f"position {self.id}: margin figures of different scales",
                advice="State maintenance margin and collateral in units of the same token.",
            )

    @property
    def component(self) -> Component:
        """Always the margin calls."""
        return Component.MARGIN_CALLS

    @property
    def shortfall(self) -> RawAmount:
        """Maintenance less collateral, zero when the account is covered."""
        return RawAmount(max(0, self.maintenance.value - self.collateral.value), self.maintenance.decimals)


Position = Holding | HoldingAtCost | Accrual | MarginCall
"""What is valued at the price of one asset."""


@dataclass(frozen=True, slots=True)
class ConcentratedLiquidity:
    """Liquidity between two ticks of a Uniswap v3 pool: what it consists of depends on the ratio of two prices.

    Valuation turns it into one holding per token.

    Attributes:
        assets: the assets that price token 0 and token 1.
        liquidity: in the pool's own unit, sqrt(raw token 0 x raw token 1).
        tick_lower, tick_upper: the range, from the first up to the second.
        owed: of token 0 and token 1, what was withdrawn or earned and not collected.

    Raises:
        DomainError: the component is a liability, whose amounts would have to round up.
        OutOfRange: the liquidity is negative, or the range is empty or beyond all prices.
    """

    id: str
    component: Component
    assets: tuple[str, str]
    liquidity: int
    tick_lower: int
    tick_upper: int
    owed: tuple[RawAmount, RawAmount]
    epoch: int | None = None

    def __post_init__(self) -> None:
        if self.component in LIABILITIES:
            raise DomainError(
                f"position {self.id}: liquidity in a pool is not owed, {self.component.value} is",
                advice="State what is owed in the tokens that are owed.",
            )
        if self.liquidity < 0 or not MIN_TICK <= self.tick_lower < self.tick_upper <= MAX_TICK:
            raise OutOfRange(
                f"position {self.id}: liquidity {self.liquidity} from {self.tick_lower} to {self.tick_upper}",
                advice="Check the position manager's address: no pool holds such a position.",
            )

    @property
    def holding_ids(self) -> tuple[str, str]:
        """The names of its two holdings."""
        return f"{self.id}/token0", f"{self.id}/token1"


PositionReading = Position | ConcentratedLiquidity
"""What a reader finds."""


def is_liability(position: Position) -> bool:
    """Whether the position is owed: its value rounds up and its price is the debt side's."""
    return isinstance(position, MarginCall) or position.component in LIABILITIES
