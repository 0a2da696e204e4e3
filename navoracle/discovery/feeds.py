"""Price feeds with `AggregatorV3Interface`, as somebody names them."""

from __future__ import annotations

from dataclasses import dataclass

from navoracle.abi import decode_result, encode_call
from navoracle.discovery.views import NOT_THERE, optional, view
from navoracle.domain.errors import SourceRefused
from navoracle.ports import Address, Call, Read


@dataclass(frozen=True, slots=True)
class FoundFeed:
    """A feed that answers: its decimals, what it says of itself (any text), and the time of its last answer."""

    feed: Address
    decimals: int
    description: str | None
    updated_at: int


def read_feed(feed: Address) -> Read[FoundFeed]:
    """Read a feed's round and scale. Raises SourceRefused: there is no feed, or it never answered."""
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
    return FoundFeed(feed, decimals, (yield from optional(feed, "description()", "string")), updated)
