"""A contract's code over several nodes: a single one can neither make it up nor hide it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from navoracle.chain.node_state import NodeState
from navoracle.domain.errors import ChainError
from tests.unit.chain.simulated import TARGET, Request, dead, empty, on
from tests.unit.chain.test_pooled_reads import ready, several, state_of


def other_code(sound: Request, method: str, params: Sequence[Any]) -> Any:
    """Another contract's code."""
    return "0x6002"


def no_hex(sound: Request, method: str, params: Sequence[Any]) -> Any:
    """A text that is no code."""
    return "<html>"


async def test_code_at__sound_nodes__is_compared_at_the_block_s_hash() -> None:
    nodes = several(3)
    reader, at, _ = await ready(*nodes)
    assert await reader.code_at(TARGET, at) == b"\x60\x01"
    assert sorted(node.count("eth_getCode") for node in nodes) == [0, 1, 1]


@pytest.mark.parametrize("fault", [other_code, empty])
@pytest.mark.parametrize("liar", range(3))
async def test_code_at__one_of_three_lies_or_has_nothing__the_others_are_believed(fault: Any, liar: int) -> None:
    nodes = several(3)
    reader, at, _ = await ready(*nodes)
    nodes[liar].fault = on("eth_getCode", fault)
    assert await reader.code_at(TARGET, at) == b"\x60\x01"


async def test_code_at__liar_among_those_asked__is_out() -> None:
    nodes = several(3)
    reader, at, _ = await ready(*nodes)
    await reader.code_at(TARGET, at)
    liar = next(node for node in nodes if node.asked)
    liar.fault = on("eth_getCode", other_code)
    await reader.code_at(TARGET, at)
    assert state_of(reader.pool, liar) is NodeState.DISPUTED


@pytest.mark.parametrize("fault", [other_code, no_hex, dead])
async def test_code_at__two_nodes_without_a_quorum__is_an_error_and_no_code(fault: Any) -> None:
    nodes = several(2)
    reader, at, _ = await ready(*nodes)
    nodes[0].fault = on("eth_getCode", fault)
    with pytest.raises(ChainError) as caught:
        await reader.code_at(TARGET, at)
    assert caught.value.advice
