"""Pyth on chain: a price with its own exponent, confidence interval and publish time, pushed by whoever needs it.

The unsafe getters are used on purpose: they answer whatever the contract holds, and the age is judged here, against
the pinned block. `getPriceNoOlderThan` would accept a publish time that lies as far in the future as in the past.
"""

from __future__ import annotations

from typing import Final, Literal, Self

from pydantic import Field, model_validator

from navoracle.abi import decode_result, selector
from navoracle.domain.errors import CallReverted, SourceRefused
from navoracle.domain.prices import Quote
from navoracle.domain.prices.source_confidence import MARKET_FEED, WIDE_BPS
from navoracle.domain.units import Bps, Timestamp, exceeds_bps
from navoracle.ports import Call, Read, ReadPoint
from navoracle.prices.base import SourceBase
from navoracle.prices.pyth_price import PriceId, PythPrice, check_interval, check_price, confidence_of, wad_of
from navoracle.prices.reverts import Meaning, Meanings, explained
from navoracle.readers import BasisPoints, ChecksumAddress, Name, Seconds, block_of

GET_PRICE: Final = selector("getPriceUnsafe(bytes32)")
GET_EMA_PRICE: Final = selector("getEmaPriceUnsafe(bytes32)")
PRICE_TYPES: Final = ("int64", "uint64", "int32", "uint256")

REVERTS: Final[Meanings] = {
    selector("PriceFeedNotFound()"): Meaning(
        "the contract has no price of this id",
        "Check `price_id` and `contract`: somebody must have pushed this price to this chain at least once.",
    )
}


class PythSource(SourceBase, frozen=True):
    """A price of a Pyth contract, in its own exponent: `value * 10**exponent`, rounded down.

    Confidence is `confidence` times the dispersion factor of interval / value, so it is whole up to 10 bps and nothing
    at 500. An interval wider than `max_confidence_bps` of the value is refused.

    Attributes:
        price: the price itself, or its exponential moving average.
        max_age: seconds after its publish time that a price is stale.
        max_ahead: seconds that a publish time may lie ahead of the block; publishers' clocks and the chain's differ.
        max_ema_gap_bps: refuse while price and moving average lie further apart than this; None does not compare.
        contract: Pyth's contract on the chain.
        price_id: the feed's 32-byte id.
        max_confidence_bps: the widest confidence interval, of the price, that is accepted.
    """

    kind: Literal["pyth"]
    chain: Name
    contract: ChecksumAddress
    price_id: PriceId
    price: Literal["spot", "ema"] = "spot"
    confidence: BasisPoints = MARKET_FEED
    max_age: Seconds = 300
    max_ahead: int = Field(default=30, ge=0)
    max_confidence_bps: BasisPoints = Bps(200)
    max_ema_gap_bps: BasisPoints | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.max_confidence_bps >= WIDE_BPS:
            raise ValueError(f"an interval of {WIDE_BPS} bps leaves no confidence: set `max_confidence_bps` below that")
        return self

    def read(self, at: ReadPoint) -> Read[Quote]:
        """Read the price, and what it is held against, in one round.

        Raises:
            SourceRefused: no such id; a price that is not positive, whose exponent is out of reach, whose interval is
                too wide or whose time is ahead of the block; a gap to the moving average beyond its limit.
        """
        now = block_of(self, at).timestamp
        getters = [GET_EMA_PRICE if self.price == "ema" else GET_PRICE]
        if self.max_ema_gap_bps is not None:
            getters.append(GET_PRICE if self.price == "ema" else GET_EMA_PRICE)
        try:
            answers = yield tuple(Call(self.contract, getter + self._id_bytes) for getter in getters)
        except CallReverted as revert:
            raise explained(self, revert, REVERTS) from revert
        price = decode_price(answers[0])
        check_price(self, price)
        check_interval(self, price, self.max_confidence_bps)
        if self.max_ema_gap_bps is not None:
            self._check_gap(price, decode_price(answers[1]), self.max_ema_gap_bps)
        published_at = self._published_at(price, now)
        return self.quote(
            wad_of(self, price),
            confidence_of(self.confidence, price),
            published_at,
            max_age=self.max_age,
            published_at=published_at,
        )

    @property
    def _id_bytes(self) -> bytes:
        return bytes.fromhex(self.price_id[2:])

    def _check_gap(self, price: PythPrice, other: PythPrice, limit: Bps) -> None:
        check_price(self, other)
        lowest = min(price.exponent, other.exponent)
        value, reference = (int(found.value * 10 ** (found.exponent - lowest)) for found in (price, other))
        average = value if self.price == "ema" else reference
        if exceeds_bps(abs(value - reference), average, limit):
            raise SourceRefused(
                f"{self.id}: price and moving average lie more than {limit} bps apart",
                advice="The market moves fast, or the price is wrong; wait for the average, or widen "
                "`max_ema_gap_bps`.",
            )

    def _published_at(self, price: PythPrice, now: Timestamp) -> Timestamp:
        if price.published_at == 0:
            raise SourceRefused(
                f"{self.id}: the price was never published", advice="Check `price_id`; wait for its first update."
            )
        if price.published_at > now + self.max_ahead:
            raise SourceRefused(
                f"{self.id}: the price of {price.published_at} is more than {self.max_ahead} s ahead of its block "
                f"({now})",
                advice="Check the chain's clock; a price of the future is never used.",
            )
        return Timestamp(price.published_at)


def decode_price(data: bytes) -> PythPrice:
    """Decode an answer of the price getters.

    Raises:
        EmptyResult, MalformedResult: the answer is no price.
    """
    return PythPrice(*decode_result(PRICE_TYPES, data))
