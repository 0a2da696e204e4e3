"""Three nodes over HTTP, two of them behind a proxy that injects faults: what one of them does changes no read.

Nor does it change what a registry says of a batch before it is sent, and of a post after it was mined.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from eth_abi.abi import encode

from bench.anvil import anvil
from navoracle.chain.artifacts import artifact
from navoracle.chain.connect import endpoint_at
from navoracle.chain.deploy import FundOpening, RegistryRoles, deploy_contract, deploy_registry
from navoracle.chain.http import HttpEndpoint
from navoracle.chain.node import Node
from navoracle.chain.node_state import NodeEvent, NodeState
from navoracle.chain.pool import NodePool
from navoracle.chain.reader import Web3ChainReader
from navoracle.chain.signers import EphemeralSigner
from navoracle.chain.transactor import Web3Transactor
from navoracle.domain.errors import EndpointsDisagree, NoQuorum
from navoracle.domain.units import WAD, Timestamp, Wad
from navoracle.drill.proxy import (
    ANY_METHOD,
    Fault,
    FaultProxy,
    answer,
    delay,
    drop_request,
    drop_response,
    error,
    lag,
    status,
    tamper,
    truncate,
    wrong_id,
)
from navoracle.ports import Address, Answer, NativeBalance, Scrutiny
from navoracle.publisher_port import Batch, Receipt
from navoracle.publishers.nav_registry import NavRegistryPublisher
from tests.requirements import needs_node
from tests.unit.publishers.posts import ROOT, fund_post

pytestmark = needs_node

CHAIN_ID = 31_337
# The first account of anvil's well-known test mnemonic.
ADMIN = EphemeralSigner(bytes.fromhex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"))
# The second one, untouched: 10,000 coins.
RICH = Address("0x70997970C51812dc3A010C7d01b50e0d17dc79C8")
# The third one.
POSTER = EphemeralSigner(bytes.fromhex("5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a"))
COINS = hex(10_000 * 10**18)[2:]
REQUESTS = [NativeBalance(RICH), NativeBalance(Address("0x00000000000000000000000000000000000000A1"))] * 20


@pytest.fixture(scope="module")
def node() -> Iterator[tuple[str, Address]]:
    """A node of thirty blocks, and where its Multicall3 is."""
    with anvil() as url:
        yield url, asyncio.run(_multicall(url))


async def _multicall(url: str) -> Address:
    endpoint = HttpEndpoint(url)
    try:
        transactor = Web3Transactor(endpoint, ADMIN, chain_id=CHAIN_ID)
        address = await deploy_contract(transactor, artifact("Multicall3").creation_code())
        await endpoint.request("anvil_mine", [hex(30)])
    finally:
        await endpoint.close()
    return address


@dataclass(frozen=True)
class Posted:
    """A registry, and the post that was made to it: fund 1 is served, fund 2 is held for its step."""

    registry: Address
    batch: Batch
    receipt: Receipt


@pytest.fixture(scope="module")
def posted(node: tuple[str, Address]) -> Posted:
    """One registry per module: the tests only read it."""
    return asyncio.run(_posted(*node))


async def _posted(url: str, multicall: Address) -> Posted:
    endpoint = HttpEndpoint(url)
    try:
        admin, poster = (Web3Transactor(endpoint, signer, chain_id=CHAIN_ID) for signer in (ADMIN, POSTER))
        reader = Web3ChainReader(
            NodePool.of(endpoint, chain="anvil", chain_id=CHAIN_ID, finality=0), multicall=multicall
        )
        earlier = Timestamp((await reader.stamp()).timestamp - 3_600)
        openings = [FundOpening(fund, admin.address, Wad(10**24), Wad(WAD), earlier) for fund in (1, 2)]
        deployed = await deploy_registry(admin, RegistryRoles(admin.address, poster.address), funds=openings)
        publisher = NavRegistryPublisher(reader, chain="anvil", registry=deployed.address)
        now = (await reader.stamp()).timestamp
        batch = publisher.encode([fund_post(1, WAD + 7), fund_post(2, 2 * WAD)], now, ROOT)
        signed = await poster.prepare(batch.to, batch.data)
        await poster.send(signed)
        receipt = await _receipt(poster, signed.hash)
        await endpoint.request("anvil_mine", [hex(3)])
    finally:
        await endpoint.close()
    return Posted(deployed.address, batch, receipt)


async def _receipt(transactor: Web3Transactor, transaction: str) -> Receipt:
    async with asyncio.timeout(10):
        while (receipt := await transactor.receipt(transaction)) is None:
            await asyncio.sleep(0.05)
    return receipt


@dataclass
class World:
    """A reader over three nodes; `odd` and `other` stand behind proxies."""

    reader: Web3ChainReader
    odd: FaultProxy
    other: FaultProxy
    events: list[NodeEvent]
    right: tuple[Answer, ...]

    def states(self) -> list[NodeState]:
        return [shown.state for shown in self.reader.pool.nodes()]


@pytest.fixture
async def world(node: tuple[str, Address]) -> AsyncIterator[World]:
    url, multicall = node
    events: list[NodeEvent] = []
    async with FaultProxy(url) as odd, FaultProxy(url) as other:
        urls = {"odd": odd.url, "other": other.url, "sound": url.replace("http://", "ws://")}
        nodes = [Node(endpoint_at(each, timeout=1.5), operator=name) for name, each in urls.items()]
        pool = NodePool(
            nodes, chain="anvil", chain_id=CHAIN_ID, max_lag=5, dial_timeout=2.0, deadline=10.0, on_event=events.append
        )
        reader = Web3ChainReader(pool, multicall=multicall, chunk_calls=8)
        right = await reader.read(REQUESTS, await reader.stamp())
        assert [found.failure for found in right] == [None] * len(REQUESTS)
        yield World(reader, odd, other, events, right)
        await reader.close()


def flip(text: Any) -> Any:
    """Another last digit."""
    return text[:-1] + format(int(text[-1], 16) ^ 1, "x") if isinstance(text, str) and len(text) > 2 else text


def richer(digit: str) -> Fault:
    """Well-formed answers with another balance."""
    return tamper(lambda text: text.replace(COINS, digit + COINS[1:]) if isinstance(text, str) else text)


FAULTS: dict[str, tuple[str, Fault]] = {
    "dead": (ANY_METHOD, drop_request),
    "response_lost": (ANY_METHOD, drop_response),
    "archive_state_missing": ("eth_call", error(-32000, "missing trie node")),
    "429": (ANY_METHOD, status(429, headers={"Retry-After": "1"})),
    "html_502": (ANY_METHOD, status(502, "<html>bad gateway</html>")),
    "html_200": (ANY_METHOD, status(200, "<html>welcome</html>")),
    "wrong_id": (ANY_METHOD, wrong_id),
    "truncated_body": (ANY_METHOD, truncate),
    "empty": ("eth_call", answer("0x")),
    "null": ("eth_call", answer(None)),
    "slow": ("eth_call", delay(5.0)),
    "other_chain": ("eth_chainId", answer("0x1")),
    "lags": ("eth_getBlockByNumber", lag(10)),
    "lies_about_state": ("eth_call", richer("3")),
    "lies_about_anything": (ANY_METHOD, tamper(flip)),
    "lies_about_blocks": (
        "eth_getBlockByNumber",
        tamper(lambda block: block and {**block, "hash": flip(block["hash"])}),
    ),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
async def test_frame__one_node_of_three_is_faulty__reads_the_same(world: World, fault: tuple[str, Fault]) -> None:
    world.odd.fault(*fault)
    at = await world.reader.stamp()
    for scrutiny in (Scrutiny.COMPARED, Scrutiny.ANEW):
        assert await world.reader.read(REQUESTS, at, scrutiny) == world.right
    assert await world.reader.is_canonical(at)


# Two nodes that tell the same lie, or lag alike, are a quorum.
@pytest.mark.parametrize("name", [name for name in FAULTS if not name.startswith(("lies", "lags"))])
async def test_frame__two_nodes_of_three_are_faulty__is_refused_with_a_reason(world: World, name: str) -> None:
    world.odd.fault(*FAULTS[name])
    world.other.fault(*FAULTS[name])
    with pytest.raises(NoQuorum) as caught:
        await world.reader.read(REQUESTS, await world.reader.stamp())
    assert "0123456789abcdef" not in caught.value.message


async def test_frame__two_of_three_tell_different_lies__is_a_disagreement(world: World) -> None:
    at = await world.reader.stamp()
    world.odd.fault("eth_call", richer("3"))
    world.other.fault("eth_call", richer("4"))
    with pytest.raises(EndpointsDisagree):
        await world.reader.read(REQUESTS, at)
    assert NodeState.DISPUTED not in world.states()


async def test_frame__a_liar_is_found__is_told_with_advice_and_out(world: World) -> None:
    at = await world.reader.stamp()
    world.odd.fault("eth_call", richer("3"))
    for _ in range(10):
        assert await world.reader.read(REQUESTS, at) == world.right
    assert world.states() == [NodeState.DISPUTED, NodeState.ALIVE, NodeState.ALIVE]
    event = world.events[-1]
    assert event.state is NodeState.DISPUTED
    assert event.advice
    assert "0123456789abcdef" not in f"{event} {world.reader.pool.nodes()}"
    world.odd.asked.clear()
    await world.reader.read(REQUESTS, at)
    assert not world.odd.asked


async def test_send__response_is_lost__is_never_sent_again(world: World) -> None:
    for proxy in (world.odd, world.other):
        proxy.fault("eth_sendRawTransaction", drop_response)
    transactor = Web3Transactor(world.reader.endpoint, ADMIN, chain_id=CHAIN_ID)
    signed = await transactor.prepare(ADMIN.address, b"")
    with contextlib.suppress(Exception):
        await transactor.send(signed)
    assert world.odd.forwarded["eth_sendRawTransaction"] + world.other.forwarded["eth_sendRawTransaction"] <= 1
    assert (await _receipt(transactor, signed.hash)).success


# ---- a registry before and after a post

LIES: dict[str, tuple[str, Fault]] = {
    "would_accept_everything": ("eth_call", answer("0x" + encode(["uint256[]"], [[0, 0]]).hex())),
    "would_hold_everything": ("eth_call", answer("0x" + encode(["uint256[]"], [[1, 1]]).hex())),
    "serves_another_price": ("eth_call", tamper(lambda text: text.replace(f"{WAD + 7:x}", f"{WAD + 9:x}"))),
    "refuses": ("eth_call", error(3, "execution reverted", "0x9e87fac8")),
}


async def said_of(publisher: NavRegistryPublisher, posted: Posted) -> list[tuple[object, ...]]:
    """What the registry would do with the batch again, and what it did with it."""
    previews = await publisher.preview(posted.batch)
    found = await publisher.read_back(posted.batch, posted.receipt)
    return [
        *((preview.reason, preview.send) for preview in previews),
        *((back.accepted, back.reason, back.confirmed.price_per_share) for back in found),
    ]


@pytest.mark.parametrize("fault", [*FAULTS.values(), *LIES.values()], ids=[*FAULTS, *LIES])
async def test_registry__one_node_of_three_is_faulty__previews_and_read_backs_are_the_same(
    world: World, posted: Posted, fault: tuple[str, Fault]
) -> None:
    publisher = NavRegistryPublisher(world.reader, chain="anvil", registry=posted.registry)
    right = await said_of(publisher, posted)
    assert right[2:] == [(True, None, WAD + 7), (False, "step+day_drift", WAD)]
    assert [send for _, send in right[:2]] == [False, True]
    world.odd.fault(*fault)
    for _ in range(3):
        assert await said_of(publisher, posted) == right


@pytest.mark.parametrize("name", ["dead", "empty", "html_502"])
async def test_registry__two_nodes_of_three_are_faulty__previews_and_reads_back_nothing(
    world: World, posted: Posted, name: str
) -> None:
    publisher = NavRegistryPublisher(world.reader, chain="anvil", registry=posted.registry)
    world.odd.fault(*FAULTS[name])
    world.other.fault(*FAULTS[name])
    with pytest.raises(NoQuorum):
        await publisher.preview(posted.batch)
    with pytest.raises(NoQuorum):
        await publisher.read_back(posted.batch, posted.receipt)


async def test_registry__two_of_three_tell_different_lies__is_a_disagreement(world: World, posted: Posted) -> None:
    publisher = NavRegistryPublisher(world.reader, chain="anvil", registry=posted.registry)
    world.odd.fault(*LIES["would_accept_everything"])
    world.other.fault(*LIES["would_hold_everything"])
    with pytest.raises(EndpointsDisagree):
        await publisher.preview(posted.batch)
