"""A word of a contract's storage over several nodes: a single one can neither make it up nor hide it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from navoracle.chain.node_state import NodeState
from navoracle.domain.errors import ChainError
from tests.unit.chain.simulated import TARGET, Fault, Request, dead, on
from tests.unit.chain.test_pooled_reads import ready, several, state_of

SLOT = 0xABC
METHOD = "eth_getStorageAt"


def word(value: int, length: int = 32) -> Fault:
    """A node whose slot holds this."""

    def fault(sound: Request, method: str, params: Sequence[Any]) -> Any:
        assert params[0] == TARGET
        assert params[1] == "0x" + SLOT.to_bytes(32, "big").hex()
        return "0x" + value.to_bytes(length, "big").hex()

    return fault


def no_hex(sound: Request, method: str, params: Sequence[Any]) -> Any:
    """A text that is no word."""
    return "<html>"


@pytest.mark.parametrize("value", [0, 7, 2**256 - 1])
async def test_storage_at__sound_nodes__is_compared_at_the_block_s_hash(value: int) -> None:
    nodes = several(3)
    reader, at, _ = await ready(*nodes)
    for node in nodes:
        node.fault = on(METHOD, word(value))
    assert await reader.storage_at(TARGET, SLOT, at) == value.to_bytes(32, "big")
    assert sorted(node.count(METHOD) for node in nodes) == [0, 1, 1]


@pytest.mark.parametrize(("truth", "lie"), [(0, 7), (7, 0)])
@pytest.mark.parametrize("liar", range(3))
async def test_storage_at__one_of_three_lies__the_others_are_believed_also_about_zero(
    truth: int, lie: int, liar: int
) -> None:
    nodes = several(3)
    reader, at, _ = await ready(*nodes)
    for index, node in enumerate(nodes):
        node.fault = on(METHOD, word(lie if index == liar else truth))
    assert await reader.storage_at(TARGET, SLOT, at) == truth.to_bytes(32, "big")
    if nodes[liar].count(METHOD):
        assert state_of(reader.pool, nodes[liar]) is NodeState.DISPUTED


@pytest.mark.parametrize("fault", [word(7), word(0, 31), no_hex, dead])
async def test_storage_at__two_nodes_without_a_quorum__is_an_error_and_no_word(fault: Any) -> None:
    nodes = several(2)
    reader, at, _ = await ready(*nodes)
    nodes[0].fault, nodes[1].fault = on(METHOD, fault), on(METHOD, word(0))
    with pytest.raises(ChainError) as caught:
        await reader.storage_at(TARGET, SLOT, at)
    assert caught.value.advice
