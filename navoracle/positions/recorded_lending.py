"""A loan over recorded indexes of a lending pool, for replays: scaled balances that accrue as the indexes say."""

from __future__ import annotations

from typing import Final, Literal, Self

from pydantic import BaseModel, Field, model_validator

from navoracle.domain.errors import SourceRefused
from navoracle.domain.positions import Component, Holding, Position
from navoracle.domain.units import RawAmount
from navoracle.domain.valuation import PriceKey
from navoracle.ports import Read, ReadPoint, RecordedRow
from navoracle.positions.base import Basis, Claim
from navoracle.positions.lending import SuppliedComponent
from navoracle.readers import AmountText, Decimals, Name, ReaderModel, Seconds, raw_amount
from navoracle.recorded_rows import decode_row

RAY: Final = 10**27
RAY_PLACES: Final = 27


class ScaledBalance(BaseModel, frozen=True, extra="forbid"):
    """A balance as the pool stores it.

    Attributes:
        asset: the configured asset that prices it.
        scaled: what the index multiplies, in whole tokens.
        decimals: of the token.
        index: the recorded series of the reserve's liquidity index, or of its variable borrow index for a debt.
    """

    asset: Name
    scaled: AmountText
    decimals: Decimals
    index: Name

    @model_validator(mode="after")
    def _check_scaled(self) -> Self:
        raw_amount(self.scaled, self.decimals)
        return self

    def at(self, index: int) -> RawAmount:
        """The balance at an index (ray, 1e27): scaled x index / 1e27, half up, as WadRayMath.rayMul of Aave v3.0."""
        scaled = raw_amount(self.scaled, self.decimals)
        return RawAmount((scaled.value * index + RAY // 2) // RAY, self.decimals)


class SuppliedBalance(ScaledBalance, frozen=True):
    """A supply, and the part of the NAV that it belongs to."""

    component: SuppliedComponent = Component.COLLATERAL


class RecordedLending(ReaderModel, frozen=True):
    """What an account supplies and owes by the newest recorded indexes that were known at the time of the frame.

    Each part is a holding of its own, `<id>/<asset>-supplied` and `<id>/<asset>-borrowed`.

    Attributes:
        supplies, debts: at most one of each asset.
        max_age: seconds after which a row of an index is too old.
        epoch: the settlement epoch whose queued deposits it comes from; None for the fund's own.
    """

    kind: Literal["recorded_lending"]
    supplies: tuple[SuppliedBalance, ...] = ()
    debts: tuple[ScaledBalance, ...] = ()
    max_age: Seconds
    epoch: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _check_balances(self) -> Self:
        if not self.supplies and not self.debts:
            raise ValueError("it has neither supplies nor debts: name at least one")
        for what, balances in (("supplied", self.supplies), ("owed", self.debts)):
            assets = [balance.asset for balance in balances]
            if len(set(assets)) != len(assets):
                raise ValueError(f"an asset is {what} twice: add the two balances up")
        return self

    @property
    def chain(self) -> None:
        """Recorded indexes are read off chain."""
        return

    @property
    def basis(self) -> Basis:
        """Everything is marked at the market price."""
        return "market"

    @property
    def claims(self) -> tuple[Claim, ...]:
        """Nothing: it reads no account."""
        return ()

    @property
    def assets(self) -> tuple[PriceKey, ...]:
        """What is supplied on one side, what is owed on the other."""
        owned: tuple[PriceKey, ...] = tuple((balance.asset, "asset") for balance in self.supplies)
        return (*owned, *((balance.asset, "debt") for balance in self.debts))

    def read(self, at: ReadPoint) -> Read[tuple[Position, ...]]:
        """Read all indexes in one round.

        Raises:
            SourceRefused: an index that is of the future, too old, or below one, where every index begins.
            EmptyResult, MalformedResult: there is no row, or none that can be read.
        """
        balances = (*self.supplies, *self.debts)
        rows = yield tuple(RecordedRow(balance.index) for balance in balances)
        indexes = [self._index(balance.index, row, at) for balance, row in zip(balances, rows, strict=True)]
        owned = len(self.supplies)
        positions: list[Position] = [
            Holding(f"{self.id}/{supply.asset}-supplied", supply.component, supply.asset, supply.at(index), self.epoch)
            for supply, index in zip(self.supplies, indexes[:owned], strict=True)
        ]
        positions += [
            Holding(f"{self.id}/{debt.asset}-borrowed", Component.DEBT, debt.asset, debt.at(index), self.epoch)
            for debt, index in zip(self.debts, indexes[owned:], strict=True)
        ]
        return tuple(positions)

    def _index(self, series: str, row: bytes, at: ReadPoint) -> int:
        time, index = decode_row(row, RAY_PLACES)
        if time > at.now:
            raise SourceRefused(
                f"{self.id}: the row of {series} of {time} was not yet known at {at.now}",
                advice="Report this as a defect of the reader behind the series: it looks ahead.",
            )
        if at.now - time > self.max_age:
            raise SourceRefused(
                f"{self.id}: the newest row of {series} is of {time}, {at.now - time} s before {at.now}",
                advice="Give a series without such a gap, or a longer `max_age`.",
            )
        if index < RAY:
            raise SourceRefused(
                f"{self.id}: the index {series} is below one at {time}",
                advice="Name the column of the index, and read it with `places: 27`.",
            )
        return index
