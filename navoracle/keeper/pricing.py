"""Price: quotes and rates in, one estimate per (asset, side) out. Pure: readings, prior and policy decide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from navoracle.domain.errors import ConfigurationError
from navoracle.domain.frame import RateGap
from navoracle.domain.prices import (
    LastValid,
    PriceEstimate,
    Quote,
    Side,
    aggregate,
    apply_native_rate,
    convert_quote,
    derive,
    fall_back,
    identity_estimate,
    time_weighted_average,
)
from navoracle.domain.units import WAD, Rounding, Timestamp, Wad, mul_div
from navoracle.domain.valuation import PriceKey
from navoracle.keeper.plan import AssetPlan, FramePlan
from navoracle.keeper.session import Readings
from navoracle.ports import ProtocolRate

SAMPLE_WINDOW = 30 * 60

LEG_NOT_LIVE: Final = "leg_not_live"
"""Why a quote does not count whose own currency has no live price: a decayed leg must not make a live price."""


@dataclass(frozen=True, slots=True)
class Prices:
    """The estimates of a frame, the quotes as they were read, and what the guards want to know of them."""

    estimates: Mapping[PriceKey, PriceEstimate]
    quotes: tuple[Quote, ...]
    rate_gaps: tuple[RateGap, ...]
    averages: Mapping[str, Wad | None]


def price(plan: FramePlan, readings: Readings, now: Timestamp) -> Prices:
    """Estimate every price that the plan's funds need, bases and legs before what is computed from them.

    Raises:
        ConfigurationError: an asset is not configured, or assets are priced in a circle.
    """
    pricing = _Pricing(plan, readings, now)
    for symbol, side in plan.price_keys():
        pricing.estimate(symbol, side)
    return pricing.prices()


class _Pricing:
    def __init__(self, plan: FramePlan, readings: Readings, now: Timestamp) -> None:
        self._plan = plan
        self._readings = readings
        self._now = now
        self._last_valid = {(prior.asset, prior.side): prior.last_valid for prior in plan.prior.prices}
        self._estimates: dict[PriceKey, PriceEstimate] = {}
        self._open: list[str] = []
        self._gaps: dict[str, RateGap] = {}

    def prices(self) -> Prices:
        quotes = tuple(
            self._readings.values[source.id]
            for symbol in sorted(self._plan.assets)
            for source in self._plan.assets[symbol].sources
            if source.id in self._readings.values
        )
        averages = {asset: self._average(asset) for asset in sorted({asset for asset, _ in self._estimates})}
        gaps = tuple(self._gaps[asset] for asset in sorted(self._gaps))
        return Prices(dict(sorted(self._estimates.items())), quotes, gaps, averages)

    def estimate(self, symbol: str, side: Side) -> PriceEstimate:
        key: PriceKey = (symbol, side)
        if key in self._estimates:
            return self._estimates[key]
        if symbol == self._plan.unit:
            estimate = identity_estimate(symbol, self._now)
        else:
            if symbol in self._open:
                circle = " -> ".join([*self._open, symbol])
                raise ConfigurationError(
                    f"assets are priced in a circle: {circle}",
                    advice="Give one of them sources in the unit of account.",
                )
            self._open.append(symbol)
            estimate = self._price_asset(self._plan.asset(symbol), side)
            self._open.pop()
        self._estimates[key] = estimate
        return estimate

    def _price_asset(self, asset: AssetPlan, side: Side) -> PriceEstimate:
        # All of them, read or not: what a frame estimates follows from its plan alone, not from what else is in it.
        for needed in asset.needs():
            self.estimate(needed, side)
        if asset.derived is not None:
            estimate = self._derived(asset, side)
        else:
            quotes, dropped = self._quotes(asset, side)
            estimate = aggregate(
                asset.symbol,
                quotes,
                now=self._now,
                policy=asset.policy,
                last_valid=self._last(asset.symbol, side),
                side=side,
            )
            if dropped:
                estimate = replace(estimate, excluded=tuple(sorted((*estimate.excluded, *dropped))))
        if asset.native is not None and asset.native_band is not None:
            rate = self._rate(asset.native.id)
            base = self.estimate(asset.native.base, side)
            undecayed = base.price if base.undecayed_price is None else base.undecayed_price
            if rate is not None and undecayed is not None:
                # Undecayed on both sides of the comparison: a base's haircut is no gap. Up, so that it is never zero.
                at_rate = Wad(mul_div(undecayed, rate.lower, WAD, Rounding.UP))
                estimate = apply_native_rate(estimate, at_rate, asset.native_band)
            else:
                # A cross-check that could not be made is no cross-check passed.
                estimate = replace(estimate, native_alarm=True)
        return estimate

    def _derived(self, asset: AssetPlan, side: Side) -> PriceEstimate:
        source = asset.derived
        if source is None:
            raise ConfigurationError(f"{asset.symbol} has no rate", advice="Report this as a defect.")
        base = self.estimate(source.base, side)
        rate = self._rate(source.id)
        if rate is None:
            return fall_back(
                asset.symbol,
                reason="no_rate",
                last_valid=self._last(asset.symbol, side),
                excluded=(),
                now=self._now,
                policy=asset.policy,
                side=side,
            )
        if rate.higher > rate.lower:
            self._gaps[asset.symbol] = RateGap(asset.symbol, rate.lower, rate.higher)
        taken = rate.higher if side == "debt" else rate.lower
        return derive(asset.symbol, base, taken, rate_confidence=rate.confidence, side=side)

    def _quotes(self, asset: AssetPlan, side: Side) -> tuple[list[Quote], list[tuple[str, str]]]:
        """The asset's quotes in the unit of account, and those whose leg has no live price."""
        quotes: list[Quote] = []
        dropped: list[tuple[str, str]] = []
        for source in asset.sources:
            quote: Quote | None = self._readings.values.get(source.id)
            if quote is None:
                continue
            if source.quoted_in is not None:
                converted = convert_quote(quote, self.estimate(source.quoted_in, side), side)
                if converted is None:
                    dropped.append((source.id, LEG_NOT_LIVE))
                    continue
                quote = converted
            quotes.append(quote)
        return quotes, dropped

    def _rate(self, reader: str) -> ProtocolRate | None:
        rate: ProtocolRate | None = self._readings.values.get(reader)
        return rate

    def _last(self, symbol: str, side: Side) -> LastValid | None:
        return self._last_valid.get((symbol, side))

    def _average(self, asset: str) -> Wad | None:
        samples = [(sample.time, sample.price) for sample in self._plan.prior.samples if sample.asset == asset]
        return time_weighted_average(samples, now=self._now, window=SAMPLE_WINDOW)
