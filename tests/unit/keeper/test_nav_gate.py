"""The NAV gate in a running keeper: what it kept, what it stops, and that a process that starts anew knows it all."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from navoracle.composition.evidence_plans import plan_from_evidence
from navoracle.domain.cadence import Cadence
from navoracle.domain.errors import VerificationFailed
from navoracle.domain.flows import Distribution, Flow
from navoracle.domain.frame import GuardDistance, NavStatus
from navoracle.domain.prior import FundPrior, Prior
from navoracle.domain.risk.gates import DAY, GatePrior, NavPoint
from navoracle.domain.units import Timestamp, to_wad
from navoracle.keeper.evidence import canonical
from navoracle.keeper.frame import kept_peaks
from navoracle.keeper.gate_priors import HISTORY_POINTS, GatePriors
from navoracle.keeper.plan import FramePlan, FundPlan
from navoracle.keeper.planner import Planner, Subject
from navoracle.keeper.verify import verify_document
from navoracle.store_port import FundFrameRow, SlotState
from tests.unit.keeper.service_world import HOUR, START, SUBJECT, ServiceWorld
from tests.unit.keeper.world import HOLDER, NOW, TOKEN, frame_plan, world
from tests.unit.risk.gate_builders import peaks, policy, served

FUND = "cash"


def gated(of: Subject, **changes: Any) -> Subject:
    """The subject with a gate on its cash fund that is limited by the drawdown alone."""
    limits = policy(max_day_loss=None, min_history=1, **changes)
    return replace(of, funds={**of.funds, FUND: replace(of.funds[FUND], gate=limits)})


def keeper(path: Path, *, beside: ServiceWorld | None = None, **changes: Any) -> ServiceWorld:
    """A keeper whose cash fund has a gate; beside another one, it is its next process."""
    found = ServiceWorld(path, beside=beside)
    found.planner.subject = gated(SUBJECT, **changes)
    return found


def hold(here: ServiceWorld, usdc: int) -> None:
    """Let the fund hold so many dollars; it has 1,000 shares."""
    here.world.chain.put(TOKEN, "balanceOf(address)", (HOLDER,), ("uint256",), usdc * 10**6)


def newest(here: ServiceWorld) -> FundFrameRow:
    return here.store.fund_frames(fund=FUND, limit=1)[0]


def kept(here: ServiceWorld) -> tuple[int, int, int]:
    """The peaks in the store, and how many seconds after the start they were seen."""
    state = here.store.load_peaks({FUND})[FUND].state
    return state.peak, state.daily_peak, state.updated_at - START


@pytest.fixture
async def here(tmp_path: Path) -> ServiceWorld:
    """Posted once, at par."""
    found = keeper(tmp_path / "keeper.db")
    await found.service.start()
    await found.at(HOUR)
    assert found.slots()[-1][1:] == ("posted", None)
    return found


async def test_slot__sound_frame__keeps_its_peaks_with_the_frame(here: ServiceWorld) -> None:
    found = here.store.load_peaks({FUND})[FUND]
    assert found.frame == newest(here).frame
    assert (found.state.peak, found.state.daily_peak) == (to_wad("1"), to_wad("1"))


async def test_slot__fall_beyond_the_limit__is_not_posted_and_after_recovery_is_again(here: ServiceWorld) -> None:
    hold(here, 800)
    await here.at(2 * HOUR)
    assert here.slots()[-1][1:] == ("skipped", "nav_drawdown_limit")
    assert len(here.store.posts(fund=FUND)) == 1
    assert kept(here)[:2] == (to_wad("1"), to_wad("0.8"))  # midnight has passed: the day began with this NAV
    hold(here, 950)
    await here.at(3 * HOUR)
    assert here.slots()[-1][1:] == ("posted", None)
    assert len(here.store.posts(fund=FUND)) == 2


async def test_slot__halted_by_its_gate_for_days__is_not_forgotten_as_stale(here: ServiceWorld) -> None:
    hold(here, 800)
    for hours in range(2, 60, 20):
        await here.at(hours * HOUR)
        assert here.slots()[-1][1:] == ("skipped", "nav_drawdown_limit")
        assert here.heard.crashes == []
    gate = newest(here).gate
    assert gate is not None
    assert (gate.vetoes, gate.warnings) == (("nav_drawdown_limit",), ())


async def test_restart__while_vetoed__still_vetoes(here: ServiceWorld) -> None:
    hold(here, 800)
    await here.at(2 * HOUR)
    again = keeper(here.path, beside=here)
    here.forget_leases()
    await again.service.start()
    await again.at(3 * HOUR)
    assert again.slots()[-1][1:] == ("skipped", "nav_drawdown_limit")


async def test_restart__on_a_test_network__starts_with_a_fresh_peak_once(here: ServiceWorld) -> None:
    hold(here, 800)
    await here.at(2 * HOUR)
    again = keeper(here.path, beside=here, reset_peak_at_start=True)
    here.forget_leases()
    await again.service.start()
    await again.at(3 * HOUR)
    assert again.slots()[-1][1:] == ("posted", None)
    assert kept(again)[:2] == (to_wad("0.8"), to_wad("0.8"))
    hold(here, 700)
    await again.at(4 * HOUR)
    assert again.slots()[-1][1:] == ("skipped", "nav_drawdown_limit")


async def test_slot__peak_stale__heals_from_the_history_is_written_back_and_vetoes_again(here: ServiceWorld) -> None:
    hold(here, 800)
    later = 3 * DAY
    await here.at(later)
    gate = newest(here).gate
    assert gate is not None
    assert (gate.vetoes, gate.warnings, gate.drawdown) == ((), ("drawdown_stale",), to_wad("0.2"))
    assert here.slots()[-1][1:] == ("posted", None)
    peak, daily, seen = kept(here)
    assert (peak, daily) == (to_wad("1"), to_wad("0.8"))
    assert later - 60 <= seen <= later
    await here.at(later + HOUR)
    assert here.slots()[-1][1:] == ("skipped", "nav_drawdown_limit")


async def test_slot__peak_stale_and_history_too_old__heals_from_the_confirmed_nav(tmp_path: Path) -> None:
    here = keeper(tmp_path / "keeper.db", history_seconds=DAY)
    await here.service.start()
    await here.at(HOUR)
    hold(here, 800)
    await here.at(3 * DAY)
    found = here.store.load_peaks({FUND})[FUND].state
    assert (found.peak, found.daily_peak) == (to_wad("1"), to_wad("0.8"))
    assert found.peak_at < found.daily_peak_at
    evidence = json.loads(here.store.evidence(newest(here).frame, FUND))
    assert evidence["result"]["fund"]["gate"]["peak_state"] == "healed_from_confirmed"


async def test_slot__suspicious_rise_that_a_second_frame_confirms__raises_the_peak(here: ServiceWorld) -> None:
    hold(here, 1_500)
    here.clock.moves = True
    await here.at(2 * HOUR)
    assert [row.status.value for row in here.store.fund_frames(fund=FUND, limit=2)] == ["verified", "suspicious"]
    assert kept(here)[:2] == (to_wad("1.5"), to_wad("1.5"))


async def test_slot__suspicious_rise_that_a_second_frame_denies__raises_no_peak(here: ServiceWorld) -> None:
    hold(here, 1_500)
    wait = here.clock.sleep

    async def back_to_normal(seconds: float) -> None:
        hold(here, 1_000)
        await wait(seconds)

    here.clock.sleep = back_to_normal  # type: ignore[method-assign]
    here.clock.moves = True
    await here.at(2 * HOUR)
    assert newest(here).reason == "second_frame_disagrees"
    assert kept(here)[:2] == (to_wad("1"), to_wad("1"))


async def test_slot__fall_that_is_large_enough_to_doubt__is_verified_and_vetoed(here: ServiceWorld) -> None:
    hold(here, 600)
    here.clock.moves = True
    await here.at(2 * HOUR)
    second, first = here.store.fund_frames(fund=FUND, limit=2)
    assert (first.status.value, first.reason) == ("suspicious", "change")
    assert (second.status.value, second.reason) == ("halted", "nav_drawdown_limit")
    assert here.slots()[-1][1:] == ("skipped", "nav_drawdown_limit")
    assert here.store.load_breakers() == {}


async def test_slot__dividend_declared__is_no_fall(here: ServiceWorld) -> None:
    hold(here, 800)
    await here.at(2 * HOUR)
    assert here.slots()[-1][1:] == ("skipped", "nav_drawdown_limit")
    paid = Flow("dividend", to_wad("200"), Timestamp(START + HOUR + 60))
    here.store.declare_flow(FUND, paid, shares=to_wad("1000"))
    await here.at(3 * HOUR)
    assert here.slots()[-1][1:] == ("posted", None)
    prior = json.loads(here.store.evidence(newest(here).frame, FUND))["prior"]["fund"]["gate"]
    assert prior["distributions"] == [{"at": str(paid.at), "per_share": str(to_wad("0.2"))}]


@pytest.mark.parametrize("stops", [(), ("settlements",)])
async def test_slot__veto_that_does_not_stop_posting__is_posted(tmp_path: Path, stops: tuple[str, ...]) -> None:
    here = keeper(tmp_path / "keeper.db", stops=stops)
    await here.service.start()
    await here.at(HOUR)
    hold(here, 800)
    await here.at(2 * HOUR)
    gate = newest(here).gate
    assert gate is not None
    assert (gate.vetoes, gate.stops) == (("nav_drawdown_limit",), stops)
    assert here.slots()[-1][1:] == ("posted", None)


# ---- what a plan starts from


async def prior_of(here: ServiceWorld, *, now: int | None = None, **changes: Any) -> GatePrior:
    planner = Planner(gated(SUBJECT, **changes), here.store, {}, now=here.clock.now())
    at = here.clock.now() if now is None else Timestamp(now)
    plan = await planner.slot([FUND, "levered"], at, Cadence.HOURLY, publish=False, now=at)
    assert plan.prior.funds["levered"].gate is None
    found = plan.prior.funds[FUND].gate
    assert found is not None
    return found


async def test_plan__fresh_peaks__asks_for_no_history(here: ServiceWorld) -> None:
    found = await prior_of(here)
    assert found.peaks == here.store.load_peaks({FUND})[FUND].state
    assert (found.frame, found.history, found.is_first) == (newest(here).frame, (), True)


async def test_plan__stale_or_other_peaks__have_the_history_of_their_measure(here: ServiceWorld) -> None:
    row = newest(here)
    point = NavPoint(row.now, to_wad("1"), row.frame)
    assert (await prior_of(here, now=here.clock.now() + DAY - 60)).history == ()
    assert (await prior_of(here, now=here.clock.now() + DAY + 60)).history == (point,)
    assert (await prior_of(here, now=here.clock.now() + 8 * DAY)).history == ()
    assert (await prior_of(here, include_assets=("USDC",))).history == ()


async def test_plan__history__has_sound_frames_alone_and_no_more_than_enough(here: ServiceWorld) -> None:
    hold(here, 800)
    await here.at(2 * HOUR)
    assert newest(here).gate is not None
    found = await prior_of(here, now=here.clock.now() + 2 * DAY)
    assert [point.price_per_share for point in found.history] == [to_wad("1")]
    assert HISTORY_POINTS == 500


async def test_plan__history__leaves_out_a_frame_whose_post_the_contract_held(
    here: ServiceWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = here.clock.now() + 2 * DAY
    assert len((await prior_of(here, now=later)).history) == 1
    slots = here.store.slots

    def held(post: int | None) -> None:
        found = [replace(slot, state=SlotState.HELD, post=post and slot.post) for slot in slots(FUND)]
        monkeypatch.setattr(here.store, "slots", lambda fund, since: tuple(found if fund == FUND else ()))

    held(post=1)
    assert (await prior_of(here, now=later)).history == ()
    held(post=None)  # a proposal that waits for its owners: no contract held it
    assert len((await prior_of(here, now=later)).history) == 1


async def test_kept_peaks__rise_beyond_the_band__raises_none_and_within_it_does() -> None:
    fund = gated(SUBJECT).funds[FUND]
    before = peaks("0.9", age=60)
    prior = Prior(funds={FUND: FundPrior(gate=GatePrior(before, "kept", (), (), is_first=False))})
    plan = replace(frame_plan(FUND), funds=(fund,), prior=prior)
    frame = await world().frame(plan)
    (part,) = frame.funds
    beyond = GuardDistance(1_001, 1_000, 1_001, 1_500, 10_010, "step")
    for distance, peak in ((beyond, "0.9"), (replace(beyond, step=1_000), "1"), (None, "1")):
        found = replace(frame, funds=(replace(part, status=NavStatus.LIVE, distance=distance),))
        assert kept_peaks(plan, found)[FUND].peak == to_wad(peak)


async def test_plan__rise_beyond_the_band__has_not_moved_the_peak_of_this_process(here: ServiceWorld) -> None:
    frame = await here.world.frame(replace(frame_plan(FUND), funds=(gated(SUBJECT).funds[FUND],)))
    (part,) = frame.funds
    assert part.gate is not None
    healthy = replace(part.gate, health=replace(part.gate.health, fresh=True, sources_ok=True))
    distance = GuardDistance(1_001, 1_000, 1_001, 1_500, 10_010, "step")
    for within, moved in ((replace(distance, step=1_000), False), (distance, True)):
        priors = GatePriors(here.store)
        priors.absorb(replace(frame, funds=(replace(part, status=NavStatus.LIVE, distance=within, gate=healthy),)))
        fund = gated(SUBJECT).funds[FUND]
        assert priors.of([fund], {FUND: None}, here.clock.now())[FUND].is_first is moved


async def test_plan__without_a_store__starts_from_nothing() -> None:
    planner = Planner(gated(SUBJECT), None, {}, now=NOW)
    plan = await planner.slot([FUND], NOW, Cadence.HOURLY, publish=False, now=NOW)
    assert plan.prior.funds[FUND].gate == GatePrior(None, None, (), (), is_first=True)


# ---- evidence


def document(gate: GatePrior | None) -> bytes:
    """The evidence of a cash fund at 1.00 a share whose gate starts from that."""
    own = frame_plan(FUND)
    (cash,) = own.funds
    fund: FundPlan = replace(cash, gate=policy(peak_stale_seconds=DAY))
    prior = Prior(
        funds={FUND: FundPrior(confirmed=replace(served("1"), valuation_time=Timestamp(NOW - 600)), gate=gate)}
    )
    plan: FramePlan = replace(own, funds=(fund,), prior=prior)
    return asyncio.run(world().frame(plan)).evidence[FUND]


def changed(evidence: bytes, *path: str, value: object) -> bytes:
    parsed = json.loads(evidence)
    place = parsed
    for step in path[:-1]:
        place = place[step]
    assert place[path[-1]] != value
    place[path[-1]] = value
    return json.dumps(parsed, sort_keys=True, separators=(",", ":")).encode()


VETOED = GatePrior(
    peaks("1.2"),
    "kept",
    (NavPoint(Timestamp(NOW - 60), to_wad("1.1"), "h"),),
    (Distribution(Timestamp(NOW - 60), to_wad("0.01")),),
    is_first=False,
)


@pytest.mark.parametrize("gate", [None, VETOED, GatePrior(None, None, (), (), is_first=True)])
def test_evidence__of_a_gated_fund__verifies(gate: GatePrior | None) -> None:
    evidence = document(gate)
    verified = verify_document(evidence, plan_from_evidence)
    assert verified.found.gate is not None
    assert (verified.reason == "nav_drawdown_limit") is (gate is VETOED)
    assert canonical(verified.found.gate.peaks) == canonical(json.loads(evidence)["result"]["fund"]["gate"]["peaks"])


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("prior.fund.gate.peaks.peak", str(to_wad("1"))),
        ("prior.fund.gate.peaks.updated_at", str(NOW - 3 * DAY)),
        ("prior.fund.gate.distributions", []),
        ("plan.fund.gate.max_drawdown", None),
        ("plan.fund.gate.stops", []),
        ("result.fund.gate.vetoes", []),
        ("result.fund.gate.peaks.peak", str(to_wad("2"))),
        ("result.fund.gate.drawdown", "0"),
        ("result.fund.status", "live"),
    ],
)
def test_evidence__peak_limit_or_veto_changed__is_refused(path: str, value: object) -> None:
    evidence = document(VETOED)
    with pytest.raises(VerificationFailed):
        verify_document(changed(evidence, *path.split("."), value=value), plan_from_evidence)


def test_overrides__of_a_planner_without_any__are_none() -> None:
    said: Mapping[str, Any] = Planner(SUBJECT, None, {}, now=NOW).overrides
    assert said == {}
