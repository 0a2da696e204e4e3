"""The status that the guards' verdicts make, and the second look at a doubtful one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from navoracle.domain.frame import NavStatus
from navoracle.domain.guards import GuardInput, judge
from navoracle.domain.nav import FundValuation
from navoracle.domain.prior import FundPrior
from navoracle.domain.units import Timestamp, to_wad
from navoracle.domain.verdicts import Outcome
from tests.unit.domain.builders import NOW
from tests.unit.domain.funds import decayed, holding, prices
from tests.unit.domain.guard_facts import (
    CASH,
    DEBT,
    MILLION,
    POLICY,
    at_price,
    confirmed,
    facts,
    first_look,
    fund,
    gone,
    haircut,
    outcome,
    status,
    verdict,
)


def second(price: int | str = "1.4", look: int | str = "1.4", **changes: object) -> GuardInput:
    """A second frame that finds `price` a share where the first one found `look`; 1.00 is confirmed."""
    block = changes.pop("first_block", 99)
    assert isinstance(block, int)
    prior = FundPrior(confirmed=confirmed(), first_look=first_look(look, block))
    return facts(at_price(price), prior=prior, **changes)


def test_second_look__agrees_at_a_newer_block_with_every_source__is_verified() -> None:
    assert status(second()) == (NavStatus.VERIFIED, None)
    assert outcome("second_frame", second()) is Outcome.PASS


@pytest.mark.parametrize(
    ("price", "expected"),
    [
        (1_407_000_000_000_000_000, NavStatus.VERIFIED),
        (1_407_000_000_000_000_001, NavStatus.SUSPICIOUS),
        (1_393_000_000_000_000_000, NavStatus.VERIFIED),
        (1_392_999_999_999_999_999, NavStatus.SUSPICIOUS),
    ],
)
def test_second_look__half_a_percent_from_the_first__agrees_and_a_wei_more_does_not(
    price: int, expected: NavStatus
) -> None:
    found, reason = status(second(price))
    assert (found, reason) == (expected, None if expected is NavStatus.VERIFIED else "second_frame_disagrees")


@pytest.mark.parametrize("block", [100, 101])
def test_second_look__not_at_a_newer_block__is_suspicious(block: int) -> None:
    assert status(second(first_block=block)) == (NavStatus.SUSPICIOUS, "second_frame_disagrees")


def test_second_look__a_source_did_not_answer__is_suspicious_and_names_it() -> None:
    short = second(shortcomings=("ETH.kraken (stale)",))
    assert status(short) == (NavStatus.SUSPICIOUS, "second_frame_disagrees")
    found = verdict("second_frame", short)
    assert found is not None
    assert "ETH.kraken (stale)" in found.detail


def test_second_look__no_home_chain__needs_no_newer_block() -> None:
    assert status(second(first_block=100, home=None)) == (NavStatus.VERIFIED, None)


def test_second_look__calm_by_itself_but_unlike_the_first__is_suspicious() -> None:
    """A price that jumps for one block is doubted, whichever of the two frames is the wrong one."""
    assert status(second("1.0", "1.4")) == (NavStatus.SUSPICIOUS, "second_frame_disagrees")


def test_second_look__calm_by_itself_and_agrees__is_verified() -> None:
    assert status(second("1.3", "1.301")) == (NavStatus.VERIFIED, None)


def test_second_look__halted_by_another_guard__is_halted() -> None:
    assert status(second(clock=Timestamp(NOW + 901))) == (NavStatus.HALTED, "block_age")


def test_judge__halt_and_doubt_together__the_halt_decides_and_both_are_told() -> None:
    both = facts(at_price("2"), clock=Timestamp(NOW + 901))
    assert status(both) == (NavStatus.HALTED, "block_age")
    assert outcome("change", both) is Outcome.VERIFY


def test_judge__insolvent__dominates_every_other_verdict() -> None:
    broke = fund([holding("f.d", DEBT, "USD", "9500")])
    found, reason, verdicts = judge(
        facts(broke, clock=Timestamp(NOW + 901), prior=FundPrior(confirmed=confirmed(age=1)))
    )
    assert (found, reason) == (NavStatus.INSOLVENT, "insolvent")
    assert verdicts[-1].check == "solvency"
    assert "-9500" in verdicts[-1].detail
    assert {verdict.check for verdict in verdicts if verdict.outcome is Outcome.HALT} >= {"block_age", "interval"}


def test_judge__insolvent_on_second_look__is_never_verified() -> None:
    broke = fund([holding("f.d", DEBT, "USD", "1")])
    prior = FundPrior(confirmed=confirmed(), first_look=first_look(broke.price_per_share))
    assert status(facts(broke, prior=prior)) == (NavStatus.INSOLVENT, "insolvent")


def test_judge__negative_only_by_decayed_prices__is_halted_by_the_haircut_and_not_insolvent() -> None:
    """Collateral of 100 against a debt of 95: a decay of 10 % leaves less than is owed, and nobody is insolvent."""
    estimates = {**decayed("PT", "1", age=45 * 60), **prices(USD="1")}
    levered = (holding("f.pt", CASH, "PT", "100"), holding("f.loan", DEBT, "USD", "95"))
    found = fund(levered, estimates, shares="5")
    assert found.before.nav < 0 < found.undecayed_nav
    assert status(facts(found)) == (NavStatus.HALTED, "haircut")


def test_judge__nav_of_minus_one_wei__is_insolvent_and_of_zero_is_not() -> None:
    cash, owed = holding("f.c", CASH, "USD", "1"), holding("f.d", DEBT, "USD", "1")
    one_more = replace(owed, amount=replace(owed.amount, value=owed.amount.value + 1))
    assert status(facts(fund([cash, one_more])))[0] is NavStatus.INSOLVENT
    assert status(facts(fund([cash, owed]))) == (NavStatus.HALTED, "share_price")


def test_judge__debt_of_the_silo_takes_nav_after_below_zero__is_insolvent() -> None:
    sunk = fund([MILLION, holding("f.silo", DEBT, "USD", "1000001", epoch=1)])
    assert (sunk.before.nav, sunk.after.nav) == (to_wad("1000000"), to_wad("-1"))
    assert status(facts(sunk)) == (NavStatus.INSOLVENT, "insolvent")


def estimated(price: str = "1") -> FundValuation:
    return fund(estimates=decayed("USD", price, age=0))


def test_judge__fallback_price__is_estimated_where_the_contract_knows_the_status() -> None:
    assert status(facts(estimated())) == (NavStatus.ESTIMATED, None)


def test_judge__fallback_price__halts_where_it_does_not() -> None:
    strict = replace(POLICY, post_estimated=False)
    assert status(facts(estimated(), policy=strict)) == (NavStatus.HALTED, "estimated")
    assert status(facts(policy=strict)) == (NavStatus.LIVE, None)


def test_judge__estimated_and_doubtful__is_never_verified_where_estimates_are_not_posted() -> None:
    strict = replace(POLICY, post_estimated=False)
    prior = FundPrior(confirmed=confirmed(), first_look=first_look("1.4"))
    doubtful = facts(estimated("1.4"), policy=strict, prior=prior)
    assert outcome("change", doubtful) is Outcome.VERIFY
    assert status(doubtful) == (NavStatus.HALTED, "estimated")


def test_judge__estimated_and_verified__is_verified_where_estimates_are_posted() -> None:
    prior = FundPrior(confirmed=confirmed(), first_look=first_look("1.4"))
    assert status(facts(estimated("1.4"), prior=prior)) == (NavStatus.VERIFIED, None)


def test_judge__any_halt_or_doubt__comes_with_advice() -> None:
    cases = [
        facts(clock=Timestamp(NOW + 901)),
        facts(at_price("2")),
        facts(fund([holding("f.d", DEBT, "USD", "1")])),
        facts(haircut(1_000, 1)),
        facts(prior=FundPrior(confirmed=confirmed(age=1))),
        second(look="9"),
        gone("f.pools"),
    ]
    for case in cases:
        serious = [found for found in judge(case)[2] if found.outcome in (Outcome.HALT, Outcome.VERIFY)]
        assert serious
        assert all(found.advice and found.detail for found in serious)
