"""What a frame is asked to do: which funds, which readers, which limits, and the state to start from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

from navoracle.domain.cadence import Cadence
from navoracle.domain.errors import ConfigurationError
from navoracle.domain.fees import FeeTerms
from navoracle.domain.guard_policy import GuardPolicy
from navoracle.domain.prices import AggregationPolicy, NativeBandPolicy, Side
from navoracle.domain.prior import FundPrior, Prior
from navoracle.domain.risk.gates import GatePolicy
from navoracle.domain.risk.policy import RiskPolicy
from navoracle.domain.units import Timestamp
from navoracle.domain.valuation import PriceKey
from navoracle.domain.vault import VaultState
from navoracle.ports import LendingReader, MarginReader, PositionReader, PriceSource, RateSource, Reader, SupplyReader
from navoracle.store_port import Claim

_SIDES: Final[tuple[Side, ...]] = ("asset", "debt")


@dataclass(frozen=True, slots=True)
class AssetPlan:
    """How one asset is priced: by quotes, or through its base at a protocol's rate (`derived`).

    `native` is a protocol's own rate held against the market price, within `native_band`; it never votes.
    """

    symbol: str
    policy: AggregationPolicy
    sources: tuple[PriceSource, ...] = ()
    derived: RateSource | None = None
    native: RateSource | None = None
    native_band: NativeBandPolicy | None = None

    def needs(self) -> Iterator[str]:
        """The assets whose estimates this one is computed from."""
        for rate in (self.derived, self.native):
            if rate is not None:
                yield rate.base
        for source in self.sources:
            if source.quoted_in is not None:
                yield source.quoted_in


@dataclass(frozen=True, slots=True)
class RiskPlan:
    """The readers of a fund's accounts at lenders and exchanges, for risk alone, and the limits of all its risks."""

    policy: RiskPolicy
    lending: tuple[LendingReader, ...] = ()
    margin: tuple[MarginReader, ...] = ()

    @property
    def readers(self) -> tuple[LendingReader | MarginReader, ...]:
        """All of them, lenders first."""
        return (*self.lending, *self.margin)

    @property
    def assets(self) -> frozenset[str]:
        """The assets that risk needs prices of: those of delta, and those of the accounts at lenders and exchanges."""
        delta = self.policy.delta
        own = () if delta is None else (delta.unit, *delta.assets)
        lent = (asset for limits in self.policy.lending for _, asset in limits.assets)
        return frozenset((*own, *lent, *(asset for reader in self.margin for asset in reader.assets)))


@dataclass(frozen=True, slots=True)
class FundPlan:
    """How one fund is valued and where it is posted.

    `fund_id` is the fund's number on its registry, `chain` the chain of the contract that it is posted to (None:
    valued, never posted). `publisher` names the contract where it is not the chain's registry; `base` is the asset that
    it counts in (None for the unit of account), `priced_in` all assets whose prices a post needs. `vault` reads the
    fund's own vault; where there is one, fees are by its terms, mark and clock, and `fees` has no rates. `risk` is what
    its risk monitor reads and the limits that it holds it against, `gate` how its NAV gate is set; None: it has none.
    `reporting` is the asset that its NAV is also told in.
    """

    fund: str
    fund_id: int
    chain: str | None
    positions: tuple[PositionReader, ...]
    supply: SupplyReader
    fees: FeeTerms
    guards: GuardPolicy
    publisher: str | None = None
    base: str | None = None
    priced_in: tuple[str, ...] = ()
    vault: Reader[VaultState] | None = None
    risk: RiskPlan | None = None
    gate: GatePolicy | None = None
    reporting: str | None = None

    @property
    def valued_in(self) -> frozenset[str]:
        """The assets without whose prices it can neither be valued nor posted."""
        return frozenset((*self.priced_in, *(asset for reader in self.positions for asset, _ in reader.assets)))

    @property
    def told_in(self) -> frozenset[str]:
        """The assets whose prices risk and reports need; it is valued without them."""
        risk = frozenset() if self.risk is None else self.risk.assets
        return risk if self.reporting is None else risk | {self.reporting}

    @property
    def at_exchange(self) -> frozenset[str]:
        """The ids of the position readers that read an account at an exchange."""
        return frozenset(reader.id for reader in self.positions if getattr(reader, "exchange", None) is not None)

    @property
    def target(self) -> str | None:
        """The name of the outbox that it is posted by: its publisher's, or that of its registry's chain."""
        return self.chain if self.publisher is None else self.publisher


@dataclass(frozen=True, slots=True)
class FramePlan:
    """One frame's task. `unit` is the unit of account, worth exactly one by definition.

    `gates` are readers that say whether a chain may be read at all (a rollup's sequencer): where one fails, everything
    that was read on its chain fails with it.

    `stop_after="price"` makes it a sampler's frame: nothing is valued. "guard" makes it a look between slots: funds are
    valued and judged, and nothing is recorded or posted. `verifies` names the frame that this one is the
    second look at; `publish` is off for valuations that are only shown; `claims` are the slots that its posts end.
    """

    slot_time: Timestamp
    cadence: Cadence
    unit: str
    home_chain: str | None
    assets: Mapping[str, AssetPlan]
    funds: tuple[FundPlan, ...]
    prior: Prior
    stop_after: Literal["price", "guard"] | None = None
    verifies: str | None = None
    publish: bool = False
    claims: tuple[Claim, ...] = ()
    gates: tuple[Reader[object], ...] = ()

    def asset(self, symbol: str) -> AssetPlan:
        """The asset's plan. Raises ConfigurationError when the plan has none."""
        try:
            return self.assets[symbol]
        except KeyError:
            raise ConfigurationError(
                f"asset {symbol} is used but not configured", advice=f"Add `assets: {symbol}:` with its sources."
            ) from None

    def price_keys(self) -> tuple[PriceKey, ...]:
        """Every (asset, side) that the frame prices for its own sake; bases and legs follow from them.

        A sampler's frame prices both sides: a debt's last valid price is to be as young as an asset's.
        """
        if self.stop_after == "price":
            return tuple((symbol, side) for symbol in sorted(self.assets) for side in _SIDES)
        keys: set[tuple[str, Side]] = set()
        for fund in self.funds:
            for reader in fund.positions:
                keys.update(reader.assets)
            keys.update((symbol, "asset") for symbol in (*fund.priced_in, *fund.told_in))
        return tuple(sorted(keys))

    def key_closure(self) -> frozenset[PriceKey]:
        """The plan's price keys and those of every base and leg behind them (each on the side of what it prices)."""
        return frozenset((needed, side) for symbol, side in self.price_keys() for needed in self._closure((symbol,)))

    def for_fund(self, name: str) -> FramePlan:
        """The same plan for one fund alone, with only the assets and the prior state that it needs."""
        fund = next(fund for fund in self.funds if fund.fund == name)
        return self._for(fund, fund.valued_in | fund.told_in)

    def for_valuation(self, name: str) -> FramePlan:
        """As `for_fund`, with only what its value rests on: neither its risks nor the currency of its reports."""
        fund = next(fund for fund in self.funds if fund.fund == name)
        return self._for(replace(fund, risk=None, reporting=None), fund.valued_in)

    def _for(self, fund: FundPlan, wanted: Iterable[str]) -> FramePlan:
        symbols, name = self._closure(wanted), fund.fund
        assets = {symbol: self.assets[symbol] for symbol in sorted(symbols) if symbol in self.assets}
        sources = {source.id for asset in assets.values() for source in asset.sources}
        prior = Prior(
            prices=tuple(price for price in self.prior.prices if price.asset in symbols),
            samples=tuple(sample for sample in self.prior.samples if sample.asset in symbols),
            funds={name: self.prior.funds.get(name, FundPrior())},
            rounds=tuple(last for last in self.prior.rounds if last.source in sources),
            asset_breakers={asset: breaker for asset, breaker in self.prior.asset_breakers.items() if asset in symbols},
        )
        return replace(self, funds=(fund,), assets=assets, prior=prior)

    def for_assets(self, symbols: Iterable[str]) -> FramePlan:
        """The same plan with only these assets and what they are computed from."""
        needed = self._closure(symbols)
        return replace(self, assets={symbol: self.assets[symbol] for symbol in sorted(needed) if symbol in self.assets})

    def started_from(self, prior: Prior) -> FramePlan:
        """The same plan from another state."""
        return replace(self, prior=prior)

    def _closure(self, symbols: Iterable[str]) -> frozenset[str]:
        found: set[str] = set()
        open_ends = list(symbols)
        while open_ends:
            symbol = open_ends.pop()
            if symbol in found:
                continue
            found.add(symbol)
            if symbol != self.unit:
                open_ends += self.asset(symbol).needs()
        return frozenset(found)
