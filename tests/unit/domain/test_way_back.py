"""A haircut that the contract would take one way only locks a fund in: such a value is not posted."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from navoracle.domain.frame import NavStatus
from navoracle.domain.guards import GuardInput, judge
from navoracle.domain.prices import PriceStatus
from navoracle.domain.prior import FundPrior, PostBounds
from navoracle.domain.units import BPS, WAD, Bps, Rounding, Wad, mul_div
from navoracle.domain.verdicts import Outcome
from tests.unit.domain.builders import live
from tests.unit.domain.guard_facts import MILLION, confirmed, facts, fund, outcome

BAND = PostBounds(1_000, 1_000, 2_500)


def decayed(factor: int, bounds: PostBounds | None = BAND) -> GuardInput:
    """A fund of one asset whose price is decayed by `factor` bps, against a contract with these bounds."""
    estimate = replace(
        live("1", asset="USD"),
        price=Wad(mul_div(WAD, factor, BPS, Rounding.DOWN)),
        status=PriceStatus.ESTIMATED,
        confidence=Bps(5_000),
        undecayed_price=Wad(WAD),
    )
    valuation = fund((MILLION,), {("USD", "asset"): estimate})
    prior = FundPrior(confirmed=replace(confirmed(), bounds=bounds))
    return facts(valuation, prior=prior, estimates=(estimate,))


@pytest.mark.parametrize(("factor", "expected"), [(9_800, Outcome.PASS), (9_500, Outcome.PASS), (9_000, Outcome.HALT)])
def test_way_back__haircut__passes_only_when_its_undoing_fits_the_band(factor: int, expected: Outcome) -> None:
    assert outcome("way_back", decayed(factor)) is expected


def test_way_back__ten_per_cent__halts_although_the_way_down_fits() -> None:
    status, reason, _ = judge(decayed(9_000))
    assert (status, reason) == (NavStatus.HALTED, "way_back")


def test_way_back__wider_band__lets_ten_per_cent_through() -> None:
    assert judge(decayed(9_000, PostBounds(1_112, 1_000, 2_500)))[0] is NavStatus.ESTIMATED
    assert judge(decayed(9_000, PostBounds(1_111, 1_000, 2_500)))[0] is NavStatus.HALTED


@pytest.mark.parametrize(
    ("drift", "age", "expected"),
    [
        # Down 2,000 tenths of a basis point and back up 2,041: the day ends 41 above where it stood.
        (24_959, 3_600, Outcome.PASS),
        (24_960, 3_600, Outcome.HALT),
        # A day that is over has left no drift.
        (24_960, 80_001, Outcome.PASS),
        (None, 3_600, Outcome.PASS),
    ],
)
def test_way_back__on_the_same_day__must_fit_the_days_drift_too(drift: int | None, age: int, expected: Outcome) -> None:
    known = replace(confirmed(age=age), bounds=BAND, day_drift=drift)
    assert outcome("way_back", replace(decayed(9_800), prior=FundPrior(confirmed=known))) is expected


def test_way_back__contract_without_bounds__is_not_asked() -> None:
    assert outcome("way_back", decayed(9_000, None)) is None


def test_way_back__live_price__is_not_asked() -> None:
    calm = facts(prior=FundPrior(confirmed=replace(confirmed(), bounds=BAND)))
    assert outcome("way_back", calm) is None


@given(st.integers(1, 9_999), st.integers(1, 3_276))
def test_way_back__whatever_passes__can_be_undone_within_the_contracts_rule(factor: int, up_bps: int) -> None:
    """The contract rounds a step away from zero and takes it when it is at most the band."""
    judged = decayed(factor, PostBounds(up_bps, 3_276, 3_276))
    if outcome("way_back", judged) is Outcome.PASS:
        posted = judged.valuation.price_per_share
        step = -(-(WAD - posted) * BPS // posted)
        assert step <= up_bps
