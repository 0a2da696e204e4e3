"""Frames over three nodes of which one or two change bytes at random: identical evidence, or nothing to post."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from navoracle.chain.embedded import EmbeddedChain
from navoracle.chain.node import Node
from navoracle.chain.pool import NodePool
from navoracle.chain.reader import Web3ChainReader
from navoracle.composition.system import ChainAccess, open_system
from navoracle.config.loading import load_config
from navoracle.demo.world import CHAIN, DemoWorld
from navoracle.domain.cadence import Cadence
from navoracle.domain.errors import ChainError
from navoracle.domain.frame import NavFrame
from navoracle.keeper.frame import run_frame
from navoracle.keeper.pinned import PinnedClock
from tests.acceptance.worlds import THREE_FUNDS, build_world


@dataclass
class Tampering:
    """An endpoint of the chain that changes one byte of some answers to `eth_call`; without dice it is honest."""

    chain: EmbeddedChain
    name: str
    dice: random.Random | None = None
    chance: float = 1.0

    async def request(self, method: str, params: Sequence[object]) -> object:
        found = await self.chain.endpoint.request(method, params)
        if method != "eth_call" or self.dice is None or self.dice.random() > self.chance:
            return found
        if not isinstance(found, str) or len(found) < 4:
            return found
        raw = bytearray.fromhex(found[2:])
        raw[self.dice.randrange(len(raw))] ^= self.dice.randrange(1, 256)
        return "0x" + raw.hex()

    async def close(self) -> None:
        """Nothing to give up."""


@pytest.fixture(scope="module")
def world() -> DemoWorld:
    return build_world()


@pytest.fixture(scope="module")
def honest(world: DemoWorld) -> NavFrame:
    """What one honest node says."""
    return asyncio.run(frame(world, None))


async def frame(world: DemoWorld, *dice: random.Random | None, chance: float = 1.0) -> NavFrame:
    """One frame of all funds over a node per given dice (None: honest); readers are resolved over honest ones."""
    endpoints = [Tampering(world.chain, f"node-{index}") for index in range(len(dice))]
    pool = NodePool([Node(each) for each in endpoints], chain=CHAIN, chain_id=world.chain.chain_id, finality=0)
    with patch.dict("os.environ", world.environment):
        config = load_config(THREE_FUNDS)
    now = world.chain.now
    access = {CHAIN: ChainAccess(Web3ChainReader(pool), None)}
    system = await open_system(config, clock=PinnedClock(now), store=None, chains=access, documents=THREE_FUNDS.parent)
    plan = await system.planner.slot(config.funds, now, Cadence.HOURLY, publish=False, now=now)
    for endpoint, each in zip(endpoints, dice, strict=True):
        endpoint.dice, endpoint.chance = each, chance
    return await run_frame(plan, system.ports)


async def frame_or_refusal(tampering: Coroutine[Any, Any, NavFrame]) -> NavFrame | ChainError:
    try:
        return await tampering
    except ChainError as refusal:
        return refusal


seeds = st.integers(0, 2**32)


@given(seeds, st.integers(0, 2), st.sampled_from([0.1, 0.5, 1.0]))
@settings(max_examples=15)
def test_frame__one_of_three_nodes_tampers__is_identical(
    world: DemoWorld, honest: NavFrame, seed: int, place: int, chance: float
) -> None:
    dice: list[random.Random | None] = [None, None, None]
    dice[place] = random.Random(seed)
    found = asyncio.run(frame(world, *dice, chance=chance))
    assert found.evidence == honest.evidence
    assert all(part.postable for part in found.funds)


@given(seeds, seeds, st.sampled_from([0.1, 0.5, 1.0]))
@settings(max_examples=15)
def test_frame__two_of_three_nodes_tamper__is_identical_or_refused(
    world: DemoWorld, honest: NavFrame, one: int, two: int, chance: float
) -> None:
    tampering = frame(world, random.Random(one), random.Random(two + 1), None, chance=chance)
    found = asyncio.run(frame_or_refusal(tampering))
    if isinstance(found, ChainError):
        assert found.advice
        return
    for part in found.funds:
        if part.postable:
            assert found.evidence[part.fund] == honest.evidence[part.fund]
        else:
            assert part.reason
            assert part.failures


@given(seeds)
@settings(max_examples=8)
def test_frame__one_of_two_nodes_tampers__posts_nothing_that_differs(
    world: DemoWorld, honest: NavFrame, seed: int
) -> None:
    found = asyncio.run(frame(world, random.Random(seed), None))
    for part in found.funds:
        assert not part.postable or found.evidence[part.fund] == honest.evidence[part.fund]
