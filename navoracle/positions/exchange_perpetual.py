"""A derivatives account on an exchange, valued at its equity: wallet balance plus unrealized profits.

The account is marked to market, so its equity is one holding. A gain beside it as accrued income would be counted
twice, and only what is carried at cost has such a gain (`HoldingAtCost`). Nothing is valued at its notional.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, Self

from pydantic import model_validator

from navoracle.domain.errors import SourceRefused
from navoracle.domain.positions import LIABILITIES, Component, MarginCall, Position
from navoracle.domain.units import BPS, Bps, RawAmount
from navoracle.domain.valuation import PriceKey
from navoracle.ports import Read, ReadPoint
from navoracle.positions.base import Claim
from navoracle.positions.derivatives import DerivativesAccount, Look
from navoracle.positions.exchange import PLACES, ExchangeAccountPosition
from navoracle.positions.perpetual import MarginMode, notional
from navoracle.readers import BasisPoints


class Margins(NamedTuple):
    """What a look at the account says of margins, in the settlement currency (18 places).

    `need` is the maintenance margin of all positions, `cover` what there is for it: a position's own collateral covers
    no other, so at most its need counts.
    """

    need: int
    cover: int


class ExchangePerpetualPosition(DerivativesAccount, ExchangeAccountPosition, frozen=True):
    """Equity of a derivatives account in its settlement currency; a negative equity is a debt.

    Two looks, one after the other, must find the same positions and agree on the equity; the worse figures count. When
    the maintenance margin exceeds the collateral, the shortfall is a margin call.

    Funding since the last settlement is in no figure that exchanges state: `funding_allowance_bps` sets it aside.

    Attributes:
        funding_allowance_bps: of the notional, counted as owed.
        margin_call: read margins; every position must then state its maintenance margin.
        margin_mode: of positions that state none; without it they are refused where margins are read.
        component: of an equity above zero.
    """

    kind: Literal["exchange_perpetual"]
    component: Component = Component.COLLATERAL
    funding_allowance_bps: BasisPoints = Bps(0)
    margin_call: bool = True
    margin_mode: MarginMode | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.component in LIABILITIES:
            raise ValueError(
                f"{self.component.value} is no component of an equity: a negative one is counted as a debt"
            )
        return self

    @property
    def claims(self) -> tuple[Claim, ...]:
        """The account's balance of the settlement currency."""
        return self.claims_of(self.currency)

    @property
    def assets(self) -> tuple[PriceKey, ...]:
        """The asset on both sides: equity may be owed, and margin calls are."""
        return (self.asset, "asset"), (self.asset, "debt")

    def read(self, at: ReadPoint) -> Read[tuple[Position, ...]]:
        """Read balance and positions twice, one after the other.

        Raises:
            SourceRefused: a figure that is due is not stated, or does not agree with the others or the other look; a
                debt in another currency that nothing counts.
            EmptyResult, MalformedResult: an answer is no unified balance, or no list of positions.
        """
        looks = yield from self.looks()
        equity = min(look.equity for look in looks)
        component = self.component if equity >= 0 else Component.DEBT
        found: list[Position] = [self.holding(self.id, component, self.asset, abs(equity))]
        if self.funding_allowance_bps:
            funding = max(self._funding(look) for look in looks)
            found.append(self.holding(f"{self.id}/funding", Component.DEBT, self.asset, funding))
        if self.margin_call:
            need, cover = max((self._margins(look) for look in looks), key=lambda margins: margins.need - margins.cover)
            maintenance, collateral = RawAmount(need, PLACES), RawAmount(cover, PLACES)
            found.append(
                MarginCall(f"{self.id}/margin", self.asset, maintenance, collateral, self.epoch, self.confidence)
            )
        return tuple(found)

    def _funding(self, look: Look) -> int:
        return sum(-(-notional(self.id, position) * self.funding_allowance_bps // BPS) for position in look.positions)

    def _margins(self, look: Look) -> Margins:
        """Need and cover. What isolated positions have for themselves is part of the equity, and not for the others."""
        cross_need, cross_cover, need, cover = 0, look.equity, 0, 0
        for position in look.positions:
            mode = position.margin_mode or self.margin_mode
            if mode is None or position.maintenance is None:
                missing = "whether its margin is cross or isolated" if mode is None else "its maintenance margin"
                raise SourceRefused(
                    f"{self.id}: {position.name} does not state {missing}",
                    advice="Set `margin_mode` where the account has one mode, or `margin_call: false` to watch it "
                    "elsewhere.",
                )
            if mode == "cross":
                cross_need += position.maintenance
                continue
            if position.collateral is None:
                raise SourceRefused(
                    f"{self.id}: {position.name} is isolated and states no collateral",
                    advice="Set `margin_call: false` to watch its margin elsewhere.",
                )
            need += position.maintenance
            cover += max(0, min(position.maintenance, position.collateral))
            cross_cover -= position.collateral
        return Margins(need + cross_need, cover + max(0, min(cross_need, cross_cover)))
