"""What is rehearsed: the funds, assets and limits of a configuration, without its sources, places and keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from navoracle.config.assets import AssetSection
from navoracle.config.funds import FundSection
from navoracle.config.models import Config
from navoracle.domain.errors import UsageError
from navoracle.domain.units import WAD, Rounding, Wad, mul_div, to_wad

_INVENTED: Final = ("one", "two", "three")
_AGGREGATION: Final = ("max_future", "min_confidence", "outlier_bps", "wide_bps", "min_sources", "method")
ASSET_VALUE: Final = to_wad("1000000")
DEBT_VALUE: Final = to_wad("100000")


@dataclass(frozen=True, slots=True)
class AssetShape:
    """One asset: the groups whose feeds price it, its limits, and the price (Wad) at the beginning."""

    groups: tuple[str, ...]
    limits: Mapping[str, Any]
    price: Wad


@dataclass(frozen=True, slots=True)
class Holding:
    """What a fund holds or owes of one asset, in whole tokens (Wad)."""

    id: str
    asset: str
    component: str
    amount: Wad


@dataclass(frozen=True, slots=True)
class FundShape:
    """One fund: its number, its holdings, and the sections of it that stay as they are."""

    number: int
    holdings: tuple[Holding, ...]
    kept: Mapping[str, Any]

    def nav(self, assets: Mapping[str, AssetShape]) -> Wad:
        """What it is worth at the beginning (Wad)."""
        total = 0
        for holding in self.holdings:
            value = mul_div(holding.amount, assets[holding.asset].price, WAD, Rounding.DOWN)
            total += -value if holding.component == "debt" else value
        return Wad(total)


@dataclass(frozen=True, slots=True)
class Shape:
    """A world to be built: one chain, its assets and its funds."""

    chain: str
    chain_id: int
    assets: Mapping[str, AssetShape]
    funds: Mapping[str, FundShape]


def shape_of(config: Config, chain: str | None = None) -> Shape:
    """The shape of a configuration's funds on one chain: the named one, or the only one that has any.

    Every holding is worth a million, every debt a hundred thousand, at prices of 1 and 2,000: what is rehearsed is
    the keeper, not the portfolio.

    Raises:
        UsageError: no fund is posted on the chain, or there are several chains to choose from.
    """
    chains = sorted({fund.chain for fund in config.funds.values() if fund.chain is not None})
    if chain is None and len(chains) != 1:
        raise UsageError(
            f"funds are posted on {', '.join(chains) or 'no chain'}",
            advice="Name one chain with --chain." if chains else "Add `chain:` to the funds.",
        )
    name = chain or chains[0]
    funds = {key: fund for key, fund in config.funds.items() if fund.chain == name}
    if not funds:
        raise UsageError(f"no fund is posted on {name}", advice=f"Name one of: {', '.join(chains) or 'none'}.")
    held = {asset for fund in funds.values() for position in fund.positions for asset, _ in position.assets}
    assets = {symbol: _asset(symbol, config.assets[symbol]) for symbol in sorted(held) if symbol in config.assets}
    return Shape(
        name,
        config.chains[name].chain_id,
        assets or {"USD-token": AssetShape(_INVENTED, {}, Wad(WAD))},
        {key: _fund(fund, assets) for key, fund in funds.items()},
    )


def _asset(symbol: str, section: AssetSection) -> AssetShape:
    groups = tuple(sorted({source.group for source in section.sources})) or _INVENTED
    if len(groups) < section.min_sources:
        groups = _INVENTED
    stable = "USD" in symbol.upper() or "DAI" in symbol.upper()
    limits = section.model_dump(mode="json", include=set(_AGGREGATION))
    return AssetShape(groups, limits, to_wad("1") if stable else to_wad("2000"))


def _fund(fund: FundSection, assets: Mapping[str, AssetShape]) -> FundShape:
    holdings: list[Holding] = []
    for place, position in enumerate(fund.positions):
        for asset, side in position.assets:
            price = assets[asset].price if asset in assets else Wad(WAD)
            worth = DEBT_VALUE if side == "debt" else ASSET_VALUE
            holdings.append(
                Holding(
                    f"{place}-{side}-{asset}",
                    asset if asset in assets else next(iter(assets), "USD-token"),
                    "debt" if side == "debt" else "collateral",
                    Wad(mul_div(worth, WAD, price, Rounding.DOWN)),
                )
            )
    kept = fund.model_dump(mode="json", include={"fees", "guards"})
    return FundShape(fund.id, tuple(holdings), kept)
