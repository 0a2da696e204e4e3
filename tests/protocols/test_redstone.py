"""RedStone's adapters and push feeds, written with packages that its mock signers sign: the node's own accounts."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import pytest
from eth_account import Account
from eth_utils.crypto import keccak

from navoracle.abi import encode_call
from navoracle.domain.errors import SourceRefused
from navoracle.domain.units import WAD
from navoracle.ports import Address
from navoracle.prices import RedstoneFundamentalRate, RedstoneSource
from navoracle.prices.redstone import encode_feed_id
from tests.protocols.chain import NAME, Chain, NodeError, ReaderFailed
from tests.protocols.contracts import compiled
from tests.protocols.packages import package
from tests.requirements import needs_node

pytestmark = needs_node

SIGNERS: Final = (
    "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
    "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
)
"""The public keys of every test node's first accounts."""
MARKER: Final = bytes.fromhex("000002ed57011e0000")
HEARTBEAT: Final = 21_600
BTC: Final = 60_000_12345678
RATE: Final = 1_06123456

# A feed of a protocol's own rate differs from the others in its id alone.
FUNDAMENTAL: Final = """
pragma solidity ^0.8.14;
import "contracts/mocks/PriceFeedWithoutRoundsForMultiFeedAdapterMock.sol";

contract FundamentalFeed is PriceFeedWithoutRoundsForMultiFeedAdapterMock {
    function getDataFeedId() public pure override returns (bytes32) { return bytes32("weETH_FUNDAMENTAL"); }
}
"""


class World(NamedTuple):
    """A feed over each sort of adapter; the merged feed is its own adapter."""

    multi_adapter: Address
    multi: Address
    fundamental: Address
    common_adapter: Address
    common: Address
    merged: Address


@pytest.fixture(scope="module")
def world(chain: Chain) -> World:
    connector, zeppelin = "@redstone-finance/evm-connector", "@openzeppelin/contracts"
    found = compiled(
        "@redstone-finance/on-chain-relayer@0.6.1",
        "solc@0.8.28",
        *(
            f"contracts/mocks/{name}.sol"
            for name in (
                "MultiFeedAdapterWithoutRoundsMock",
                "PriceFeedsAdapterWithoutRoundsMock",
                "PriceFeedWithoutRoundsMock",
                "MergedPriceFeedAdapterWithoutRoundsMock",
            )
        ),
        remappings={
            "@chainlink/contracts/": package("@chainlink/contracts@0.8.0"),
            f"{connector}/": package(f"{connector}@0.6.1"),
            f"{zeppelin}/": package(f"{zeppelin}@4.9.6"),
            f"{zeppelin}-upgradeable/": package(f"{zeppelin}-upgradeable@4.9.6"),
        },
        sources={"test/FundamentalFeed.sol": FUNDAMENTAL},
    )
    multi_adapter = chain.deploy(found["MultiFeedAdapterWithoutRoundsMock"])
    common_adapter = chain.deploy(found["PriceFeedsAdapterWithoutRoundsMock"])
    multi = chain.deploy(found["PriceFeedWithoutRoundsForMultiFeedAdapterMock"])
    fundamental = chain.deploy(found["FundamentalFeed"])
    common = chain.deploy(found["PriceFeedWithoutRoundsMock"])
    for feed, adapter in ((multi, multi_adapter), (fundamental, multi_adapter), (common, common_adapter)):
        chain.send(feed, "setAdapterAddress(address)", adapter)
    merged = chain.deploy(found["MergedPriceFeedAdapterWithoutRoundsMock"])
    return World(multi_adapter, multi, fundamental, common_adapter, common, merged)


def payload(values: dict[str, int], signed_ms: int) -> bytes:
    """What a relayer appends to its call: one package of all values from each signer."""
    packages = b""
    for key in SIGNERS:
        points = b"".join(encode_feed_id(name) + value.to_bytes(32, "big") for name, value in values.items())
        body = points + signed_ms.to_bytes(6, "big") + (32).to_bytes(4, "big") + len(values).to_bytes(3, "big")
        packages += body + bytes(Account.unsafe_sign_hash(keccak(body), key).signature)
    return packages + len(SIGNERS).to_bytes(2, "big") + bytes(3) + MARKER


def write_each(chain: Chain, adapter: Address, values: dict[str, int], age: int = 0) -> int:
    """Write feeds of a multi-feed adapter with data signed `age` seconds before the newest block; returns its time."""
    signed = chain.time - age
    call = encode_call("updateDataFeedsValuesPartial(bytes32[])", tuple(encode_feed_id(name) for name in values))
    data = "0x" + (call + payload(values, signed * 1_000)).hex()
    chain._transact({"from": chain.owner, "to": adapter, "data": data})
    return signed


def write_all(chain: Chain, adapter: Address, values: dict[str, int], age: int = 0) -> int:
    """Write all feeds of an adapter with common times, likewise."""
    signed = chain.time - age
    call = encode_call("updateDataFeedsValues(uint256)", signed * 1_000)
    data = "0x" + (call + payload(values, signed * 1_000)).hex()
    chain._transact({"from": chain.owner, "to": adapter, "data": data})
    return signed


def source(feed: Address, **changes: Any) -> RedstoneSource:
    fields = {"id": "btc", "asset": "BTC", "group": "redstone", "chain": NAME, "feed": feed, "heartbeat": HEARTBEAT}
    return RedstoneSource.model_validate({"kind": "redstone", **fields, **changes})


def rate(feed: Address) -> RedstoneFundamentalRate:
    fields = {"id": "weeth", "base": "ETH", "chain": NAME, "feed": feed, "heartbeat": HEARTBEAT}
    return RedstoneFundamentalRate.model_validate({"kind": "redstone_fundamental", **fields})


async def refusal(chain: Chain, reader: Any) -> ReaderFailed:
    with pytest.raises(ReaderFailed) as failed:
        await chain.read_resolved(reader)
    return failed.value


async def test_read__multi_feed_adapter__counts_from_the_signed_data(chain: Chain, world: World) -> None:
    signed = write_each(chain, world.multi_adapter, {"BTC": BTC}, age=100)
    written = chain.time
    chain.travel(60)
    plain = await chain.read(source(world.multi))
    assert (plain.price, plain.confidence, plain.observed_at) == (BTC * 10**10, 9_000, chain.time)
    assert plain.published_at == written
    assert (await chain.read(source(world.multi, adapter=world.multi_adapter))).published_at == signed


@pytest.mark.parametrize("place", ["common", "merged"])
async def test_read__adapter_with_common_times__counts_from_the_signed_data(
    chain: Chain, world: World, place: str
) -> None:
    feed = getattr(world, place)
    adapter = world.common_adapter if place == "common" else feed
    signed = write_all(chain, adapter, {"BTC": BTC}, age=100)
    reader = source(feed, adapter=adapter, adapter_times="common", data_feed="BTC")
    quote = await chain.read(reader)
    assert (quote.price, quote.published_at) == (BTC * 10**10, signed)
    chain.travel(signed + HEARTBEAT + 300 + 1 - chain.time)
    assert (await chain.read(reader)).observed_at == signed


async def test_read__without_rounds__round_id_is_always_1(chain: Chain, world: World) -> None:
    types = ("uint80", "int256", "uint256", "uint256", "uint80")
    for value in (BTC, BTC + 1):
        chain.travel(10)
        write_each(chain, world.multi_adapter, {"BTC": value})
        round_id, *_, answered_in = chain.view(world.multi, "latestRoundData()", types)
        assert (round_id, answered_in) == (1, 1)
        assert (await chain.read(source(world.multi))).price == value * 10**10
    with pytest.raises(NodeError):
        chain.view(world.multi, "getRoundData(uint80)", types, 2)


@pytest.mark.parametrize("place", ["multi", "common", "merged"])
async def test_read__never_written__is_refused(chain: Chain, world: World, place: str) -> None:
    resolved = await chain.resolve(source(getattr(world, place)))
    assert (resolved.decimals, resolved.data_feed) == (8, "BTC")
    assert (await refusal(chain, resolved)).code == "call_reverted"


async def test_read__description_is_generic__the_data_feed_id_tells_feeds_apart(chain: Chain, world: World) -> None:
    for feed in (world.multi, world.fundamental):
        assert chain.view(feed, "description()", ("string",)) == "Redstone Price Feed"
    with pytest.raises(SourceRefused, match="'BTC', not 'ETH'"):
        await chain.resolve(source(world.multi, data_feed="ETH"))


async def test_fundamental__feed_is_a_rate_not_market__is_refused_as_a_source(chain: Chain, world: World) -> None:
    write_each(chain, world.multi_adapter, {"weETH_FUNDAMENTAL": RATE})
    with pytest.raises(SourceRefused, match="a rate and not a market price"):
        await chain.resolve(source(world.fundamental))
    failed = await refusal(chain, source(world.fundamental, decimals=8, data_feed="weETH"))
    assert failed.code == SourceRefused.code
    assert "a rate and not a market price" in str(failed)


async def test_fundamental__rate__is_read_and_a_market_feed_is_none(chain: Chain, world: World) -> None:
    signed = write_each(chain, world.multi_adapter, {"weETH_FUNDAMENTAL": RATE, "BTC": BTC})
    found = await chain.read(rate(world.fundamental))
    assert found.lower == found.higher == RATE * WAD // 10**8
    with pytest.raises(SourceRefused, match="a market feed"):
        await chain.resolve(rate(world.multi))
    resolved = await chain.resolve(rate(world.fundamental))
    chain.travel(signed + HEARTBEAT + 300 + 10 - chain.time)
    assert "older than" in str(await refusal(chain, resolved))
