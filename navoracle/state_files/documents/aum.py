"""Assets under management: what the fund holds, sliced by asset, venue and chain. What it owes stands apart."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from navoracle.domain.units import Wad
from navoracle.state_files.documents.holdings import PositionRow, position_rows
from navoracle.state_files.documents.rates import Rate
from navoracle.state_files.facts import Facts
from navoracle.state_files.values import DOCUMENT, Decimal, Unknown, decimal

OFF_CHAIN: Final = "off_chain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """A part of the assets."""

    __pydantic_config__ = DOCUMENT

    label: str
    """What it is the part of: an asset, a venue, a chain, or "off_chain"."""
    usd: Decimal
    """What it is worth, in the unit of account."""
    reporting: Decimal | None
    """What it is worth in the reporting currency; the slices of one list add up to the total exactly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DonutSlice:
    """A part of the assets: an account at an exchange as a whole, or an asset that is held anywhere else."""

    __pydantic_config__ = DOCUMENT

    label: str
    """The exchange's name in the configuration, or the asset's."""
    kind: Literal["exchange", "asset"]
    """Which of the two it is."""
    usd: Decimal
    """What it is worth, in the unit of account."""
    reporting: Decimal | None
    """What it is worth in the reporting currency."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetAmount:
    """What the fund has of one asset, or owes of it."""

    __pydantic_config__ = DOCUMENT

    amount: Decimal
    """Whole units, rounded down."""
    usd: Decimal
    """What they are worth, in the unit of account."""
    reporting: Decimal | None
    """What they are worth in the reporting currency."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AumSection:
    """Assets under management, queued deposits included; liabilities apart.

    total_usd - liabilities_usd - fees_usd is the NAV with queued deposits.
    """

    __pydantic_config__ = DOCUMENT

    total_usd: Decimal | None
    """All assets, before anything that is owed, in the unit of account."""
    total_reporting: Decimal | None
    """The same in the reporting currency, rounded down."""
    liabilities_usd: Decimal | None
    """All that is owed but fees, in the unit of account."""
    liabilities_reporting: Decimal | None
    """The same in the reporting currency, rounded down."""
    fees_usd: Decimal | None
    """Fees payable, in the unit of account."""
    nav_usd: Decimal | None
    """The NAV with queued deposits, in the unit of account."""
    nav_reporting: Decimal | None
    """The same in the reporting currency, rounded down."""
    slices: list[DonutSlice]
    """All assets: accounts at exchanges as wholes, everything else by asset."""
    assets: dict[str, AssetAmount]
    """All assets by asset."""
    offexchange: dict[str, AssetAmount]
    """Assets that are not at an exchange, by asset."""
    liabilities: dict[str, AssetAmount]
    """What is owed but fees, by asset."""
    by_venue: list[Slice]
    """All assets by venue, the largest first."""
    by_chain: list[Slice]
    """All assets by chain, the largest first."""
    by_asset: list[Slice]
    """All assets by asset, the largest first."""


def aum_section(facts: Facts, rate: Rate, unknown: Unknown, place: str) -> AumSection:
    """The section; `place` is where it stands in the document."""
    rows, valuation = position_rows(facts), facts.valuation
    held = [row for row in rows if not row.is_owed]
    owed = [row for row in rows if row.is_owed]
    total = None if valuation is None else Wad(sum(row.row.value for row in held))
    liabilities = None if valuation is None else Wad(sum(row.row.value for row in owed))
    nav = None if valuation is None else valuation.after.nav

    def told(name: str, amount: Wad | None) -> str | None:
        found = None if amount is None else rate.of(amount)
        return unknown.wad(f"{place}/{name}", found, facts.unvalued if amount is None else rate.reason)

    none = facts.unvalued
    section = AumSection(
        total_usd=unknown.wad(f"{place}/total_usd", total, none),
        total_reporting=told("total_reporting", total),
        liabilities_usd=unknown.wad(f"{place}/liabilities_usd", liabilities, none),
        liabilities_reporting=told("liabilities_reporting", liabilities),
        fees_usd=unknown.wad(f"{place}/fees_usd", None if valuation is None else valuation.fees.total, none),
        nav_usd=unknown.wad(f"{place}/nav_usd", nav, none),
        nav_reporting=told("nav_reporting", nav),
        slices=_donut(held, rate),
        assets=_amounts(held, rate),
        offexchange=_amounts([row for row in held if not row.place.at_exchange], rate),
        liabilities=_amounts(owed, rate),
        by_venue=_slices(held, rate, lambda row: row.place.venue),
        by_chain=_slices(held, rate, lambda row: row.place.chain or OFF_CHAIN),
        by_asset=_slices(held, rate, lambda row: row.row.asset),
    )
    if rate.rate is None:
        for name in ("slices", "assets", "offexchange", "liabilities", "by_venue", "by_chain", "by_asset"):
            if getattr(section, name):
                unknown.reasons[f"{place}/{name}/*/reporting"] = rate.reason
    return section


def _donut(rows: Iterable[PositionRow], rate: Rate) -> list[DonutSlice]:
    sums: dict[tuple[Literal["exchange", "asset"], str], int] = {}
    for row in rows:
        key: tuple[Literal["exchange", "asset"], str] = (
            ("exchange", row.place.venue) if row.place.at_exchange else ("asset", row.row.asset)
        )
        sums[key] = sums.get(key, 0) + row.row.value
    ordered = sorted(sums.items(), key=lambda item: (-item[1], item[0]))
    shares = rate.split([amount for _, amount in ordered])
    return [
        DonutSlice(label=label, kind=kind, usd=decimal(amount), reporting=_told(share))
        for ((kind, label), amount), share in zip(ordered, shares, strict=True)
    ]


def _slices(rows: Iterable[PositionRow], rate: Rate, label_of: Callable[[PositionRow], str]) -> list[Slice]:
    sums: dict[str, int] = {}
    for row in rows:
        label = label_of(row)
        sums[label] = sums.get(label, 0) + row.row.value
    ordered = sorted(sums.items(), key=lambda item: (-item[1], item[0]))
    shares = rate.split([amount for _, amount in ordered])
    return [
        Slice(label=label, usd=decimal(amount), reporting=_told(share))
        for (label, amount), share in zip(ordered, shares, strict=True)
    ]


def _amounts(rows: Sequence[PositionRow], rate: Rate) -> dict[str, AssetAmount]:
    units: dict[str, int] = {}
    sums: dict[str, int] = {}
    for row in rows:
        asset = row.row.asset
        units[asset] = units.get(asset, 0) + row.units
        sums[asset] = sums.get(asset, 0) + row.row.value
    assets = sorted(sums)
    shares = rate.split([sums[asset] for asset in assets])
    return {
        asset: AssetAmount(amount=decimal(units[asset]), usd=decimal(sums[asset]), reporting=_told(share))
        for asset, share in zip(assets, shares, strict=True)
    }


def _told(amount: int | None) -> str | None:
    return None if amount is None else decimal(amount)
