"""Breakers in the running service: who is stopped, and how a fund comes back by itself and not before."""

from __future__ import annotations

from pathlib import Path

import pytest

from navoracle.domain.breaker import Breaker, BreakerState, Role
from navoracle.domain.units import Timestamp
from navoracle.store_port import BreakerSubject
from tests.unit.keeper.service_world import START, ServiceWorld

CASH, USDC = BreakerSubject("fund", "cash"), BreakerSubject("asset", "USDC")
POSTED = ("posted", None)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "navoracle.db"


def ends(here: ServiceWorld, fund: str = "cash") -> list[tuple[str, str | None]]:
    return [(state, reason) for _, state, reason in here.slots(fund)]


async def test_breaker__open__stops_its_own_fund_and_no_other(path: Path) -> None:
    here = ServiceWorld(path)
    here.breakers.open(CASH, "second_frame_disagrees", Timestamp(START + 3_000))
    await here.at(3_600)
    assert ends(here) == [("skipped", "breaker")]
    assert ends(here, "levered") == [POSTED]
    assert here.heard.emergencies == []


async def test_asset_breaker__open__stops_every_fund_that_needs_the_asset(path: Path) -> None:
    here = ServiceWorld(path)
    here.breakers.open(USDC, "native_halt", Timestamp(START + 3_000))
    await here.at(3_600)
    assert ends(here) == ends(here, "levered") == [("skipped", "asset_breaker:USDC")]


async def test_breaker__cooled_down__is_tried_minute_by_minute_and_the_fund_is_posted_when_it_closes(
    path: Path,
) -> None:
    here = ServiceWorld(path)
    here.breakers.open(CASH, "second_frame_disagrees", Timestamp(START))
    here.clock.set(START + 3_599)
    here.refresh()
    await here.service.look_at_chain()
    assert here.heard.moves == []
    for seconds in range(3_600, 4_200, 60):
        here.clock.set(START + seconds)
        here.refresh()
        await here.service.look_at_chain()
        await here.at(seconds)
    assert [(breaker.state, breaker.agreed) for _, breaker in here.heard.moves] == [
        (BreakerState.HALF_OPEN, 0),
        (BreakerState.HALF_OPEN, 1),
        (BreakerState.CLOSED, 0),
    ]
    assert {(fund, cause) for fund, cause, _ in here.heard.emergencies} == {("cash", "breaker")}
    found = ends(here)
    first = found.index(POSTED)
    assert (set(found[:first]), set(found[first:])) == ({("skipped", "breaker")}, {POSTED})
    assert 2 <= first <= 5
    assert here.store.load_breakers() == {}


async def test_breaker__opened_by_a_guardian__is_still_open_after_a_day(path: Path) -> None:
    here = ServiceWorld(path)
    here.breakers.open(CASH, "guardian 0x1: odd", Timestamp(START), Role.GUARDIAN)
    for seconds in (3_600, 7_200, 86_400):
        await here.at(seconds)
    assert set(ends(here)) <= {("skipped", "breaker"), ("missed", "superseded by a newer slot")}
    here.breakers.reset(CASH, here.clock.now(), Role.RISK)
    await here.at(90_000)
    assert ends(here)[-1] == POSTED


async def test_sample__sources_without_a_majority__stop_the_asset_before_a_slot_comes(path: Path) -> None:
    here = ServiceWorld(path)
    for minute in range(3):
        assert here.heard.moves == []
        here.clock.set(START + 60 * minute)
        here.world.markets.rows["USDC.one"] = (0, "0.65")
        here.refresh()
        here.world.set_feed(0)
        await here.service.sample()
    breaker = here.store.load_breakers()[USDC]
    assert breaker == Breaker().open("no_majority", here.clock.now())
    assert (USDC, breaker) in here.heard.moves
