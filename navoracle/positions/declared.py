"""Positions stated in the configuration itself, for replays, demonstrations and fixed obligations.

Amounts are whole tokens in quotes; `decimals` says how finely they are held, and more places are refused.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Literal, Self

from pydantic import model_validator

from navoracle.domain.errors import DomainError
from navoracle.domain.positions import Accrual, HoldingAtCost, MarginCall, Position
from navoracle.domain.prices import Side
from navoracle.domain.units import BPS, Bps
from navoracle.ports import Read, ReadPoint
from navoracle.positions.base import ComponentPosition, PositionBase
from navoracle.readers import AmountText, BasisPoints, Decimals, DecimalWad, UnixTime, raw_amount


class DeclaredBase(PositionBase, frozen=True):
    """A position that needs no reading.

    Attributes:
        decimals: places to which its amounts are held.
        confidence: of its amounts.
    """

    decimals: Decimals = 18
    confidence: BasisPoints = Bps(BPS)

    @property
    def chain(self) -> None:
        """Nothing is read on a chain."""
        return

    @abstractmethod
    def positions(self) -> tuple[Position, ...]:
        """What is declared. Raises DomainError or ValueError when no such position can exist."""

    def read(self, at: ReadPoint) -> Read[tuple[Position, ...]]:
        """Return what is declared; nothing is read."""
        yield from ()
        return self.positions()

    @model_validator(mode="after")
    def _check_positions(self) -> Self:
        try:
            self.positions()
        except DomainError as error:
            raise ValueError(f"{error.message}. {error.advice}") from error
        return self


class DeclaredPosition(DeclaredBase, ComponentPosition, frozen=True):
    """An amount of an asset, marked at the market price."""

    kind: Literal["declared"]
    amount: AmountText

    def positions(self) -> tuple[Position, ...]:
        """The holding."""
        return self.holding(raw_amount(self.amount, self.decimals), self.confidence)


class DeclaredAtCost(DeclaredBase, ComponentPosition, frozen=True):
    """An amount carried at `entry_price` (unit of account per whole token); its unrealized gain is accrued income.

    Attributes:
        amount: how many, in whole tokens.
        entry_price: what one whole token cost, in the unit of account.
    """

    kind: Literal["declared_at_cost"]
    amount: AmountText
    entry_price: DecimalWad

    def positions(self) -> tuple[Position, ...]:
        """The holding at cost."""
        amount = raw_amount(self.amount, self.decimals)
        position = HoldingAtCost(
            self.id, self.component, self.asset, amount, self.entry_price, self.epoch, self.confidence
        )
        return (position,)


class DeclaredAccrual(DeclaredBase, ComponentPosition, frozen=True):
    """Simple interest at `annual_rate` ("0.05" is 5 % a year of 365 days) on an amount since `since` (Unix seconds).

    Attributes:
        amount: what bears the interest, in whole tokens.
        annual_rate: a year of 365 days; "0.05" is 5 %.
        since: from when on, in Unix seconds.
    """

    kind: Literal["declared_accrual"]
    amount: AmountText
    annual_rate: DecimalWad
    since: UnixTime

    def positions(self) -> tuple[Position, ...]:
        """The accrual."""
        amount = raw_amount(self.amount, self.decimals)
        position = Accrual(
            self.id, self.component, self.asset, amount, self.annual_rate, self.since, self.epoch, self.confidence
        )
        return (position,)


class DeclaredMarginCall(DeclaredBase, frozen=True):
    """The shortfall of a margin account: `maintenance` less `collateral`, both in whole tokens of the asset.

    Attributes:
        maintenance: what the account must have, in whole tokens.
        collateral: what it has, in whole tokens.
    """

    kind: Literal["declared_margin_call"]
    maintenance: AmountText
    collateral: AmountText

    @property
    def side(self) -> Side:
        """A margin call is owed."""
        return "debt"

    def positions(self) -> tuple[Position, ...]:
        """The margin call."""
        maintenance, collateral = (raw_amount(text, self.decimals) for text in (self.maintenance, self.collateral))
        return (MarginCall(self.id, self.asset, maintenance, collateral, self.epoch, self.confidence),)
