"""Figures of prices, ages and coins: rounded text that never hides what is not known."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from navoracle.dashboard import formats

WADS = st.integers(1, 10**30)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (None, "n/a"),
        ("0", "0.00"),
        ("59915.2849", "59,915.28"),
        ("1.0001", "1.00010"),
        ("0.00001234567", "0.0000123457"),
        ("0.000000000000000001", "0.000000000000000001"),
        ("-2.5", "-2.50000"),
    ],
)
def test_price__any_size__shows_six_digits_or_two_places(text: str | None, shown: str) -> None:
    assert formats.price(text) == shown


@given(wad=WADS)
def test_price__any_price__is_near_the_exact_one_and_never_zero(wad: int) -> None:
    exact = formats.of_wad(str(wad))
    shown = Decimal(formats.price(exact).replace(",", ""))
    assert shown > 0
    assert abs(shown - Decimal(exact or "")) <= max(Decimal("0.005"), Decimal(exact or "") / 100_000)


@given(bps=st.integers(-100_000, 100_000))
def test_signed_bps__any__is_exact(bps: int) -> None:
    shown = formats.signed_bps(bps)
    assert Decimal(shown.removesuffix(" %")) * 100 == bps
    assert shown[0] in ("-" if bps < 0 else "+" if bps > 0 else "0")


def test_change_of__prices__is_percent_of_the_reference() -> None:
    assert formats.change_of("99", "100") == "-1.000 %"
    assert formats.change_of("100.02", "100") == "+0.020 %"
    assert formats.change_of("1", "0") is None
    assert formats.change_of(None, "1") is None
    assert formats.change_of("1", None) is None


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0 s"), (59, "59 s"), (60, "1 min 0 s"), (3_661, "1 h 1 min"), (90_061, "1 d 1 h"), (172_799, "1 d 23 h")],
)
def test_duration__seconds__is_the_two_largest_units(seconds: int, shown: str) -> None:
    assert formats.duration(seconds) == shown


def test_ether__wei__is_whole_coins() -> None:
    assert formats.ether("1250000000000000000") == "1.250000"
    assert formats.ether(None) == "n/a"
