"""Short ways to write quotes, estimates and amounts in tests of the core."""

from __future__ import annotations

from navoracle.domain.prices import AggregationPolicy, LastValid, PriceEstimate, PriceStatus, Quote
from navoracle.domain.units import Bps, Timestamp, Wad, to_wad

ASSET = "WBTC"
NOW = Timestamp(1_700_000_000)
POLICY = AggregationPolicy()


def quote(
    price: str | int,
    confidence: int = 9_000,
    *,
    source: str = "a",
    group: str | None = None,
    age: int = 0,
    max_age: int | None = None,
    published_at: int | None = None,
    asset: str = ASSET,
) -> Quote:
    """A quote `age` seconds old; its group is its source unless given. A text price is in whole units."""
    return Quote(
        asset=asset,
        source=source,
        group=source if group is None else group,
        price=to_wad(price) if isinstance(price, str) else Wad(price),
        confidence=Bps(confidence),
        observed_at=Timestamp(NOW - age),
        max_age=max_age,
        published_at=None if published_at is None else Timestamp(published_at),
    )


def quotes(*prices: str | int, confidence: int = 9_000, age: int = 0) -> list[Quote]:
    """One quote a price, from sources and groups a, b, c, ..."""
    return [
        quote(price, confidence, source=source, age=age) for source, price in zip("abcdefghij", prices, strict=False)
    ]


def last_valid(price: str | int, confidence: int = 9_000, *, age: int = 0) -> LastValid:
    """A last valid price `age` seconds old."""
    return LastValid(to_wad(price) if isinstance(price, str) else Wad(price), Bps(confidence), Timestamp(NOW - age))


def live(price: str | int, confidence: int = 9_000, *, asset: str = "BASE", age: int = 0) -> PriceEstimate:
    """A live estimate from two sources."""
    amount = to_wad(price) if isinstance(price, str) else Wad(price)
    return PriceEstimate(
        asset,
        amount,
        Bps(confidence),
        PriceStatus.LIVE,
        None,
        0,
        Timestamp(NOW - age),
        ("a", "b"),
        (("c", "stale"),),
        undecayed_price=amount,
    )
