"""A stolen keeper key against the registry itself: whatever its thief posts or calls, nothing leaves the bounds."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from typing import Any

import pytest

from navoracle.abi import encode_call
from navoracle.chain.artifacts import artifact, signature_of
from navoracle.domain.errors import ChainError
from navoracle.domain.units import WAD, Bps, Timestamp, Wad
from navoracle.drill.chain_history import stored_records
from navoracle.drill.commands import POSTER, SIGNERS
from navoracle.drill.world import World
from navoracle.publisher_port import FundPost
from navoracle.publishers.nav_registry_codec import RecordSize, Status, encode_header, encode_record
from tests.faults.worlds import world_of
from tests.requirements import needs_node

pytestmark = needs_node

BAND, DAY_BAND = 1_000, 2_500
"""The registry's bounds in bps: of one post, and of a UTC day."""

SEEDS = range(5)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with world_of(2) as built:
        yield built


def call_of(pps: int, at: int, *, fund: int = 1, confidence: int = 10_000) -> bytes:
    """A post of one record."""
    post = FundPost("x", fund, Wad(2_000_000 * pps), Wad(pps), Bps(confidence), False, (Wad(0),) * 5, Wad(0))
    record = encode_record(post, RecordSize.PLAIN)
    return encode_call("post(uint256,bytes32,bytes)", encode_header(Timestamp(at), RecordSize.PLAIN), bytes(32), record)


async def post(world: World, pps: int, *, at: int | None = None, mined: int | None = None) -> None:
    """Let the thief post; the block is of `mined`, two minutes after the newest unless it is said."""
    time = world.newest + 120 if mined is None else mined
    await world.act(POSTER, [(world.registry, call_of(pps, time if at is None else at))], at=time)


async def served(world: World, fund: str = "fund-1") -> tuple[int, int]:
    word = await world.word(fund)
    return word.price_per_share, word.valuation_time


async def test_stolen_key__posts_half_as_much_again__is_held_and_the_old_value_served(world: World) -> None:
    before = await served(world)
    await post(world, WAD * 3 // 2)
    assert await served(world) == before
    assert Status.HELD in (await world.word("fund-1")).status


async def test_stolen_key__posts_half__is_held_and_the_old_value_served(world: World) -> None:
    before = await served(world)
    await post(world, WAD // 2)
    assert await served(world) == before
    assert Status.HELD in (await world.word("fund-1")).status


async def test_stolen_key__replays_a_post__changes_nothing(world: World) -> None:
    time = world.newest + 120
    data = call_of(WAD * 101 // 100, time)
    await world.act(POSTER, [(world.registry, data)], at=time)
    posted = await served(world)
    assert posted == (WAD * 101 // 100, time)
    await post(world, WAD * 102 // 100)
    moved = await served(world)
    await world.act(POSTER, [(world.registry, data)], at=world.newest + 120)
    assert await served(world) == moved
    assert len(await stored_records(world)) == 2


async def test_stolen_key__replays_signed_bytes__is_refused_by_the_node(world: World) -> None:
    await post(world, WAD * 101 // 100)
    block = await world.node.rpc("eth_getBlockByNumber", "latest", False)
    raw = await world.node.rpc("eth_getRawTransactionByHash", block["transactions"][0])
    with pytest.raises(ChainError, match=r"nonce too low|already imported"):
        await world.node.rpc("eth_sendRawTransaction", raw)


async def test_stolen_key__two_posts_in_a_slot__only_the_first_counts(world: World) -> None:
    time = world.newest + 120
    calls = [(world.registry, call_of(WAD * percent // 100, time)) for percent in (101, 102, 103)]
    calls.append((world.registry, call_of(WAD * 104 // 100, time - 30)))
    await world.act(POSTER, calls, at=time)
    assert await served(world) == (WAD * 101 // 100, time)
    await post(world, WAD * 105 // 100, mined=time + 30)
    assert await served(world) == (WAD * 101 // 100, time)


@pytest.mark.parametrize("ahead", [-901, 1, 3_600])
async def test_stolen_key__another_time_than_the_present__is_refused(world: World, ahead: int) -> None:
    before = await served(world)
    time = world.newest + 7_200
    await post(world, WAD * 101 // 100, at=time + ahead, mined=time)
    assert await served(world) == before
    assert await stored_records(world) == []


ADMIN_CALLS: dict[str, tuple[Any, ...]] = {
    "setRole(address,uint256)": (SIGNERS[POSTER].address, 15),
    "replacePoster(address)": (SIGNERS[POSTER].address,),
    "setProfile(uint256,(uint16,uint16,uint16,uint32,uint32))": (0, (3_276, 3_276, 3_276, 1, 86_400)),
    "assignProfile(uint256,uint256)": (1, 0),
    "reopenFund(uint256,uint256,uint256,uint256)": (1, 2 * WAD, 2 * WAD, 1_700_000_000),
    "registerFund(uint256,address,address,uint256,uint256,uint256,uint256)": (
        9,
        SIGNERS[POSTER].address,
        "0x" + "00" * 20,
        0,
        WAD,
        WAD,
        1_700_000_000,
    ),
    "closeFund(uint256)": (1,),
    "accept(uint256,uint256,bytes)": (1, 0, b""),
    "discard(uint256)": (1,),
    "release(uint256[])": ([1],),
    "hold(uint256[])": ([1],),
    "setPaused(bool)": (True,),
}


def test_stolen_key__the_calls_of_other_roles__are_all_that_the_registry_has() -> None:
    writes = {
        signature_of(e)
        for e in artifact("NavRegistry").abi
        if e.get("stateMutability") == "nonpayable" and e["type"] == "function"
    }
    assert writes - {"post(uint256,bytes32,bytes)", "postOne(uint256,bytes32)"} == set(ADMIN_CALLS)


@pytest.mark.parametrize("signature", ADMIN_CALLS)
async def test_stolen_key__calls_of_other_roles__change_no_storage(world: World, signature: str) -> None:
    before = [await world.word(fund) for fund in world.shape.funds]
    settings = await world.node.rpc("eth_getStorageAt", world.registry, "0x0", "latest")
    await world.act(POSTER, [(world.registry, encode_call(signature, *ADMIN_CALLS[signature]))])
    block = await world.node.rpc("eth_getBlockByNumber", "latest", False)
    receipt = await world.node.rpc("eth_getTransactionReceipt", block["transactions"][0])
    assert int(receipt["status"], 16) == 0
    assert receipt["logs"] == []
    assert [await world.word(fund) for fund in world.shape.funds] == before
    assert await world.node.rpc("eth_getStorageAt", world.registry, "0x0", "latest") == settings


@pytest.mark.parametrize("seed", SEEDS)
async def test_stolen_key__a_day_of_random_posts__stays_within_a_step_of_the_last_and_the_band_of_the_day(
    world: World, seed: int
) -> None:
    dice = random.Random(seed)
    day = (world.newest // 86_400 + 1) * 86_400
    await post(world, WAD, mined=day)
    opening, last = WAD, WAD
    for _ in range(40):
        wanted = last * dice.choice((5_000, 8_999, 9_001, 9_500, 10_000, 10_500, 10_999, 11_001, 15_000)) // 10_000
        await post(world, wanted, mined=world.newest + dice.choice((1, 30, 60, 61, 600)))
        now, _ = await served(world)
        assert abs(now - last) * 10_000 <= BAND * last
        last = now
        # The day's drift is the sum of steps, each measured from the value before it.
        assert abs((await world.word("fund-1")).day_drift) <= DAY_BAND * 10
    assert opening * 7_400 <= last * 10_000 <= opening * 12_850
    assert (await served(world, "fund-2"))[0] == WAD
