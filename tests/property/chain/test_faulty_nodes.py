"""Any faults on one node of three change nothing and stop nothing; on two of three a read is right or refused."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from navoracle.chain.pool import NodePool
from navoracle.chain.reader import Web3ChainReader
from navoracle.domain.errors import ChainError
from navoracle.domain.frame import BlockStamp
from navoracle.ports import Answer, Call, Scrutiny
from tests.unit.chain.simulated import (
    HEAD,
    REVERTING,
    TARGET,
    Fault,
    FixedClock,
    Request,
    SimulatedNode,
    block,
    dead,
    empty,
    error,
    lag,
    pool_of,
    right_answer,
    tamper,
)

KINDS = ("sound", "dead", "empty", "error", "tamper", "lag")
CALLS = [
    *(Call(TARGET, bytes([number])) for number in range(5)),
    Call(REVERTING, b"\1"),
    Call(TARGET, b"\7", direct=True),
    Call(REVERTING, b"\7", direct=True),
]
COMPARED = st.sampled_from([Scrutiny.COMPARED, Scrutiny.ANEW])
faulty = st.tuples(st.sampled_from(KINDS[1:]), st.floats(0.05, 1), st.integers(0, 10**6))


def sometimes(kind: str, chance: float, seed: int, node: int) -> Fault:
    """A fault that comes over a node now and then; tamperers of different nodes never tell the same lie."""
    dice = random.Random(seed)
    # A multiple of 15 apart plus the node's number: the digits that it changes are changed otherwise than by the other.
    faults = {
        "dead": dead,
        "empty": empty,
        "error": error,
        "tamper": tamper(15 * seed + node),
        "lag": lag(2 + seed % 50),
    }

    def fault(sound: Request, method: str, params: Sequence[Any]) -> Any:
        return faults[kind](sound, method, params) if dice.random() < chance else sound(method, params)

    return fault


def pool(*nodes: SimulatedNode) -> NodePool:
    return pool_of(*nodes, max_head_age=900, clock=FixedClock(), max_lag=5)


async def frame(nodes: list[SimulatedNode], scrutiny: Scrutiny) -> tuple[BlockStamp, tuple[Answer, ...], bool]:
    """Stamp, read in chunks and once more, as a frame of two rounds does, and look whether the block still stands."""
    reader = Web3ChainReader(pool(*nodes), chunk_calls=2)
    at = await reader.stamp()
    first = await reader.read(CALLS, at, scrutiny)
    second = await reader.read(CALLS[:3], at, scrutiny)
    return at, first + second, await reader.is_canonical(at)


def expected(at: BlockStamp) -> tuple[Answer, ...]:
    return tuple(right_answer(call, at) for call in CALLS + CALLS[:3])


@given(faulty, st.integers(0, 2), COMPARED)
@settings(max_examples=150)
def test_frame__any_faults_on_one_node_of_three__is_right_and_goes_on(
    fault: tuple[str, float, int], place: int, scrutiny: Scrutiny
) -> None:
    nodes = [SimulatedNode(f"n{index}") for index in range(3)]
    nodes[place].fault = sometimes(*fault, place)
    at, answers, stands = asyncio.run(frame(nodes, scrutiny))
    # A lagging node may hold the block back by as much as it may lag, and no further.
    assert at == block(at.number)
    assert HEAD - 5 <= at.number <= HEAD
    assert answers == expected(at)
    assert stands


@given(faulty, faulty, COMPARED)
@settings(max_examples=150)
def test_frame__any_faults_on_two_nodes_of_three__is_right_or_refused_with_a_reason(
    one: tuple[str, float, int], two: tuple[str, float, int], scrutiny: Scrutiny
) -> None:
    nodes = [SimulatedNode(f"n{index}") for index in range(3)]
    nodes[0].fault, nodes[1].fault = sometimes(*one, 0), sometimes(*two, 1)
    found = asyncio.run(frame_or_refusal(nodes, scrutiny))
    if isinstance(found, ChainError):
        assert found.message
        assert found.advice
        return
    at, answers, _ = found
    assert at == block(at.number)
    assert answers == expected(at)


async def frame_or_refusal(
    nodes: list[SimulatedNode], scrutiny: Scrutiny
) -> tuple[BlockStamp, tuple[Answer, ...], bool] | ChainError:
    try:
        return await frame(nodes, scrutiny)
    except ChainError as refusal:
        return refusal


@given(faulty)
@settings(max_examples=60)
def test_frame__one_node_of_one__is_right_or_refused_unless_it_lies(fault: tuple[str, float, int]) -> None:
    if fault[0] == "tamper":
        return
    node = SimulatedNode("n0", fault=sometimes(*fault, 0))
    found = asyncio.run(frame_or_refusal([node], Scrutiny.COMPARED))
    if not isinstance(found, ChainError):
        assert found[1] == expected(found[0])
