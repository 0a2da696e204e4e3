"""What readers of lending markets have in common: several assets of one account, supplied and owed at once."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, Field

from navoracle.domain.positions import Component, Holding
from navoracle.domain.units import RawAmount
from navoracle.positions.base import Basis
from navoracle.readers import ChecksumAddress, Name, ReaderModel

ZERO_ADDRESS: Final = "0x" + 40 * "0"
"""As decoded addresses come back: what a contract says for "none"."""


def _check_supplied(component: Component) -> Component:
    if component not in (Component.CASH, Component.COLLATERAL):
        raise ValueError(
            f"what is supplied is cash or collateral, not {component.value}; debts are found by themselves"
        )
    return component


SuppliedComponent = Annotated[Component, AfterValidator(_check_supplied)]
"""The part of the NAV that a supplied asset belongs to."""


class LentToken(BaseModel, frozen=True, extra="forbid"):
    """A token of a lending market.

    Attributes:
        asset: the configured asset that prices it.
        component: of what is supplied of it.
        token: the underlying token's contract.
    """

    asset: Name
    token: ChecksumAddress
    component: SuppliedComponent = Component.COLLATERAL


class LendingPosition(ReaderModel, frozen=True):
    """An account at a lending market; each part is a holding of its own, named `<id>/<asset>-<part>`.

    Attributes:
        account: whose supplies and debts are counted.
        epoch: the settlement epoch whose queued deposits it comes from; None for the fund's own.
    """

    chain: Name
    account: ChecksumAddress
    epoch: int | None = Field(default=None, ge=0)

    @property
    def basis(self) -> Basis:
        """Everything is marked at the market price."""
        return "market"

    def supplied(self, of: LentToken, value: int, decimals: int, part: str = "supplied") -> Holding:
        """What is supplied of a token, in its raw units."""
        return Holding(f"{self.id}/{of.asset}-{part}", of.component, of.asset, RawAmount(value, decimals), self.epoch)

    def borrowed(self, of: LentToken, value: int, decimals: int) -> Holding:
        """What is owed of a token, in its raw units."""
        amount = RawAmount(value, decimals)
        return Holding(f"{self.id}/{of.asset}-borrowed", Component.DEBT, of.asset, amount, self.epoch)


def check_distinct(tokens: tuple[LentToken, ...]) -> None:
    """Refuse a token that is named twice (it would be counted twice), and two tokens of one asset (one name for both).

    Raises:
        ValueError: the message names it.
    """
    named: dict[str, list[str]] = {"token": [of.token for of in tokens], "asset": [of.asset for of in tokens]}
    for what, names in named.items():
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise ValueError(f"the {what} {repeated[0]} is named twice: give each token once, with an asset of its own")
