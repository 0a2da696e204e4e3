"""Risk in the running service: looks between slots, one emergency for a critical risk, nothing that a look changes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from navoracle.domain.cadence import Cadence
from navoracle.domain.errors import ChainError
from navoracle.domain.risk.levels import Ceiling
from navoracle.domain.units import Timestamp, to_wad
from navoracle.keeper.plan import RiskPlan
from navoracle.keeper.planner import Subject
from navoracle.ports import Answer, Call
from navoracle.risk.health import HealthRule, HealthStatus
from navoracle.risk.monitor import RiskMonitor
from tests.unit.addresses import address
from tests.unit.keeper.fakes import Scripted
from tests.unit.keeper.service_world import HOUR, START, SUBJECT, ServiceWorld
from tests.unit.keeper.world import CHAIN, HOLDER, TOKEN, set_vault_rate
from tests.unit.risk.builders import TERMS, lending, lending_only, loan
from tests.unit.risk.gate_builders import policy as gate_policy

FUND = "levered"
"""5,000 sUSD at 1.05 pledged for 4,000 USDC: a loan-to-value of 76.19 %."""

LOAN, LENDER = f"{FUND}.risk.loan", f"{FUND}.risk.lender"
POOL = address(0x77)
LIMITS = Ceiling(warning=to_wad("0.765"), critical=to_wad("0.77"))
SAFE_RATE, CRITICAL_RATE = 1_050_000, 1_035_000
"""At 1.035 it is 77.30 %, and the NAV has fallen by 6 %."""


def watched(of: Subject, *, lender: bool = False) -> Subject:
    """The levered fund with a monitor of its loan, and of an account at a lender that has to answer."""
    terms = replace(TERMS, positions=(f"{FUND}.collateral", f"{FUND}.debt"))
    limits = [lending(watch=LOAN, label="LOAN", ltv=LIMITS, terms=terms)]
    readers: list[Scripted] = []
    if lender:
        limits.append(lending(watch=LENDER, label="LENDER", terms=None))
        asks = ((Call(POOL, b"\x01"),),)
        readers.append(Scripted(LENDER, asks, CHAIN, finish=lambda _answers: loan("100", "10")))
    plan = RiskPlan(replace(lending_only(), lending=tuple(limits)), tuple(readers))
    return replace(of, funds={**of.funds, FUND: replace(of.funds[FUND], risk=plan)})


def world(
    path: Path, *, subject: Subject | None = None, lender: bool = False, max_error_rate: str = "1"
) -> ServiceWorld:
    rule = HealthRule(to_wad(max_error_rate), max_age=600)
    monitor = RiskMonitor(history_limit=50, rule=rule, started=Timestamp(START))
    found = ServiceWorld(path, subject=subject or watched(SUBJECT, lender=lender), monitor=monitor)
    answer(found)
    return found


def answer(here: ServiceWorld, *, works: bool = True) -> None:
    """Let the lender answer, or not."""
    key = (POOL, b"\x01")
    if works:
        here.world.chain.answers[key] = Answer(bytes(32))
    else:
        here.world.chain.answers.pop(key, None)


def health(here: ServiceWorld) -> HealthStatus:
    """As it was told last."""
    return here.heard.risks[-1][2].status


def names(here: ServiceWorld) -> list[str]:
    assert here.monitor is not None
    return [alert.name for alert in here.monitor.standing(FUND)]


@pytest.fixture
async def here(tmp_path: Path) -> ServiceWorld:
    """Posted once, an hour after the start, and looked at: all is well."""
    found = world(tmp_path / "keeper.db")
    await found.service.start()
    await found.at(HOUR)
    assert found.slots(FUND)[-1][1:] == ("posted", None)
    await found.at(HOUR + 120)
    await found.service.look_at_risk()
    assert names(found) == []
    return found


def test_jobs__of_a_keeper_with_a_monitor__look_at_risk_every_minute(tmp_path: Path) -> None:
    assert ("risk", 60) in {(name, seconds) for seconds, name, _ in world(tmp_path / "a.db").service.jobs()}
    assert "risk" not in {name for _, name, _ in ServiceWorld(tmp_path / "b.db").service.jobs()}


async def test_slot__of_a_watched_fund__is_seen_by_the_monitor(here: ServiceWorld) -> None:
    trigger, seen, health = here.heard.risks[0]
    assert (trigger, set(seen.readings), health.status) == ("slot", {FUND}, HealthStatus.HEALTHY)
    assert [each[0] for each in here.heard.risks] == ["slot", "look"]


async def test_look__critical_loan__posts_one_emergency_and_no_second_one_while_it_stays(here: ServiceWorld) -> None:
    set_vault_rate(here.world, CRITICAL_RATE)
    before = len(here.slots(FUND))
    await here.at(HOUR + 180)
    await here.service.look_at_risk()
    await here.idle()
    assert names(here) == ["LOAN_LTV_CRITICAL"]
    assert here.heard.emergencies == [(FUND, "risk", "LOAN_LTV_CRITICAL")]
    assert [ended[1:] for ended in here.slots(FUND)[before:]] == [("posted", None)]
    assert here.store.slots(fund=FUND, limit=1)[0].cadence is Cadence.EMERGENCY
    for later in (240, 300, 360):
        await here.at(HOUR + later)
        await here.service.look_at_risk()
        await here.idle()
    assert len(here.slots(FUND)) == before + 1
    assert here.heard.emergencies == [(FUND, "risk", "LOAN_LTV_CRITICAL")]
    assert here.slots() == [(HOUR, "posted", None)]  # the other fund is left alone


async def test_look__critical_again_after_it_was_over__posts_another_emergency(here: ServiceWorld) -> None:
    for number, rate in enumerate((CRITICAL_RATE, SAFE_RATE, CRITICAL_RATE)):
        set_vault_rate(here.world, rate)
        await here.at(HOUR + 180 + 120 * number)
        await here.service.look_at_risk()
        await here.idle()
    assert [cause for _, cause, _ in here.heard.emergencies] == ["risk", "risk"]
    assert [ended[1] for ended in here.slots(FUND)] == ["posted", "posted", "posted"]


async def test_slot__finds_the_critical_loan_itself__is_followed_by_one_emergency(here: ServiceWorld) -> None:
    set_vault_rate(here.world, CRITICAL_RATE)
    await here.at(2 * HOUR)
    await here.at(2 * HOUR + 90)
    await here.at(2 * HOUR + 180)
    assert [cause for _, cause, _ in here.heard.emergencies].count("risk") == 1
    assert here.store.slots(fund=FUND, limit=1)[0].cadence is Cadence.EMERGENCY
    assert here.slots(FUND)[-1][1:] == ("posted", None)
    assert here.heard.crashes == []


async def test_look__records_and_posts_nothing(here: ServiceWorld) -> None:
    slots, frames, posts = here.store.slots(), here.store.frames(samples=True), here.store.posts()
    set_vault_rate(here.world, 1_045_000)
    await here.at(HOUR + 180)
    await here.service.look_at_risk()
    await here.idle()
    assert here.heard.risks[-1][0] == "look"
    assert (here.store.slots(), here.store.frames(samples=True), here.store.posts()) == (slots, frames, posts)


async def test_look__price_that_it_saw__is_never_the_frame_before_of_a_slot(here: ServiceWorld) -> None:
    """The next slot compares with what was posted, not with what a look saw in between."""
    set_vault_rate(here.world, 1_300_000)
    await here.at(HOUR + 180)
    await here.service.look_at_risk()
    set_vault_rate(here.world, SAFE_RATE)
    plan = await here.planner.slot([FUND], here.clock.now(), Cadence.HOURLY, publish=False, now=here.clock.now())
    before = plan.prior.funds[FUND]
    assert before.confirmed is not None
    assert before.confirmed.price_per_share == here.store.posts(fund=FUND)[0].funds[-1].price_per_share
    looked = here.heard.risks[-1][1].readings[FUND]
    assert looked.price_per_share not in (None, before.confirmed.price_per_share)
    assert looked.frame not in repr(plan.prior)
    await here.at(2 * HOUR)
    assert here.slots(FUND)[-1][1:] == ("posted", None)


async def test_look__fund_whose_slot_is_under_way__is_left_to_its_slot(tmp_path: Path) -> None:
    here = world(tmp_path / "keeper.db")
    await here.service.start()
    here.lane.mines = False
    await here.begin(HOUR)
    await here.service.look_at_risk()
    assert here.heard.risks == []
    here.lane.mines = True
    await here.idle()
    assert [each[0] for each in here.heard.risks] == ["slot"]


async def test_look__lender_that_fails__degrades_keeps_the_nav_and_recovers(tmp_path: Path) -> None:
    here = world(tmp_path / "keeper.db", lender=True)
    await here.service.start()
    await here.at(HOUR)
    answer(here, works=False)
    await here.at(HOUR + 120)
    await here.service.look_at_risk()
    assert names(here) == ["LENDER_UNREAD"]
    assert [each[0] for each in here.heard.risks] == ["slot", "look", "retry", "retry", "retry"]
    assert health(here) is HealthStatus.UNHEALTHY
    await here.at(2 * HOUR)
    assert here.slots(FUND)[-1][1:] == ("posted", None)  # risk never changes the NAV
    answer(here)
    await here.at(2 * HOUR + 120)
    await here.service.look_at_risk()
    assert names(here) == []
    assert health(here) is HealthStatus.DEGRADED
    assert here.heard.emergencies == []
    assert here.heard.failures == []


async def test_look__chain_that_cannot_be_read__is_told_counts_and_ends_nothing(here: ServiceWorld) -> None:
    here.chain.error = ChainError("no node answers", advice="Check it.")
    await here.service.look_at_risk()
    assert here.heard.failures[-1] == ("risk", "no node answers")
    assert here.heard.unseen_risks[-1].status is HealthStatus.UNHEALTHY
    here.chain.error = None
    await here.service.look_at_risk()
    assert here.heard.recoveries[-1] == "risk"
    assert here.heard.risks[-1][2].status is HealthStatus.DEGRADED


async def test_look__gate_vetoes__is_seen_before_the_next_slot(tmp_path: Path) -> None:
    gates = {"cash": replace(SUBJECT.funds["cash"], gate=gate_policy(max_day_loss=None, min_history=1))}
    here = world(tmp_path / "keeper.db", subject=replace(SUBJECT, funds={**SUBJECT.funds, **gates}))
    await here.service.start()
    await here.at(HOUR)
    here.world.chain.put(TOKEN, "balanceOf(address)", (HOLDER,), ("uint256",), 800 * 10**6)
    await here.at(HOUR + 120)
    await here.service.look_at_risk()
    (change,) = here.heard.risks[-1][1].vetoes
    assert (change.fund, change.veto, change.is_raised) == ("cash", "nav_drawdown_limit", True)
    assert here.store.load_peaks({"cash"})["cash"].state.peak == to_wad("1")
    assert here.heard.emergencies == []
