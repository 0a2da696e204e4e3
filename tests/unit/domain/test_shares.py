"""Share price, minting and redemption."""

from __future__ import annotations

import pytest

from navoracle.domain.errors import DomainError, OutOfRange
from navoracle.domain.shares import price_per_share, redemption, shares_for_delta
from navoracle.domain.units import WAD, Wad, to_wad


@pytest.mark.parametrize("nav", ["0", "100000", "-5"])
def test_price_per_share__no_shares__is_exactly_one(nav: str) -> None:
    assert price_per_share(to_wad(nav), Wad(0)) == WAD


def test_price_per_share__does_not_divide__is_rounded_down() -> None:
    assert price_per_share(to_wad("10"), to_wad("3")) == 3_333_333_333_333_333_333
    assert price_per_share(to_wad("-10"), to_wad("3")) == -3_333_333_333_333_333_334


def test_price_per_share__negative_shares__raises() -> None:
    with pytest.raises(OutOfRange):
        price_per_share(to_wad("1"), Wad(-1))


def test_shares_for_delta__no_shares__is_one_for_one_whatever_the_nav() -> None:
    assert shares_for_delta(to_wad("50000"), to_wad("100000"), Wad(0)) == to_wad("50000")
    assert shares_for_delta(to_wad("50000"), Wad(0), Wad(0)) == to_wad("50000")


def test_shares_for_delta__shares_outstanding__is_in_proportion_and_rounded_down() -> None:
    assert shares_for_delta(to_wad("50"), to_wad("200"), to_wad("100")) == to_wad("25")
    assert shares_for_delta(Wad(10), Wad(3), Wad(1)) == 3


@pytest.mark.parametrize("delta", [0, -1])
@pytest.mark.parametrize("shares", [0, 100])
def test_shares_for_delta__delta_not_positive__raises(delta: int, shares: int) -> None:
    with pytest.raises(DomainError, match="no shares for a delta"):
        shares_for_delta(Wad(delta), Wad(100), Wad(shares))


@pytest.mark.parametrize("nav", [0, -1])
def test_shares_for_delta__nothing_worth_with_shares_outstanding__raises(nav: int) -> None:
    with pytest.raises(DomainError, match="outstanding on a NAV"):
        shares_for_delta(Wad(1), Wad(nav), Wad(1))


def test_shares_for_delta__negative_shares__raises() -> None:
    with pytest.raises(OutOfRange):
        shares_for_delta(Wad(1), Wad(1), Wad(-1))


def test_redemption__part_of_the_shares__is_in_proportion_and_rounded_down() -> None:
    assert redemption(1_000, Wad(25), Wad(100)) == 250
    assert redemption(10, Wad(1), Wad(3)) == 3
    assert redemption(10, Wad(0), Wad(3)) == 0
    assert redemption(10, Wad(3), Wad(3)) == 10
    assert redemption(0, Wad(1), Wad(3)) == 0


@pytest.mark.parametrize(("redeemed", "shares"), [(101, 100), (1, 0), (0, 0)])
def test_redemption__more_than_there_are__raises(redeemed: int, shares: int) -> None:
    with pytest.raises(DomainError, match="shares redeemed"):
        redemption(1_000, Wad(redeemed), Wad(shares))


@pytest.mark.parametrize(("amount", "redeemed"), [(-1, 1), (1, -1)])
def test_redemption__negative_argument__raises(amount: int, redeemed: int) -> None:
    with pytest.raises(OutOfRange):
        redemption(amount, Wad(redeemed), Wad(10))
