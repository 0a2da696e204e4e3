"""Feeds that somebody names: of which kind they are, by what they answer and by the group that they are named for."""

from __future__ import annotations

from typing import Any

import pytest

from navoracle.abi import encode_call
from navoracle.discovery import OWN_VIEWS, FoundFeed, read_feed
from navoracle.domain.errors import SourceRefused
from navoracle.domain.units import WAD
from navoracle.ports import Answer, Call
from navoracle.testing import FakeChain, block_stamp, drive
from tests.unit.addresses import address

NOW = 1_700_000_000
FEED = address(1)
ROUND = ("uint80", "int256", "uint256", "uint256", "uint80")
SCRIBE = ("bool", "uint256", "uint256")


def aggregator(price: int = 10**8, updated: int = NOW) -> FakeChain:
    """A feed with Chainlink's interface and nothing else."""
    chain = FakeChain(block_stamp(NOW))
    chain.put(FEED, "latestRoundData()", (), ROUND, 1, price, updated, updated, 1)
    chain.put(FEED, "decimals()", (), ("uint8",), 8)
    chain.put(FEED, "description()", (), ("string",), "USDC / USD")
    return chain


def redstone(data_feed: bytes = b"USDC") -> FakeChain:
    chain = aggregator()
    chain.put(FEED, "getDataFeedId()", (), ("bytes32",), data_feed.ljust(32, b"\0"))
    return chain


def chronicle(*values: Any, decimals: int = 18) -> FakeChain:
    chain = FakeChain(block_stamp(NOW))
    chain.put(FEED, "tryReadWithAge()", (), SCRIBE, *(values or (True, WAD, NOW - 60)))
    chain.put(FEED, "decimals()", (), ("uint8",), decimals)
    return chain


def api3(value: int = WAD, time: int = NOW) -> FakeChain:
    chain = FakeChain(block_stamp(NOW))
    chain.put(FEED, "read()", (), ("int224", "uint32"), value, time)
    return chain


def found(chain: FakeChain, group: str) -> FoundFeed:
    return drive(read_feed(FEED, group), chain.answer)


@pytest.mark.parametrize(
    ("chain", "group", "expected"),
    [
        (redstone(), "redstone", FoundFeed(FEED, "redstone", 8, "USDC / USD", NOW)),
        (chronicle(), "chronicle", FoundFeed(FEED, "chronicle", 18, None, NOW - 60)),
        (api3(), "api3", FoundFeed(FEED, "api3", 18, None, NOW)),
    ],
)
def test_read_feed__group_of_a_kind_and_what_that_kind_asks_for__is_of_that_kind(
    chain: FakeChain, group: str, expected: FoundFeed
) -> None:
    assert found(chain, group) == expected


@pytest.mark.parametrize("group", ["chainlink", "mine", *OWN_VIEWS])
def test_read_feed__chainlinks_interface_alone__is_chainlink_in_whatever_group(group: str) -> None:
    assert found(aggregator(), group) == FoundFeed(FEED, "chainlink", 8, "USDC / USD", NOW)


def test_read_feed__redstones_feed_in_another_group_or_without_an_id__is_chainlink() -> None:
    assert found(redstone(), "oracles").kind == "chainlink"
    assert found(redstone(b""), "redstone").kind == "chainlink"


@pytest.mark.parametrize(
    ("chain", "group"),
    [
        (FakeChain(block_stamp(NOW)), "redstone"),
        (chronicle(False, WAD, NOW), "chronicle"),
        (chronicle(True, 0, NOW), "chronicle"),
        (chronicle(True, WAD, 0), "chronicle"),
        (chronicle(), "redstone"),
        (api3(0), "api3"),
        (api3(-1), "api3"),
        (api3(WAD, 0), "api3"),
        (aggregator(price=0), "redstone"),
        (aggregator(updated=0), "chainlink"),
    ],
)
def test_read_feed__contract_that_never_answered_or_is_no_feed__is_refused(chain: FakeChain, group: str) -> None:
    with pytest.raises(SourceRefused, match="does not answer as a price feed"):
        found(chain, group)


def test_read_feed__chronicles_toll__is_asked_directly_and_as_nobody() -> None:
    asked: list[Call] = []

    def answer(request: Any) -> Answer:
        asked.append(request)
        return chronicle().answer(request)

    drive(read_feed(FEED, "chronicle"), answer)
    (value,) = [call for call in asked if call.data == encode_call("tryReadWithAge()")]
    assert (value.direct, value.sender) == (True, None)
