"""The NAV that a gate goes by: what it includes of a valuation, and how old what it rests on is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

from navoracle.domain.nav import FundValuation
from navoracle.domain.positions import Component
from navoracle.domain.prices import PriceEstimate, PriceStatus
from navoracle.domain.risk.gates import EVERYTHING, AssetLine, GatePolicy, NavHealth
from navoracle.domain.shares import price_per_share
from navoracle.domain.units import SCALES, WAD, Rounding, Timestamp, Wad, divide, mul_div
from navoracle.domain.valuation import PositionValue
from navoracle.risk.inputs import GateInput


def nav_health(facts: GateInput) -> NavHealth:
    """The NAV of what the gate includes, its ages, and whether it is fresh.

    NAV = the values of the lines that are included - fees payable (exact); the price per share is NAV / shares, rounded
    down. Where the frame has no valuation it is what the fund's contract serves, and not fresh.
    """
    policy, valuation = facts.policy, facts.valuation
    balances_age = _age(facts.balances_at, facts.clock)
    marks_age = _oldest(facts.estimates, PriceStatus.LIVE, facts.clock)
    cache_age = _oldest(facts.estimates, PriceStatus.ESTIMATED, facts.clock)
    if valuation is None:
        served = facts.confirmed
        return NavHealth(
            measure=policy.measure,
            nav=None if served is None else served.nav,
            price_per_share=None if served is None else served.price_per_share,
            nav_mode="confirmed",
            assets=(),
            balances_age=balances_age,
            marks_age=marks_age,
            cache_age=cache_age,
            sources_ok=False,
            fresh=False,
        )
    lines = asset_lines(valuation, policy, facts.at_exchange)
    nav = Wad(sum(line.value for line in lines if line.included) - valuation.fees.total)
    return NavHealth(
        measure=policy.measure,
        nav=nav,
        price_per_share=price_per_share(nav, valuation.shares),
        nav_mode="standard" if policy.measure == EVERYTHING else "enhanced",
        assets=lines,
        balances_age=balances_age,
        marks_age=marks_age,
        cache_age=cache_age,
        sources_ok=not valuation.estimated,
        fresh=balances_age <= policy.max_balance_age
        and (marks_age is None or marks_age <= policy.max_mark_age)
        and (cache_age is None or cache_age <= policy.max_cache_age),
    )


@dataclass(slots=True)
class _Sum:
    """A line while it is added up; `owed_at` is the price of what is owed, `mark` that of what is held."""

    units: int = 0
    value: int = 0
    marks: list[Wad] = field(default_factory=list)
    owed_at: list[Wad] = field(default_factory=list)


def asset_lines(valuation: FundValuation, policy: GatePolicy, at_exchange: frozenset[str]) -> tuple[AssetLine, ...]:
    """The fund's own holdings and debts by asset, sorted; what counts comes before what is left out of an asset.

    What is owed always counts, and so does a position that is worth less than nothing.

    Args:
        at_exchange: ids of the position readers that read an exchange.
    """
    sums: dict[tuple[str, bool], _Sum] = defaultdict(_Sum)
    for rows in _positions(valuation.positions):
        line = sums[rows[0].asset, not _counts(rows, policy, at_exchange)]
        for place, row in enumerate(rows):
            owed = row.component.is_liability
            line.value += -row.value if owed else row.value
            line.units += _units(row) if place == 0 else 0  # a gain is of the same units as its cost
            if place == len(rows) - 1:
                (line.owed_at if owed else line.marks).append(row.price)
    return tuple(
        AssetLine(asset, Wad(line.units), (line.marks or line.owed_at)[0], Wad(line.value), included=not left_out)
        for (asset, left_out), line in sorted(sums.items())
    )


def _positions(rows: Sequence[PositionValue]) -> Iterator[tuple[PositionValue, ...]]:
    """The rows of each of the fund's own positions: one, or for a position carried at cost its cost and its gain."""
    own = [row for row in rows if row.epoch is None]
    skip = False
    for row, following in zip_longest(own, own[1:]):
        if skip:
            skip = False
            continue
        skip = (
            following is not None
            and following.component is Component.ACCRUED_INCOME
            and (following.position, following.asset, following.amount) == (row.position, row.asset, row.amount)
        )
        yield (row, following) if skip and following is not None else (row,)


def _counts(rows: tuple[PositionValue, ...], policy: GatePolicy, at_exchange: frozenset[str]) -> bool:
    first = rows[0]
    if first.component.is_liability or sum(row.value for row in rows) < 0:
        return True
    if policy.include_assets is not None and first.asset not in policy.include_assets:
        return False
    # A row is called as its reader, or as its reader, "/" and what it is of.
    reader = {first.position, first.position.rpartition("/")[0]}
    return policy.use_mark_price or first.component is Component.CASH or at_exchange.isdisjoint(reader)


def _units(row: PositionValue) -> int:
    """Whole units (Wad, signed), rounded down: the row's own, or where it accrues what its value is at its price."""
    scale, owed = SCALES[row.amount.decimals], row.component.is_liability
    against = Rounding.UP if owed else Rounding.DOWN
    if mul_div(row.amount.value, row.price, scale, against) == row.value:
        units = mul_div(row.amount.value, WAD, scale, against)
    else:
        units = divide(row.value * WAD, row.price, against)
    return -units if owed else units


def _age(at: Timestamp, clock: Timestamp) -> int:
    return max(0, clock - at)


def _oldest(estimates: Iterable[PriceEstimate], status: PriceStatus, clock: Timestamp) -> int | None:
    ages = [_age(each.as_of, clock) for each in estimates if each.status is status and each.as_of is not None]
    return max(ages, default=None)
