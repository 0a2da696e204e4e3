"""Quotes, policies and amounts as hypothesis draws them."""

from __future__ import annotations

from hypothesis import strategies as st

from navoracle.domain.prices import AggregationPolicy, LastValid, Quote
from navoracle.domain.units import BPS, WAD, Bps, RawAmount, Timestamp, Wad

ASSET = "X"
NOW = Timestamp(1_700_000_000)

near_prices = st.integers(99 * WAD, 103 * WAD).map(Wad)
wide_prices = st.integers(90 * WAD, 115 * WAD).map(Wad)
dust_prices = st.integers(1, 200).map(Wad)
any_prices = st.integers(-2, 10**30).map(Wad)
confidences = st.one_of(st.integers(5_000, BPS), st.integers(0, BPS)).map(Bps)
sides = st.sampled_from(["asset", "debt"])
wads = st.integers(0, 10**30).map(Wad)
positive_wads = st.integers(1, 10**30).map(Wad)
rates = st.integers(0, WAD).map(Wad)
seconds = st.integers(0, 10 * 365 * 86_400)
raw_amounts = st.builds(RawAmount, st.integers(0, 10**60), st.integers(0, 36))
last_valids = st.builds(
    LastValid, positive_wads, confidences, st.integers(-100, 4_000).map(lambda age: Timestamp(NOW - age))
)

policies = st.builds(
    AggregationPolicy,
    max_age=st.just(300) | st.integers(1, 1_000),
    max_future=st.integers(0, 60),
    min_confidence=st.sampled_from([0, 5_000, 9_000]).map(Bps),
    outlier_bps=st.integers(1, 2_000).map(Bps),
    wide_bps=st.integers(1, 1_000).map(Bps),
    min_sources=st.integers(1, 3),
    method=st.sampled_from(["median", "weighted_mean"]),
)


@st.composite
def quote_lists(draw: st.DrawFn, prices: st.SearchStrategy[Wad] | None = None, max_size: int = 7) -> list[Quote]:
    """Quotes of one asset from distinct sources, some of which share a group; most lists are near a live price."""
    if prices is None:
        prices = draw(st.sampled_from([near_prices, wide_prices, dust_prices, wide_prices | any_prices]))
    confident = draw(st.sampled_from([st.integers(5_000, BPS).map(Bps), confidences]))
    ages = draw(st.sampled_from([st.integers(-30, 300), st.integers(-60, 1_200)]))
    max_ages = draw(st.sampled_from([st.none(), st.none() | st.integers(0, 4_000)]))
    return [
        Quote(
            asset=ASSET,
            source=f"s{number}",
            group=draw(st.sampled_from(["g", f"own{number}", f"own{number}"])),
            price=draw(prices),
            confidence=draw(confident),
            observed_at=Timestamp(NOW - draw(ages)),
            max_age=draw(max_ages),
            published_at=draw(st.one_of(st.none(), st.integers(0, NOW).map(Timestamp))),
        )
        for number in range(draw(st.integers(min(3, max_size), max_size) | st.integers(0, max_size)))
    ]
