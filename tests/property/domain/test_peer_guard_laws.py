"""The guards of others, each at its exact bound and one unit beyond."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor, trunc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from navoracle.domain.errors import DomainError, OutOfRange
from navoracle.domain.guard_use import GuardUse
from navoracle.domain.peer_guards import lagoon, mellow, midas, ondo, superstate, veda
from navoracle.domain.peer_guards.answers import at_least, at_most, fall_of_at_most, rise_of_at_most, truncated
from navoracle.domain.units import BPS, WAD, Timestamp

NOW = Timestamp(1_800_000_000)
HOUR, DAY = 3_600, 86_400
rates = st.integers(1, 10**24)
ones = st.integers(-2, 2)
"""At a bound, a little under it and a little beyond."""


def named(found: tuple[GuardUse, ...]) -> dict[str, GuardUse]:
    by_name = {guard.name: guard for guard in found}
    assert len(by_name) == len(found)
    return by_name


@given(st.integers(-(10**40), 10**40), st.integers(-(10**20), 10**20).filter(bool))
def test_truncated__signed_integers__is_toward_zero(numerator: int, denominator: int) -> None:
    assert truncated(numerator, denominator) == trunc(Fraction(numerator, denominator))


def test_truncated__division_by_zero__is_refused() -> None:
    with pytest.raises(DomainError):
        truncated(1, 0)


@given(st.integers(-(10**30), 10**30), st.integers(0, 10**30))
def test_guard_use__any_value__is_at_a_distance_that_is_below_zero_only_beyond_the_limit(value: int, size: int) -> None:
    shapes = (
        at_most("ceiling", value, size, "raw"),
        at_most("ceiling", value, -size, "raw"),
        at_least("floor", value, size, "raw"),
        at_least("floor", value, -size, "raw"),
        rise_of_at_most("rise", value, size, "raw"),
        fall_of_at_most("fall", value, -size, "raw"),
    )
    for guard in shapes:
        assert guard.passes == (guard.distance >= 0)
        assert abs(guard.value - guard.limit) == abs(guard.distance)
    for guard in shapes[2:4]:
        assert guard.used_bps is None
    for guard in (shapes[0], *shapes[4:]):
        if guard.limit != 0 and guard.used_bps is not None and guard.value * guard.limit >= 0:
            assert guard.passes == (guard.used_bps <= BPS)


@given(rates, st.integers(BPS, 2 * BPS), st.integers(0, BPS), st.integers(0, 14 * DAY), ones, ones)
def test_veda__at_its_bounds_and_beyond__are_inclusive_and_rounded_down(
    rate: int, upper: int, lower: int, delay: int, off: int, late: int
) -> None:
    bounds = veda.VedaBounds(rate, upper, lower, NOW, delay)
    highest, lowest = floor(Fraction(rate * upper, BPS)), floor(Fraction(rate * lower, BPS))
    found = named(veda.guards(bounds, highest + off, Timestamp(NOW + delay + late)))
    assert found["upper_bound"].passes == (off <= 0)
    assert found["minimum_delay"].passes == (late >= 0)
    assert found["minimum_delay"].value == delay + late
    found = named(veda.guards(bounds, lowest + off, Timestamp(NOW + delay)))
    assert found["lower_bound"].passes == (off >= 0)
    for name, guard in found.items():
        if name != "minimum_delay" and guard.limit != 0:
            assert guard.passes == (guard.used_bps is not None and guard.used_bps <= BPS)


def test_veda__two_units_rate__uses_the_part_of_the_band_that_it_moves() -> None:
    bounds = veda.VedaBounds(1_000_000, 10_500, 9_000, NOW, HOUR)
    up = named(veda.guards(bounds, 1_025_000, Timestamp(NOW + HOUR)))
    assert (up["upper_bound"].value, up["upper_bound"].limit, up["upper_bound"].used_bps) == (25_000, 50_000, 5_000)
    assert (up["lower_bound"].value, up["lower_bound"].limit, up["lower_bound"].used_bps) == (0, -100_000, 0)
    down = named(veda.guards(bounds, 975_000, Timestamp(NOW + HOUR)))
    assert (down["upper_bound"].used_bps, down["lower_bound"].used_bps) == (0, 2_500)


@given(rates, st.integers(0, 10**12), st.integers(1, 3 * lagoon.ONE_YEAR), st.integers(0, 10**18), ones, st.booleans())
def test_lagoon__at_its_bounds_and_beyond__compares_the_change_times_the_whole_years_in_the_time(
    current: int, change: int, seconds: int, slack: int, off: int, rise: bool
) -> None:
    following = current + change if rise else max(0, current - change)
    change = abs(following - current)
    factor = lagoon.ONE_YEAR // seconds
    scaled = floor(Fraction(change * factor * WAD, current))
    rails = lagoon.Guardrails(-(scaled + off) if scaled + off > 0 else -1, max(0, scaled + off))
    found = named(lagoon.guards(rails, current, following, seconds))
    if following > current:
        assert found["upper_rate"].passes == (scaled <= rails.upper_rate)
        assert found["lower_rate"].passes
    else:
        assert found["upper_rate"].passes
        assert found["lower_rate"].passes == (following == current or scaled <= -rails.lower_rate)
    demanding = lagoon.Guardrails(scaled + max(off, -scaled), scaled + slack)
    strict = named(lagoon.guards(demanding, current, following, seconds))
    assert strict["lower_rate"].passes == (following >= current and scaled >= demanding.lower_rate)


def test_lagoon__after_a_year__any_rise_passes_and_the_own_measure_shows_it() -> None:
    rails = lagoon.Guardrails(-WAD // 10, WAD // 10)
    for seconds, through in ((lagoon.ONE_YEAR, False), (lagoon.ONE_YEAR + 1, True), (370 * DAY, True)):
        upper, lower = lagoon.guards(rails, 10**6, 100 * 10**6, seconds)
        assert upper.passes == through
        assert lower.passes
        assert lagoon.annualized_change(10**6, 100 * 10**6, seconds) > 90 * WAD
    assert lagoon.year_factor(200 * DAY) == 1


def test_lagoon__seventy_percent_in_thirty_days__passes_a_thousand_percent_a_year() -> None:
    upper, _ = lagoon.guards(lagoon.Guardrails(-WAD, 10 * WAD), 10**6, 1_700_000, 30 * DAY)
    assert upper.passes
    assert upper.value == 8_400_000_000_000_000_000


@pytest.mark.parametrize("seconds", [0, -1])
def test_lagoon__in_the_second_of_a_settlement__is_refused(seconds: int) -> None:
    with pytest.raises(OutOfRange):
        lagoon.guards(lagoon.Guardrails(-WAD, WAD), 10**6, 10**6, seconds)


@given(st.integers(0, 10**30), st.integers(0, 10**30), st.sampled_from([(18, 12), (18, 0), (6, 0)]))
def test_lagoon_price__of_any_vault__is_the_floor_with_one_virtual_unit(
    assets: int, supply: int, scale: tuple[int, int]
) -> None:
    decimals, offset = scale
    exact = Fraction(10**decimals * (assets + 1), supply + 10**offset)
    found = lagoon.price_per_share(assets, supply, share_decimals=decimals, decimals_offset=offset)
    assert found == floor(exact)


@given(rates, rates, st.integers(1, lagoon.ONE_YEAR))
def test_lagoon_annualized__any_change__is_never_less_than_what_the_vault_compares(
    current: int, following: int, seconds: int
) -> None:
    exact = Fraction((following - current) * lagoon.ONE_YEAR * WAD, current * seconds)
    found = lagoon.annualized_change(current, following, seconds)
    assert found == (ceil(exact) if exact >= 0 else floor(exact))
    assert abs(found) >= abs(lagoon.scaled_change(current, following, seconds))


@given(
    st.integers(1, 10**40),
    st.integers(0, 10**40),
    ones,
    ones,
    ones,
    ones,
    st.booleans(),
)
def test_mellow__at_both_bands_and_beyond__reverts_flags_or_tells(
    previous: int, price: int, wide_abs: int, wide_rel: int, narrow_abs: int, narrow_rel: int, flagged: bool
) -> None:
    deviation = abs(price - previous)
    relative = floor(Fraction(deviation * WAD, previous))
    limits = mellow.MellowLimits(
        max_absolute=deviation + wide_abs,
        suspicious_absolute=deviation + narrow_abs,
        max_relative=relative + wide_rel,
        suspicious_relative=relative + narrow_rel,
        timeout=HOUR,
    )
    last = mellow.MellowReport(previous, Timestamp(NOW - HOUR), suspicious=flagged)
    found = mellow.outcome(limits, last, price, NOW)
    assert found.stored == (wide_abs >= 0 and wide_rel >= 0)
    assert found.suspicious == (flagged or narrow_abs < 0 or narrow_rel < 0)
    assert found.told == (found.stored and not found.suspicious)


@pytest.mark.parametrize(("age", "flagged", "stored"), [(HOUR, False, True), (HOUR - 1, False, False), (1, True, True)])
def test_mellow__timeout__is_inclusive_and_not_asked_of_a_suspicious_report(
    age: int, flagged: bool, stored: bool
) -> None:
    limits = mellow.MellowLimits(1, 1, 1, 1, HOUR)
    found = mellow.outcome(limits, mellow.MellowReport(WAD, Timestamp(NOW - age), suspicious=flagged), WAD, NOW)
    assert found.stored == stored
    assert found.suspicious == flagged


def test_mellow__first_report__is_stored_as_suspicious_at_any_price() -> None:
    found = mellow.outcome(
        mellow.MellowLimits(1, 1, 1, 1, HOUR), mellow.MellowReport(0, Timestamp(0), suspicious=False), 10**50, NOW
    )
    assert (found.stored, found.suspicious, found.told) == (True, True, False)


@given(st.integers(1, 10**20), st.integers(0, 10**20), ones)
def test_midas__deviation__is_truncated_and_compared_inclusively(last: int, answer: int, off: int) -> None:
    deviation = midas.ALL if answer == 0 else abs(trunc(Fraction((answer - last) * midas.ALL, last)))
    feed = midas.MidasFeed(last, Timestamp(NOW - midas.MIN_SECONDS), 0, 10**30, deviation + off)
    found = named(midas.guards(feed, answer, NOW))
    assert found["deviation"].value == deviation
    assert found["deviation"].passes == (off >= 0)


@pytest.mark.parametrize(("seconds", "passes"), [(3_600, False), (3_601, True)])
def test_midas__an_hour_sharp__is_too_early(seconds: int, passes: bool) -> None:
    feed = midas.MidasFeed(WAD, Timestamp(NOW - seconds), 0, 10**30, midas.ONE_PERCENT)
    assert named(midas.guards(feed, WAD, NOW))["one_hour"].passes == passes


@pytest.mark.parametrize(
    ("answer", "low", "high"), [(99, False, True), (100, True, True), (200, True, True), (201, True, False)]
)
def test_midas__range__is_inclusive(answer: int, low: bool, high: bool) -> None:
    feed = midas.MidasFeed(150, Timestamp(NOW - DAY), 100, 200, midas.ALL)
    found = named(midas.guards(feed, answer, NOW))
    assert (found["lowest_answer"].passes, found["highest_answer"].passes) == (low, high)


def test_midas__first_round__has_no_deviation_and_a_last_answer_of_zero_is_refused() -> None:
    fresh = midas.MidasFeed(0, Timestamp(0), 0, 10**30, 0)
    assert all(guard.passes for guard in midas.guards(fresh, 10**8, NOW))
    with pytest.raises(DomainError):
        midas.guards(midas.MidasFeed(0, Timestamp(1), 0, 10**30, 0), 10**8, NOW)


@given(st.integers(1, 10**15), st.integers(-(10**10), 10**10), st.integers(0, 10 * 365 * DAY))
def test_midas_growth__answer_at_a_time__adds_simple_interest_truncated(answer: int, growth: int, age: int) -> None:
    interest = trunc(Fraction(answer * age * growth, midas.ALL * 365 * DAY))
    assert midas.GrowthRound(answer, Timestamp(NOW - age), growth).at(NOW) == answer + interest


def test_midas_growth__times_growth_and_direction__are_each_a_guard() -> None:
    last = midas.GrowthRound(10**8, Timestamp(NOW - DAY), 0)
    feed = midas.MidasFeed(10**8, Timestamp(NOW - DAY), 0, 10**12, midas.ONE_PERCENT)
    limits = midas.GrowthLimits(-5, 10, only_up=False)

    def failing(new: midas.GrowthRound, limits: midas.GrowthLimits = limits) -> set[str]:
        return {guard.name for guard in midas.growth_guards(feed, last, limits, new, NOW) if not guard.passes}

    good = Timestamp(NOW - 1)
    assert failing(midas.GrowthRound(10**8, good, 10)) == set()
    assert failing(midas.GrowthRound(10**8, good, 11)) == {"highest_growth"}
    assert failing(midas.GrowthRound(10**8, good, -6)) == {"lowest_growth"}
    assert failing(midas.GrowthRound(10**8, NOW, 0)) == {"data_before_block"}
    assert failing(midas.GrowthRound(10**8, Timestamp(NOW - DAY), 0)) == {"data_after_last_round"}
    assert failing(midas.GrowthRound(101 * 10**6, good, 0)) == set()
    assert failing(midas.GrowthRound(101 * 10**6 + 1, good, 0)) == {"deviation"}
    upward = midas.GrowthLimits(-5, 10, only_up=True)
    assert failing(midas.GrowthRound(10**8, good, -1), upward) == {"lowest_growth"}
    assert failing(midas.GrowthRound(10**8 - 1, good, 0), upward) == {"only_up"}
    with pytest.raises(OutOfRange):
        failing(midas.GrowthRound(10**8, Timestamp(NOW + 1), 0))


@given(st.integers(0, 10**12), st.integers(0, 10**12), ones)
def test_superstate__absolute_delta__is_inclusive_and_above_the_latest_nav_refuses_all(
    last: int, delta: int, off: int
) -> None:
    latest = superstate.Checkpoint(Timestamp(NOW - DAY), Timestamp(NOW - HOUR), last)

    def found(nav: int) -> dict[str, GuardUse]:
        new = superstate.Checkpoint(Timestamp(NOW - 1), NOW, nav)
        return named(superstate.guards(latest, new, max_delta=delta, count=2, override=False, now=NOW))

    assert found(last + delta + off)["highest_nav"].passes == (off <= 0)
    assert found(last - delta + off)["lowest_nav"].passes == (off >= 0 and delta <= last)


def test_superstate__times__each_one_second_off_is_refused() -> None:
    latest = superstate.Checkpoint(Timestamp(NOW - DAY), Timestamp(NOW - HOUR), 10**7)

    def failing(
        timestamp: int, effective_at: int, *, known: superstate.Checkpoint = latest, override: bool = False
    ) -> set[str]:
        new = superstate.Checkpoint(Timestamp(timestamp), Timestamp(effective_at), 10**7)
        found = superstate.guards(known, new, max_delta=10**5, count=2, override=override, now=NOW)
        return {guard.name for guard in found if not guard.passes}

    assert failing(NOW - 1, NOW) == set()
    assert failing(NOW, NOW) == {"timestamp_before_block"}
    assert failing(NOW - 1, NOW - 1) == {"effective_from_block"}
    assert failing(NOW - DAY, NOW) == {"timestamp_after_latest"}
    pending = superstate.Checkpoint(Timestamp(NOW - DAY), Timestamp(NOW + 1), 10**7)
    assert failing(NOW - 1, NOW + 2, known=pending) == {"none_pending"}
    assert failing(NOW - 1, NOW + 2, known=pending, override=True) == set()
    assert failing(NOW - 1, NOW + 1, known=pending, override=True) == {"effective_after_latest"}


@given(st.integers(1, 10**30), st.integers(1, 10**30))
def test_ondo__change__is_rounded_up_and_compared_inclusively(previous: int, price: int) -> None:
    found = named(ondo.guards(previous, Timestamp(NOW - ondo.MIN_SECONDS), price, NOW))
    assert found["change"].value == ceil(Fraction(abs(price - previous) * BPS, previous))
    assert found["change"].passes == (abs(price - previous) * 100 <= previous)


@pytest.mark.parametrize("sign", [1, -1])
def test_ondo__one_percent__passes_and_a_unit_more_does_not(sign: int) -> None:
    for off, passes in ((0, True), (1, False)):
        found = named(ondo.guards(WAD, Timestamp(NOW - 82_800), WAD + sign * (WAD // 100 + off), NOW))
        assert found["change"].passes == passes
    assert not named(ondo.guards(WAD, Timestamp(NOW - 82_799), WAD, NOW))["update_window"].passes
    assert named(ondo.guards(WAD, Timestamp(NOW - 82_800), WAD, NOW))["update_window"].passes
    assert not named(ondo.guards(WAD, Timestamp(NOW - 82_800), 0, NOW))["positive_price"].passes


def test_ondo_comparison__change_beside_a_reference__is_guarded_both_ways() -> None:
    then = ondo.ReferenceRound(7, 10_000, Timestamp(NOW - DAY))

    def failing(
        price: int, answer: int = 10_000, *, round_id: int = 8, age: int = 0, waited: int = ondo.MIN_SECONDS
    ) -> set[str]:
        found = ondo.comparison_guards(
            1_000_000,
            Timestamp(NOW - waited),
            price,
            last_reference=then,
            reference=ondo.ReferenceRound(round_id, answer, Timestamp(NOW - age)),
            now=NOW,
        )
        return {guard.name for guard in found if not guard.passes}

    assert failing(1_007_499) == set()
    assert failing(1_007_500) == {"difference_to_reference"}
    assert failing(992_501) == set()
    assert failing(1_020_099, 10_200) == set()
    assert failing(1_020_100, 10_200) == {"change"}
    assert failing(1_000_000, 10_274) == {"difference_to_reference"}
    assert failing(1_000_000, 10_275) == set()
    assert failing(1_000_000, round_id=7) == {"new_reference_round"}
    assert failing(1_000_000, round_id=6) == set()
    assert failing(1_000_000, age=90_000) == set()
    assert failing(1_000_000, age=90_001) == {"reference_age"}
    assert failing(1_000_000, waited=82_799) == {"update_window"}
    assert failing(0) == {"change", "positive_price", "difference_to_reference"}
