"""API3's server, its OEV extension and a reader proxy, with data that an Airnode's key signs."""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct
from eth_utils.crypto import keccak

from navoracle.abi import encode_arguments
from navoracle.domain.errors import SourceRefused
from navoracle.domain.units import WAD
from navoracle.ports import Address
from navoracle.prices import Api3Source
from tests.protocols.chain import NAME, Chain, NodeError, ReaderFailed
from tests.protocols.contracts import Contract, compiled
from tests.protocols.packages import PackageRefused, package
from tests.requirements import needs_node

pytestmark = needs_node

PACKAGE: Final = "@api3/contracts@34.0.0"
FACTORIES: Final = "dist/typechain-types/factories"
AIRNODE: Final = Account.from_key(b"\x11" * 32)
TEMPLATE: Final = b"\x22" * 32
NAMED, UNNAMED = (name.ljust(32, b"\0") for name in (b"ETH/USD", b"BTC/USD"))
UPDATE: Final = "updateBeaconWithSignedData(address,bytes32,uint256,bytes,bytes)"


class World(NamedTuple):
    """The server, and the proxies of a name that is set and of one that is not."""

    server: Address
    proxy: Address
    unnamed: Address


def factory(path: str, *constructor: str) -> Contract:
    """The creation code that a typechain factory of the package carries."""
    text = (package(PACKAGE) / FACTORIES / f"{path}__factory.js").read_text()
    found = re.search(r'const _bytecode = "0x([0-9a-f]+)"', text)
    if found is None:
        raise PackageRefused(f"{path} carries no creation code")
    inputs = [{"name": "", "type": kind} for kind in constructor]
    return Contract(path, ({"type": "constructor", "inputs": inputs},), found.group(1), {})


@pytest.fixture(scope="module")
def world(chain: Chain) -> World:
    registry = chain.deploy(factory("access/AccessControlRegistry"))
    managed = ("address", "string", "address")
    server = chain.deploy(factory("api3-server-v1/Api3ServerV1", *managed), registry, "admin", chain.owner)
    extension = chain.deploy(
        factory("api3-server-v1/Api3ServerV1OevExtension", *managed, "address"), registry, "oev", chain.owner, server
    )
    proxy = factory("api3-server-v1/proxies/Api3ReaderProxyV1", "address", "bytes32", "uint256")
    chain.send(server, "setDapiName(bytes32,bytes32)", NAMED, keccak(bytes.fromhex(AIRNODE.address[2:]) + TEMPLATE))
    return World(server, *(chain.deploy(proxy, extension, name, 1) for name in (NAMED, UNNAMED)))


def update(chain: Chain, world: World, value: int, ahead: int = 0) -> int:
    """Write a value whose data is of `ahead` seconds after the newest block; returns that time."""
    time = chain.time + ahead
    data = encode_arguments(("int256",), (value,))
    digest = keccak(TEMPLATE + time.to_bytes(32, "big") + data)
    signature = AIRNODE.sign_message(encode_defunct(digest)).signature
    chain.send(world.server, UPDATE, AIRNODE.address, TEMPLATE, time, data, bytes(signature))
    return time


def source(proxy: Address, **changes: Any) -> Api3Source:
    fields = {"id": "eth", "asset": "ETH", "group": "api3", "chain": NAME, "proxy": proxy, "heartbeat": 86_400}
    return Api3Source.model_validate({"kind": "api3", **fields, **changes})


async def refusal(chain: Chain, reader: Api3Source) -> str:
    with pytest.raises(ReaderFailed) as failed:
        await chain.read(reader)
    assert failed.value.code == SourceRefused.code
    return str(failed.value)


async def test_read__signed_update__is_quoted_until_its_heartbeat_runs_out(chain: Chain, world: World) -> None:
    time = update(chain, world, 2_500 * WAD)
    chain.travel(time + 86_400 + 300 - chain.time)
    quote = await chain.read(source(world.proxy, deviation_bps=25))
    assert (quote.price, quote.confidence) == (2_500 * WAD, 8_750)
    assert (quote.observed_at, quote.published_at) == (chain.time, time)
    chain.travel(1)
    assert (await chain.read(source(world.proxy))).observed_at == time


async def test_read__uninitialised_reverts__is_refused_with_its_meaning(chain: Chain, world: World) -> None:
    assert "not initialized" in await refusal(chain, source(world.proxy))
    assert "no name set" in await refusal(chain, source(world.unnamed))


async def test_read__negative_value_that_the_server_accepts__is_refused(chain: Chain, world: World) -> None:
    update(chain, world, -2_500 * WAD)
    assert "not positive" in await refusal(chain, source(world.proxy))


async def test_read__data_up_to_1_h_in_the_future_that_the_server_accepts__lower_the_confidence(
    chain: Chain, world: World
) -> None:
    with pytest.raises(NodeError, match="Timestamp not valid"):
        update(chain, world, 2_500 * WAD, ahead=7_200)
    time = update(chain, world, 2_500 * WAD, ahead=3_000)
    assert "by more than 300 s" in await refusal(chain, source(world.proxy))
    chain.travel(time - 900 - chain.time)
    quote = await chain.read(source(world.proxy, max_ahead=3_600))
    assert (quote.observed_at, quote.published_at, quote.confidence) == (chain.time, time, 6_750)
    chain.travel(900)
    assert (await chain.read(source(world.proxy))).confidence == 9_000


async def test_read__rounds_and_description_that_a_proxy_lacks__are_not_needed(chain: Chain, world: World) -> None:
    update(chain, world, 2_500 * WAD)
    assert chain.view(world.proxy, "description()", ("string",)) == ""
    with pytest.raises(NodeError):
        chain.view(world.proxy, "getRoundData(uint80)", ("uint80",), 1)
    assert (await chain.read(source(world.proxy))).price == 2_500 * WAD


async def test_read__mock_reader_proxy__reads_like_the_real_one(chain: Chain) -> None:
    mock = chain.deploy(compiled(PACKAGE, "solc@0.8.28", "mock/MockApi3ReaderProxy.sol")["MockApi3ReaderProxy"])
    with pytest.raises(ReaderFailed) as failed:
        await chain.read(source(mock))
    assert failed.value.code == "call_reverted"
    chain.send(mock, "mock(int224,uint32)", 7 * WAD, chain.time)
    assert (await chain.read(source(mock))).price == 7 * WAD
