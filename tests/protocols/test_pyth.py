"""Pyth's own mock of its contract, which stores and answers prices as the real one does, without the signatures."""

from __future__ import annotations

from typing import Any, Final

import pytest

from navoracle.domain.errors import SourceRefused
from navoracle.domain.units import WAD
from navoracle.ports import Address
from navoracle.prices import PythSource
from tests.protocols.chain import NAME, Chain, ReaderFailed
from tests.protocols.contracts import compiled
from tests.requirements import needs_node

pytestmark = needs_node

PRICE_ID: Final = "0x" + "e1" * 32
UNKNOWN_ID: Final = "0x" + "e2" * 32
CREATE: Final = "createPriceFeedUpdateData(bytes32,int64,uint64,int32,int64,uint64,uint64,uint64)"


@pytest.fixture(scope="module")
def pyth(chain: Chain) -> Address:
    found = compiled("@pythnetwork/pyth-sdk-solidity@4.3.1", "solc@0.8.28", "MockPyth.sol")
    contract = chain.deploy(found["MockPyth"], 60, 1)
    update(chain, contract, 2_500_00000000, 2_50000000)
    return contract


def update(
    chain: Chain,
    pyth: Address,
    price: int,
    conf: int,
    expo: int = -8,
    *,
    ema: tuple[int, int] | None = None,
    ahead: int = 0,
) -> int:
    """Push a price that was published `ahead` seconds after the newest block; returns that time."""
    time = chain.time + ahead
    arguments = (bytes.fromhex(PRICE_ID[2:]), price, conf, expo, *(ema or (price, conf)), time, time - 1)
    data = chain.view(pyth, CREATE, ("bytes",), *arguments)
    chain.send(pyth, "updatePriceFeeds(bytes[])", (data,), value=1)
    return time


def source(pyth: Address, **changes: Any) -> PythSource:
    fields = {"id": "eth", "asset": "ETH", "group": "pyth", "chain": NAME, "contract": pyth, "price_id": PRICE_ID}
    return PythSource.model_validate({"kind": "pyth", **fields, **changes})


async def refusal(chain: Chain, reader: PythSource) -> str:
    with pytest.raises(ReaderFailed) as failed:
        await chain.read(reader)
    assert failed.value.code == SourceRefused.code
    return str(failed.value)


async def test_read__pushed_price__is_quoted_as_of_its_publish_time(chain: Chain, pyth: Address) -> None:
    chain.travel(10)
    time = update(chain, pyth, 2_600_00000000, 13_00000000)
    quote = await chain.read(source(pyth))
    # an interval of 50 bps: 450 of the 490 bps between 10 and 500 are left
    assert (quote.price, quote.confidence) == (2_600 * WAD, 9_500 * 450 // 490)
    assert (quote.observed_at, quote.published_at, quote.max_age) == (time, time, 300)
    assert chain.travel(600) > quote.observed_at + 300
    assert (await chain.read(source(pyth))).observed_at == time


async def test_read__unknown_id_reverts_0x14aebe68__is_refused_with_its_meaning(chain: Chain, pyth: Address) -> None:
    assert "no price of this id" in await refusal(chain, source(pyth, price_id=UNKNOWN_ID))


@pytest.mark.parametrize(
    ("price", "conf", "expo", "expected"),
    [
        (25, 0, 2, 2_500 * WAD),
        (25, 0, 12, 25 * 10**12 * WAD),
        (2_500_0000, 0, -4, 2_500 * WAD),
        (2_500 * 10**15, 0, -20, 25 * 10**15),
    ],
)
async def test_read__positive_or_changed_expo__is_scaled(
    chain: Chain, pyth: Address, price: int, conf: int, expo: int, expected: int
) -> None:
    chain.travel(10)
    update(chain, pyth, price, conf, expo)
    assert (await chain.read(source(pyth))).price == expected


@pytest.mark.parametrize(
    ("price", "conf", "expo", "message"),
    [
        (-2_500_00000000, 0, -8, "not positive"),
        (0, 0, -8, "not positive"),
        (2_500_00000000, 2**64 - 1, -8, "wider than 200 bps"),
        (2_500_00000000, 0, 13, "exponent 13"),
        (2_500_00000000, 0, -21, "exponent -21"),
    ],
)
async def test_read__negative_zero_or_conf_2_64_minus_1_returned_as_is__is_refused(
    chain: Chain, pyth: Address, price: int, conf: int, expo: int, message: str
) -> None:
    chain.travel(10)
    update(chain, pyth, price, conf, expo)
    assert message in await refusal(chain, source(pyth))


async def test_read__future_publish_time_that_no_older_than_accepts__is_refused(chain: Chain, pyth: Address) -> None:
    time = update(chain, pyth, 2_500_00000000, 0, ahead=50)
    types = ("int64", "uint64", "int32", "uint256")
    found = chain.view(pyth, "getPriceNoOlderThan(bytes32,uint256)", types, bytes.fromhex(PRICE_ID[2:]), 60)
    assert found[3] == time > chain.time + 30
    assert "ahead of its block" in await refusal(chain, source(pyth))
    assert (await chain.read(source(pyth, max_ahead=60))).observed_at == time


async def test_ema__beside_the_price__is_read_and_held_against_it(chain: Chain, pyth: Address) -> None:
    chain.travel(10)
    update(chain, pyth, 2_500_00000000, 0, ema=(2_450_00000000, 1_00000000))
    assert (await chain.read(source(pyth, price="ema"))).price == 2_450 * WAD
    assert (await chain.read(source(pyth, max_ema_gap_bps=205))).price == 2_500 * WAD
    assert "more than 204 bps apart" in await refusal(chain, source(pyth, max_ema_gap_bps=204))
