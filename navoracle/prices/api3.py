"""API3 data feeds: `read()` of a reader proxy, a value of 18 decimals and the time of its data.

That time is the data's own, and the protocol lets it lie up to an hour ahead of the block. Rounds and descriptions are
never asked for: a proxy has round 0, no description, and reverts for anything older.
"""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field

from navoracle.abi import decode_result, encode_call, selector
from navoracle.domain.errors import CallReverted
from navoracle.domain.prices import Quote
from navoracle.domain.prices.source_confidence import source_confidence
from navoracle.domain.units import WAD, Rounding, Wad, mul_div
from navoracle.ports import Call, Read, ReadPoint
from navoracle.prices.heartbeat import HeartbeatSource
from navoracle.prices.reverts import Meaning, Meanings, explained
from navoracle.readers import ChecksumAddress, Name, block_of

READ: Final = encode_call("read()")
VALUE_TYPES: Final = ("int224", "uint32")
DECIMALS: Final = 18
"""Of every API3 value, by the protocol."""
FARTHEST_AHEAD: Final = 3_600
"""Seconds ahead of the block below which the protocol's server accepts the time of data."""

REVERTS: Final[Meanings] = {
    selector("DapiNameIsNotSet()"): Meaning(
        "the proxy's data feed has no name set", "Check the proxy's address; API3 has not set up or has withdrawn it."
    ),
    selector("DataFeedIsNotInitialized()"): Meaning(
        "the data feed is not initialized", "Check the proxy's address, or wait for the feed's first update."
    ),
}


def ahead_factor(ahead: int) -> Wad:
    """1 less ahead / 3,600 s, never below 0, rounded down: what data from `ahead` seconds in the future are worth."""
    return Wad(mul_div(max(0, FARTHEST_AHEAD - max(0, ahead)), WAD, FARTHEST_AHEAD, Rounding.DOWN))


class Api3Source(HeartbeatSource, frozen=True):
    """A data feed behind its reader proxy.

    Confidence is (`confidence` less ten times `deviation_bps`) times (1 - ahead / 3,600 s), rounded down, where `ahead`
    is how far the data's time lies after the block's: data of the future are a clock that is wrong somewhere.

    Attributes:
        proxy: API3's reader proxy for this reader.
        max_ahead: seconds that the data's time may lie ahead of the block.
    """

    kind: Literal["api3"]
    chain: Name
    proxy: ChecksumAddress
    max_ahead: int = Field(default=300, ge=0, le=FARTHEST_AHEAD)

    def read(self, at: ReadPoint) -> Read[Quote]:
        """Read the value and its time.

        Raises:
            SourceRefused: the feed is not set up, its value is not positive, or its time is too far ahead.
        """
        now = block_of(self, at).timestamp
        try:
            (answer,) = yield (Call(self.proxy, READ),)
        except CallReverted as revert:
            raise explained(self, revert, REVERTS) from revert
        value, time = decode_result(VALUE_TYPES, answer)
        written = self.check_written(time, now, self.max_ahead)
        confidence = source_confidence(self.quote_confidence, ahead_factor(written - now))
        return self.heartbeat_quote(self.scaled(value, DECIMALS), written, now, confidence)
