"""Prices that follow from another price: a token worth a rate of its base asset, a quote stated in another asset."""

from __future__ import annotations

from dataclasses import replace

from navoracle.domain.errors import DomainError
from navoracle.domain.prices.types import (
    PriceEstimate,
    PriceStatus,
    Quote,
    Side,
    check_confidence,
    rounding_for,
    unavailable,
)
from navoracle.domain.units import BPS, WAD, Bps, Timestamp, Wad, mul_div


def derive(asset: str, base: PriceEstimate, rate: Wad, *, rate_confidence: Bps, side: Side) -> PriceEstimate:
    """Return the price of an asset that is worth `rate` (Wad) of the base asset per token.

    price = base price x rate, and the undecayed price likewise, rounded down for an asset, up for a debt;
    confidence = base confidence x rate confidence, rounded down. Status, reason, age, sources and native alarm are the
    base's; the votes are not, because they are prices of the base. An unavailable base stays unavailable with its
    reason, and a product under 1 wei is unavailable ("rounds_to_zero").

    Raises:
        DomainError: the rate is not positive.
        OutOfRange: the rate's confidence lies outside 0 to 10_000.
    """
    rounding = rounding_for(side)
    check_confidence(rate_confidence, f"rate of {asset}")
    if rate <= 0:
        raise DomainError(
            f"{asset}: rate {rate} is not positive",
            advice="Refuse such a rate where it is read, with the source's name.",
        )
    if base.price is None:
        return replace(base, asset=asset, votes=())
    price = mul_div(base.price, rate, WAD, rounding)
    if price == 0:
        return unavailable(asset, "rounds_to_zero", excluded=base.excluded)
    undecayed = base.price if base.undecayed_price is None else base.undecayed_price
    return replace(
        base,
        asset=asset,
        price=Wad(price),
        confidence=Bps(base.confidence * rate_confidence // BPS),
        undecayed_price=Wad(mul_div(undecayed, rate, WAD, rounding)),
        votes=(),
    )


def identity_estimate(unit: str, now: Timestamp) -> PriceEstimate:
    """Return the price of the unit of account in itself: exactly 1, certain, and always of `now`."""
    return PriceEstimate(
        asset=unit,
        price=Wad(WAD),
        confidence=Bps(BPS),
        status=PriceStatus.LIVE,
        reason=None,
        spread_bps=0,
        as_of=now,
        used=(),
        excluded=(),
        undecayed_price=Wad(WAD),
    )


def convert_quote(quote: Quote, leg: PriceEstimate, side: Side) -> Quote | None:
    """Return a quote stated in the leg's asset as a quote in the unit of account; None without a live leg.

    price = quote x leg, rounded down for an asset, up for a debt; confidence is the product, rounded down; the
    observation (and the publication, where known) is the older of the two. A leg that is itself a fallback converts
    nothing: its decayed price would otherwise come back as a live one.
    """
    rounding = rounding_for(side)
    if leg.price is None or leg.status is not PriceStatus.LIVE:
        return None
    return replace(
        quote,
        price=Wad(mul_div(quote.price, leg.price, WAD, rounding)),
        confidence=Bps(quote.confidence * leg.confidence // BPS),
        observed_at=Timestamp(_older(quote.observed_at, leg.as_of)),
        published_at=leg.published_at if quote.published_at is None else _older(quote.published_at, leg.published_at),
    )


def _older(time: Timestamp, other: Timestamp | None) -> Timestamp:
    return time if other is None else min(time, other)
