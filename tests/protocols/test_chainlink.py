"""Chainlink's proxies, a FluxAggregator with real rounds, access control, and Arbitrum's sequencer feed."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import pytest
from eth_utils.address import to_checksum_address

from navoracle.domain.errors import DecimalsChanged, SourceRefused
from navoracle.domain.units import WAD, Timestamp
from navoracle.ports import Address
from navoracle.prices import ChainlinkSource
from tests.protocols.chain import NAME, Chain, ReaderFailed
from tests.protocols.contracts import Contract, compiled
from tests.requirements import needs_node

pytestmark = needs_node

PACKAGE: Final = "@chainlink/contracts@0.8.0"
FLUX: Final = "src/v0.6/FluxAggregator.sol"
LOWEST, HIGHEST = 10_000_000, 10**20
HEARTBEAT: Final = 3_600
ALIAS_OFFSET: Final = 0x1111000000000000000000000000000000001111
"""What Arbitrum adds to the address of a sender on the parent chain."""

# OCR aggregators name their bounds so; the flux aggregator, which rejects in the same way, names them otherwise.
BOUNDED: Final = """
pragma solidity 0.6.6;
import "src/v0.6/FluxAggregator.sol";

contract BoundedAggregator is FluxAggregator {
    constructor(address link, int256 low, int256 high, uint8 places)
        public
        FluxAggregator(link, 0, 60, address(0), low, high, places, "bounded")
    {}

    function minAnswer() external view returns (int192) { return int192(minSubmissionValue); }
    function maxAnswer() external view returns (int192) { return int192(maxSubmissionValue); }
}
"""


def contracts() -> dict[str, Contract]:
    entries = ("src/v0.6/EACAggregatorProxy.sol", "src/v0.6/SimpleReadAccessController.sol", FLUX)
    return compiled(PACKAGE, "solc@0.6.6", *entries, sources={"test/BoundedAggregator.sol": BOUNDED})


class World(NamedTuple):
    """A proxy before an aggregator of 8 decimals that has one round of 2,000, and one that waits with 18 decimals."""

    proxy: Address
    aggregator: Address
    wide: Address


@pytest.fixture(scope="module")
def world(chain: Chain) -> World:
    found = contracts()
    aggregator, wide = (aggregator_of(chain, found, decimals) for decimals in (8, 18))
    submit(chain, aggregator, 2_000 * 10**8)
    proxy = chain.deploy(found["AggregatorProxy"], aggregator)
    return World(proxy, aggregator, wide)


def aggregator_of(chain: Chain, found: dict[str, Contract], decimals: int) -> Address:
    scale = 10 ** (decimals - 8)
    aggregator = chain.deploy(found["BoundedAggregator"], chain.owner, LOWEST * scale, HIGHEST * scale, decimals)
    oracles = (chain.owner,)
    signature = "changeOracles(address[],address[],address[],uint32,uint32,uint32)"
    chain.send(aggregator, signature, (), oracles, oracles, 1, 1, 0)
    return aggregator


def submit(chain: Chain, aggregator: Address, answer: int) -> None:
    round_ = chain.view(aggregator, "latestRound()", ("uint256",)) + 1
    chain.send(aggregator, "submit(uint256,int256)", round_, answer)


def switch_phase(chain: Chain, proxy: Address, aggregator: Address) -> None:
    chain.send(proxy, "proposeAggregator(address)", aggregator)
    chain.send(proxy, "confirmAggregator(address)", aggregator)


def source(feed: Address, **changes: Any) -> ChainlinkSource:
    fields = {"id": "eth", "asset": "ETH", "group": "chainlink", "chain": NAME, "feed": feed, "heartbeat": HEARTBEAT}
    return ChainlinkSource.model_validate({"kind": "chainlink", **fields, **changes})


async def refusal(chain: Chain, reader: ChainlinkSource, *, resolved: bool = False) -> ReaderFailed:
    with pytest.raises(ReaderFailed) as failed:
        await (chain.read_resolved(reader) if resolved else chain.read(reader))
    return failed.value


@pytest.mark.parametrize("place", ["proxy", "aggregator"])
async def test_read__proxy_or_aggregator__quotes_the_round(chain: Chain, world: World, place: str) -> None:
    quote = await chain.read(source(getattr(world, place)))
    assert (quote.price, quote.confidence) == (2_000 * WAD, 9_500)
    assert quote.observed_at == chain.time
    assert quote.published_at == chain.view(world.aggregator, "latestTimestamp()", ("uint256",))


async def test_read__round_past_heartbeat_and_grace__is_stale(chain: Chain, world: World) -> None:
    written = chain.view(world.aggregator, "latestTimestamp()", ("uint256",))
    chain.travel(written + HEARTBEAT + 300 - chain.time)
    assert (await chain.read(source(world.proxy))).observed_at == chain.time
    chain.travel(1)
    assert (await chain.read(source(world.proxy))).observed_at == Timestamp(written)


async def test_read__flux_aggregator_before_its_first_round__reverts_with_no_data_present(
    chain: Chain, world: World
) -> None:
    assert chain.view(world.wide, "latestAnswer()", ("int256",)) == 0
    failed = await refusal(chain, source(world.wide))
    assert failed.code == SourceRefused.code
    assert "has no round yet" in str(failed)


async def test_phase_switch__8_to_18_decimals__is_refused_naming_both(chain: Chain, world: World) -> None:
    resolved = await chain.resolve(source(world.proxy))
    assert resolved.decimals == 8
    submit(chain, world.wide, 2_000 * WAD)
    switch_phase(chain, world.proxy, world.wide)
    assert chain.view(world.proxy, "latestRound()", ("uint256",)) == 2 << 64 | 1
    failed = await refusal(chain, resolved, resolved=True)
    assert failed.code == DecimalsChanged.code
    assert "had 8 decimals and now says 18" in str(failed)
    assert (await chain.read(source(world.proxy))).price == 2_000 * WAD


async def test_phase_switch__same_decimals__is_reported_where_it_is_checked(chain: Chain, world: World) -> None:
    plain = await chain.resolve(source(world.proxy))
    checked = await chain.resolve(source(world.proxy, check_phase=True))
    pinned = await chain.resolve(source(world.proxy, aggregator=world.aggregator))
    assert checked.phase == 1
    assert (await chain.read_resolved(checked)).price == (await chain.read_resolved(pinned)).price == 2_000 * WAD
    successor = aggregator_of(chain, contracts(), 8)
    submit(chain, successor, 2_001 * 10**8)
    switch_phase(chain, world.proxy, successor)
    assert (await chain.read_resolved(plain)).price == 2_001 * WAD
    assert "was in phase 1 and is now in phase 2" in str(await refusal(chain, checked, resolved=True))
    assert successor in str(await refusal(chain, pinned, resolved=True))


async def test_bounds__report_below_min_answer_reverts_and_the_last_answer_sticks__is_refused_near_the_bound(
    chain: Chain, world: World
) -> None:
    stuck = LOWEST * 11 // 10
    submit(chain, world.aggregator, stuck)
    with pytest.raises(Exception, match="value below minSubmissionValue"):
        submit(chain, world.aggregator, LOWEST - 1)
    assert (await chain.read(source(world.proxy))).price == stuck * 10**10
    failed = await refusal(chain, source(world.proxy, check_bounds=True))
    assert failed.code == SourceRefused.code
    assert f"bound {LOWEST}" in str(failed)
    submit(chain, world.aggregator, stuck + 1)
    assert (await chain.read(source(world.proxy, check_bounds=True))).price == (stuck + 1) * 10**10
    direct = source(world.aggregator, aggregator=world.aggregator, check_bounds=True)
    assert (await chain.read(direct)).price == (stuck + 1) * 10**10


async def test_access_control__through_multicall3__breaks_and_a_direct_call_works(chain: Chain, world: World) -> None:
    found = contracts()
    controller = chain.deploy(found["SimpleReadAccessController"])
    gated = chain.deploy(found["EACAggregatorProxy"], world.aggregator, controller)
    failed = await refusal(chain, source(gated))
    assert failed.code == SourceRefused.code
    assert "does not let its caller read" in str(failed)
    assert (await chain.read(source(gated, direct=True))).price == 2_000 * WAD
    assert (await chain.read(source(gated, direct=True, sender=chain.accounts[5]))).price == 2_000 * WAD


class Sequencer(NamedTuple):
    """Arbitrum's uptime feed, and who reports to it."""

    feed: Address
    reporter: Address


@pytest.fixture(scope="module")
def sequencer(chain: Chain) -> Sequencer:
    entries = ("src/v0.8/l2ep/dev/arbitrum/ArbitrumSequencerUptimeFeed.sol", "src/v0.8/dev/Flags.sol")
    found = compiled(PACKAGE, "solc@0.8.19", *entries)
    controller = chain.deploy(contracts()["SimpleReadAccessController"])
    flags = chain.deploy(found["Flags"], controller, controller)
    above = chain.accounts[7]
    feed = chain.deploy(found["ArbitrumSequencerUptimeFeed"], flags, above)
    for contract, reader in ((controller, feed), (flags, feed)):
        chain.send(contract, "addAccess(address)", reader)
    chain.send(feed, "disableAccessCheck()")
    alias = (int(above, 16) + ALIAS_OFFSET) % 2**160
    return Sequencer(feed, chain.impersonate(Address(to_checksum_address(alias.to_bytes(20, "big")))))


async def test_sequencer__not_initialised__is_refused(chain: Chain, world: World, sequencer: Sequencer) -> None:
    failed = await refusal(chain, source(world.proxy, sequencer=sequencer.feed))
    assert failed.code == "call_reverted"


async def test_sequencer__up_down_and_up_again__is_refused_until_its_grace_has_passed(
    chain: Chain, world: World, sequencer: Sequencer
) -> None:
    reader = source(world.proxy, sequencer=sequencer.feed, heartbeat=86_400)
    chain.send(sequencer.feed, "initialize()")
    assert "came up" in str(await refusal(chain, reader))
    chain.travel(3_700)
    assert (await chain.read(reader)).price == 2_000 * WAD
    report = "updateStatus(bool,uint64)"
    chain.send(sequencer.feed, report, True, chain.time, sender=sequencer.reporter)
    assert "is down since" in str(await refusal(chain, reader))
    chain.travel(7_200)
    assert "is down since" in str(await refusal(chain, reader))
    up = chain.time
    chain.send(sequencer.feed, report, False, up, sender=sequencer.reporter)
    chain.travel(up + 3_600 - chain.time)
    assert "came up" in str(await refusal(chain, reader))
    chain.travel(1)
    assert (await chain.read(reader)).price == 2_000 * WAD
