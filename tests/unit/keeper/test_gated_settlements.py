"""A vault that its fund's NAV gate does not let settle, whichever process looks; calls that would settle others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from navoracle.domain.frame import NavStatus
from navoracle.domain.risk.gates import Stop
from navoracle.domain.units import Timestamp
from navoracle.keeper.examined_settlements import examine
from navoracle.keeper.gated_settlements import gate_refusals
from navoracle.keeper.proposed_posts import follow_up
from navoracle.keeper.settlement_events import WAITING
from navoracle.keeper.settlement_look import Step
from navoracle.publisher_port import FollowUp
from navoracle.risk.gate import decide
from navoracle.store_port import TransactionKind, TransactionState
from tests.unit.addresses import address
from tests.unit.keeper.fakes import FakePublisher
from tests.unit.keeper.settlement_world import FUND, SettlementWorld, state
from tests.unit.risk.gate_builders import facts, policy
from tests.unit.storage.builders import NOW, batch_of, frame_of, fund_frame, post_of, record, valuation_of

EVERYTHING: tuple[Stop, ...] = ("posting", "settlements", "deposits")


@pytest.fixture
def here(tmp_path: Path) -> SettlementWorld:
    found = SettlementWorld(tmp_path / "keeper.db")
    found.keep_post()
    return found


def gated(here: SettlementWorld, nav: str, stops: tuple[Stop, ...], *, after: int = 60, fund: str = FUND) -> None:
    """Record a frame whose gate looked at that NAV against a peak of 1,000."""
    gate = decide(facts(nav, policy=policy(stops=stops)))
    part = replace(fund_frame(fund, valuation_of({"usdc": 1}), NavStatus.HALTED, "nav_drawdown_limit"), gate=gate)
    record(here.store, frame_of(f"g{fund}{after}", part, now=NOW + after))


def stored(here: SettlementWorld) -> list[TransactionState]:
    """The states of the settlements in the store."""
    return [row.state for row in here.store.transactions() if row.intent.kind is TransactionKind.SETTLE]


@pytest.mark.parametrize("stops", [("settlements",), EVERYTHING])
async def test_look__gate_of_the_newest_frame_stops_settlements__waits_and_says_why(
    here: SettlementWorld, stops: tuple[Stop, ...]
) -> None:
    gated(here, "800", stops)
    here.start()  # as another process: it knows what is in the store
    found = await here.settlements.look(FUND)
    assert (found.step, found.reason) == (Step.WAITING, "nav_gate")
    assert stored(here) == []
    ((kind, message),) = here.events()
    assert kind == WAITING
    assert message == (
        f"epoch 7 does not settle: the gate of frame g{FUND}60 stops settlements (nav_drawdown_limit, day_loss_limit)"
    )


async def test_look__gate_stops_deposits_and_there_are_some__waits(here: SettlementWorld) -> None:
    gated(here, "800", ("deposits",))
    found = await here.settlements.look(FUND)
    assert (found.step, found.reason) == (Step.WAITING, "nav_gate")
    assert here.events()[0][1].endswith(
        "stops deposits (nav_drawdown_limit, day_loss_limit), and the epoch has queued deposits"
    )


async def test_look__gate_stops_deposits_and_there_are_none__settles(here: SettlementWorld) -> None:
    gated(here, "800", ("deposits",))
    here.vault.state = state(deposit_assets=0)
    assert (await here.settlements.look(FUND)).step is Step.SENT


@pytest.mark.parametrize("stops", [(), ("posting",)])
async def test_look__veto_that_stops_no_settlement__settles(here: SettlementWorld, stops: tuple[Stop, ...]) -> None:
    gated(here, "800", stops)
    assert (await here.settlements.look(FUND)).step is Step.SENT


async def test_look__later_frame_vetoes_nothing__settles_again(here: SettlementWorld) -> None:
    gated(here, "800", EVERYTHING)
    assert (await here.settlements.look(FUND)).step is Step.WAITING
    gated(here, "990", EVERYTHING, after=120)
    assert (await here.settlements.look(FUND)).step is Step.SENT


async def test_look__gate_of_another_fund__stops_nothing(here: SettlementWorld) -> None:
    gated(here, "800", EVERYTHING, fund="other")
    assert (await here.settlements.look(FUND)).step is Step.SENT


async def test_look__gate_that_stops_it_again_and_again__is_told_once_an_epoch(here: SettlementWorld) -> None:
    gated(here, "800", EVERYTHING)
    for _ in range(3):
        await here.settlements.look(FUND)
    assert len(here.events()) == 1


async def test_look__stored_and_not_signed_when_a_veto_comes__waits_until_it_is_over(here: SettlementWorld) -> None:
    here.lane.dies_before_signing = True
    with pytest.raises(SystemExit):
        await here.settlements.look(FUND)
    here.lane.dies_before_signing = False
    gated(here, "800", EVERYTHING)
    here.start()
    found = await here.settlements.look(FUND)
    assert (found.step, found.reason, stored(here)) == (Step.WAITING, "nav_gate", [TransactionState.PREPARED])
    gated(here, "990", EVERYTHING, after=120)
    assert (await here.settlements.look(FUND)).step is Step.SENT
    assert len(stored(here)) == 1


async def test_examine__as_the_command_does__names_the_gate_and_does_not_ask_the_vault(here: SettlementWorld) -> None:
    gated(here, "800", EVERYTHING)
    found = await examine(here.settlements.vaults[FUND], here.store, here.lane.address)
    assert [refusal.code for refusal in found.refusals] == ["nav_gate"]
    assert (found.previewed, here.vault.asked) == (False, [])
    assert all(refusal.advice for refusal in found.refusals)


def test_gate_refusals__fund_without_frames__has_none(here: SettlementWorld) -> None:
    assert gate_refusals(here.store, "unknown", takes_deposits=True) == ()


# ---- contracts of others, whose post needs a call that settles


async def following(here: SettlementWorld, needs: FollowUp | None) -> str | None:
    publisher = FakePublisher([])
    publisher.needs = needs
    batch = replace(batch_of(post_of(FUND, 1)), valuation_time=Timestamp(NOW))
    return await follow_up(batch, publisher, None, here.store, max_post_age=900)


async def test_follow_up__gate_stops_settlements__is_not_asked_for(here: SettlementWorld) -> None:
    needs = FollowUp(to=address(0xEE), data=b"\x01", role="Safe")
    assert await following(here, needs) == f"Safe must call {address(0xEE)} with 0x01"
    gated(here, "800", ("settlements",))
    told = await following(here, needs)
    assert told is not None
    assert told.startswith("not proposed: nav_gate: the gate of frame")
    assert await following(here, None) is None
