"""What frames do to breakers: what opens one, what ends its cool-down, what closes it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from navoracle.domain.breaker import Breaker, BreakerPolicy, BreakerState, Role
from navoracle.domain.breaker_watch import asset_after_frame, fund_after_frame
from navoracle.domain.frame import FundFrame, GuardDistance, NavStatus
from navoracle.domain.prices import PriceEstimate, PriceStatus, unavailable
from navoracle.domain.units import Timestamp, Wad, to_wad
from navoracle.domain.verdicts import Outcome, Verdict
from tests.unit.domain.builders import live
from tests.unit.domain.guard_facts import fund

POLICY = BreakerPolicy(cool_down=600, agreements=2, large_changes=3, no_majority_frames=3)
WITHIN = GuardDistance(10, 10_000, 10, 25_000, 10, "step")
BEYOND = GuardDistance(10_001, 10_000, 10_001, 25_000, 10_001, "step")
OPEN = Breaker().open("second_frame_disagrees", Timestamp(0))
HALF_OPEN = OPEN.cool_down(Timestamp(600), POLICY)


def verdicts(**outcomes: Outcome) -> tuple[Verdict, ...]:
    return tuple(Verdict(check, outcome, "", "") for check, outcome in outcomes.items())


def found(status: NavStatus = NavStatus.LIVE, reason: str | None = None, **changes: object) -> FundFrame:
    calm = FundFrame("f", status, reason, fund(), verdicts(change=Outcome.PASS), (), (), WITHIN, agrees=True)
    return replace(calm, **changes)  # type: ignore[arg-type]


def on_trial(**changes: object) -> FundFrame:
    """A fund whose breaker is half open, which its own verdict says."""
    return found(NavStatus.HALTED, "breaker", **{"verdicts": verdicts(breaker=Outcome.HALT), **changes})


def after(breaker: Breaker, part: FundFrame, at: int = 1_000, *, large_changes: int = 0) -> Breaker:
    return fund_after_frame(breaker, part, Timestamp(at), POLICY, large_changes=large_changes)


def test_fund__calm_frame__leaves_a_closed_breaker_closed() -> None:
    assert after(Breaker(), found()) == Breaker()


def test_fund__second_frame_disagreed__opens() -> None:
    opened = after(Breaker(), found(NavStatus.SUSPICIOUS, "second_frame_disagrees"))
    assert (opened.state, opened.reasons, opened.since) == (BreakerState.OPEN, ("second_frame_disagrees",), 1_000)
    assert not opened.needs_reset


@pytest.mark.parametrize("reason", ["change", "rate_gap", "positions"])
def test_fund__first_frame_doubtful__opens_nothing_before_the_second_was_asked(reason: str) -> None:
    assert after(Breaker(), found(NavStatus.SUSPICIOUS, reason)) == Breaker()


def test_fund__insolvent__opens_until_a_reset() -> None:
    opened = after(Breaker(), found(NavStatus.INSOLVENT, "insolvent"))
    assert (opened.state, opened.reasons, opened.needs_reset) == (BreakerState.OPEN, ("insolvent",), True)
    for at in (2_000, 10**9):
        assert after(opened, on_trial(), at) == opened
    assert after(opened, found(NavStatus.INSOLVENT, "insolvent"), 2_000) == replace(opened, since=Timestamp(2_000))


LARGE = verdicts(change=Outcome.VERIFY)


@pytest.mark.parametrize(("changes", "opens"), [(2, False), (3, True), (4, True)])
def test_fund__large_changes_in_several_slots__open_at_the_limit(changes: int, opens: bool) -> None:
    moved = after(Breaker(), found(NavStatus.VERIFIED, verdicts=LARGE), large_changes=changes)
    assert moved == (Breaker().open("repeated_change", Timestamp(1_000)) if opens else Breaker())


def test_fund__calm_frame_after_large_changes__opens_nothing() -> None:
    assert after(Breaker(), found(), large_changes=9) == Breaker()


@pytest.mark.parametrize(("at", "state"), [(599, BreakerState.OPEN), (600, BreakerState.HALF_OPEN)])
def test_fund__open_for_the_cool_down__is_half_open_and_that_frame_counts_for_nothing(
    at: int, state: BreakerState
) -> None:
    moved = after(OPEN, on_trial(), at)
    assert (moved.state, moved.agreed) == (state, 0)


def test_fund__enough_agreeing_frames__close_it() -> None:
    once = after(HALF_OPEN, on_trial())
    assert (once.state, once.agreed) == (BreakerState.HALF_OPEN, 1)
    assert after(once, on_trial(), 2_000) == Breaker(since=Timestamp(2_000))


def test_fund__frames_disagree__open_again_with_a_new_cool_down() -> None:
    again = after(HALF_OPEN, on_trial(agrees=False))
    assert (again.state, again.since) == (BreakerState.OPEN, 1_000)
    assert "frames_disagree" in again.reasons


def test_fund__out_of_the_contracts_bounds__opens_again_although_frames_agree() -> None:
    again = after(HALF_OPEN, on_trial(distance=BEYOND))
    assert (again.state, again.reasons[-1]) == (BreakerState.OPEN, "out_of_bounds")


def test_fund__no_bounds_known__the_keepers_own_limit_takes_their_place() -> None:
    stopped = verdicts(breaker=Outcome.HALT)
    assert after(HALF_OPEN, on_trial(distance=None, verdicts=stopped)).agreed == 1
    again = after(HALF_OPEN, on_trial(distance=None, verdicts=(*stopped, *LARGE)))
    assert again.reasons[-1] == "out_of_bounds"


def test_fund__large_change_within_the_contracts_bounds__counts() -> None:
    assert after(HALF_OPEN, on_trial(verdicts=(*verdicts(breaker=Outcome.HALT), *LARGE))).agreed == 1


def test_fund__doubt_of_another_kind__opens_again_and_names_it() -> None:
    again = after(HALF_OPEN, on_trial(verdicts=verdicts(breaker=Outcome.HALT, rate_gap=Outcome.VERIFY)))
    assert (again.state, again.reasons[-1]) == (BreakerState.OPEN, "rate_gap")


@pytest.mark.parametrize(
    "nothing_said",
    [
        on_trial(agrees=None),
        on_trial(valuation=None, distance=None, agrees=None),
        on_trial(verdicts=verdicts(breaker=Outcome.HALT, block_age=Outcome.HALT)),
    ],
)
def test_fund__frame_that_says_nothing_of_the_value__counts_neither_way(nothing_said: FundFrame) -> None:
    once = replace(HALF_OPEN, agreed=1)
    assert after(once, nothing_said) == once


def test_fund__stopped_by_an_asset_too__may_close_its_own_breaker_meanwhile() -> None:
    both = verdicts(**{"breaker": Outcome.HALT, "asset_breaker:ETH": Outcome.HALT})
    assert after(HALF_OPEN, on_trial(verdicts=both)).agreed == 1


def asset_after(
    breaker: Breaker,
    *estimates: PriceEstimate,
    previous: Wad | None = to_wad("2000"),
    at: int = 1_000,
    no_majority: int = 0,
) -> Breaker:
    return asset_after_frame(breaker, estimates, previous, Timestamp(at), POLICY, no_majority=no_majority)


PRICE = live("2000")
HALT = unavailable("X", "native_halt", native_gap_bps=-900)
SPLIT = replace(PRICE, status=PriceStatus.ESTIMATED, reason="no_majority")


def test_asset__calm_frame__leaves_it_closed() -> None:
    assert asset_after(Breaker(), PRICE, PRICE) == Breaker()


def test_asset__native_halt_on_either_side__opens() -> None:
    for estimates in ((HALT,), (PRICE, HALT)):
        opened = asset_after(Breaker(), *estimates)
        assert (opened.state, opened.reasons, opened.needs_reset) == (BreakerState.OPEN, ("native_halt",), False)


def test_asset__native_halt_goes_on__begins_the_cool_down_anew() -> None:
    opened = asset_after(Breaker(), HALT)
    assert asset_after(opened, HALT, at=1_500) == replace(opened, since=Timestamp(1_500))
    assert asset_after(opened, PRICE, at=1_599) == opened
    assert asset_after(opened, PRICE, at=1_600).state is BreakerState.HALF_OPEN


@pytest.mark.parametrize(("frames", "opens"), [(1, False), (2, False), (3, True)])
def test_asset__no_majority_frame_after_frame__opens_at_the_limit(frames: int, opens: bool) -> None:
    moved = asset_after(Breaker(), SPLIT, no_majority=frames)
    assert moved == (Breaker().open("no_majority", Timestamp(1_000)) if opens else Breaker())


@pytest.mark.parametrize("price", ["2010", "1990"])
def test_asset__half_open_and_within_half_a_percent__agrees(price: str) -> None:
    assert asset_after(HALF_OPEN, live(price)).agreed == 1
    assert asset_after(replace(HALF_OPEN, agreed=1), live(price)).state is BreakerState.CLOSED


def test_asset__half_open_and_a_wei_beyond__opens_again() -> None:
    beyond = replace(PRICE, price=Wad(to_wad("2010") + 1))
    again = asset_after(HALF_OPEN, PRICE, beyond)
    assert (again.state, again.reasons[-1]) == (BreakerState.OPEN, "frames_disagree")


def test_asset__half_open_and_beyond_the_alarm_band__opens_again() -> None:
    again = asset_after(HALF_OPEN, replace(PRICE, native_gap_bps=300, native_alarm=True))
    assert again.reasons[-1] == "out_of_bounds"


def test_asset__half_open_and_its_rate_could_not_be_read__agrees() -> None:
    assert asset_after(HALF_OPEN, replace(PRICE, native_alarm=True)).agreed == 1


@pytest.mark.parametrize("estimates", [(), (SPLIT,), (unavailable("X", "no_quotes"),), (PRICE, SPLIT)])
def test_asset__half_open_without_a_live_price__counts_neither_way(estimates: tuple[PriceEstimate, ...]) -> None:
    assert asset_after(HALF_OPEN, *estimates) == HALF_OPEN


def test_asset__half_open_without_an_earlier_price__counts_neither_way() -> None:
    assert asset_after(HALF_OPEN, PRICE, previous=None) == HALF_OPEN


def test_asset__stopped_by_a_person__is_closed_by_no_frame() -> None:
    stopped = Breaker().open("odd", Timestamp(0), Role.GUARDIAN)
    for at in (10**6, 10**7, 10**8):
        assert asset_after(stopped, PRICE, at=at) == stopped
