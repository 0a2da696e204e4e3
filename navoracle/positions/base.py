"""What every position reader has: an asset, and the part of the NAV that it belongs to."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from pydantic import Field

from navoracle.abi import encode_call
from navoracle.domain.positions import LIABILITIES, Component, Holding
from navoracle.domain.prices import Side
from navoracle.domain.units import BPS, Bps, RawAmount
from navoracle.domain.valuation import PriceKey
from navoracle.readers import Name, ReaderModel

BALANCE_OF: Final = "balanceOf(address)"
TOTAL_SUPPLY: Final = encode_call("totalSupply()")

NATIVE: Final = "native"
"""What stands for the contract in a claim on native coins."""

Basis = Literal["market", "cost"]
"""How a position is carried: at the market price, or at its cost with the gain as income."""


class Claim(NamedTuple):
    """One thing that is counted: what of which contract, for which account, on which chain (None off chain).

    Two readers that claim the same thing would count it twice; a fund that has two such readers is refused at start.
    `what` is "balance" for a token's balance, and names the part for everything else ("redeem requests").
    """

    chain: str | None
    contract: str
    account: str
    what: str = "balance"


class PositionBase(ReaderModel, frozen=True):
    """A position of one asset.

    Attributes:
        asset: the configured asset that prices it.
        epoch: the settlement epoch whose queued deposits it comes from; None for the fund's own.
    """

    asset: Name
    epoch: int | None = Field(default=None, ge=0)

    @property
    def side(self) -> Side:
        """The side on which the asset's price is taken."""
        return "asset"

    @property
    def basis(self) -> Basis:
        """How the position is carried."""
        return "market"

    @property
    def claims(self) -> tuple[Claim, ...]:
        """What the position counts, once it is resolved; nothing where it reads no account of its own."""
        return ()

    @property
    def assets(self) -> tuple[PriceKey, ...]:
        """The (asset, side) pairs that the position needs prices for."""
        return ((self.asset, self.side),)


class ComponentPosition(PositionBase, frozen=True):
    """A position whose component of the NAV is configured; a liability is priced on the debt side.

    Attributes:
        component: what it counts as: `cash`, `collateral`, `accrued_income`, `rewards`, or a liability.
    """

    component: Component

    @property
    def side(self) -> Side:
        """The side on which the asset's price is taken."""
        return "debt" if self.component in LIABILITIES else "asset"

    def holding(self, amount: RawAmount, confidence: Bps = Bps(BPS)) -> tuple[Holding, ...]:
        """The position as a marked holding of `amount`."""
        return (Holding(self.id, self.component, self.asset, amount, self.epoch, confidence),)
