"""The decay ladder, its edges, and the haircut against the fund."""

from __future__ import annotations

import pytest

from navoracle.domain.errors import DomainError
from navoracle.domain.prices import PriceStatus, decay_factor, decayed_price, fall_back
from navoracle.domain.units import WAD, Bps, Wad
from tests.unit.domain.builders import ASSET, NOW, POLICY, last_valid

LADDER = [
    (0, 10_000),
    (299, 10_000),
    (300, 9_800),
    (899, 9_800),
    (900, 9_500),
    (1_799, 9_500),
    (1_800, 9_000),
    (3_600, 9_000),
    (3_601, None),
]


@pytest.mark.parametrize(("age", "factor"), LADDER)
def test_decay_factor__at_each_edge__is_the_ladders(age: int, factor: int | None) -> None:
    assert decay_factor(age) == factor


def test_decay_factor__negative_age__raises() -> None:
    with pytest.raises(DomainError, match="negative age"):
        decay_factor(-1)


@pytest.mark.parametrize(("age", "factor"), LADDER[:-1])
def test_fall_back__within_the_hour__decays_price_and_confidence(age: int, factor: int) -> None:
    estimate = fall_back(
        ASSET, last_valid("1000", 4_001, age=age), now=NOW, policy=POLICY, reason="no_quotes", side="asset"
    )
    assert estimate.status is PriceStatus.ESTIMATED
    assert estimate.price == 1_000 * WAD * factor // 10_000
    assert estimate.confidence == 4_001 * factor // 10_000
    assert estimate.undecayed_price == 1_000 * WAD
    assert estimate.as_of == NOW - age
    assert estimate.reason == "no_quotes"


def test_fall_back__sure_last_valid__is_at_most_half_sure() -> None:
    estimate = fall_back(ASSET, last_valid("1", 10_000), now=NOW, policy=POLICY, reason="no_quotes", side="asset")
    assert estimate.confidence == 5_000


def test_fall_back__over_an_hour__is_too_old() -> None:
    estimate = fall_back(
        ASSET,
        last_valid("1", age=3_601),
        now=NOW,
        policy=POLICY,
        reason="no_quotes",
        side="asset",
        excluded=(("a", "stale"),),
    )
    assert (estimate.price, estimate.reason, estimate.excluded) == (None, "too_old", (("a", "stale"),))


@pytest.mark.parametrize(("price", "asset", "debt"), [(101, 98, 104), (1, None, 2), (9_800, 9_604, 10_000)])
def test_haircut__odd_prices__rounds_against_the_fund(price: int, asset: int | None, debt: int) -> None:
    last = last_valid(price, age=300)
    assert fall_back(ASSET, last, now=NOW, policy=POLICY, reason="no_quotes", side="asset").price == asset
    assert fall_back(ASSET, last, now=NOW, policy=POLICY, reason="no_quotes", side="debt").price == debt


def test_haircut__leaves_nothing__is_unavailable_for_the_live_reason() -> None:
    estimate = fall_back(ASSET, last_valid(1, age=300), now=NOW, policy=POLICY, reason="no_quorum", side="asset")
    assert (estimate.status, estimate.reason) == (PriceStatus.UNAVAILABLE, "no_quorum")


def test_fall_back__last_valid_slightly_ahead__has_age_zero() -> None:
    estimate = fall_back(ASSET, last_valid("1", age=-30), now=NOW, policy=POLICY, reason="no_quotes", side="asset")
    assert (estimate.price, estimate.as_of) == (WAD, NOW + 30)


def test_fall_back__last_valid_too_far_ahead__is_not_used() -> None:
    estimate = fall_back(ASSET, last_valid("1", age=-31), now=NOW, policy=POLICY, reason="no_quotes", side="asset")
    assert (estimate.status, estimate.reason) == (PriceStatus.UNAVAILABLE, "no_quotes")


def test_fall_back__nothing_to_fall_back_on__keeps_the_reason() -> None:
    estimate = fall_back(ASSET, None, now=NOW, policy=POLICY, reason="no_rate", side="asset")
    assert (estimate.price, estimate.reason) == (None, "no_rate")


def test_decayed_price__by_side__multiplies_or_divides() -> None:
    assert decayed_price(Wad(1_000), Bps(9_000), "asset") == 900
    assert decayed_price(Wad(1_000), Bps(9_000), "debt") == 1_112
