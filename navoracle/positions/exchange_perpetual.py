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
from navoracle.positions.exchange import LOOKS, PLACES, ExchangeAccountPosition, agree
from navoracle.positions.perpetual import MarginMode, Perpetual, check_unrealized, decode_perpetual, notional
from navoracle.readers import BasisPoints, Name
from navoracle.services import decode_json, json_array, json_object


class Look(NamedTuple):
    """What one look at the account found, in the settlement currency (18 places).

    `margin_need` is the maintenance margin of all positions, `margin_cover` what there is for it: a position's own
    collateral covers no other, so at most its need counts.
    """

    positions: frozenset[tuple[str, str, str]]
    equity: int
    funding: int
    margin_need: int
    margin_cover: int


class ExchangePerpetualPosition(ExchangeAccountPosition, frozen=True):
    """Equity of a derivatives account in its settlement currency; a negative equity is a debt.

    Two looks, one after the other, must find the same positions and agree on the equity; the worse figures count. When
    the maintenance margin exceeds the collateral, the shortfall is a margin call.

    Funding since the last settlement is in no figure that exchanges state: `funding_allowance_bps` sets it aside.

    Attributes:
        currency: what the account settles in, by the exchange's code; a position that settles in another is refused.
        asset: the configured asset that prices it.
        equity_includes_unrealized: the exchange's balance is the account's equity, which holds the profits already.
            Exchanges differ: compare the balance with the exchange's own page while a position is open.
        agreement_bps: how far two looks at the equity may lie apart, of the larger.
        verify_unrealized: hold each stated profit against size, entry and mark price.
        mark_tolerance_bps: how far the two may lie apart, of the notional.
        funding_allowance_bps: of the notional, counted as owed.
        margin_call: read margins; every position must then state its maintenance margin.
        margin_mode: of positions that state none; without it they are refused where margins are read.
    """

    kind: Literal["exchange_perpetual"]
    asset: Name
    currency: Name
    equity_includes_unrealized: bool
    component: Component = Component.COLLATERAL
    agreement_bps: BasisPoints = Bps(50)
    verify_unrealized: bool = True
    mark_tolerance_bps: BasisPoints = Bps(100)
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
        looks: list[Look] = []
        for look in LOOKS:
            balance, positions = yield (self.ask("fetch_balance", look), self.ask("fetch_positions", look))
            looks.append(self._look(self._wallet(balance), self._positions(positions)))
        first, second = looks
        if first.positions != second.positions:
            raise SourceRefused(
                f"{self.id}: positions were opened or closed between two looks",
                advice="Read again when nothing moves: balance and positions may belong to different moments.",
            )
        if not agree(first.equity, second.equity, self.agreement_bps):
            raise SourceRefused(
                f"{self.id}: two looks at the equity are more than {self.agreement_bps} bps apart",
                advice="Read again when nothing moves; widen `agreement_bps` for an account of high leverage.",
            )
        return self._found(first, second)

    def _found(self, first: Look, second: Look) -> tuple[Position, ...]:
        equity = min(first.equity, second.equity)
        component = self.component if equity >= 0 else Component.DEBT
        found: list[Position] = [self.holding(self.id, component, self.asset, abs(equity))]
        if self.funding_allowance_bps:
            funding = max(first.funding, second.funding)
            found.append(self.holding(f"{self.id}/funding", Component.DEBT, self.asset, funding))
        if self.margin_call:
            need, cover = max(first, second, key=lambda look: look.margin_need - look.margin_cover)[3:]
            maintenance, collateral = RawAmount(need, PLACES), RawAmount(cover, PLACES)
            found.append(
                MarginCall(f"{self.id}/margin", self.asset, maintenance, collateral, self.epoch, self.confidence)
            )
        return tuple(found)

    def _wallet(self, data: bytes) -> int:
        found = self.decode_balances(data)
        self.check_debts(found, (self.currency,))
        balance = found.get(self.currency)
        if balance is None:
            raise self.unlisted(self.currency)
        total, debt = self.stated(self.currency, balance)
        return total - debt

    def _positions(self, data: bytes) -> tuple[Perpetual, ...]:
        entries = json_array(decode_json(data, self.id), f"{self.id}: positions")
        decoded = [decode_perpetual(self.id, json_object(entry, f"{self.id}: position")) for entry in entries]
        found = tuple(position for position in decoded if position is not None)
        for position in found:
            if position.settle != self.currency:
                raise SourceRefused(
                    f"{self.id}: {position.name} settles in {position.settle}, not in {self.currency}",
                    advice="Add a position for each currency that the account settles in, with its own `account` type.",
                )
        if len({position.key for position in found}) != len(found):
            raise SourceRefused(
                f"{self.id}: {self.exchange} lists one position twice",
                advice="Look at what the exchange answers: counted twice it would be worth twice as much.",
            )
        return found

    def _look(self, wallet: int, positions: tuple[Perpetual, ...]) -> Look:
        if self.verify_unrealized:
            for position in positions:
                check_unrealized(self.id, position, self.mark_tolerance_bps)
        profits = 0 if self.equity_includes_unrealized else sum(position.unrealized for position in positions)
        equity = wallet + profits
        allowance = self.funding_allowance_bps
        funding = sum(-(-notional(self.id, position) * allowance // BPS) for position in positions) if allowance else 0
        need, cover = self._margins(equity, positions) if self.margin_call else (0, 0)
        return Look(frozenset(position.key for position in positions), equity, funding, need, cover)

    def _margins(self, equity: int, positions: tuple[Perpetual, ...]) -> tuple[int, int]:
        """Need and cover. What isolated positions have for themselves is part of the equity, and not for the others."""
        cross_need, cross_cover, need, cover = 0, equity, 0, 0
        for position in positions:
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
        return need + cross_need, cover + max(0, min(cross_need, cross_cover))
