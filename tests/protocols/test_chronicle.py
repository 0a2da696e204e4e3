"""A double of Chronicle's Scribe, whose code was not found on npm: toll, value and age behave as it publishes them."""

from __future__ import annotations

from typing import Any, Final

import pytest

from navoracle.domain.errors import SourceRefused
from navoracle.domain.units import WAD
from navoracle.ports import Address
from navoracle.prices import ChronicleSource
from tests.protocols.chain import NAME, Chain, ReaderFailed
from tests.protocols.contracts import compiled
from tests.requirements import needs_node

pytestmark = needs_node

HEARTBEAT: Final = 43_200
NOBODY: Final = "0x" + "00" * 20

SCRIBE: Final = """
pragma solidity 0.8.28;

contract ScribeDouble {
    error NotTolled(address caller);

    uint8 public constant decimals = 18;
    mapping(address => bool) private kissed;
    uint128 private value;
    uint32 private age;

    modifier toll() {
        if (!kissed[msg.sender]) revert NotTolled(msg.sender);
        _;
    }

    function kiss(address who) external { kissed[who] = true; }
    function poke(uint128 next) external { (value, age) = (next, uint32(block.timestamp)); }
    function drop() external { (value, age) = (0, uint32(block.timestamp)); }

    function tryReadWithAge() external view toll returns (bool, uint256, uint256) {
        return (value != 0, value, age);
    }
}
"""


@pytest.fixture(scope="module")
def scribe(chain: Chain) -> Address:
    """An oracle with a value of 2,500, which has kissed the node's sixth account."""
    found = compiled("solc@0.8.28", "solc@0.8.28", sources={"ScribeDouble.sol": SCRIBE})
    oracle = chain.deploy(found["ScribeDouble"])
    chain.send(oracle, "kiss(address)", chain.accounts[5])
    chain.send(oracle, "poke(uint128)", 2_500 * WAD)
    return oracle


def source(oracle: Address, sender: Address | None, **changes: Any) -> ChronicleSource:
    fields = {"id": "eth", "asset": "ETH", "group": "chronicle", "chain": NAME, "oracle": oracle}
    return ChronicleSource.model_validate(
        {"kind": "chronicle", **fields, "sender": sender, "heartbeat": HEARTBEAT, **changes}
    )


async def refusal(chain: Chain, reader: ChronicleSource) -> str:
    with pytest.raises(ReaderFailed) as failed:
        await chain.read(reader)
    assert failed.value.code == SourceRefused.code
    return str(failed.value)


async def test_read__kissed_sender__is_let_pass_until_the_heartbeat_runs_out(chain: Chain, scribe: Address) -> None:
    chain.send(scribe, "poke(uint128)", 2_501 * WAD)
    poked = chain.time
    chain.travel(HEARTBEAT + 300)
    reader = source(scribe, chain.accounts[5])
    quote = await chain.read(reader)
    assert (quote.price, quote.confidence) == (2_501 * WAD, 9_000)
    assert (quote.observed_at, quote.published_at) == (chain.time, poked)
    chain.travel(1)
    assert (await chain.read(reader)).observed_at == poked


async def test_read__reader_not_whitelisted_by_the_toll__is_refused(chain: Chain, scribe: Address) -> None:
    for sender in (chain.accounts[6], None):
        assert "toll does not let this reader pass" in await refusal(chain, source(scribe, sender))


async def test_read__nobody_kissed__reads_without_a_sender(chain: Chain, scribe: Address) -> None:
    chain.send(scribe, "kiss(address)", NOBODY)
    assert (await chain.read(source(scribe, None))).price == 2_500 * WAD


async def test_read__value_deleted_on_challenge__is_refused(chain: Chain, scribe: Address) -> None:
    chain.send(scribe, "drop()")
    assert "has no value" in await refusal(chain, source(scribe, chain.accounts[5]))
