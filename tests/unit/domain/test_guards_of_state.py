"""Guards that look at what was before the frame: breakers, the contract, blocks and rounds, the age of the baseline."""

from __future__ import annotations

from dataclasses import replace

import pytest

from navoracle.domain.breaker import Breaker, BreakerPolicy, Role
from navoracle.domain.frame import BlockStamp, NavStatus
from navoracle.domain.guards import GuardInput, agrees, judge
from navoracle.domain.prior import FundPrior, PriorFrame
from navoracle.domain.units import Timestamp, Wad, to_wad
from navoracle.domain.verdicts import Outcome
from tests.unit.domain.builders import NOW
from tests.unit.domain.funds import holding
from tests.unit.domain.guard_facts import (
    DEBT,
    HOME,
    POLICY,
    at_price,
    confirmed,
    facts,
    first_look,
    fund,
    outcome,
    status,
    verdict,
)

OPEN = Breaker().open("second_frame_disagrees", Timestamp(NOW - 100))
HALF_OPEN = OPEN.cool_down(Timestamp(NOW), BreakerPolicy(cool_down=100))
STOPPED = Breaker().open("guardian 0x1: odd", Timestamp(NOW - 100), Role.GUARDIAN)


def before(**changes: object) -> GuardInput:
    """The calm fund, with this in its prior."""
    return facts(prior=replace(FundPrior(confirmed=confirmed()), **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("breaker", [OPEN, HALF_OPEN, STOPPED])
def test_breaker__not_closed__values_the_fund_and_halts_it_with_the_breakers_advice(breaker: Breaker) -> None:
    stopped = before(breaker=breaker)
    assert status(stopped) == (NavStatus.HALTED, "breaker")
    found = verdict("breaker", stopped)
    assert found is not None
    assert (found.outcome, found.advice) == (Outcome.HALT, breaker.advice)
    assert all(reason in found.detail for reason in breaker.reasons)
    assert str(breaker.since) in found.detail


def test_breaker__closed__says_nothing() -> None:
    assert verdict("breaker", before(breaker=Breaker(since=Timestamp(NOW - 5)))) is None


def test_breaker__half_open_with_agreements__tells_how_many() -> None:
    found = verdict("breaker", before(breaker=replace(HALF_OPEN, agreed=1)))
    assert found is not None
    assert "half open" in found.detail
    assert "1 frames agreed" in found.detail


def test_asset_breaker__of_two_assets__halts_and_names_the_first_and_tells_of_both() -> None:
    stopped = facts(asset_breakers={"ETH": OPEN, "BTC": STOPPED})
    assert status(stopped) == (NavStatus.HALTED, "asset_breaker:BTC")
    assert {check: outcome(check, stopped) for check in ("asset_breaker:BTC", "asset_breaker:ETH")} == {
        "asset_breaker:BTC": Outcome.HALT,
        "asset_breaker:ETH": Outcome.HALT,
    }


def test_asset_breaker__closed_one__says_nothing() -> None:
    assert status(facts(asset_breakers={"ETH": Breaker()})) == (NavStatus.LIVE, None)


def test_breaker__of_an_insolvent_fund__does_not_hide_the_insolvency() -> None:
    broke = fund([holding("f.d", DEBT, "USD", "1")])
    prior = FundPrior(confirmed=confirmed(), breaker=OPEN)
    assert status(facts(broke, prior=prior, asset_breakers={"USD": OPEN})) == (NavStatus.INSOLVENT, "insolvent")


def test_breaker__on_second_look__is_halted_and_never_verified() -> None:
    prior = FundPrior(confirmed=confirmed(), first_look=first_look("1.4"), breaker=OPEN)
    assert status(facts(at_price("1.4"), prior=prior)) == (NavStatus.HALTED, "breaker")


def test_active__closed_on_its_contract__is_halted() -> None:
    closed = before(confirmed=replace(confirmed(), live=False))
    assert status(closed) == (NavStatus.HALTED, "not_active")
    assert verdict("active", before()) is None


@pytest.mark.parametrize(
    ("price", "expected"),
    [
        (1_005_000_000_000_000_000, True),
        (1_005_000_000_000_000_001, False),
        (995_000_000_000_000_000, True),
        (994_999_999_999_999_999, False),
    ],
)
def test_agrees__half_a_percent_from_the_frame_before__and_a_wei_more_not(price: int, expected: bool) -> None:
    last = PriorFrame("old", Timestamp(NOW - 60), to_wad("1"), {})
    assert agrees(facts(at_price(price), prior=FundPrior(last_frame=last))) is expected


@pytest.mark.parametrize(
    "last",
    [
        None,
        PriorFrame("old", Timestamp(NOW - 60), None, {}),
        PriorFrame("old", NOW, to_wad("1"), {}),
        PriorFrame("old", Timestamp(NOW - 60), Wad(-5), {}),
    ],
)
def test_agrees__nothing_to_compare_with__is_neither(last: PriorFrame | None) -> None:
    assert agrees(before(last_frame=last)) is None


def frame_before(blocks: dict[str, int], frame: str = "seen") -> PriorFrame:
    return PriorFrame(frame, Timestamp(NOW - 60), to_wad("1"), blocks)


@pytest.mark.parametrize(
    ("number", "frame", "expected"),
    [
        (99, "seen", Outcome.PASS),
        (100, "seen", Outcome.PASS),
        (101, "seen", Outcome.VERIFY),
        # "old" is the frame whose post is confirmed.
        (99, "old", Outcome.PASS),
        (100, "old", Outcome.HALT),
        (101, "old", Outcome.HALT),
    ],
)
def test_block_forward__against_the_frame_before__is_doubted_behind_it_and_halted_when_that_was_posted(
    number: int, frame: str, expected: Outcome
) -> None:
    assert outcome("block_forward", before(last_frame=frame_before({"local": number}, frame))) is expected


@pytest.mark.parametrize(("read_at", "expected"), [(100, Outcome.PASS), (101, Outcome.VERIFY)])
def test_block_forward__behind_the_block_of_the_confirmed_value__is_doubted(read_at: int, expected: Outcome) -> None:
    assert outcome("block_forward", before(confirmed=replace(confirmed(), block_number=read_at))) is expected


def test_block_forward__registry_on_a_chain_that_the_frame_does_not_read__is_not_compared() -> None:
    apart = facts(prior=FundPrior(confirmed=replace(confirmed(), block_number=10**9)), chain="other")
    assert outcome("block_forward", apart) is Outcome.PASS


def test_block_forward__another_chain_went_back__is_doubted_and_named() -> None:
    side = BlockStamp("side", 2, 7, "0x7", "0x6", NOW)
    back = facts(
        prior=FundPrior(confirmed=confirmed(), last_frame=frame_before({"local": 99, "side": 8})), stamps=(HOME, side)
    )
    found = verdict("block_forward", back)
    assert found is not None
    assert (found.outcome, "side 7 after 8" in found.detail) == (Outcome.VERIFY, True)


def test_rounds_forward__source_turned_back__asks_for_a_second_frame_and_names_it() -> None:
    back = facts(turned_back=("ETH.chainlink",))
    assert status(back) == (NavStatus.SUSPICIOUS, "rounds_forward")
    found = verdict("rounds_forward", back)
    assert found is not None
    assert "ETH.chainlink" in found.detail
    assert verdict("rounds_forward", facts()) is None


def test_sources__one_is_missing__is_a_warning_and_no_more() -> None:
    short = facts(shortcomings=("ETH.kraken (stale)",))
    assert status(short) == (NavStatus.LIVE, None)
    found = verdict("sources", short)
    assert found is not None
    assert (found.outcome, "ETH.kraken (stale)" in found.detail) == (Outcome.WARN, True)


WEEK = 604_800


@pytest.mark.parametrize(("age", "expected"), [(WEEK, Outcome.PASS), (WEEK + 1, Outcome.HALT)])
def test_baseline_age__a_week__is_still_compared_with_and_a_second_more_not(age: int, expected: Outcome) -> None:
    old = before(confirmed=confirmed(age=age))
    assert POLICY.max_baseline_age == WEEK
    assert outcome("baseline_age", old) is expected
    assert status(old) == (
        (NavStatus.LIVE, None) if expected is Outcome.PASS else (NavStatus.HALTED, "baseline_too_old")
    )


def test_baseline_age__no_confirmed_value__is_not_asked() -> None:
    assert verdict("baseline_age", facts(prior=FundPrior())) is None


def test_rebase__granted_for_an_old_baseline__asks_for_a_second_frame_and_names_the_grant() -> None:
    prior = FundPrior(confirmed=confirmed(age=WEEK + 1), rebase="0xabc")
    granted = facts(at_price("7"), prior=prior)
    assert status(granted) == (NavStatus.SUSPICIOUS, "change")
    assert outcome("baseline_age", granted) is Outcome.WARN
    for check in ("baseline_age", "change"):
        found = verdict(check, granted)
        assert found is not None
        assert "0xabc" in found.detail


def test_rebase__second_frame_agrees__is_verified_whatever_the_old_value_was() -> None:
    prior = FundPrior(confirmed=confirmed(age=WEEK + 1), rebase="0xabc", first_look=first_look("7"))
    assert status(facts(at_price("7"), prior=prior)) == (NavStatus.VERIFIED, None)
    assert status(facts(at_price("8"), prior=prior)) == (NavStatus.SUSPICIOUS, "second_frame_disagrees")


def test_rebase__granted_though_nothing_changed__still_asks_for_a_second_frame() -> None:
    assert status(before(rebase="0xabc")) == (NavStatus.SUSPICIOUS, "change")


def test_rebase__lifts_no_other_guard() -> None:
    broke = fund([holding("f.d", DEBT, "USD", "1")])
    prior = FundPrior(confirmed=confirmed(age=WEEK + 1), rebase="0xabc")
    assert status(facts(broke, prior=prior))[0] is NavStatus.INSOLVENT
    assert status(facts(prior=replace(prior, breaker=OPEN))) == (NavStatus.HALTED, "breaker")
    assert status(facts(prior=prior, clock=Timestamp(NOW + 901))) == (NavStatus.HALTED, "block_age")


def test_judge__every_halt_of_state__comes_with_advice() -> None:
    for case in (
        before(breaker=OPEN),
        facts(asset_breakers={"ETH": OPEN}),
        before(confirmed=replace(confirmed(), live=False)),
        before(confirmed=confirmed(age=WEEK + 1)),
        before(last_frame=frame_before({"local": 101}, "old")),
        facts(turned_back=("x",)),
    ):
        serious = [found for found in judge(case)[2] if found.outcome in (Outcome.HALT, Outcome.VERIFY)]
        assert serious
        assert all(found.advice and found.detail for found in serious)
