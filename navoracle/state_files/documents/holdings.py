"""The rows of a valuation as positions: what is one thing, how many units it is, and where it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from navoracle.domain.positions import Component
from navoracle.domain.units import SCALES, WAD, Rounding, Wad, mul_div
from navoracle.domain.valuation import PositionValue
from navoracle.state_files.facts import Facts, Place


@dataclass(frozen=True, slots=True)
class PositionRow:
    """A row with its place.

    Attributes:
        units: whole units (Wad), rounded down; of what accrues, the units that it is worth; none of a gain, which is of
            the same units as its cost.
        gain: the unrealized gain of a row that is carried at cost (Wad, signed); None of any other.
        is_gain: whether the row is such a gain itself.
    """

    row: PositionValue
    place: Place
    units: Wad
    gain: Wad | None = None
    is_gain: bool = False

    @property
    def is_owed(self) -> bool:
        """Whether it is a liability."""
        return self.row.component.is_liability

    @property
    def signed(self) -> int:
        """Its part of NAV + fees (Wad)."""
        return -self.row.value if self.is_owed else self.row.value


def position_rows(facts: Facts) -> tuple[PositionRow, ...]:
    """Every row of the valuation, in its order; none without one."""
    return () if facts.valuation is None else tuple(_rows(facts, facts.valuation.positions))


def _rows(facts: Facts, rows: Sequence[PositionValue]) -> Iterator[PositionRow]:
    before: PositionValue | None = None
    for row, following in pairwise((*rows, None)):
        if row is None:  # only the end is
            continue
        place = facts.view.place_of(row)
        if before is not None and _is_gain(before, row):
            before = None
            yield PositionRow(row, place, Wad(0), is_gain=True)
            continue
        gain = following.value if following is not None and _is_gain(row, following) else None
        before = row if gain is not None else None
        yield PositionRow(row, place, _units(row), gain)


def _is_gain(row: PositionValue, following: PositionValue) -> bool:
    """Whether the row after it is its gain: a position carried at cost is valued as two rows."""
    return (
        following.component is Component.ACCRUED_INCOME
        and row.component in (Component.CASH, Component.COLLATERAL)
        and (following.position, following.asset, following.amount, following.epoch)
        == (row.position, row.asset, row.amount, row.epoch)
    )


def _units(row: PositionValue) -> Wad:
    scale = SCALES[row.amount.decimals]
    rounding = Rounding.UP if row.component.is_liability else Rounding.DOWN
    if row.amount.value_at(row.price, rounding) == row.value or row.price <= 0:
        return Wad(mul_div(row.amount.value, WAD, scale, Rounding.DOWN))
    return Wad(mul_div(row.value, WAD, row.price, Rounding.DOWN))
