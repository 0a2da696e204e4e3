"""Short ways to write positions, estimates and valuations in tests of the core."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from navoracle.domain.fees import FeeState, FeeTerms
from navoracle.domain.nav import FundValuation, value_fund
from navoracle.domain.positions import Component, Holding, Position
from navoracle.domain.prices import LastValid, PriceEstimate, PriceStatus, Side, fall_back
from navoracle.domain.units import Bps, RawAmount, Timestamp, to_wad
from navoracle.domain.valuation import PriceKey
from tests.unit.domain.builders import NOW, POLICY, live

NO_FEES = FeeTerms()
NO_STATE = FeeState()


def tokens(amount: str, decimals: int = 18) -> RawAmount:
    """Whole tokens as units of a token with so many decimals."""
    return RawAmount(to_wad(amount) * 10**decimals // 10**18, decimals)


def holding(
    name: str,
    component: Component,
    asset: str,
    amount: str,
    decimals: int = 18,
    *,
    epoch: int | None = None,
    confidence: int = 10_000,
) -> Holding:
    """A marked holding of whole tokens."""
    return Holding(name, component, asset, tokens(amount, decimals), epoch, Bps(confidence))


def prices(**by_asset: str) -> dict[PriceKey, PriceEstimate]:
    """Live estimates (confidence 9_000) of assets on both sides."""
    sides: tuple[Side, ...] = ("asset", "debt")
    return {(asset, side): live(price, asset=asset) for asset, price in by_asset.items() for side in sides}


def decayed(asset: str, price: str, *, age: int) -> dict[PriceKey, PriceEstimate]:
    """Estimates of an asset from a last valid price `age` seconds old, on both sides."""
    sides: tuple[Side, ...] = ("asset", "debt")
    last = LastValid(to_wad(price), Bps(9_000), Timestamp(NOW - age))
    found = {
        (asset, side): fall_back(asset, last, now=NOW, policy=POLICY, reason="no_quotes", side=side) for side in sides
    }
    assert all(estimate.status is PriceStatus.ESTIMATED for estimate in found.values())
    return found


def value(
    positions: Iterable[Position],
    estimates: Mapping[PriceKey, PriceEstimate],
    *,
    shares: str = "0",
    terms: FeeTerms = NO_FEES,
    state: FeeState = NO_STATE,
) -> FundValuation:
    """Value a fund at NOW."""
    return value_fund(tuple(positions), estimates, shares=to_wad(shares), fee_terms=terms, fee_state=state, now=NOW)
