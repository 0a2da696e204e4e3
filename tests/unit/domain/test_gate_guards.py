"""The gate among the guards: what halts, what warns, and that a large fall is looked at twice before it is vetoed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from navoracle.domain.frame import NavStatus
from navoracle.domain.guards import GuardInput, judge
from navoracle.domain.prior import FundPrior
from navoracle.domain.risk.gates import DAY, GateDecision
from navoracle.domain.units import Timestamp, to_wad
from navoracle.domain.verdicts import Outcome, Verdict
from navoracle.risk.gate import decide
from tests.unit.domain import guard_facts
from tests.unit.domain.builders import NOW
from tests.unit.domain.funds import holding
from tests.unit.domain.guard_facts import at_price, confirmed, first_look, status
from tests.unit.risk import gate_builders
from tests.unit.risk.gate_builders import peaks, policy


def facts(price: str, *, peak: str = "1", changes: dict[str, Any] | None = None, **gate: Any) -> GuardInput:
    """A fund at this price per share whose gate starts from that peak."""
    valuation, limits = at_price(price), policy(max_day_loss=None, **(changes or {}))
    decision = decide(gate_builders.facts(valuation=valuation, peak=peaks(peak), policy=limits, **gate))
    return guard_facts.facts(valuation, gate=decision, gate_policy=limits)


def verdicts(found: GuardInput, name: str) -> list[Verdict]:
    return [verdict for verdict in judge(found)[2] if verdict.check == name]


def test_gate__within_its_limits__says_nothing() -> None:
    calm = facts("0.95")
    assert status(calm) == (NavStatus.LIVE, None)
    assert status(guard_facts.facts(at_price("0.8"))) == (NavStatus.LIVE, None)  # without a gate


def test_gate__veto_that_stops_posting__halts_by_its_name_with_figure_limit_and_advice() -> None:
    found = facts("0.8")
    assert status(found) == (NavStatus.HALTED, "nav_drawdown_limit")
    (verdict,) = verdicts(found, "nav_drawdown_limit")
    assert verdict.outcome is Outcome.HALT
    assert "20.00 % below its peak 1.000000000000000000; the limit is 10.00 %" in verdict.detail
    assert verdict.detail.endswith("stops posting, settlements, deposits")
    assert "within its limit" in verdict.advice


@pytest.mark.parametrize("stops", [(), ("settlements",), ("deposits",)])
def test_gate__veto_that_does_not_stop_posting__warns(stops: tuple[str, ...]) -> None:
    found = facts("0.8", changes={"stops": stops})
    assert status(found) == (NavStatus.LIVE, None)
    (verdict,) = verdicts(found, "nav_drawdown_limit")
    assert verdict.outcome is Outcome.WARN


def test_gate__a_little_beyond_the_limit__never_reads_as_equal_to_it() -> None:
    (verdict,) = verdicts(facts("0.899999999999999999"), "nav_drawdown_limit")
    assert "is 10.01 % below its peak" in verdict.detail


def test_gate__days_loss__names_the_days_peak() -> None:
    valuation, limits = at_price("0.9"), policy(max_drawdown=None)
    decision = decide(gate_builders.facts(valuation=valuation, peak=peaks("2", "1"), policy=limits))
    found = guard_facts.facts(valuation, gate=decision, gate_policy=limits)
    assert status(found) == (NavStatus.HALTED, "day_loss_limit")
    (verdict,) = verdicts(found, "day_loss_limit")
    assert "10.00 % below the day's peak 1.000000000000000000; the limit is 5.00 %" in verdict.detail
    assert "midnight UTC" in verdict.advice


@pytest.mark.parametrize(("on_stale", "outcome"), [("fail_closed", Outcome.HALT), ("fail_open", Outcome.WARN)])
def test_gate__stale_nav__halts_or_warns_and_names_what_is_late(on_stale: str, outcome: Outcome) -> None:
    found = facts("1", changes={"on_stale": on_stale}, balances_at=Timestamp(NOW - 901))
    (verdict,) = verdicts(found, "nav_stale")
    assert verdict.outcome is outcome
    assert "the oldest balance is 901 s old, over 900 s" in verdict.detail


def test_gate__healed_peak__warns_and_says_how() -> None:
    found = facts(
        "0.8", prior=gate_builders.prior(peaks("1", age=DAY + 1), points=gate_builders.history("1", "1", "1"))
    )
    assert status(found) == (NavStatus.LIVE, None)
    (verdict,) = verdicts(found, "drawdown_stale")
    assert verdict.outcome is Outcome.WARN
    assert "rebuilt from the history" in verdict.detail


# ---- with doubts and second looks: a fall of 40 % asks for a second frame


def looked_at_again(found: GuardInput, first: str) -> GuardInput:
    return replace(found, prior=replace(found.prior, first_look=first_look(first)))


def test_gate__fall_that_needs_a_second_frame__gets_one_before_it_is_vetoed() -> None:
    found = facts("0.6")
    assert status(found) == (NavStatus.SUSPICIOUS, "change")
    assert verdicts(found, "nav_drawdown_limit")[0].outcome is Outcome.HALT


def test_gate__second_frame_agrees__is_verified_and_vetoed() -> None:
    found = looked_at_again(facts("0.6"), "0.6")
    assert status(found) == (NavStatus.HALTED, "nav_drawdown_limit")
    assert verdicts(found, "second_frame")[0].outcome is Outcome.PASS


def test_gate__second_frame_disagrees__is_suspicious_and_no_loss() -> None:
    assert status(looked_at_again(facts("0.6"), "0.99")) == (NavStatus.SUSPICIOUS, "second_frame_disagrees")


def test_gate__second_frame_is_back_within_the_limit__is_left_to_the_second_look() -> None:
    assert status(looked_at_again(facts("0.95"), "0.95")) == (NavStatus.VERIFIED, None)


def test_gate__another_guard_halts_too__is_not_the_reason() -> None:
    found = facts("0.8")
    early = replace(found, prior=FundPrior(confirmed=confirmed("1", age=5)))
    assert status(early) == (NavStatus.HALTED, "interval")


def test_gate__insolvent_fund__is_insolvent() -> None:
    valuation = guard_facts.fund([holding("f.cash", guard_facts.DEBT, "USD", "5")])
    limits = policy()
    decision: GateDecision = decide(gate_builders.facts(valuation=valuation, peak=peaks("1"), policy=limits))
    found = guard_facts.facts(valuation, gate=decision, gate_policy=limits)
    assert status(found) == (NavStatus.INSOLVENT, "insolvent")
    assert decision.drawdown == to_wad("1")
