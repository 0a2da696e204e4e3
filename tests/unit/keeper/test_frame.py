"""The one line: one block per chain, evidence per fund that does not depend on its neighbours, stored before sent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, cast

import pytest

from navoracle.composition.evidence_plans import plan_from_evidence
from navoracle.domain.cadence import Cadence
from navoracle.domain.errors import ChainError, LeaseLost, NavoracleError, ReadError, StoreError
from navoracle.domain.frame import NavStatus
from navoracle.domain.prices import LastValid
from navoracle.domain.prior import Prior, PriorPrice, Sample
from navoracle.domain.units import Bps, Timestamp, to_wad
from navoracle.keeper.collect import chains_of
from navoracle.keeper.evidence import evidence_hash
from navoracle.keeper.frame import publish
from navoracle.keeper.plan import FramePlan
from navoracle.keeper.publishing import Outbox
from navoracle.keeper.verify import verify_document
from navoracle.ports import NativeBalance
from navoracle.store_port import Claim
from navoracle.testing import FakeChain, block_stamp
from tests.unit.addresses import address
from tests.unit.keeper.fakes import FakeLane, FakePublisher, FakeStore, Scripted, outbox
from tests.unit.keeper.world import CHAIN, HOLDER, NOW, TOKEN, World, declared, frame_plan, fund, position, world

PRIOR = Prior(
    prices=tuple(
        PriorPrice(asset, side, LastValid(to_wad("1"), Bps(9_000), Timestamp(NOW - 600)), "old")
        for asset in ("ETH", "USDC", "mUSD", "sUSD")
        for side in ("asset", "debt")
    ),
    samples=tuple(
        Sample(asset, Timestamp(NOW - age), to_wad("1"), "s") for age in (1_700, 60) for asset in ("ETH", "USDC")
    ),
)


def without_id(document: bytes) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(document)
    del parsed["frame"]
    return parsed


def spoiled(*gone: str, feed: bool = True, token: bool = True) -> World:
    """A world in which these series, the feed or the token do not answer."""
    found = world()
    for series in gone:
        del found.markets.rows[series]
    if not feed:
        found.set_feed(0)
    if not token:
        found.chain.revert(TOKEN, "balanceOf(address)", HOLDER)
    return found


WORLDS: dict[str, Callable[[], World]] = {
    "everything answers": world,
    "a leg's asset has no market": lambda: spoiled("ETH.two"),
    "an asset has no market": lambda: spoiled("ETH.one", "ETH.two"),
    "the leg has no quorum": lambda: spoiled("USDC.one", "USDC.two"),
    "nothing of the leg": lambda: spoiled("USDC.one", "USDC.two", feed=False),
    "no market of a native-checked asset": lambda: spoiled("mUSD.one", "mUSD.two"),
    "a position reverts": lambda: spoiled(token=False),
}


@pytest.mark.parametrize("name", list(WORLDS))
@pytest.mark.parametrize("prior", [Prior(), PRIOR])
async def test_evidence__of_a_fund_among_several__equals_that_of_the_fund_alone_but_for_the_frame(
    name: str, prior: Prior
) -> None:
    together = await WORLDS[name]().frame(frame_plan(prior=prior))
    for part in together.funds:
        plan = frame_plan(prior=prior).for_fund(part.fund)
        alone = await WORLDS[name]().frame(plan)
        assert without_id(together.evidence[part.fund]) == without_id(alone.evidence[part.fund])
        assert alone.fund(part.fund) == part
        verified = verify_document(together.evidence[part.fund], plan_from_evidence)
        assert verified.found == part


async def test_evidence__leg_priced_for_a_neighbour_only__still_verifies() -> None:
    # ETH's market in USDC is down, so nothing of this fund looks at USDC; its neighbour's frame prices it.
    holder = fund("eth", 8, declared("eth.eth", "ETH", "collateral", "1"))
    plan = frame_plan("cash")
    frame = await spoiled("ETH.two").frame(replace(plan, funds=(*plan.funds, holder), prior=PRIOR))
    verified = verify_document(frame.evidence["eth"], plan_from_evidence)
    assert verified.frame == frame.id


def two_chains() -> tuple[World, FakeChain, FramePlan]:
    """The cash fund, and one whose coin lies on another chain."""
    here = world()
    away = FakeChain(block_stamp(NOW - 3, chain="away", chain_id=7, number=5_000))
    away.balances[address(9)] = 10**18
    coin = position("native", "coin.eth", "ETH", chain="away", holder=address(9), component="collateral")
    plan = frame_plan("cash")
    return here, away, replace(plan, funds=(*plan.funds, fund("coin", 8, coin, shares="1")))


async def test_evidence__of_a_fund__holds_the_blocks_of_its_own_chains_only() -> None:
    here, away, plan = two_chains()
    frame = await here.frame(plan, chains={CHAIN: here.chain, "away": away})
    assert {stamp.chain for stamp in frame.stamps} == {CHAIN, "away"}
    stamps = {
        name: {stamp["chain"] for stamp in json.loads(document)["stamps"]} for name, document in frame.evidence.items()
    }
    assert stamps == {"cash": {CHAIN}, "coin": {CHAIN, "away"}}
    for name, document in frame.evidence.items():
        assert verify_document(document, plan_from_evidence).found == frame.fund(name)


async def test_frame__another_chain_is_down__halts_only_the_funds_that_read_it() -> None:
    here, away, plan = two_chains()

    async def no_stamp(number: int | None = None) -> Any:
        raise ChainError("away does not answer", advice="Check its endpoint.")

    away.stamp = no_stamp  # type: ignore[method-assign]
    frame = await here.frame(plan, chains={CHAIN: here.chain, "away": away})
    assert frame.fund("cash").status is NavStatus.LIVE
    assert (frame.fund("coin").status, frame.fund("coin").reason) == (NavStatus.HALTED, "unread:coin.eth:unavailable")
    assert "away does not answer" in {failure.message for failure in frame.failures}
    for name, document in frame.evidence.items():
        assert verify_document(document, plan_from_evidence).found == frame.fund(name)


async def test_frame__another_chain_fails_while_it_is_read__halts_only_the_funds_that_read_it() -> None:
    here, away, plan = two_chains()

    async def no_answer(*_: Any) -> Any:
        raise ChainError("away timed out", advice="Check its endpoint.")

    away.read = no_answer  # type: ignore[method-assign, assignment]
    frame = await here.frame(plan, chains={CHAIN: here.chain, "away": away})
    assert frame.fund("cash").status is NavStatus.LIVE
    assert frame.fund("coin").reason == "unread:coin.eth:read_failed"
    for name, document in frame.evidence.items():
        assert verify_document(document, plan_from_evidence).found == frame.fund(name)


async def test_frame__home_chain_is_not_configured_or_down__is_a_chain_error() -> None:
    with pytest.raises(ChainError, match="local is not configured"):
        await world().frame(frame_plan(), chains={})


async def test_frame__home_chain__sets_the_valuation_time_and_the_clock_is_kept_beside_it() -> None:
    here = world()
    frame = await here.frame(frame_plan())
    assert (frame.now, frame.clock) == (NOW, NOW + 5)


async def test_frame__no_home_chain__is_valued_at_the_clock() -> None:
    plan = frame_plan(home_chain=None)
    frame = await world().frame(replace(plan, funds=(fund("f", 1, declared("f.usd", "USD", "cash", "1")),), assets={}))
    assert (frame.now, frame.stamps) == (NOW + 5, ())


def test_chains_of__plan__are_those_of_its_readers_and_the_home_chain() -> None:
    assert chains_of(frame_plan("cash")) == (CHAIN,)
    assert chains_of(two_chains()[2]) == ("away", CHAIN)
    only_declared = replace(frame_plan(), funds=(fund("f", 1, declared("f.usd", "USD", "cash", "1")),), assets={})
    assert chains_of(only_declared) == (CHAIN,)
    assert chains_of(replace(only_declared, home_chain=None)) == ()


async def test_frame__two_readers_of_one_name__are_refused() -> None:
    plan = frame_plan("cash")
    twin = fund("twin", 5, *plan.funds[0].positions)
    with pytest.raises(ReadError, match=r"two readers are named cash\.usdc"):
        await world().frame(replace(plan, funds=(*plan.funds, twin)))


async def test_frame__sampler__prices_without_touching_a_fund() -> None:
    store = FakeStore([])
    frame = await world().frame(replace(frame_plan(), funds=(), stop_after="price"), store=store.port)
    assert (frame.funds, dict(frame.evidence)) == ((), {})
    assert store.log == ["sample"]
    assert frame.estimates["ETH", "debt"].price == to_wad("2000")


async def test_frame__recorded__has_the_hash_of_every_document() -> None:
    store = FakeStore([])
    frame = await world().frame(frame_plan(), store=store.port)
    assert store.frames == [frame]
    assert store.hashes[frame.id] == {
        name: "0x" + evidence_hash(document).hex() for name, document in frame.evidence.items()
    }


async def test_frame__published__is_recorded_before_anything_is_signed() -> None:
    here, log = world(), list[str]()
    store = FakeStore(log)
    out = outbox(here.chain, store, FakePublisher(log), FakeLane(log, store), here.clock)
    claims = tuple(Claim(name, NOW, Cadence.HOURLY, "keeper", 1) for name in ("cash", "levered", "mixed"))
    await here.frame(frame_plan(publish=True, claims=claims), store=store.port, outboxes={CHAIN: out})
    assert log[0] == "record"
    assert log.index("record") < log.index("prepare_post") < log.index("submit")


async def test_frame__store_is_full__signs_nothing() -> None:
    here, log = world(), list[str]()
    store = FakeStore(log)
    store.broken = StoreError("disk full", advice="Free some space.")
    out = outbox(here.chain, store, FakePublisher(log), FakeLane(log, store), here.clock)
    with pytest.raises(StoreError):
        await here.frame(frame_plan(publish=True), store=store.port, outboxes={CHAIN: out})
    assert log == []


async def test_frame__not_to_be_published__sends_nothing() -> None:
    here, log = world(), list[str]()
    store = FakeStore(log)
    out = outbox(here.chain, store, FakePublisher(log), FakeLane(log, store), here.clock)
    await here.frame(frame_plan(), store=store.port, outboxes={CHAIN: out})
    assert log == ["record"]


async def test_frame__id__is_of_its_inputs_alone() -> None:
    frame = await world().frame(frame_plan())
    same = await world().frame(frame_plan())
    later = world()
    later.clock.set(NOW + 6)
    others = [
        await later.frame(frame_plan()),
        await world().frame(frame_plan("cash")),
        await world().frame(frame_plan(verifies=frame.id)),
        await world().frame(frame_plan(cadence=Cadence.EMERGENCY)),
        await world().frame(frame_plan(slot_time=Timestamp(NOW + 1))),
    ]
    assert same.id == frame.id
    assert len({frame.id, *(other.id for other in others)}) == 6
    assert all(len(bytes.fromhex(other.id)) == 8 for other in others)


async def test_frame__deep_reader__costs_one_round_trip_a_level_for_all_funds_together() -> None:
    here = world()
    for number in range(1, 4):
        here.chain.balances[address(number)] = 1
    deep = Scripted(
        "deep.position", [(NativeBalance(address(number)),) for number in range(1, 4)], CHAIN, finish=lambda _: ()
    )
    deep.assets = ()  # type: ignore[attr-defined]
    plan = frame_plan()
    await here.frame(replace(plan, funds=(*plan.funds, fund("deep", 9, deep))))
    assert len(here.chain.rounds) == 3


class WaitingOutbox:
    """Waits for another one's submission before its own ends, and may fail after it."""

    def __init__(self, mine: asyncio.Event, other: asyncio.Event, error: NavoracleError | None = None) -> None:
        self.mine, self.other, self.error = mine, other, error
        self.funds: list[str] = []

    async def submit(self, _frame: Any, funds: Mapping[str, Any], _claims: Any) -> None:
        self.mine.set()
        await asyncio.wait_for(self.other.wait(), 5)
        self.funds += funds
        if self.error is not None:
            raise self.error


async def test_publish__two_contracts__one_waits_for_neither_and_an_error_is_raised_after_both() -> None:
    here = world()
    plan = frame_plan()
    targets = {"cash": "peer", "levered": None, "mixed": None}
    plan = replace(plan, funds=tuple(replace(each, publisher=targets[each.fund]) for each in plan.funds))
    first, second = asyncio.Event(), asyncio.Event()
    lost = LeaseLost("gone", advice="None.")
    peer, registry = WaitingOutbox(first, second, lost), WaitingOutbox(second, first)
    outboxes = cast("dict[str, Outbox]", {"peer": peer, plan.funds[-1].target: registry})
    frame = await here.frame(plan)
    with pytest.raises(LeaseLost):
        await publish(plan, frame, outboxes)
    assert (peer.funds, registry.funds) == (["cash"], ["levered", "mixed"])
