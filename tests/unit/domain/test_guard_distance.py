"""The forecast of what a post would use of the contract's band, in figures worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from navoracle.domain.errors import DomainError
from navoracle.domain.frame import GuardDistance, NavStatus
from navoracle.domain.guards import forecast, judge, sentence
from navoracle.domain.guards.distance import DAY, contract_step
from navoracle.domain.prior import ConfirmedNav, FundPrior, PostBounds
from navoracle.domain.units import Timestamp, Wad, to_wad
from navoracle.domain.verdicts import Outcome
from tests.unit.domain.builders import NOW
from tests.unit.domain.guard_facts import at_price, confirmed, facts, outcome, verdict

BAND = PostBounds(1_000, 800, 2_500)
MIDNIGHT = Timestamp(NOW - NOW % DAY)


def served(price: str = "1", *, drift: int | None = 0, time: int = NOW - 60) -> ConfirmedNav:
    return replace(confirmed(price), bounds=BAND, day_drift=drift, valuation_time=Timestamp(time))


def of(price: str, known: ConfirmedNav | None = None, at: int = NOW) -> GuardDistance:
    found = forecast(served() if known is None else known, to_wad(price), Timestamp(at))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("before", "after", "step"),
    [
        ("1", "1", 0),
        ("1", "1.1", 10_000),
        ("1", "0.9", -10_000),
        ("1", "1.000000000000000001", 1),
        ("1", "0.999999999999999999", -1),
        ("3", "3.1", 3_334),
        ("3", "2.9", -3_334),
        ("42000", "41000", -2_381),
    ],
)
def test_contract_step__tenths_of_a_basis_point__are_rounded_away_from_zero(before: str, after: str, step: int) -> None:
    assert contract_step(to_wad(before), to_wad(after)) == step


def test_contract_step__nothing_served__is_refused() -> None:
    with pytest.raises(DomainError):
        contract_step(Wad(0), to_wad("1"))


def test_forecast__83_percent_of_the_band__is_said_so() -> None:
    found = of("1.083")
    assert found == GuardDistance(8_300, 10_000, 8_300, 25_000, 8_300, "step")
    assert sentence(found) == (
        "this post would use 83 % of the contract's band: a step of 830 bps of 1000, 830 bps of 2500 for the day"
    )


def test_forecast__downwards__is_measured_by_the_bound_downwards() -> None:
    found = of("0.92")
    assert (found.step, found.step_limit, found.used_bps, found.within) == (-8_000, 8_000, 10_000, True)
    assert sentence(found).startswith("this post would use 100 % of the contract's band: a step of -800 bps of 800")
    beyond = of("0.919999999999999999")
    assert (beyond.step, beyond.within) == (-8_001, False)
    assert sentence(beyond).startswith("this post would use 101 %")
    assert "-800.1 bps of 800" in sentence(beyond)


@pytest.mark.parametrize(
    ("drift", "price", "day", "binds", "used"),
    [
        (20_000, "1.04", 24_000, "day", 9_600),
        (-20_000, "1.04", -16_000, "day", 6_400),
        (20_000, "1.051", 25_100, "day", 10_040),
        (0, "1.04", 4_000, "step", 4_000),
        (6_000, "1.04", 10_000, "step", 4_000),
        (6_001, "1.04", 10_001, "day", 4_001),
    ],
)
def test_forecast__drift_of_the_same_day__counts_and_the_nearer_bound_binds(
    drift: int, price: str, day: int, binds: str, used: int
) -> None:
    found = of(price, served(drift=drift))
    assert (found.day, found.binds, found.used_bps) == (day, binds, used)


@pytest.mark.parametrize(("time", "day"), [(MIDNIGHT, 21_000), (MIDNIGHT - 1, 1_000)])
def test_forecast__value_of_yesterday__leaves_no_drift(time: int, day: int) -> None:
    assert of("1.01", served(drift=20_000, time=time), MIDNIGHT + 60).day == day


@pytest.mark.parametrize(
    "known",
    [
        None,
        confirmed(),
        replace(confirmed(), bounds=BAND),
        replace(confirmed(), day_drift=5),
        replace(confirmed(0), bounds=BAND, day_drift=0),
    ],
)
def test_forecast__no_band_to_post_within__is_none(known: ConfirmedNav | None) -> None:
    assert forecast(known, to_wad("1"), NOW) is None


@pytest.mark.parametrize("price", [0, -1])
def test_forecast__price_that_no_post_can_have__is_none(price: int) -> None:
    assert forecast(served(), Wad(price), NOW) is None


@pytest.mark.parametrize(
    ("price", "expected"),
    [
        ("1.08", Outcome.PASS),
        ("1.080000000000000001", Outcome.WARN),
        ("1.1", Outcome.WARN),
        ("1.2", Outcome.WARN),
        ("0.9", Outcome.WARN),
    ],
)
def test_guard_distance__above_four_fifths__warns_and_never_stops(price: str, expected: Outcome) -> None:
    near = facts(at_price(price), prior=FundPrior(confirmed=served()))
    assert outcome("guard_distance", near) is expected
    assert judge(near)[:2] == (NavStatus.LIVE, None)


def test_guard_distance__beyond_the_band__says_that_only_risk_can_accept_it() -> None:
    beyond = verdict("guard_distance", facts(at_price("1.2"), prior=FundPrior(confirmed=served())))
    near = verdict("guard_distance", facts(at_price("1.09"), prior=FundPrior(confirmed=served())))
    assert beyond is not None
    assert near is not None
    assert "only the RISK role can accept" in beyond.advice
    assert "Close to the contract's bound" in near.advice


def test_guard_distance__dividend_declared__does_not_help_with_a_contract_that_knows_none() -> None:
    paid = FundPrior(confirmed=served(), distributions_per_share=to_wad("0.2"))
    dropped = facts(at_price("0.8"), prior=paid)
    assert outcome("change", dropped) is Outcome.PASS
    found = verdict("guard_distance", dropped)
    assert found is not None
    assert "250 %" in found.detail
