"""Accounts at exchanges as their margin is judged by: balance against exposure. For risk, never for the NAV."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

from navoracle.domain.errors import SourceRefused
from navoracle.domain.risk.margin_account import MarginAccount, PerpetualExposure
from navoracle.domain.units import Wad
from navoracle.ports import Read, ReadPoint
from navoracle.positions.derivatives import DerivativesAccount
from navoracle.positions.perpetual import Perpetual, notional
from navoracle.readers import Name, ReaderModel, SignedWad


class ExchangeMargin(DerivativesAccount, frozen=True):
    """A derivatives account: its equity, and the notional of every open position at the exchange's mark price.

    It asks what a position of kind `exchange_perpetual` of the same account asks, and is answered once with it. Of two
    looks the lower equity counts, and of each position the larger exposure.

    Attributes:
        markets: the configured asset that each base currency of a market is, by the exchange's code; a position in
            another one counts for the margin, and what the fund is exposed to by it is not known.
    """

    kind: Literal["exchange_margin"]
    markets: dict[Name, Name]

    @property
    def assets(self) -> tuple[str, ...]:
        """What it settles in, and what its markets follow."""
        return tuple(dict.fromkeys((self.asset, *self.markets.values())))

    def read(self, at: ReadPoint) -> Read[MarginAccount]:
        """Read balance and positions twice, one after the other.

        Raises:
            SourceRefused: as `DerivativesAccount.looks`; or size or mark price of a position is not stated.
            EmptyResult, MalformedResult: an answer is no unified balance, or no list of positions.
        """
        first, second = yield from self.looks()
        before = {position.key: position for position in first.positions}
        exposures = [
            self._exposure(max(before[position.key], position, key=lambda each: notional(self.id, each)))
            for position in second.positions
        ]
        return MarginAccount(
            venue=self.exchange,
            asset=self.asset,
            balance=Wad(min(first.equity, second.equity)),
            exposures=tuple(exposures),
        )

    def _exposure(self, position: Perpetual) -> PerpetualExposure:
        held = notional(self.id, position)
        size = held if position.inverse else position.size
        if size is None:
            raise SourceRefused(
                f"{self.id}: {position.name} does not state its size", advice="Look at what the exchange answers."
            )
        return PerpetualExposure(
            symbol=position.symbol,
            asset=self.markets.get(position.base),
            size=Wad(size if position.side == "long" else -size),
            notional=Wad(held),
        )


class DeclaredContracts(BaseModel, frozen=True, extra="forbid"):
    """An open perpetual that is stated.

    Attributes:
        symbol: its name.
        asset: the configured asset that it follows, at whose price it is marked.
        size: whole units of the asset, in quotes; negative when short.
    """

    symbol: Name
    asset: Name
    size: SignedWad


class DeclaredMargin(ReaderModel, frozen=True):
    """An account that is stated in the configuration itself, for demonstrations and replays.

    Its contracts are marked at the frame's prices; its balance stays as it is stated.

    Attributes:
        venue: the exchange's name.
        asset: the configured asset that it settles in.
        balance: equity in whole units of that asset, in quotes; negative when it is owed.
        contracts: open perpetuals.
    """

    kind: Literal["declared_margin"]
    venue: Name
    asset: Name
    balance: SignedWad
    contracts: tuple[DeclaredContracts, ...] = ()

    @property
    def chain(self) -> None:
        """Nothing is read on a chain."""
        return

    @property
    def assets(self) -> tuple[str, ...]:
        """What it settles in, and what its contracts follow."""
        return tuple(dict.fromkeys((self.asset, *(held.asset for held in self.contracts))))

    def read(self, at: ReadPoint) -> Read[MarginAccount]:
        """Return what is declared; nothing is read."""
        yield from ()
        exposures = tuple(PerpetualExposure(held.symbol, held.asset, held.size, None) for held in self.contracts)
        return MarginAccount(self.venue, self.asset, self.balance, exposures)
