"""The breaker: every way in, every way out, and who may use it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from navoracle.domain.breaker import Breaker, BreakerPolicy, BreakerState, Role
from navoracle.domain.errors import DomainError, GuardRefused, OutOfRange
from navoracle.domain.units import Timestamp

POLICY = BreakerPolicy(cool_down=600, agreements=2)


def at(seconds: int) -> Timestamp:
    return Timestamp(1_000 + seconds)


def opened() -> Breaker:
    return Breaker().open("suspicious", at(0))


def half_open() -> Breaker:
    return opened().cool_down(at(600), POLICY)


def agree(breaker: Breaker, seconds: int = 700, *, agrees: bool = True, within_bounds: bool = True) -> Breaker:
    return breaker.record_agreement(agrees=agrees, within_bounds=within_bounds, at=at(seconds), policy=POLICY)


def test_breaker__new__is_closed_and_allows_posting() -> None:
    breaker = Breaker()
    assert (breaker.state, breaker.allows_posting, breaker.advice) == (BreakerState.CLOSED, True, None)


def test_breaker__opened__stops_posting_and_says_why() -> None:
    breaker = opened()
    assert (breaker.state, breaker.reasons, breaker.since) == (BreakerState.OPEN, ("suspicious",), at(0))
    assert not breaker.allows_posting
    assert "after the cool-down" in str(breaker.advice)


def test_breaker__opened_with_need_of_a_reset__is_ended_by_no_cool_down() -> None:
    breaker = Breaker().open("insolvent", at(0), needs_reset=True).open("suspicious", at(1))
    assert breaker.needs_reset
    assert breaker.cool_down(at(10**9), POLICY) == breaker
    assert "by nothing else" in str(breaker.advice)
    assert breaker.reset(Role.RISK, at(5)) == Breaker(since=at(5))


@pytest.mark.parametrize(
    "limits",
    [{"large_changes": 0}, {"window": -1}, {"no_majority_frames": 0}, {"agreement_bps": -1}, {"agreement_bps": 10_001}],
)
def test_policy__number_that_makes_no_sense__is_refused_with_advice(limits: dict[str, Any]) -> None:
    with pytest.raises(OutOfRange) as caught:
        BreakerPolicy(**limits)
    assert caught.value.advice


def test_breaker__opened_again__adds_the_reason_and_restarts_the_cool_down() -> None:
    breaker = opened().open("insolvent", at(300)).open("suspicious", at(400))
    assert breaker.reasons == ("suspicious", "insolvent")
    assert breaker.cool_down(at(999), POLICY).state is BreakerState.OPEN
    assert breaker.cool_down(at(1_000), POLICY).state is BreakerState.HALF_OPEN


def test_breaker__opened_without_reason__raises() -> None:
    with pytest.raises(DomainError, match="without a reason"):
        Breaker().open("", at(0))


def test_cool_down__one_second_short__stays_open() -> None:
    assert opened().cool_down(at(599), POLICY) == opened()


def test_cool_down__over__is_half_open_and_still_does_not_post() -> None:
    breaker = half_open()
    assert (breaker.state, breaker.since, breaker.reasons) == (BreakerState.HALF_OPEN, at(600), ("suspicious",))
    assert not breaker.allows_posting
    assert "next frames agree" in str(breaker.advice)


def test_cool_down__closed_or_half_open__changes_nothing() -> None:
    assert Breaker().cool_down(at(9_999), POLICY) == Breaker()
    assert half_open().cool_down(at(9_999), POLICY) == half_open()


def test_agreement__half_open_often_enough__closes() -> None:
    once = agree(half_open())
    assert (once.state, once.agreed) == (BreakerState.HALF_OPEN, 1)
    assert agree(once, 800) == Breaker(since=at(800))


@pytest.mark.parametrize(
    ("agrees", "within_bounds", "reason"),
    [(False, True, "frames_disagree"), (True, False, "out_of_bounds"), (False, False, "frames_disagree")],
)
def test_agreement__missing_or_out_of_bounds__opens_again(agrees: bool, within_bounds: bool, reason: str) -> None:
    breaker = agree(agree(half_open()), 800, agrees=agrees, within_bounds=within_bounds)
    assert (breaker.state, breaker.since, breaker.agreed) == (BreakerState.OPEN, at(800), 0)
    assert breaker.reasons == ("suspicious", reason)


def test_agreement__while_open_or_closed__does_not_count() -> None:
    assert agree(opened()) == opened()
    assert agree(Breaker(), agrees=False) == Breaker()


@pytest.mark.parametrize("breaker", [opened(), half_open(), Breaker().open("stop", at(0), by=Role.GUARDIAN)])
def test_reset__by_risk__closes_from_any_state(breaker: Breaker) -> None:
    assert breaker.reset(Role.RISK, at(5)) == Breaker(since=at(5))


@pytest.mark.parametrize("role", [Role.GUARDIAN, Role.KEEPER])
def test_reset__by_anyone_else__is_refused(role: Role) -> None:
    with pytest.raises(GuardRefused, match=f"cannot be reset by the role {role.value}"):
        opened().reset(role, at(5))
    with pytest.raises(GuardRefused):
        Breaker().reset(role, at(5))


def test_reset__already_closed__changes_nothing() -> None:
    assert Breaker().reset(Role.RISK, at(5)) == Breaker()


@pytest.mark.parametrize("role", [Role.GUARDIAN, Role.RISK])
def test_stop_by_a_person__cool_down_over__stays_open_until_reset(role: Role) -> None:
    breaker = Breaker().open("stop", at(0), by=role)
    assert breaker.cool_down(at(99_999), POLICY) == breaker
    assert "RISK role resets" in str(breaker.advice)


def test_stop_by_a_person__keeper_opens_it_too__still_needs_a_reset() -> None:
    breaker = Breaker().open("stop", at(0), by=Role.GUARDIAN).open("suspicious", at(10))
    assert breaker.needs_reset
    assert breaker.cool_down(at(99_999), POLICY).state is BreakerState.OPEN


def test_stop_by_a_person__while_half_open__ends_the_trial() -> None:
    breaker = half_open().open("stop", at(700), by=Role.GUARDIAN)
    assert agree(agree(breaker)) == breaker


def test_breaker__contradictory__raises() -> None:
    with pytest.raises(DomainError):
        Breaker(BreakerState.OPEN, (), at(0))
    with pytest.raises(DomainError):
        Breaker(BreakerState.OPEN, ("x",), None)
    with pytest.raises(DomainError):
        replace(opened(), state=BreakerState.CLOSED)
    with pytest.raises(DomainError):
        Breaker(needs_reset=True)


def test_policy__not_stated__is_an_hour_and_two_frames() -> None:
    assert BreakerPolicy() == BreakerPolicy(cool_down=3_600, agreements=2)


def test_policy__no_cool_down_and_one_agreement__is_accepted() -> None:
    policy = BreakerPolicy(cool_down=0, agreements=1)
    trial = opened().cool_down(at(0), policy)
    assert trial.record_agreement(agrees=True, within_bounds=True, at=at(1), policy=policy).allows_posting


@pytest.mark.parametrize("limits", [{"cool_down": -1}, {"agreements": 0}])
def test_policy__out_of_range__raises(limits: dict[str, Any]) -> None:
    with pytest.raises(OutOfRange):
        BreakerPolicy(**limits)


def test_states__values__are_lower_case_names() -> None:
    assert [state.value for state in BreakerState] == ["closed", "open", "half_open"]
