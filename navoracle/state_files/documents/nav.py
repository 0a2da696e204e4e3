"""`nav.json`: what the NAV is made of: assets, prices, components, fees, assets under management, currency."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from navoracle.domain.nav import Breakdown
from navoracle.domain.prices import PriceEstimate, Side
from navoracle.domain.valuation import PriceKey
from navoracle.state_files.documents.aum import AumSection, aum_section
from navoracle.state_files.documents.header import Header, beginning
from navoracle.state_files.documents.health import (
    FreshnessSection,
    GateAsset,
    NavMode,
    freshness_section,
    gate_assets,
    health_of,
    mode_of,
)
from navoracle.state_files.documents.holdings import position_rows
from navoracle.state_files.documents.rates import FxSection, fx_section, rate_of
from navoracle.state_files.facts import Facts
from navoracle.state_files.values import DOCUMENT, BasisPoints, Decimal, Time, Unknown, decimal, escaped


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakdownAsset:
    """What the fund holds of one asset; what it owes is under `aum.liabilities`."""

    __pydantic_config__ = DOCUMENT

    amount: Decimal
    """Whole units, rounded down; of what accrues, the units that it is worth."""
    usd: Decimal
    """What they are worth, in the unit of account. The same as `value`."""
    value: Decimal
    """What they are worth, in the unit of account."""
    price: Decimal
    """The price of one unit that they are valued at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NavDetail:
    """Assets of the NAV, queued deposits included."""

    __pydantic_config__ = DOCUMENT

    asset_breakdown: dict[str, BreakdownAsset]
    """What the fund holds, by asset."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetPrice:
    """The price of one asset."""

    __pydantic_config__ = DOCUMENT

    price: Decimal | None
    """In the unit of account for one whole unit; null where there is none."""
    status: Literal["live", "estimated", "unavailable"]
    """Live, estimated from the last valid one, or unavailable."""
    confidence_bps: BasisPoints
    """How sure it is, in basis points; 0 without a price."""
    as_of: Time | None
    """The oldest observation that it rests on, in Unix seconds."""
    age_s: int | None
    """Seconds from `as_of` to the writing of the file."""
    reason: str
    """Why there is no live price; empty where there is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Components:
    """The components of a NAV; what is owed is a magnitude."""

    __pydantic_config__ = DOCUMENT

    cash: Decimal
    """Stablecoins and coins."""
    collateral: Decimal
    """Principal tokens, yield-bearing and volatile tokens."""
    accrued_income: Decimal
    """What accrued outside of balances, and the gain of what is carried at cost; signed."""
    rewards: Decimal
    """Rewards that can be claimed."""
    debt: Decimal
    """Principal and interest."""
    pending_withdrawals: Decimal
    """Withdrawals whose shares are burned."""
    margin_calls: Decimal
    """Shortfalls of margin accounts."""
    fees: Decimal
    """Fees payable."""
    gross: Decimal
    """Assets and income less what is owed, before fees."""
    nav: Decimal
    """Gross less fees."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentsSection:
    """The components without and with queued deposits."""

    __pydantic_config__ = DOCUMENT

    before: Components
    """Without queued deposits."""
    after: Components
    """With them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeesSection:
    """Fees payable."""

    __pydantic_config__ = DOCUMENT

    management: Decimal
    """Of gross, since the fee clock."""
    performance: Decimal
    """Of the gain above the high-water mark."""
    withdrawal: Decimal
    """Of pending withdrawals."""
    total: Decimal
    """All three."""
    high_water_mark: Decimal | None
    """That of the vault by which fees are taken, as its terms measure it; unknown without a vault of the fund's own."""
    accrued_since: Time | None
    """The vault's fee clock; unknown without a vault of the fund's own."""


@dataclass(frozen=True, kw_only=True)
class NavDocument(Header):
    """What the NAV of a fund is made of."""

    __pydantic_config__ = DOCUMENT

    nav_mode: NavMode
    """"enhanced" where a gate has settings of what counts, "confirmed" where the frame has no valuation."""
    sources_ok: bool | None
    """Whether the fund was valued with every price live; unknown without a gate."""
    freshness: FreshnessSection
    """Ages of what the NAV rests on."""
    assets: list[GateAsset]
    """What counts in the gate's NAV and what it leaves out; empty without a gate."""
    nav_detail: NavDetail
    """What the fund holds, by asset."""
    mark_prices: dict[str, Decimal | None]
    """The price of each asset that is held or owed, on the side of what is held first; null where there is none."""
    prices: dict[str, AssetPrice]
    """The same with how sure and how old they are; what is owed has its own price under "ASSET debt"."""
    components: ComponentsSection | None
    """The components of the NAV."""
    fees: FeesSection | None
    """Fees payable."""
    aum: AumSection
    """Assets under management."""
    fx: FxSection | None
    """The reporting currency; null where none is configured."""


def nav_document(facts: Facts) -> NavDocument:
    """The document of these facts."""
    unknown = Unknown()
    valuation, rate, health = facts.valuation, rate_of(facts), health_of(facts)
    estimates = _estimates_of(facts)
    return NavDocument(
        **beginning(facts, unknown.reasons),
        nav_mode=mode_of(facts),
        sources_ok=unknown.other("/sources_ok", None if health is None else health.sources_ok, facts.ungated),
        freshness=freshness_section(facts, unknown, "/freshness"),
        assets=gate_assets(facts),
        nav_detail=NavDetail(asset_breakdown=_breakdown(facts)),
        mark_prices=_marks(facts.view.unit, estimates, unknown),
        prices={name: _price(name, each, facts, unknown) for name, each in _named(estimates)},
        components=unknown.other(
            "/components",
            None
            if valuation is None
            else ComponentsSection(before=_components(valuation.before), after=_components(valuation.after)),
            facts.unvalued,
        ),
        fees=unknown.other("/fees", _fees(facts, unknown), facts.unvalued),
        aum=aum_section(facts, rate, unknown, "/aum"),
        fx=fx_section(facts, rate, unknown),
        unknown=unknown.reasons,
    )


def _fees(facts: Facts, unknown: Unknown) -> FeesSection | None:
    valuation, vault = facts.valuation, None if facts.part is None else facts.part.vault
    if valuation is None:
        return None
    why = "no_vault" if vault is None else "not_begun"
    mark, since = (None, None) if vault is None else (vault.fees.high_water_mark, vault.fees.accrued_since)
    return FeesSection(
        management=decimal(valuation.fees.management),
        performance=decimal(valuation.fees.performance),
        withdrawal=decimal(valuation.fees.withdrawal),
        total=decimal(valuation.fees.total),
        high_water_mark=unknown.wad("/fees/high_water_mark", mark, why),
        accrued_since=unknown.other("/fees/accrued_since", since, why),
    )


def _estimates_of(facts: Facts) -> Mapping[PriceKey, PriceEstimate]:
    """The estimates of what the fund holds and owes, those of what it holds first; the unit of account has none."""
    if facts.frame is None or facts.valuation is None:
        return {}
    keys: set[PriceKey] = set()
    for row in facts.valuation.positions:
        side: Side = "debt" if row.component.is_liability else "asset"
        keys.add((row.asset, side))
    return {key: facts.frame.estimates[key] for key in sorted(keys) if key in facts.frame.estimates}


def _named(estimates: Mapping[PriceKey, PriceEstimate]) -> Iterable[tuple[str, PriceEstimate]]:
    for (asset, side), estimate in estimates.items():
        yield (asset if side == "asset" else f"{asset} debt"), estimate


def _marks(unit: str, estimates: Mapping[PriceKey, PriceEstimate], unknown: Unknown) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for (asset, _), estimate in estimates.items():
        if asset not in found and asset != unit:
            found[asset] = unknown.wad(f"/mark_prices/{escaped(asset)}", estimate.price, estimate.reason or "no_price")
    return found


def _price(name: str, estimate: PriceEstimate, facts: Facts, unknown: Unknown) -> AssetPrice:
    place, why = f"/prices/{escaped(name)}", estimate.reason or "not_known"
    age = None if estimate.as_of is None else facts.now - estimate.as_of
    return AssetPrice(
        price=unknown.wad(f"{place}/price", estimate.price, why),
        status=estimate.status.value,
        confidence_bps=estimate.confidence,
        as_of=unknown.other(f"{place}/as_of", estimate.as_of, why),
        age_s=unknown.other(f"{place}/age_s", age, why),
        reason=estimate.reason or "",
    )


def _breakdown(facts: Facts) -> dict[str, BreakdownAsset]:
    units: dict[str, int] = {}
    values: dict[str, int] = {}
    prices: dict[str, int] = {}
    for each in position_rows(facts):
        if each.is_owed:
            continue
        asset = each.row.asset
        units[asset] = units.get(asset, 0) + each.units
        values[asset] = values.get(asset, 0) + each.row.value
        if each.gain is None:  # what is carried at cost has its mark at its gain
            prices[asset] = each.row.price
    return {
        asset: BreakdownAsset(
            amount=decimal(units[asset]),
            usd=decimal(values[asset]),
            value=decimal(values[asset]),
            price=decimal(prices[asset]),
        )
        for asset in sorted(values)
    }


def _components(part: Breakdown) -> Components:
    figures = {name: decimal(amount) for name, amount in part._asdict().items()}
    return Components(**figures, gross=decimal(part.gross), nav=decimal(part.nav))
