"""Price feeds, as somebody names them: by Chainlink's interface, or by what the feeds of a group have of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

from navoracle.abi import decode_result, encode_call
from navoracle.discovery.views import NOT_THERE, optional, view
from navoracle.domain.errors import SourceRefused
from navoracle.ports import Address, Call, Read

FeedKind = Literal["chainlink", "redstone", "chronicle", "api3"]

OWN_VIEWS: Final[Mapping[str, str]] = {
    "redstone": "getDataFeedId()",
    "chronicle": "tryReadWithAge()",
    "api3": "read()",
}
"""What a source of each kind asks for that feeds with Chainlink's interface alone do not answer."""

_API3_DECIMALS: Final = 18
"""Of every API3 value, by the protocol; older proxies have no `decimals()`."""


@dataclass(frozen=True, slots=True)
class FoundFeed:
    """A feed that answers.

    Attributes:
        kind: of the source that reads it.
        decimals: of its answers.
        description: what it says of itself, any text.
        updated_at: the time of its last answer.
    """

    feed: Address
    kind: FeedKind
    decimals: int
    description: str | None
    updated_at: int


def read_feed(feed: Address, group: str) -> Read[FoundFeed]:
    """Read a feed's answer and scale.

    Args:
        group: the one that it is to vote in. Where that is the name of a kind, and the feed answers what sources of
            that kind ask for, it is of that kind; else it is read by Chainlink's interface.

    Raises:
        SourceRefused: there is no feed, or it never answered.
    """
    own = _OF_GROUP.get(group)
    found = None if own is None else (yield from own(feed))
    return found or (yield from _aggregator(feed))


def _aggregator(feed: Address) -> Read[FoundFeed]:
    """By `AggregatorV3Interface`."""
    refusal = SourceRefused(
        f"{feed} does not answer as a price feed",
        advice="Name a contract with latestRoundData() and decimals(); other kinds of source are written by hand.",
    )
    try:
        (answer,) = yield (Call(feed, encode_call("latestRoundData()")),)
        _, price, _, updated, _ = decode_result(("uint80", "int256", "uint256", "uint256", "uint80"), answer)
        decimals = yield from view(feed, "decimals()", "uint8")
    except NOT_THERE as error:
        raise refusal from error
    if price <= 0 or updated == 0:
        raise refusal
    return FoundFeed(feed, "chainlink", decimals, (yield from optional(feed, "description()", "string")), updated)


def _redstone(feed: Address) -> Read[FoundFeed | None]:
    """Chainlink's interface, and the id of the data feed; whether it is a rate is for the source to say."""
    data_feed = yield from optional(feed, OWN_VIEWS["redstone"], "bytes32")
    if data_feed is None or not any(data_feed):
        return None
    return replace((yield from _aggregator(feed)), kind="redstone")


def _chronicle(oracle: Address) -> Read[FoundFeed | None]:
    """Asked directly and as nobody, as a source without a `sender` does: the toll looks at the caller."""
    try:
        (answer,) = yield (Call(oracle, encode_call(OWN_VIEWS["chronicle"]), direct=True),)
        good, value, age = decode_result(("bool", "uint256", "uint256"), answer)
        decimals = yield from view(oracle, "decimals()", "uint8")
    except NOT_THERE:
        return None
    if not good or value == 0 or age == 0:
        return None
    return FoundFeed(oracle, "chronicle", decimals, None, age)


def _api3(proxy: Address) -> Read[FoundFeed | None]:
    found = yield from optional(proxy, OWN_VIEWS["api3"], "int224", "uint32")
    if found is None or found[0] <= 0 or found[1] == 0:
        return None
    return FoundFeed(proxy, "api3", _API3_DECIMALS, None, found[1])


_OF_GROUP: Final[Mapping[str, Callable[[Address], Read[FoundFeed | None]]]] = {
    "redstone": _redstone,
    "chronicle": _chronicle,
    "api3": _api3,
}
