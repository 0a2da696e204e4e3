"""Prices that follow from other prices: rounding, confidence, and what is inherited."""

from __future__ import annotations

from dataclasses import replace

import pytest

from navoracle.domain.errors import DomainError, OutOfRange
from navoracle.domain.prices import (
    PriceStatus,
    Vote,
    aggregate,
    convert_quote,
    derive,
    fall_back,
    identity_estimate,
    unavailable,
)
from navoracle.domain.units import BPS, WAD, Bps, Timestamp, Wad, to_wad
from tests.unit.domain.builders import NOW, POLICY, last_valid, live, quote

SURE = Bps(BPS)


def test_derive__pt_below_par__multiplies_price_and_confidence() -> None:
    base = live("1.02", 9_001, age=40)
    estimate = derive("PT", base, to_wad("0.95"), rate_confidence=Bps(9_500), side="asset")
    assert estimate.asset == "PT"
    assert estimate.price == estimate.undecayed_price == to_wad("0.969")
    assert estimate.confidence == 8_550  # 8,550.95 rounded down
    assert (estimate.status, estimate.reason, estimate.as_of) == (PriceStatus.LIVE, None, NOW - 40)
    assert (estimate.used, estimate.excluded) == (base.used, base.excluded)


def test_derive__half_a_wei__rounds_by_side() -> None:
    assert derive("PT", live(3), to_wad("0.5"), rate_confidence=SURE, side="asset").price == 1
    assert derive("PT", live(3), to_wad("0.5"), rate_confidence=SURE, side="debt").price == 2


def test_derive__fallback_base__keeps_both_prices_and_the_reason() -> None:
    base = fall_back("B", last_valid("1", age=600), now=NOW, policy=POLICY, reason="no_quorum", side="asset")
    estimate = derive("PT", base, to_wad("0.5"), rate_confidence=SURE, side="asset")
    assert (estimate.price, estimate.undecayed_price) == (to_wad("0.49"), to_wad("0.5"))
    assert (estimate.status, estimate.reason, estimate.as_of) == (PriceStatus.ESTIMATED, "no_quorum", NOW - 600)


def test_derive__unavailable_base__stays_unavailable_for_its_reason() -> None:
    estimate = derive("PT", unavailable("B", "no_majority"), to_wad("0.5"), rate_confidence=SURE, side="asset")
    assert (estimate.asset, estimate.price, estimate.reason) == ("PT", None, "no_majority")


def test_derive__base_with_votes_and_alarm__passes_on_the_alarm_alone() -> None:
    vote = Vote("a", Wad(WAD), SURE, ("a",))
    base = replace(live("1"), votes=(vote,), native_gap_bps=200, native_alarm=True)
    estimate = derive("PT", base, to_wad("0.5"), rate_confidence=SURE, side="asset")
    assert (estimate.votes, estimate.native_gap_bps, estimate.native_alarm) == ((), 200, True)


def test_derive__base_halted_by_its_rate__is_halted_and_alarmed_too() -> None:
    vote = Vote("a", Wad(WAD), SURE, ("a",))
    base = unavailable("B", "native_halt", votes=[vote], native_gap_bps=900)
    estimate = derive("PT", base, to_wad("0.5"), rate_confidence=SURE, side="asset")
    assert (estimate.reason, estimate.native_alarm, estimate.votes) == ("native_halt", True, ())


def test_derive__product_under_a_wei__is_unavailable_not_zero() -> None:
    estimate = derive("PT", live(1), to_wad("0.5"), rate_confidence=SURE, side="asset")
    assert (estimate.price, estimate.reason) == (None, "rounds_to_zero")
    assert derive("PT", live(1), to_wad("0.5"), rate_confidence=SURE, side="debt").price == 1


@pytest.mark.parametrize("rate", [0, -1])
def test_derive__rate_not_positive__raises(rate: int) -> None:
    with pytest.raises(DomainError, match="not positive"):
        derive("PT", live("1"), Wad(rate), rate_confidence=SURE, side="asset")


def test_derive__rate_confidence_out_of_range__raises() -> None:
    with pytest.raises(OutOfRange):
        derive("PT", live("1"), Wad(WAD), rate_confidence=Bps(10_001), side="asset")


def test_identity__unit_of_account__is_exactly_one_and_certain() -> None:
    estimate = identity_estimate("USD", NOW)
    assert (estimate.price, estimate.confidence, estimate.status) == (WAD, BPS, PriceStatus.LIVE)
    assert (estimate.as_of, estimate.excluded, estimate.spread_bps) == (NOW, (), 0)


def test_convert_quote__stated_in_a_stablecoin__is_worth_what_the_stablecoin_is() -> None:
    converted = convert_quote(quote("2000", 9_001, age=10), live("0.9", 9_500, age=40), "asset")
    assert converted is not None
    assert converted.price == 1_800 * WAD
    assert converted.confidence == 8_550
    assert converted.observed_at == NOW - 40
    assert (converted.source, converted.group, converted.asset) == ("a", "a", "WBTC")


def test_convert_quote__newer_leg__keeps_the_quotes_age() -> None:
    converted = convert_quote(quote("2000", age=50), live("1", age=40), "asset")
    assert converted is not None
    assert converted.observed_at == NOW - 50


def test_convert_quote__half_a_wei__rounds_by_side() -> None:
    down = convert_quote(quote(3), live("0.5"), "asset")
    up = convert_quote(quote(3), live("0.5"), "debt")
    assert down is not None
    assert up is not None
    assert (down.price, up.price) == (1, 2)


@pytest.mark.parametrize(
    ("own", "leg", "expected"), [(None, None, None), (5, None, 5), (None, 7, 7), (5, 7, 5), (7, 5, 5)]
)
def test_convert_quote__publication_times__keeps_the_older_known_one(
    own: int | None, leg: int | None, expected: int | None
) -> None:
    leg_estimate = replace(live("1"), published_at=None if leg is None else Timestamp(leg))
    converted = convert_quote(quote("1", published_at=own), leg_estimate, "asset")
    assert converted is not None
    assert converted.published_at == expected


def test_convert_quote__leg_without_price__is_none() -> None:
    assert convert_quote(quote("1"), unavailable("USDC", "no_quotes"), "asset") is None


def test_convert_quote__leg_is_a_fallback__is_none_so_that_no_decayed_price_comes_back_live() -> None:
    leg = fall_back("USDC", last_valid("1", age=600), now=NOW, policy=POLICY, reason="no_quotes", side="asset")
    assert convert_quote(quote("1", 10_000, max_age=3_600), leg, "asset") is None


def test_convert_quote__refusable_price__is_still_refused_after() -> None:
    converted = convert_quote(quote("-1"), live("0.5"), "asset")
    assert converted is not None
    estimate = aggregate("WBTC", [converted], now=NOW, policy=POLICY)
    assert estimate.excluded == (("a", "non_positive"),)
