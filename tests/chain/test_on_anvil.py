"""Reader, transactor, deployment and publisher over HTTP, against a real node."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from bench.anvil import anvil
from navoracle.abi import encode_call
from navoracle.chain.artifacts import artifact
from navoracle.chain.deploy import FundOpening, RegistryRoles, deploy_contract, deploy_registry
from navoracle.chain.http import HttpEndpoint
from navoracle.chain.node import Pin
from navoracle.chain.pool import NodePool
from navoracle.chain.reader import Web3ChainReader
from navoracle.chain.signers import EphemeralSigner
from navoracle.chain.transactor import Web3Transactor
from navoracle.chain.versions import require_contract
from navoracle.domain.errors import CallReverted, ChainError
from navoracle.domain.units import WAD, Timestamp, Wad
from navoracle.ports import Call, ChainRequest, NativeBalance
from navoracle.publishers.nav_registry import NavRegistryPublisher
from tests.requirements import needs_node
from tests.unit.publishers.posts import ROOT, fund_post

pytestmark = needs_node

CHAIN_ID = 31_337
# The first two accounts of anvil's well-known test mnemonic.
ADMIN = EphemeralSigner(bytes.fromhex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"))
POSTER = EphemeralSigner(bytes.fromhex("59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"))


@pytest.fixture
async def endpoint() -> AsyncIterator[HttpEndpoint]:
    with anvil() as url:
        connected = HttpEndpoint(url)
        yield connected
        await connected.close()


async def test_post__deployed_posted_and_read_back_over_http__is_what_the_registry_serves(
    endpoint: HttpEndpoint,
) -> None:
    admin = Web3Transactor(endpoint, ADMIN, chain_id=CHAIN_ID)
    poster = Web3Transactor(endpoint, POSTER, chain_id=CHAIN_ID)
    multicall = await deploy_contract(admin, artifact("Multicall3").creation_code())
    pool = NodePool.of(endpoint, chain="anvil", chain_id=CHAIN_ID, finality=0)
    reader = Web3ChainReader(pool, multicall=multicall)
    at = await reader.stamp()
    assert [node.pin for node in pool.nodes()] == ["hash"]
    opening = FundOpening(1, admin.address, Wad(10**24), Wad(WAD), Timestamp(at.timestamp - 3_600))
    deployed = await deploy_registry(admin, RegistryRoles(admin.address, poster.address), funds=[opening])
    await require_contract(reader, deployed.address, "NavRegistry")

    publisher = NavRegistryPublisher(reader, chain="anvil", registry=deployed.address)
    now = (await reader.stamp()).timestamp
    batch = publisher.encode([fund_post(1, WAD + 7)], now, ROOT)
    assert [preview.reason for preview in await publisher.preview(batch)] == [None]
    signed = await poster.prepare(batch.to, batch.data)
    await poster.send(signed)
    async with asyncio.timeout(30):
        while (receipt := await poster.receipt(signed.hash)) is None:
            await asyncio.sleep(0.05)
    (found,) = await publisher.read_back(batch, receipt)
    assert (found.accepted, found.confirmed.price_per_share) == (True, WAD + 7)
    assert [preview.reason for preview in await publisher.preview(batch)] == ["not_newer"]
    with pytest.raises(CallReverted, match=r"Unauthorized\(0x"):
        await admin.prepare(batch.to, batch.data)
    with pytest.raises(ChainError, match="nonce too low"):
        await poster.send(signed)

    before = await reader.read([Call(deployed.address, encode_call("readRaw(uint256)", 1))], at)
    assert before[0].failure == "empty_result"
    requests: list[ChainRequest] = [
        NativeBalance(poster.address),
        Call(deployed.address, b"1234"),
        Call(deployed.address, b"12", direct=True),
    ]
    answers = await reader.read(requests, await reader.stamp())
    assert [answer.failure for answer in answers] == [None, "call_reverted", "call_reverted"]


async def test_read__pinned_by_number__agrees_with_the_pin_by_hash(endpoint: HttpEndpoint) -> None:
    multicall = await deploy_contract(
        Web3Transactor(endpoint, ADMIN, chain_id=CHAIN_ID), artifact("Multicall3").creation_code()
    )
    pins: tuple[Pin, ...] = ("hash", "number")
    answers = []
    for pin in pins:
        pool = NodePool.of(endpoint, chain="anvil", chain_id=CHAIN_ID, finality=0, pin=pin)
        reader = Web3ChainReader(pool, multicall=multicall)
        answers.append(await reader.read([NativeBalance(ADMIN.address)] * 3, await reader.stamp()))
    assert answers[0] == answers[1]
    assert answers[0][0].failure is None


async def test_stamp__node_of_another_chain__raises(endpoint: HttpEndpoint) -> None:
    with pytest.raises(ChainError, match="serves chain 31337, not 1"):
        await Web3ChainReader(NodePool.of(endpoint, chain="main", chain_id=1)).stamp()
