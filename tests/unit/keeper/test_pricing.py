"""From readings to estimates: legs, derived prices, protocol rates, fallbacks, and assets that go in a circle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from navoracle.domain.errors import ConfigurationError, OutOfRange
from navoracle.domain.frame import RateGap
from navoracle.domain.prices import (
    AggregationPolicy,
    LastValid,
    NativeBandPolicy,
    PriceEstimate,
    PriceStatus,
    Quote,
    Side,
)
from navoracle.domain.prior import Prior, PriorPrice, Sample
from navoracle.domain.units import BPS, WAD, Bps, Timestamp, Wad, to_wad
from navoracle.keeper.plan import AssetPlan, FramePlan
from navoracle.keeper.pricing import SAMPLE_WINDOW, Prices, price
from navoracle.keeper.session import Readings
from navoracle.ports import ProtocolRate
from tests.unit.keeper.world import NOW, one_asset_plan, recorded, vault_rate

ANY = AggregationPolicy(min_sources=1)


def asset(symbol: str, *groups: str, quoted_in: str | None = None, policy: AggregationPolicy = ANY) -> AssetPlan:
    """An asset with a source of each group."""
    return AssetPlan(symbol, policy, tuple(recorded(symbol, group, quoted_in=quoted_in) for group in groups))


def quote(symbol: str, group: str, at: str | int, *, confidence: int = BPS, age: int = 0) -> Quote:
    wad = to_wad(at) if isinstance(at, str) else Wad(at)
    return Quote(symbol, f"{symbol}.{group}", group, wad, Bps(confidence), Timestamp(NOW - age), 300)


def rate(lower: str, higher: str | None = None, confidence: int = BPS) -> ProtocolRate:
    return ProtocolRate(to_wad(lower), to_wad(higher or lower), Bps(confidence))


def readings(*found: Quote, rates: Mapping[str, ProtocolRate] | None = None) -> Readings:
    values: dict[str, Any] = {each.source: each for each in found}
    return Readings({**values, **(rates or {})}, {}, {}, {})


def estimates(plan: FramePlan, *found: Quote, rates: Mapping[str, ProtocolRate] | None = None) -> Prices:
    return price(plan, readings(*found, rates=rates), NOW)


def last(symbol: str, at: str, *, age: int, side: Side = "asset") -> Prior:
    return Prior(prices=(PriorPrice(symbol, side, LastValid(to_wad(at), Bps(9_000), Timestamp(NOW - age)), "old"),))


def test_price__quotes_of_an_asset__are_aggregated_by_its_policy() -> None:
    strict = asset("X", "a", "b", policy=AggregationPolicy(min_sources=2))
    both = estimates(one_asset_plan(strict), quote("X", "a", "10"), quote("X", "b", "11"))
    assert both.estimates["X", "asset"].price == to_wad("10.5")
    alone = estimates(one_asset_plan(strict), quote("X", "a", "10"))
    assert alone.estimates["X", "asset"].reason == "no_quorum"


def test_price__unit_of_account__is_one_without_a_source() -> None:
    plan = one_asset_plan(AssetPlan("USD", ANY))
    found = estimates(plan).estimates["USD", "asset"]
    assert (found.price, found.confidence, found.status, found.as_of) == (WAD, BPS, PriceStatus.LIVE, NOW)


@pytest.mark.parametrize(("side", "third"), [("asset", 333_333_333_333_333_333), ("debt", 333_333_333_333_333_334)])
def test_price__quote_in_a_stablecoin__goes_through_its_own_estimate_on_the_same_side(side: Side, third: int) -> None:
    x, usdc = asset("X", "a", quoted_in="USDC"), asset("USDC", "a", "b")
    plan = one_asset_plan(x, usdc, side=side)
    # A third of a dollar for the stablecoin: 1 X of 1 USDC is worth what the leg is worth on that side.
    found = estimates(plan, quote("X", "a", "1"), quote("USDC", "a", third), quote("USDC", "b", third))
    assert set(found.estimates) == {("X", side), ("USDC", side)}
    assert found.estimates["X", side].price == third
    tenth = estimates(plan, quote("X", "a", 1), quote("USDC", "a", "1.5"), quote("USDC", "b", "1.5"))
    assert tenth.estimates["X", side].price == (1 if side == "asset" else 2)


def test_price__depegged_leg__moves_what_is_quoted_in_it() -> None:
    x, usdc = asset("X", "a", quoted_in="USDC"), asset("USDC", "a")
    found = estimates(one_asset_plan(x, usdc), quote("X", "a", "2000"), quote("USDC", "a", "0.9", confidence=8_000))
    assert found.estimates["X", "asset"].price == to_wad("1800")
    assert found.estimates["X", "asset"].confidence <= 8_000


def test_price__leg_without_a_live_price__converts_nothing() -> None:
    x, usdc = asset("X", "a", quoted_in="USDC"), asset("USDC", "a")
    prior = last("USDC", "1", age=600)
    found = estimates(one_asset_plan(x, usdc, prior=prior), quote("X", "a", "2000"))
    assert found.estimates["USDC", "asset"].status is PriceStatus.ESTIMATED
    assert (found.estimates["X", "asset"].price, found.estimates["X", "asset"].reason) == (None, "no_quotes")
    assert found.estimates["X", "asset"].excluded == (("X.a", "leg_not_live"),)


def test_price__quote_of_unknown_time_in_another_asset__is_capped_once_and_still_counts() -> None:
    x, usdt = asset("X", "a", quoted_in="USDT"), asset("USDT", "a")
    capped = replace(quote("X", "a", "10", confidence=8_000), confidence_cap=Bps(5_000))
    found = estimates(one_asset_plan(x, usdt), capped, quote("USDT", "a", "1", confidence=9_000))
    leg = found.estimates["USDT", "asset"].confidence
    estimate = found.estimates["X", "asset"]
    assert 8_000 * leg // BPS < 5_000  # a leg of one source is 50 % sure: here the product is what is too low
    assert estimate.excluded == (("X.a", "low_confidence"),)
    sure = asset("USDT", "a", "b")
    both = estimates(one_asset_plan(x, sure), capped, *(quote("USDT", g, "1", confidence=9_000) for g in "ab"))
    assert both.estimates["X", "asset"].status is PriceStatus.LIVE
    assert both.estimates["X", "asset"].confidence == 5_000


def test_price__protocol_rate_that_cannot_be_read__raises_the_alarm_and_leaves_the_price() -> None:
    plan = AssetPlan(
        "X", ANY, asset("X", "a").sources, None, vault_rate("X.native", "USDC"), NativeBandPolicy(100, 1_000)
    )
    found = estimates(one_asset_plan(plan, asset("USDC", "a")), quote("X", "a", "1.05"), quote("USDC", "a", "1"))
    estimate = found.estimates["X", "asset"]
    assert (estimate.price, estimate.native_alarm, estimate.native_gap_bps) == (to_wad("1.05"), True, None)
    read = {"X.native": rate("1.05")}
    told = estimates(
        one_asset_plan(plan, asset("USDC", "a")), quote("X", "a", "1.05"), quote("USDC", "a", "1"), rates=read
    )
    assert told.estimates["X", "asset"].native_alarm is False


def test_price__quotes__are_kept_as_they_were_read() -> None:
    x, usdc = asset("X", "a", quoted_in="USDC"), asset("USDC", "a")
    read = (quote("USDC", "a", "0.5"), quote("X", "a", "10"))
    assert estimates(one_asset_plan(x, usdc), *read).quotes == read


def test_price__source_that_failed__still_has_its_leg_estimated() -> None:
    # Whether a leg is estimated must not depend on what else the frame holds, or evidence could not be recomputed.
    x, usdc = asset("X", "a", "b", quoted_in="USDC"), asset("USDC", "a")
    found = estimates(one_asset_plan(x, usdc), quote("USDC", "a", "1"))
    assert set(found.estimates) == {("X", "asset"), ("USDC", "asset")}


def derived(symbol: str = "PT", base: str = "USDC") -> AssetPlan:
    return AssetPlan(symbol, ANY, derived=vault_rate(f"{symbol}.derived", base))


@pytest.mark.parametrize(("side", "taken"), [("asset", "0.95"), ("debt", "0.96")])
def test_price__derived_with_two_rates__takes_the_worse_for_the_fund_and_reports_the_gap(
    side: Side, taken: str
) -> None:
    plan = one_asset_plan(derived(), asset("USDC", "a"), side=side)
    found = estimates(plan, quote("USDC", "a", "0.5"), rates={"PT.derived": rate("0.95", "0.96", 9_000)})
    estimate = found.estimates["PT", side]
    assert estimate.price == to_wad(taken) // 2
    assert estimate.confidence == found.estimates["USDC", side].confidence * 9_000 // BPS
    assert found.rate_gaps == (RateGap("PT", to_wad("0.95"), to_wad("0.96")),)


def test_price__derived_with_one_rate__has_no_gap() -> None:
    plan = one_asset_plan(derived(), asset("USDC", "a"))
    assert estimates(plan, quote("USDC", "a", "1"), rates={"PT.derived": rate("0.95")}).rate_gaps == ()


def test_price__derived_of_a_derived__goes_all_the_way_to_the_base() -> None:
    outer = derived("LP", "PT")
    found = estimates(
        one_asset_plan(outer, derived(), asset("USDC", "a")),
        quote("USDC", "a", "0.5"),
        rates={"PT.derived": rate("0.9"), "LP.derived": rate("2")},
    )
    assert found.estimates["LP", "asset"].price == to_wad("0.9")


def test_price__derived_without_its_rate__falls_back_on_its_own_last_price() -> None:
    plan = one_asset_plan(derived(), asset("USDC", "a"), prior=last("PT", "0.94", age=600))
    found = estimates(plan, quote("USDC", "a", "1")).estimates["PT", "asset"]
    assert (found.status, found.reason) == (PriceStatus.ESTIMATED, "no_rate")
    assert (found.price, found.undecayed_price) == (to_wad("0.9212"), to_wad("0.94"))


def test_price__derived_without_rate_or_last_price__is_unavailable_and_says_so() -> None:
    found = estimates(one_asset_plan(derived(), asset("USDC", "a")), quote("USDC", "a", "1"))
    assert (found.estimates["PT", "asset"].price, found.estimates["PT", "asset"].reason) == (None, "no_rate")


def test_price__derived_of_an_unavailable_base__is_unavailable_for_its_reason() -> None:
    found = estimates(one_asset_plan(derived(), asset("USDC", "a")), rates={"PT.derived": rate("0.95")})
    assert (found.estimates["PT", "asset"].price, found.estimates["PT", "asset"].reason) == (None, "no_quotes")


def native(band: int = 100, halt: int = 1_000) -> AssetPlan:
    return replace(
        asset("mUSD", "a"), native=vault_rate("mUSD.native", "USDC"), native_band=NativeBandPolicy(band, halt)
    )


@pytest.mark.parametrize(
    ("market", "alarm", "available"),
    [
        ("1.05", False, True),
        ("1.0605", False, True),
        ("1.0395", False, True),
        ("1.0606", True, True),
        ("1.0394", True, True),
        ("1.155", True, True),
        ("0.945", True, True),
        ("1.1551", True, False),
        ("0.9449", True, False),
    ],
)
def test_price__native_rate__alarms_beyond_its_band_and_halts_beyond_its_limit(
    market: str, alarm: bool, available: bool
) -> None:
    plan = one_asset_plan(native(), asset("USDC", "a"), prior=last("mUSD", "1.05", age=0))
    found = estimates(
        plan, quote("mUSD", "a", market), quote("USDC", "a", "1"), rates={"mUSD.native": rate("1.05")}
    ).estimates["mUSD", "asset"]
    assert found.native_alarm is alarm
    # The market's price, never the rate's; and no fallback beyond the halt, though a last valid price is at hand.
    assert found.price == (to_wad(market) if available else None)
    assert found.reason == (None if available else "native_halt")


def test_price__native_rate_of_a_decayed_base__is_compared_without_the_haircut() -> None:
    # The base is an hour old and 10 % down; market and rate agree, so there is no gap.
    plan = one_asset_plan(native(), asset("USDC", "a"), prior=last("USDC", "1", age=3_600))
    found = estimates(plan, quote("mUSD", "a", "1.05"), rates={"mUSD.native": rate("1.05")}).estimates["mUSD", "asset"]
    assert (found.price, found.native_gap_bps, found.native_alarm) == (to_wad("1.05"), 0, False)


@pytest.mark.parametrize("missing", ["rate", "base"])
def test_price__native_rate_or_its_base_missing__leaves_the_market_price(missing: str) -> None:
    found = estimates(
        one_asset_plan(native(), asset("USDC", "a")),
        quote("mUSD", "a", "1.05"),
        *([quote("USDC", "a", "1")] if missing == "rate" else []),
        rates={} if missing == "rate" else {"mUSD.native": rate("1.05")},
    )
    estimate = found.estimates["mUSD", "asset"]
    assert (estimate.price, estimate.native_gap_bps) == (to_wad("1.05"), None)
    assert ("USDC", "asset") in found.estimates


def test_price__native_rate_that_is_next_to_nothing__halts_instead_of_failing_the_frame() -> None:
    plan = one_asset_plan(native(), asset("USDC", "a"))
    found = estimates(
        plan,
        quote("mUSD", "a", "1"),
        quote("USDC", "a", 1),
        rates={"mUSD.native": ProtocolRate(Wad(1), Wad(1), Bps(BPS))},
    )
    assert found.estimates["mUSD", "asset"].reason == "native_halt"


@pytest.mark.parametrize(("lower", "higher"), [(0, 1), (-1, 1), (2, 1)])
def test_protocol_rate__not_positive_or_out_of_order__cannot_be_stated(lower: int, higher: int) -> None:
    with pytest.raises(OutOfRange):
        ProtocolRate(Wad(lower), Wad(higher), Bps(BPS))
    with pytest.raises(OutOfRange):
        ProtocolRate(Wad(1), Wad(1), Bps(BPS + 1))


def test_price__assets_in_a_circle__are_a_configuration_error_that_shows_it() -> None:
    a, b = asset("A", "x", quoted_in="B"), asset("B", "x", quoted_in="A")
    with pytest.raises(ConfigurationError, match="A -> B -> A"):
        estimates(one_asset_plan(a, b), quote("A", "x", "1"), quote("B", "x", "1"))


def test_price__asset_quoted_in_itself__is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError, match="A -> A"):
        estimates(one_asset_plan(asset("A", "x", quoted_in="A")))


def test_price__asset_not_configured__is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError, match="USDC is used but not configured"):
        estimates(one_asset_plan(asset("A", "x", quoted_in="USDC")))


@pytest.mark.parametrize("side", ["asset", "debt"])
def test_price__fallback__takes_the_last_price_of_its_own_side(side: Side) -> None:
    prior = Prior(prices=(*last("X", "1", age=600).prices, *last("X", "2", age=600, side="debt").prices))
    found = estimates(one_asset_plan(asset("X", "a"), prior=prior, side=side)).estimates["X", side]
    assert found.undecayed_price == to_wad("1" if side == "asset" else "2")
    assert found.price == (to_wad("0.98") if side == "asset" else to_wad("2") * 100 // 98 + 1)


def test_price__samples_of_the_last_half_hour__are_averaged_by_asset() -> None:
    samples = tuple(
        Sample("X", Timestamp(NOW - age), to_wad(at), "s") for age, at in ((1_800, "1"), (900, "3"), (0, "9"))
    )
    plan = one_asset_plan(asset("X", "a", quoted_in="Y"), asset("Y", "a"), prior=Prior(samples=samples))
    found = estimates(plan, quote("X", "a", "1"), quote("Y", "a", "1"))
    assert SAMPLE_WINDOW == 1_800
    assert found.averages == {"X": to_wad("2"), "Y": None}


def test_price__estimates_and_gaps__come_sorted_whatever_the_order_of_funds() -> None:
    # The leg is estimated first, and listed last all the same.
    plan = one_asset_plan(asset("A", "x", quoted_in="B"), asset("B", "x"))
    found = estimates(plan, quote("B", "x", "1"), quote("A", "x", "1"))
    assert list(found.estimates) == [("A", "asset"), ("B", "asset")]


def test_price__sampler__prices_every_asset_on_both_sides() -> None:
    plan = replace(one_asset_plan(asset("B", "x"), asset("A", "x")), funds=(), stop_after="price")
    found: Mapping[Any, PriceEstimate] = estimates(plan, quote("B", "x", "1"), quote("A", "x", "1")).estimates
    assert list(found) == [("A", "asset"), ("A", "debt"), ("B", "asset"), ("B", "debt")]
