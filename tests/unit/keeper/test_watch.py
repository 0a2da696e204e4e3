"""When slots fall due, from frames alone: volatility, moves since the last slot, prices that leave their average."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from navoracle.domain.cadence import Cadence
from navoracle.domain.fees import FeesPayable
from navoracle.domain.frame import FundFrame, NavFrame, NavStatus
from navoracle.domain.nav import Breakdown, FundValuation
from navoracle.domain.positions import Component
from navoracle.domain.prices import PriceEstimate, PriceStatus
from navoracle.domain.units import WAD, Bps, RawAmount, Timestamp, Wad, to_wad
from navoracle.domain.valuation import PositionValue
from navoracle.keeper.watch import Watch, WatchPolicy, weights_in_nav

HOUR = 3_600
START = Timestamp(1_700_002_800)
"""A full hour."""


def estimate(asset: str, price: str | None) -> PriceEstimate:
    if price is None:
        return PriceEstimate(asset, None, Bps(0), PriceStatus.UNAVAILABLE, "no_quotes", None, None, (), ())
    return PriceEstimate(asset, to_wad(price), Bps(9_000), PriceStatus.LIVE, None, 0, START, (asset,), ())


def frame(at: int, prices: Mapping[str, str | None], funds: tuple[FundFrame, ...] = ()) -> NavFrame:
    now = Timestamp(at)
    estimates = {(asset, "asset"): estimate(asset, price) for asset, price in prices.items()}
    # The debt side has prices of its own; the watch looks at one side only.
    estimates |= {(asset, "debt"): estimate(asset, "7") for asset in prices}
    return NavFrame("f", now, Cadence.HOURLY, now, now, (), (), estimates, (), funds)  # type: ignore[arg-type]


def fund(name: str, **values: str) -> FundFrame:
    """A fund that holds these values of assets; "USDC_debt" is owed."""
    rows = tuple(
        PositionValue(
            f"{name}.{asset}",
            Component.DEBT if asset.endswith("_debt") else Component.CASH,
            asset.removesuffix("_debt"),
            RawAmount(1, 0),
            Wad(WAD),
            to_wad(value),
            to_wad(value),
            Bps(9_000),
            None,
        )
        for asset, value in values.items()
    )
    nav = Wad(sum(-row.value if row.component is Component.DEBT else row.value for row in rows))
    breakdown = Breakdown(nav, *(Wad(0) for _ in range(7)))
    none = FeesPayable(Wad(0), Wad(0), Wad(0))
    found = FundValuation(rows, breakdown, breakdown, none, Wad(WAD), Wad(WAD), Bps(9_000), nav, estimated=False)
    return FundFrame(name, NavStatus.LIVE, None, found, (), ())


def watch(*funds: str) -> Watch:
    return Watch(funds or ("alpha",), WatchPolicy(), since=Timestamp(START - 1))


def due(watched: Watch, at: int) -> list[tuple[int, Cadence, tuple[str, ...]]]:
    return [(slot.time, slot.cadence, funds) for slot, funds in watched.due(Timestamp(at))]


def test_due__quiet__is_every_full_hour_for_all_funds_once() -> None:
    watched = watch("alpha", "beta")
    assert due(watched, START) == [(START, Cadence.HOURLY, ("alpha", "beta"))]
    assert due(watched, START) == []
    assert due(watched, START + HOUR - 1) == []
    assert due(watched, START + HOUR) == [(START + HOUR, Cadence.HOURLY, ("alpha", "beta"))]


@pytest.mark.parametrize(("price", "asked"), [("1.05", False), ("1.051", True), ("0.95", False), ("0.949", True)])
def test_observe_sample__moved_since_the_slot__asks_for_an_emergency_beyond_five_per_cent(
    price: str, asked: bool
) -> None:
    watched = watch()
    watched.observe_slot(frame(START, {"ETH": "1"}, (fund("alpha", ETH="100"),)))
    due(watched, START)
    watched.observe_sample(frame(START + 60, {"ETH": price}))
    expected = [(START + 60, Cadence.EMERGENCY, ("alpha",))] if asked else []
    assert due(watched, START + 60) == expected


def test_observe_sample__still_away_after_it_was_asked__does_not_ask_every_minute() -> None:
    watched = watch()
    watched.observe_slot(frame(START, {"ETH": "1"}, (fund("alpha", ETH="100"),)))
    due(watched, START)
    asked = []
    for minute in range(1, 30):
        watched.observe_sample(frame(START + 60 * minute, {"ETH": "1.2"}))
        asked += due(watched, START + 60 * minute)
    assert asked == [(START + 60, Cadence.EMERGENCY, ("alpha",))]


def test_observe_slot__after_a_move__measures_the_next_one_from_there() -> None:
    watched = watch()
    for at, price in ((START, "1"), (START + 120, "1.2")):
        watched.observe_slot(frame(at, {"ETH": price}, (fund("alpha", ETH="100"),)))
    due(watched, START + 120)
    watched.observe_sample(frame(START + 180, {"ETH": "1.25"}))
    assert due(watched, START + 180) == []
    watched.observe_sample(frame(START + 240, {"ETH": "1.27"}))
    assert due(watched, START + 240) == [(START + 240, Cadence.EMERGENCY, ("alpha",))]


def test_observe_sample__price_leaves_its_average__asks_once_for_funds_that_hold_the_asset() -> None:
    watched = watch("alpha", "beta")
    for minute in range(31):
        watched.observe_sample(frame(START + 60 * minute, {"ETH": "1"}))
    now = START + 60 * 31
    # The last slot saw the present price, so no move since it can be what asks.
    holders = (fund("alpha", ETH="100"), fund("beta", USDC="100"))
    watched.observe_slot(frame(now, {"ETH": "1.06", "USDC": "1"}, holders))
    due(watched, now - 60)
    watched.observe_sample(frame(now, {"ETH": "1.06"}))
    assert due(watched, now) == [(now, Cadence.EMERGENCY, ("alpha",))]
    watched.observe_sample(frame(now + 60, {"ETH": "1.06"}))
    assert due(watched, now + 60) == []


def volatile_day(watched: Watch, *, hours: int, start: int = START, swing: bool = True) -> int:
    """Sample every five minutes a price that swings by 1 % a step (about 320 % a year), or does not."""
    at = start
    for step in range(hours * 12):
        at = start + 300 * step
        price = "1.01" if swing and step % 2 else "1"
        watched.observe_sample(frame(at, {"ETH": price}))
        due(watched, at)
    return at


def test_observe_sample__volatile_asset_that_matters__quickens_to_the_quarter_and_returns_a_day_after_calm() -> None:
    watched = watch()
    watched.observe_slot(frame(START - 60, {"ETH": "1"}, (fund("alpha", ETH="100"),)))
    at = volatile_day(watched, hours=3)
    assert watched.volatilities["ETH"] > to_wad("0.8")
    quarter = at // 900 * 900 + 900
    assert due(watched, quarter) == [(quarter, Cadence.HIGH_VOLATILITY, ("alpha",))]
    # The swings leave the 24-hour window first; only then does the day of calm begin.
    calm = volatile_day(watched, hours=28, start=at + 300, swing=False)
    assert watched.volatilities["ETH"] < to_wad("0.8")
    assert watched.state.mode_at(Timestamp(calm)) is Cadence.HIGH_VOLATILITY
    later = volatile_day(watched, hours=24, start=calm + 300, swing=False)
    assert watched.state.mode_at(Timestamp(later)) is Cadence.HOURLY


def test_observe_sample__volatile_asset_that_does_not_matter__stays_hourly() -> None:
    watched = watch()
    watched.observe_slot(frame(START - 60, {"ETH": "1", "USDC": "1"}, (fund("alpha", ETH="4", USDC="96"),)))
    at = volatile_day(watched, hours=3)
    assert watched.state.mode_at(Timestamp(at)) is Cadence.HOURLY


def test_observe_sample__hole_in_the_samples__is_no_return() -> None:
    """A price that doubles over an outage of hours is one jump, not a five-minute return."""
    watched = watch()
    volatile_day(watched, hours=2, swing=False)
    quiet = watched.volatilities["ETH"]
    watched.observe_sample(frame(START + 6 * HOUR, {"ETH": "2"}))
    watched.observe_sample(frame(START + 6 * HOUR + 300, {"ETH": "2"}))
    assert watched.volatilities["ETH"] == quiet == 0


def test_observe_sample__less_than_an_hour_of_samples__has_no_volatility() -> None:
    watched = watch()
    for step in range(12):
        watched.observe_sample(frame(START + 300 * step, {"ETH": "1.01" if step % 2 else "1"}))
    assert watched.volatilities == {}


def test_observe_sample__unavailable_price__is_ignored() -> None:
    watched = watch()
    watched.observe_slot(frame(START, {"ETH": "1"}, (fund("alpha", ETH="100"),)))
    due(watched, START)
    watched.observe_sample(frame(START + 60, {"ETH": None}))
    assert due(watched, START + 60) == []


def test_weights_in_nav__levered_fund__are_capped_and_count_debts() -> None:
    levered = fund("alpha", PT="900", USDC_debt="800")
    assert weights_in_nav(levered) == {"PT": 10_000, "USDC": 10_000}
    assert weights_in_nav(fund("beta", ETH="25", USDC="75")) == {"ETH": 2_500, "USDC": 7_500}
