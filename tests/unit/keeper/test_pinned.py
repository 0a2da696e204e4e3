"""A past block has no live services, and a display may ask one node."""

from __future__ import annotations

import pytest

from navoracle.domain.errors import UsageError
from navoracle.keeper.collect import collect, scrutiny_of
from navoracle.keeper.pinned import PastServices, ports_at
from navoracle.ports import Answer, Document, ExchangeCall, HttpGet, RecordedRow, Scrutiny
from navoracle.testing import FakeOffChain
from tests.unit.keeper.world import CHAIN, NOW, frame_plan, world

LIVE = (HttpGet("https://prices.example/v1"), ExchangeCall("venue", "fetch_ticker", "ETH/USD"))


async def test_past_services__live_question__fails_and_kept_ones_are_answered() -> None:
    now = FakeOffChain()
    now.rows["market"] = (NOW, "1")
    now.documents["d"] = b"signed"
    for request in LIVE:
        now.services[request] = Answer(b"of today")
    answers = await PastServices(now).read((LIVE[0], RecordedRow("market"), Document("d"), LIVE[1]), NOW)
    assert [answer.failure is None for answer in answers] == [False, True, True, False]
    assert {answers[0].failure, answers[3].failure} == {
        "source_down: a live service cannot be asked about a past block"
    }


async def test_ports_at__past_block__stand_still_at_its_time() -> None:
    found = world()
    ports = await ports_at(frame_plan("cash"), found.ports(), {CHAIN: 100})
    assert ports.clock.now() == NOW
    assert await ports.chains[CHAIN].stamp() == found.chain.block
    assert (ports.store, ports.outboxes) == (None, {})


async def test_ports_at__chain_without_a_block_or_without_a_reader__is_told() -> None:
    with pytest.raises(UsageError, match="also read local"):
        await ports_at(frame_plan("cash"), world().ports(), {})
    with pytest.raises(UsageError, match="nothing reads a chain mars"):
        await ports_at(frame_plan("cash"), world().ports(), {CHAIN: 100, "mars": 1})


async def test_collect__frames_samples_and_displays__say_how_many_nodes_must_agree() -> None:
    found = world()
    for plan, scrutiny, expected in (
        (frame_plan("cash"), None, Scrutiny.COMPARED),
        (frame_plan("cash", stop_after="price"), None, Scrutiny.COMPARED),
        (frame_plan("cash", verifies="first"), None, Scrutiny.ANEW),
        (frame_plan("cash"), Scrutiny.ONE, Scrutiny.ONE),
    ):
        await collect(plan, {CHAIN: found.chain}, found.markets, found.clock, scrutiny)
        assert found.chain.scrutiny is expected
    assert scrutiny_of(frame_plan("cash")) is Scrutiny.COMPARED
