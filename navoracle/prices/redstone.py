"""RedStone push feeds: Chainlink's shape over RedStone's adapters, and its fundamental feeds, which are rates.

A feed's `updatedAt` is the time of the block that wrote it. The adapter behind the feed also knows when the data was
signed; where it is configured, the older of the two counts. Feeds without rounds always answer round 1.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar, Final, Literal, NamedTuple, Self

from pydantic import model_validator

from navoracle.abi import decode_result, encode_call, selector
from navoracle.domain.errors import ConfigurationError, MalformedResult, SourceRefused
from navoracle.domain.prices import Quote
from navoracle.domain.units import BPS, WAD, Bps, Rounding, Timestamp, Wad, mul_div
from navoracle.ports import Call, ProtocolRate, Read, ReadPoint
from navoracle.prices.heartbeat import Heartbeat, HeartbeatSource
from navoracle.prices.rounds import LATEST_ROUND_DATA, check_round, decode_round
from navoracle.readers import (
    DECIMALS,
    BasisPoints,
    ChecksumAddress,
    Decimals,
    Name,
    block_of,
    check_decimals,
    check_names,
    decode_decimals,
    resolved_decimals,
)

GET_DATA_FEED_ID: Final = encode_call("getDataFeedId()")
DESCRIPTION: Final = encode_call("description()")
GET_ADAPTER: Final = encode_call("getPriceFeedAdapter()")
GET_TIMESTAMPS: Final = encode_call("getTimestampsFromLatestUpdate()")
GET_DETAILS: Final = selector("getLastUpdateDetails(bytes32)")

FUNDAMENTAL: Final = "FUNDAMENTAL"
"""What marks the data feed of a protocol's own rate: weETH_FUNDAMENTAL."""

_HASHED_ID = re.compile(r"0x[0-9a-f]{64}")


class Answer(NamedTuple):
    """What a feed says: a value in its decimals, and the time that it counts from (Unix seconds)."""

    value: int
    written: Timestamp


class RedstoneFeed(Heartbeat, frozen=True):
    """What market feeds and fundamental feeds have in common.

    Attributes:
        data_feed: the feed's id at RedStone ("weETH"; 0x and 64 digits where it is a hash); filled by `resolve`.
        adapter: the contract behind the feed; None does not ask it.
        adapter_times: whether the adapter knows one time for each of its feeds, or a common one for all.
        feed: the feed's proxy.
        decimals: of the answer; filled by `resolve`.
    """

    resolved_fields: ClassVar[tuple[str, ...]] = ("decimals", "data_feed")
    fundamental: ClassVar[bool]

    chain: Name
    feed: ChecksumAddress
    decimals: Decimals | None = None
    data_feed: Name | None = None
    adapter: ChecksumAddress | None = None
    adapter_times: Literal["per_feed", "common"] = "per_feed"

    def resolve(self, at: ReadPoint) -> Read[Self]:
        """Read the feed's decimals and data feed id.

        Raises:
            SourceRefused: the feed is of the other sort, fundamental or not.
        """
        scale, feed_id, description = yield (
            Call(self.feed, DECIMALS),
            Call(self.feed, GET_DATA_FEED_ID),
            Call(self.feed, DESCRIPTION),
        )
        data_feed = decode_feed_id(feed_id)
        self._check_sort(data_feed, description)
        if self.data_feed is not None:
            self._check_same_feed(data_feed, self.data_feed)
        update: dict[str, Any] = {"decimals": decode_decimals(self, self.feed, scale), "data_feed": data_feed}
        return self.model_copy(update=update)

    def _read_feed(self, now: Timestamp) -> Read[Answer]:
        decimals = resolved_decimals(self, self.decimals)
        data_feed = self._resolved_feed()
        requests = [Call(self.feed, data) for data in (LATEST_ROUND_DATA, DECIMALS, GET_DATA_FEED_ID, DESCRIPTION)]
        if self.adapter is not None:
            requests += [Call(self.feed, GET_ADAPTER), Call(self.adapter, self._times_call(data_feed))]
        answers = yield tuple(requests)
        check_decimals(self, self.feed, answers[1], decimals)
        found = decode_feed_id(answers[2])
        self._check_sort(found, answers[3])
        self._check_same_feed(found, data_feed)
        round_ = decode_round(answers[0])
        written = check_round(self, self.feed, round_, now)
        if self.adapter is not None:
            (adapter,) = decode_result(("address",), answers[4])
            check_names(self, f"the adapter of {self.feed}", self.adapter, adapter)
            written = self._older(written, answers[5])
        return Answer(round_.answer, written)

    def _times_call(self, data_feed: str) -> bytes:
        if self.adapter_times == "common":
            return GET_TIMESTAMPS
        return GET_DETAILS + encode_feed_id(data_feed)

    def _older(self, written: Timestamp, data: bytes) -> Timestamp:
        """The older of the write and of the signed data, whose time is in milliseconds; rounded down."""
        types = ("uint128", "uint128") if self.adapter_times == "common" else ("uint256", "uint256", "uint256")
        signed, block_time, *_ = decode_result(types, data)
        if signed == 0 or block_time != written:
            raise SourceRefused(
                f"{self.id}: the feed was written at {written}; its adapter says at {block_time}, with data of "
                f"{signed} ms",
                advice="Check `adapter` and `adapter_times`; the adapter keeps the times of another feed.",
            )
        return Timestamp(min(written, signed // 1_000))

    def _resolved_feed(self) -> str:
        if self.data_feed is None:
            raise ConfigurationError(
                f"{self.id} is not resolved: the data feed is not known",
                advice="Resolve readers against the chain before the first frame, or state `data_feed`.",
            )
        return self.data_feed

    def _check_sort(self, data_feed: str, description: bytes) -> None:
        (text,) = decode_result(("string",), description)
        found = is_fundamental(data_feed) or is_fundamental(text)
        if found and not self.fundamental:
            raise SourceRefused(
                f"{self.id}: {self.feed} is a fundamental feed ({data_feed}, {text!r}), a rate and not a market price",
                advice="Configure it as a rate of the asset, kind redstone_fundamental; it never votes.",
            )
        if self.fundamental and not found:
            raise SourceRefused(
                f"{self.id}: {self.feed} is a market feed ({data_feed}, {text!r}), not a protocol's own rate",
                advice="Configure it as a source of the asset, kind redstone.",
            )

    def _check_same_feed(self, found: str, expected: str) -> None:
        if found != expected:
            raise SourceRefused(
                f"{self.id}: {self.feed} is the data feed {found!r}, not {expected!r}",
                advice="Check the feed's address and `data_feed`; the contract serves another asset.",
            )


class RedstoneSource(RedstoneFeed, HeartbeatSource, frozen=True):
    """A market feed. A fundamental feed can be no vote: by its id or its description it is refused here."""

    fundamental: ClassVar[bool] = False

    kind: Literal["redstone"]

    @model_validator(mode="after")
    def _check_data_feed(self) -> Self:
        if self.data_feed is not None and is_fundamental(self.data_feed):
            raise ValueError(
                f"{self.data_feed} is a rate, not a market price: configure it as a rate, kind redstone_fundamental"
            )
        return self

    def read(self, at: ReadPoint) -> Read[Quote]:
        """Read the latest round and everything that gives it meaning; a price beyond 18 decimals is rounded down.

        Raises:
            SourceRefused: a fundamental feed, another data feed or adapter than configured; a round that is missing,
                not positive or of the future; times that contradict each other.
            DecimalsChanged: the feed changed its scale.
            ConfigurationError: the source is not resolved.
        """
        now = block_of(self, at).timestamp
        answer = yield from self._read_feed(now)
        price = self.scaled(answer.value, resolved_decimals(self, self.decimals))
        return self.heartbeat_quote(price, answer.written, now)


class RedstoneFundamentalRate(RedstoneFeed, frozen=True):
    """A fundamental feed: units of the base asset per unit of the asset, as the protocol itself accounts for it.

    Attributes:
        base: the configured asset that the rate counts in.
        confidence: of the rate; a share price derived from it takes base confidence x this.
    """

    section_fields: ClassVar[frozenset[str]] = frozenset({"id"})
    fundamental: ClassVar[bool] = True

    kind: Literal["redstone_fundamental"]
    base: Name
    confidence: BasisPoints = Bps(BPS)

    def read(self, at: ReadPoint) -> Read[ProtocolRate]:
        """Read the rate, rounded down for assets and up for debts.

        Raises:
            SourceRefused: as `RedstoneSource.read`; a market feed; an answer older than heartbeat and grace.
            DecimalsChanged: the feed changed its scale.
            ConfigurationError: the rate is not resolved.
        """
        now = block_of(self, at).timestamp
        answer = yield from self._read_feed(now)
        scale = 10 ** resolved_decimals(self, self.decimals)
        lower = mul_div(answer.value, WAD, scale, Rounding.DOWN)
        if lower <= 0:
            raise SourceRefused(
                f"{self.id}: a rate of {answer.value} of {self.decimals} decimals is nothing",
                advice="Check the feed's status and address; a rate of zero or less is never used.",
            )
        if not self.is_current(answer.written, now):
            raise SourceRefused(
                f"{self.id}: the rate of {answer.written} is older than {self.heartbeat + self.grace} s",
                advice="Find out why the feed is not written; until then this rate checks nothing.",
            )
        return ProtocolRate(Wad(lower), Wad(mul_div(answer.value, WAD, scale, Rounding.UP)), self.confidence)


def is_fundamental(name: str) -> bool:
    """Whether a data feed of this id or description is a protocol's own rate."""
    return FUNDAMENTAL in name.upper()


def decode_feed_id(data: bytes) -> str:
    """Decode an answer of `getDataFeedId()`: text of up to 31 bytes, filled up with zeros, or else a hash.

    Raises:
        EmptyResult, MalformedResult: the answer is no id.
    """
    (found,) = decode_result(("bytes32",), data)
    text = bytes(found).rstrip(b"\0")
    if not text:
        raise MalformedResult(
            "a data feed id of zeros", advice="Check the feed's address; every RedStone feed names its data feed."
        )
    if len(text) < 32 and text.isascii() and text.decode("ascii").isprintable():
        return text.decode("ascii")
    return "0x" + bytes(found).hex()


def encode_feed_id(name: str) -> bytes:
    """The 32 bytes of a data feed id that `decode_feed_id` gave; ids of any other shape name no feed.

    Raises:
        ConfigurationError: the name is no such id.
    """
    if _HASHED_ID.fullmatch(name):
        return bytes.fromhex(name[2:])
    if not name.isascii() or len(name) > 31:
        raise ConfigurationError(
            f"{name!r} is not a data feed id", advice="Write the id as RedStone does, up to 31 characters."
        )
    return name.encode("ascii").ljust(32, b"\0")
