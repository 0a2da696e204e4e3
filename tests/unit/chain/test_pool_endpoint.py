"""What a transactor asks of a pool: nonces, receipts, gas, and a transaction that is sent once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from navoracle.chain.pool_endpoint import PoolEndpoint
from navoracle.chain.rpc import NodeRefused
from navoracle.domain.errors import ChainError
from tests.unit.chain.simulated import Fault, Request, SimulatedNode, always, dead, on, pool_of

SEND = "eth_sendRawTransaction"


async def ready(*faults: Fault | None) -> tuple[PoolEndpoint, list[SimulatedNode]]:
    """An endpoint over nodes that had no fault while they were dialed."""
    nodes = [SimulatedNode(f"n{index}") for index in range(len(faults))]
    pool = pool_of(*nodes)
    await pool.stamp()
    for node, fault in zip(nodes, faults, strict=True):
        node.fault = fault
        node.asked.clear()
    return PoolEndpoint(pool), nodes


def says(method: str, *answers: Any) -> list[Fault | None]:
    return [dead if answer is None else on(method, always(answer)) for answer in answers]


def with_base_fee(fee: int) -> Fault:
    def fault(sound: Request, method: str, params: Sequence[Any]) -> Any:
        return {**sound(method, params), "baseFeePerGas": hex(fee)}

    return on("eth_getBlockByNumber", fault)


@pytest.mark.parametrize(
    ("nonces", "highest"), [(["0x5"], "0x5"), (["0x5", "0x7"], "0x7"), (["0x7", None, "0x6"], "0x7")]
)
async def test_nonce__several_nodes__is_the_highest(nonces: list[str | None], highest: str) -> None:
    endpoint, _ = await ready(*says("eth_getTransactionCount", *nonces))
    assert await endpoint.request("eth_getTransactionCount", ["0x", "pending"]) == highest


RECEIPT = {"transactionHash": "0x1"}


@pytest.mark.parametrize("place", range(3))
async def test_receipt__one_node_has_it__is_that_one(place: int) -> None:
    faults: list[Fault | None] = [on("eth_getTransactionReceipt", always(None))] * 3
    faults[place] = on("eth_getTransactionReceipt", always(RECEIPT))
    endpoint, _ = await ready(*faults)
    assert await endpoint.request("eth_getTransactionReceipt", ["0x1"]) == RECEIPT


async def test_receipt__no_node_has_it__is_none_and_no_answer_is_an_error() -> None:
    endpoint, _ = await ready(dead, on("eth_getTransactionReceipt", always(None)))
    assert await endpoint.request("eth_getTransactionReceipt", ["0x1"]) is None
    endpoint, _ = await ready(dead, dead)
    with pytest.raises(ChainError, match="ClientConnectorError"):
        await endpoint.request("eth_getTransactionReceipt", ["0x1"])


@pytest.mark.parametrize(("values", "middle"), [([7], 7), ([9, 2], 2), ([1, 9, 2], 2), ([1, 9, 2, 3], 2)])
async def test_gas__suggestions__are_the_lower_of_two_and_the_median_of_more(values: list[int], middle: int) -> None:
    endpoint, _ = await ready(*says("eth_maxPriorityFeePerGas", *map(hex, values)))
    assert await endpoint.request("eth_maxPriorityFeePerGas", []) == hex(middle)
    endpoint, _ = await ready(*map(with_base_fee, values))
    block = await endpoint.request("eth_getBlockByNumber", ["latest", False])
    assert isinstance(block, dict)
    assert (block["baseFeePerGas"], block["gasLimit"]) == (hex(middle), hex(30_000_000))


async def test_gas__absurd_suggestion_of_one_of_three__changes_nothing() -> None:
    endpoint, _ = await ready(None, None, on("eth_maxPriorityFeePerGas", always(hex(10**30))))
    assert await endpoint.request("eth_maxPriorityFeePerGas", []) == hex(10**9)


@pytest.mark.parametrize("fault", [dead, always(NodeRefused("node", SEND, -32000, "nonce too low"))])
async def test_send__node_fails__was_sent_to_one_node_once(fault: Fault) -> None:
    endpoint, nodes = await ready(fault, fault, fault)
    with pytest.raises(ChainError):
        await endpoint.request(SEND, ["0x00"])
    assert sorted(node.count(SEND) for node in nodes) == [0, 0, 1]


async def test_send__one_node_was_dead_before__goes_to_a_healthy_one() -> None:
    endpoint, nodes = await ready(None, None)
    nodes[0].fault = dead
    with pytest.raises(ChainError):
        await endpoint._pool._nodes[0].request("eth_chainId", [])
    nodes[1].fault = on(SEND, always("0xhash"))
    assert await endpoint.request(SEND, ["0x00"]) == "0xhash"
    assert [node.count(SEND) for node in nodes] == [0, 1]


@pytest.mark.parametrize("method", ["eth_estimateGas", "eth_chainId", "eth_call"])
async def test_read__node_fails__is_answered_by_the_next(method: str) -> None:
    endpoint, _ = await ready(dead, on(method, always("0x7")), dead)
    assert await endpoint.request(method, []) == "0x7"


async def test_name__several_nodes__counts_them() -> None:
    assert (await ready(None))[0].name == "https://n0.example/***"
    assert (await ready(None, None, None))[0].name == "https://n0.example/*** and 2 more"


async def test_close__closes_the_nodes() -> None:
    endpoint, nodes = await ready(None, None)
    await endpoint.close()
    assert all(node.closed for node in nodes)
