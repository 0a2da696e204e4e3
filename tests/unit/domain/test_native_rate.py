"""The native-rate band: it alarms, it halts, it never moves a price."""

from __future__ import annotations

from dataclasses import replace

import pytest

from navoracle.domain.errors import DomainError, OutOfRange
from navoracle.domain.prices import NativeBandPolicy, PriceStatus, apply_native_rate, unavailable
from navoracle.domain.units import WAD, Wad
from tests.unit.domain.builders import live

BAND = NativeBandPolicy(native_band_bps=100, native_halt_bps=300)
RATE = Wad(100 * WAD)


@pytest.mark.parametrize(
    ("market", "alarm", "gap"),
    [
        (100 * WAD, False, 0),
        (101 * WAD, False, 100),
        (99 * WAD, False, -100),
        (101 * WAD + 1, True, 101),
        (99 * WAD - 1, True, -101),
        (103 * WAD, True, 300),
        (97 * WAD, True, -300),
    ],
)
def test_native_rate__within_the_halt__keeps_the_price(market: int, alarm: bool, gap: int) -> None:
    before = live(market)
    estimate = apply_native_rate(before, RATE, BAND)
    assert (estimate.native_alarm, estimate.native_gap_bps) == (alarm, gap)
    assert replace(estimate, native_alarm=False, native_gap_bps=None) == before


@pytest.mark.parametrize(("market", "gap"), [(103 * WAD + 1, 301), (97 * WAD - 1, -301), (200 * WAD, 10_000)])
def test_native_rate__beyond_the_halt__is_unavailable_without_fallback(market: int, gap: int) -> None:
    estimate = apply_native_rate(live(market), RATE, BAND)
    assert (estimate.status, estimate.price, estimate.reason) == (PriceStatus.UNAVAILABLE, None, "native_halt")
    assert (estimate.native_gap_bps, estimate.native_alarm) == (gap, True)
    assert (estimate.confidence, estimate.undecayed_price, estimate.used) == (0, None, ())
    assert estimate.excluded == (("c", "stale"),)


def test_native_rate__decayed_price__is_measured_undecayed() -> None:
    decayed = replace(live("100"), price=Wad(90 * WAD), status=PriceStatus.ESTIMATED, reason="no_quotes")
    estimate = apply_native_rate(decayed, RATE, BAND)
    assert (estimate.price, estimate.native_gap_bps, estimate.native_alarm) == (90 * WAD, 0, False)
    halted = apply_native_rate(replace(decayed, undecayed_price=Wad(110 * WAD)), RATE, BAND)
    assert halted.reason == "native_halt"


def test_native_rate__alarm_passed_on_by_a_base__stays() -> None:
    alarmed = replace(live("100"), native_gap_bps=250, native_alarm=True)
    estimate = apply_native_rate(alarmed, RATE, BAND)
    assert (estimate.native_gap_bps, estimate.native_alarm) == (0, True)


def test_native_rate__estimate_without_undecayed_price__uses_its_price() -> None:
    assert apply_native_rate(replace(live("104"), undecayed_price=None), RATE, BAND).reason == "native_halt"


def test_native_rate__no_price__is_returned_unchanged() -> None:
    estimate = unavailable("X", "too_old")
    assert apply_native_rate(estimate, RATE, BAND) is estimate


@pytest.mark.parametrize("rate", [0, -1])
def test_native_rate__not_positive__raises(rate: int) -> None:
    with pytest.raises(DomainError, match="protocol rate"):
        apply_native_rate(live("100"), Wad(rate), BAND)


@pytest.mark.parametrize(("band", "halt"), [(-1, 100), (101, 100)])
def test_native_band__contradictory__raises(band: int, halt: int) -> None:
    with pytest.raises(OutOfRange):
        NativeBandPolicy(band, halt)
