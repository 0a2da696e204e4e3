"""Figures as text: exact where they are told exactly, and never a zero for what is not known."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from navoracle.dashboard import formats
from navoracle.domain.units import format_wad

WADS = st.integers(-(10**40), 10**40)


@given(WADS)
def test_of_wad__any_integer__is_the_same_number_exactly(wad: int) -> None:
    text = formats.of_wad(str(wad))

    assert text is not None
    assert Decimal(text) == Decimal(format_wad(wad))
    assert "E" not in text


@given(WADS)
def test_wei__difference__is_told_to_the_last_unit(wad: int) -> None:
    told = formats.wei(formats.of_wad(str(wad)))

    assert int(told.removesuffix(" wei").replace(",", "")) == wad
    assert told.startswith("+") == (wad > 0)


@given(WADS)
def test_amount__any_number__is_within_half_of_the_last_place(wad: int) -> None:
    shown = Decimal(formats.amount(formats.of_wad(str(wad))).replace(",", ""))

    assert abs(shown - Decimal(format_wad(wad))) <= Decimal("0.005")


@pytest.mark.parametrize(
    ("text", "shown"),
    [("11107.3", "11,107.30"), ("-0.001", "0.00"), ("0.005", "0.00"), ("0.015", "0.02"), ("1e3", "1,000.00")],
)
def test_amount__as_the_source_document_formats_it(text: str, shown: str) -> None:
    assert formats.amount(text) == shown


def test_formats__nothing_known__is_never_zero() -> None:
    shown = [
        formats.amount(None), formats.per_share(None), formats.units(None), formats.percent(None),
        formats.basis_points(None), formats.signed(None), formats.wei(None), formats.moment(None),
        formats.short_hash(None),
    ]  # fmt: skip

    assert set(shown) == {"n/a"}
    assert formats.of_wad(None) is None
    assert formats.part_of("1", None) is None
    assert formats.part_of("1", "0") is None


def test_percent__fraction__is_told_as_percent() -> None:
    assert formats.percent("0.16") == "16.00 %"
    assert formats.basis_points(9_205) == "92.05 %"
    assert formats.percent(formats.part_of("1", "3"), 1) == "33.3 %"
