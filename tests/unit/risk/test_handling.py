"""What follows from an error, which errors a report stands for, and when a component is healthy."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from navoracle.domain.errors import ErrorSeverity, HealthFactorCritical, RiskAlertFailed, RiskCalculationFailed
from navoracle.domain.failures import Failure
from navoracle.domain.units import WAD, Wad, to_wad
from navoracle.risk.assess import assess
from navoracle.risk.handling import Reaction, errors_of, handling_of
from navoracle.risk.health import MIN_UPDATES, WINDOW, HealthRule, HealthStatus, Update, health_of
from tests.unit.risk.builders import AAVE, BINANCE, facts, fund, lending_only, levered

OK = Update((), succeeded=True)
RETRIED = Update((ErrorSeverity.HIGH,), succeeded=True)
FAILED = Update((ErrorSeverity.HIGH,) * 4, succeeded=False)
CRITICAL = Update((ErrorSeverity.CRITICAL,), succeeded=True)
HALF = HealthRule(to_wad("0.5"), max_age=600, min_updates=2)
TENTH = HealthRule(to_wad("0.1"), max_age=600)


def test_handling__high__waits_twice_as_long_before_each_of_three_tries() -> None:
    waits = handling_of(ErrorSeverity.HIGH).retry_after
    assert len(waits) == 3
    assert all(later == 2 * earlier for earlier, later in pairwise(waits))
    assert waits[0] > 0


@pytest.mark.parametrize("severity", [each for each in ErrorSeverity if each is not ErrorSeverity.HIGH])
def test_handling__not_high__is_not_tried_again(severity: ErrorSeverity) -> None:
    handling = handling_of(severity)
    assert handling.retry_after == ()
    assert handling.reaction is not Reaction.RETRY


def test_errors__of_a_report__are_the_gravest_first() -> None:
    unread = [Failure(BINANCE, "source_down", "no answer", "Wait."), Failure("x", "source_down", "no answer", "Wait.")]
    given_facts = facts(lending_only(), fund(*levered("100", "99"), weETH="1", WETH="1"), failures=unread)
    errors = errors_of(assess(given_facts))
    kinds = [type(error) for error in errors]
    assert kinds == [HealthFactorCritical, *[RiskCalculationFailed] * 2, *[RiskAlertFailed] * 2]
    assert errors[0].message == f"{AAVE}: health factor 0.9595 is critical"
    assert [error.message.partition(": ")[2] for error in errors[1:3]] == ["no answer", "no answer"]
    assert all("no limit names it" in error.message for error in errors[3:])
    assert all(error.advice for error in errors)


def test_errors__of_a_safe_report__are_none() -> None:
    assert errors_of(assess(facts(lending_only(), fund(*levered("100", "1"), weETH="1", WETH="1")))) == ()


@pytest.mark.parametrize(
    ("updates", "status"),
    [
        ([], HealthStatus.HEALTHY),
        ([OK] * 3, HealthStatus.HEALTHY),
        ([OK, RETRIED], HealthStatus.DEGRADED),
        ([OK, OK, RETRIED, OK], HealthStatus.DEGRADED),
        ([*[OK] * 9, FAILED], HealthStatus.UNHEALTHY),
        ([*[OK] * 9, FAILED, OK], HealthStatus.DEGRADED),
        ([*[OK] * 9, CRITICAL], HealthStatus.UNHEALTHY),
        ([*[OK] * 9, CRITICAL, OK], HealthStatus.DEGRADED),
        ([RETRIED, OK], HealthStatus.DEGRADED),  # a rate of exactly the limit is within it
        ([RETRIED, RETRIED, OK], HealthStatus.UNHEALTHY),
    ],
)
def test_health__by_the_last_updates(updates: list[Update], status: HealthStatus) -> None:
    assert health_of(updates, HALF, age=0).status is status


def test_health__error_older_than_a_hundred_updates__is_forgotten() -> None:
    assert health_of([FAILED, *[OK] * (WINDOW - 1)], HALF, age=0).status is HealthStatus.DEGRADED
    assert health_of([FAILED, *[OK] * WINDOW], HALF, age=0).status is HealthStatus.HEALTHY


def test_health__no_update_yet__has_a_rate_of_zero() -> None:
    found = health_of([], HALF, age=0)
    assert (found.updates, found.errors, found.error_rate) == (0, 0, 0)


@pytest.mark.parametrize("clean_before", range(9))
def test_health__one_retried_error_among_the_first_nine__is_degraded(clean_before: int) -> None:
    assert health_of([*[OK] * clean_before, RETRIED], TENTH, age=0).status is HealthStatus.DEGRADED


def test_health__too_many_errors__is_unhealthy_from_the_least_number_of_updates_on() -> None:
    errors = [RETRIED] * 3
    before = [*errors, *[OK] * (MIN_UPDATES - 4)]
    assert health_of(before, TENTH, age=0).status is HealthStatus.DEGRADED
    assert health_of([*before, OK], TENTH, age=0).status is HealthStatus.UNHEALTHY


def test_health__look_that_failed_four_times__is_one_update_with_an_error() -> None:
    assert health_of([FAILED, *[OK] * (MIN_UPDATES - 1)], TENTH, age=0).status is HealthStatus.DEGRADED


@given(
    st.lists(st.sampled_from([OK, RETRIED, FAILED, CRITICAL]), max_size=150),
    st.integers(0, 2 * WAD),
    st.integers(1, 2 * WINDOW),
    st.integers(0, 1_200),
)
def test_health__error_rate__is_updates_with_an_error_by_updates_of_the_window(
    updates: list[Update], limit: int, least: int, age: int
) -> None:
    found = health_of(updates, HealthRule(Wad(limit), max_age=600, min_updates=least), age=age)
    counted = updates[-WINDOW:]
    errors = sum(update is not OK for update in counted)
    assert (found.updates, found.errors, found.age) == (len(counted), errors, age)
    assert found.error_rate == -(-errors * WAD // max(len(counted), 1))
    assert found.error_rate <= WAD
    beyond = len(counted) >= least and errors * WAD > limit * len(counted)
    ended_badly = bool(counted) and counted[-1] in (FAILED, CRITICAL)
    assert (found.status is HealthStatus.UNHEALTHY) is (beyond or ended_badly or age > 600)
    assert (found.status is HealthStatus.HEALTHY) is (errors == 0 and age <= 600)
