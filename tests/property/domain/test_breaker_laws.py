"""Laws of breakers: opening never helps a post, only RISK resumes, and a cool-down is exact."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from navoracle.domain.breaker import Breaker, BreakerPolicy, BreakerState, Role
from navoracle.domain.breaker_watch import asset_after_frame, fund_after_frame
from navoracle.domain.errors import GuardRefused
from navoracle.domain.frame import POSTABLE, FundFrame, GuardDistance, NavStatus
from navoracle.domain.guards import GuardInput, forecast, judge
from navoracle.domain.prior import ConfirmedNav, FundPrior, PostBounds
from navoracle.domain.units import BPS, WAD, Timestamp, Wad
from navoracle.domain.verdicts import Outcome, Verdict
from tests.unit.domain.builders import NOW, live
from tests.unit.domain.guard_facts import at_price, confirmed, facts, first_look, fund

times = st.integers(0, 10**6).map(Timestamp)
reasons = st.sampled_from(["a", "b", "c"])
policies = st.builds(BreakerPolicy, cool_down=st.integers(0, 5_000), agreements=st.integers(1, 4))


@st.composite
def breakers(draw: st.DrawFn) -> Breaker:
    """Any breaker that transitions can lead to."""
    breaker = Breaker()
    for _ in range(draw(st.integers(0, 6))):
        at = draw(times)
        match draw(st.sampled_from(["open", "cool", "agree", "reset"])):
            case "open":
                by = draw(st.sampled_from(Role))
                breaker = breaker.open(draw(reasons), at, by, needs_reset=draw(st.booleans()))
            case "cool":
                breaker = breaker.cool_down(at, draw(policies))
            case "agree":
                breaker = breaker.record_agreement(
                    agrees=draw(st.booleans()), within_bounds=draw(st.booleans()), at=at, policy=draw(policies)
                )
            case "reset":
                breaker = breaker.reset(Role.RISK, at)
    return breaker


@st.composite
def guard_inputs(draw: st.DrawFn) -> GuardInput:
    """Funds in trouble and not: any price, confirmed or not, first look or second, other breakers or none."""
    prior = FundPrior(
        confirmed=draw(st.none() | st.integers(60, 700_000).map(lambda age: confirmed(age=age))),
        first_look=draw(st.none() | st.just(first_look("1.4"))),
        rebase=draw(st.none() | st.just("0xabc")),
        breaker=draw(breakers()),
    )
    price = draw(st.sampled_from([WAD // 2, WAD, 14 * WAD // 10, 2 * WAD]))
    return facts(
        at_price(price),
        prior=prior,
        clock=Timestamp(NOW + draw(st.integers(0, 1_000))),
        asset_breakers=draw(st.dictionaries(st.sampled_from(["USD", "ETH"]), breakers())),
    )


@given(guard_inputs(), reasons, times, st.sampled_from(Role))
def test_opening__any_breaker_of_a_fund__never_makes_it_postable(
    judged: GuardInput, reason: str, at: Timestamp, by: Role
) -> None:
    opened = replace(judged.prior, breaker=judged.prior.breaker.open(reason, at, by))
    by_asset = {**judged.asset_breakers, "ETH": judged.asset_breakers.get("ETH", Breaker()).open(reason, at, by)}
    assert judge(replace(judged, prior=opened))[0] not in POSTABLE
    assert judge(replace(judged, asset_breakers=by_asset))[0] not in POSTABLE


@given(guard_inputs())
def test_judge__any_breaker_that_is_not_closed__is_never_postable_and_closing_all_adds_nothing_else(
    judged: GuardInput,
) -> None:
    stopped = [judged.prior.breaker, *judged.asset_breakers.values()]
    status, _, verdicts = judge(judged)
    if any(not breaker.allows_posting for breaker in stopped):
        assert status not in POSTABLE
    free = replace(judged, prior=replace(judged.prior, breaker=Breaker()), asset_breakers={})
    _, _, others = judge(free)
    assert [each for each in verdicts if "breaker" not in each.check and each.check != "second_frame"] == [
        each for each in others if each.check != "second_frame"
    ]


@given(guard_inputs())
def test_judge__asset_breakers_in_any_order__answers_the_same(judged: GuardInput) -> None:
    turned = dict(reversed(list(judged.asset_breakers.items())))
    assert judge(replace(judged, asset_breakers=turned)) == judge(judged)


@given(breakers(), st.sampled_from([Role.GUARDIAN, Role.KEEPER]), times)
def test_reset__by_anyone_but_risk__is_refused(breaker: Breaker, by: Role, at: Timestamp) -> None:
    with pytest.raises(GuardRefused):
        breaker.reset(by, at)


@given(breakers(), reasons, times, st.data())
def test_stop_by_a_guardian__whatever_frames_follow__is_ended_by_a_reset_alone(
    breaker: Breaker, reason: str, at: Timestamp, data: st.DataObject
) -> None:
    stopped = breaker.open(reason, at, Role.GUARDIAN)
    policy = data.draw(policies)
    for _ in range(data.draw(st.integers(1, 6))):
        then = data.draw(times)
        stopped = data.draw(
            st.sampled_from(
                [
                    fund_after_frame(stopped, data.draw(frames()), then, policy, large_changes=9),
                    asset_after_frame(stopped, (live("1"),), Wad(WAD), then, policy, no_majority=0),
                    stopped.cool_down(then, policy),
                ]
            )
        )
        assert stopped.state is BreakerState.OPEN
        assert stopped.needs_reset
    assert stopped.reset(Role.RISK, at).allows_posting


@st.composite
def frames(draw: st.DrawFn) -> FundFrame:
    """What a frame may have found for a fund."""
    status = draw(st.sampled_from(NavStatus))
    checks = ["breaker", "change", "rate_gap", "block_age", "asset_breaker:ETH"]
    verdicts = draw(
        st.lists(st.builds(Verdict, st.sampled_from(checks), st.sampled_from(Outcome), st.just("")), max_size=4)
    )
    return FundFrame(
        "f",
        status,
        draw(st.sampled_from([None, "second_frame_disagrees", "change", "breaker", "insolvent"])),
        draw(st.none() | st.just(fund())),
        tuple(verdicts),
        (),
        distance=draw(st.none() | distances()),
        agrees=draw(st.none() | st.booleans()),
    )


@st.composite
def distances(draw: st.DrawFn) -> GuardDistance:
    limit = draw(st.integers(1, 3_276))
    bounds = PostBounds(limit, draw(st.integers(1, 3_276)), draw(st.integers(1, 3_276)))
    known = ConfirmedNav(
        Wad(WAD), Wad(WAD), Timestamp(NOW - 60), held=False, block_number=1, frame=None, bounds=bounds, day_drift=0
    )
    found = forecast(known, Wad(draw(st.integers(WAD // 2, 2 * WAD))), NOW)
    assert found is not None
    return found


@given(breakers(), frames(), times, policies)
def test_frames__whatever_is_found__never_close_a_breaker_but_one_that_is_half_open(
    breaker: Breaker, part: FundFrame, at: Timestamp, policy: BreakerPolicy
) -> None:
    moved = fund_after_frame(breaker, part, at, policy, large_changes=0)
    if breaker.state is BreakerState.OPEN:
        assert moved.state is not BreakerState.CLOSED
    if moved.state is BreakerState.CLOSED and breaker.state is not BreakerState.CLOSED:
        assert part.agrees
        assert part.distance is None or part.distance.within
        assert part.status is not NavStatus.INSOLVENT
        assert breaker.agreed + 1 == policy.agreements


@given(times, st.integers(0, 10**6), st.integers(0, 5_000))
def test_cool_down__to_the_second__ends_exactly_when_it_is_over(at: Timestamp, later: int, cool_down: int) -> None:
    opened = Breaker().open("a", at)
    then = Timestamp(at + later)
    moved = fund_after_frame(opened, FundFrame("f", NavStatus.HALTED, "breaker", None, (), ()), then,
                             BreakerPolicy(cool_down=cool_down), large_changes=0)  # fmt: skip
    assert (moved.state is BreakerState.HALF_OPEN) is (later >= cool_down)


@given(st.lists(st.tuples(reasons, times, st.sampled_from(Role)), min_size=1, max_size=5), st.randoms())
def test_open__for_several_reasons_in_any_order__stops_for_the_same_ones(
    opened: list[tuple[str, Timestamp, Role]], random: object
) -> None:
    def all_of(order: list[tuple[str, Timestamp, Role]]) -> Breaker:
        breaker = Breaker()
        for reason, at, by in order:
            breaker = breaker.open(reason, at, by)
        return breaker

    shuffled = list(opened)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = all_of(opened), all_of(shuffled)
    assert (set(one.reasons), one.needs_reset, one.state) == (set(other.reasons), other.needs_reset, other.state)


@given(
    st.integers(1, 10**30),
    st.integers(1, 10**31),
    st.integers(0, 10**30),
    st.tuples(st.integers(1, 3_276), st.integers(1, 3_276), st.integers(1, 3_276)),
    st.booleans(),
)
def test_forecast__farther_in_the_same_direction__never_uses_less(
    served: int, posted: int, more: int, bounds: tuple[int, int, int], up: bool
) -> None:
    """Without a day's drift; with one, a step back towards zero uses less of the day, as it should."""
    near = max(posted, served) if up else min(posted, served)
    far = near + more if up else max(1, near - more)
    known = ConfirmedNav(
        Wad(WAD), Wad(served), Timestamp(NOW - 60), held=False, block_number=1, frame=None,
        bounds=PostBounds(*bounds), day_drift=0,
    )  # fmt: skip
    one, other = forecast(known, Wad(near), NOW), forecast(known, Wad(far), NOW)
    assert one is not None
    assert other is not None
    assert one.used_bps <= other.used_bps
    assert other.within <= one.within
    for each in (one, other):
        assert each.within is (each.used_bps <= BPS)
