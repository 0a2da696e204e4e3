"""The time-weighted average price of one Uniswap v3 pool (and of its forks with the same interface).

A pool answers an average also when nobody could trade at it: without liquidity, and from a single observation. So
liquidity over the window is required, room for enough observations, and a spot price near the average.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final, Literal, Self

from pydantic import Field, model_validator

from navoracle.abi import decode_result, decode_uint256, encode_call
from navoracle.domain.errors import CallReverted, ConfigurationError, DomainError, MalformedResult, SourceRefused
from navoracle.domain.prices import Quote
from navoracle.domain.prices.source_confidence import POOL_AVERAGE, depth_factor, source_confidence
from navoracle.domain.tick_math import mean_liquidity, mean_tick, price_at, sqrt_ratio_at_tick
from navoracle.domain.units import Bps, Rounding, divide, exceeds_bps
from navoracle.ports import Call, Read, ReadPoint
from navoracle.prices.base import SourceBase
from navoracle.readers import (
    DECIMALS,
    BasisPoints,
    ChecksumAddress,
    Decimals,
    Name,
    Seconds,
    block_of,
    check_decimals,
    check_names,
    decode_decimals,
    resolved_decimals,
)

TOKEN_0: Final = encode_call("token0()")
TOKEN_1: Final = encode_call("token1()")
SLOT_0: Final = encode_call("slot0()")
LIQUIDITY: Final = encode_call("liquidity()")
OBSERVE: Final = "observe(uint32[])"

OBSERVE_TYPES: Final = ("int56[]", "uint160[]")
SLOT_0_TYPES: Final = ("uint160", "int24", "uint16", "uint16", "uint16", "uint32", "bool")
"""`feeProtocol` has 8 bits in Uniswap and 32 in forks."""

MIN_WINDOW: Final = 300
_TOO_OLD: Final = encode_call("Error(string)", "OLD")
_NOT_INITIALIZED: Final = encode_call("Error(string)", "I")


class UniswapV3Twap(SourceBase, frozen=True):
    """The mean tick over `window`, as a price in the pool's other token; rounded down twice, tick and price.

    Confidence is `confidence` times the share of `liquidity` that was there. It counts as observed at the block's time:
    the average reaches up to the block, and its older part is what protects it.

    Attributes:
        quoted_in: the asset that `quote_token` is priced as.
        token, quote_token: the pool's two tokens, in either order.
        window: seconds, at least 300.
        liquidity: harmonic mean over the window that gives full confidence, in the pool's own unit
            (sqrt of raw token 0 x raw token 1); below `min_liquidity` the source refuses.
        max_spot_gap_bps: how far spot may lie from the average.
        block_seconds: the shortest time between blocks; the pool must hold one observation for each within the window.
        first: whether `token` is the pool's token 0; filled by `resolve`, with the decimals.
        pool: the pool.
        min_liquidity: the least that the pool must have, now and on average, in the same unit.
    """

    resolved_fields: ClassVar[tuple[str, ...]] = ("first", "decimals", "quote_decimals")

    kind: Literal["uniswap_v3_twap"]
    chain: Name
    quoted_in: Name
    pool: ChecksumAddress
    token: ChecksumAddress
    quote_token: ChecksumAddress
    window: int = Field(default=1_800, ge=MIN_WINDOW, lt=2**32)
    liquidity: int = Field(gt=0, lt=2**128)
    min_liquidity: int = Field(gt=0, lt=2**128)
    max_spot_gap_bps: BasisPoints = Bps(200)
    block_seconds: Seconds = 12
    confidence: BasisPoints = POOL_AVERAGE
    first: bool | None = None
    decimals: Decimals | None = None
    quote_decimals: Decimals | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.token == self.quote_token:
            raise ValueError("`token` and `quote_token` are the same: name the pool's two tokens")
        if self.min_liquidity > self.liquidity:
            raise ValueError(
                f"`min_liquidity` {self.min_liquidity} is more than `liquidity` {self.liquidity}, which is full depth"
            )
        return self

    @property
    def cardinality(self) -> int:
        """How many observations the pool must hold, so that a trade in every block leaves the window's start in."""
        return divide(self.window, self.block_seconds, Rounding.UP) + 1

    def resolve(self, at: ReadPoint) -> Read[Self]:
        """Read the order of the pool's tokens and their decimals.

        Raises:
            SourceRefused: the pool has other tokens than the configured ones.
        """
        answers = yield (
            Call(self.pool, TOKEN_0),
            Call(self.pool, TOKEN_1),
            Call(self.token, DECIMALS),
            Call(self.quote_token, DECIMALS),
        )
        first, second = (decode_result(("address",), data)[0] for data in answers[:2])
        in_order = first.lower() == self.token.lower()
        expected = (self.token, self.quote_token) if in_order else (self.quote_token, self.token)
        check_names(self, f"token0() of {self.pool}", expected[0], first)
        check_names(self, f"token1() of {self.pool}", expected[1], second)
        update: dict[str, Any] = {
            "first": in_order,
            "decimals": decode_decimals(self, self.token, answers[2]),
            "quote_decimals": decode_decimals(self, self.quote_token, answers[3]),
        }
        return self.model_copy(update=update)

    def read(self, at: ReadPoint) -> Read[Quote]:
        """Read the average and what it stands on, at one block and in one round.

        Raises:
            SourceRefused: the pool has no price or no observation that is `window` old, room for too few observations,
                no or too little liquidity, a spot price too far away, or an average of zero.
            DecimalsChanged: a token changed its scale.
            ConfigurationError: the source is not resolved.
        """
        now = block_of(self, at).timestamp
        scales = resolved_decimals(self, self.decimals), resolved_decimals(self, self.quote_decimals)
        first = self._order()
        try:
            observed, slot_0, in_range, decimals, quote_decimals = yield (
                Call(self.pool, encode_call(OBSERVE, [self.window, 0])),
                Call(self.pool, SLOT_0),
                Call(self.pool, LIQUIDITY),
                Call(self.token, DECIMALS),
                Call(self.quote_token, DECIMALS),
            )
        except CallReverted as error:
            raise self._named(error) from error
        check_decimals(self, self.token, decimals, scales[0])
        check_decimals(self, self.quote_token, quote_decimals, scales[1])
        spot, _, _, cardinality, *_ = decode_result(SLOT_0_TYPES, slot_0)
        self._check_cardinality(cardinality)
        average, found = self._averages(observed)
        self._check_depth(min(found, decode_uint256(in_range)), found)
        self._check_spot(spot, average)
        price = price_at(average, scales if first else (scales[1], scales[0]), of_first=first)
        return self.quote(
            self.scaled(price, 18),
            source_confidence(self.confidence, depth_factor(found, self.liquidity)),
            now,
        )

    def _order(self) -> bool:
        if self.first is None:
            raise ConfigurationError(
                f"{self.id} is not resolved: the order of the pool's tokens is not known",
                advice="Resolve readers against the chain before the first frame.",
            )
        return self.first

    def _averages(self, data: bytes) -> tuple[int, int]:
        """The square root (Q64.96) of the price at the mean tick, and the harmonic mean of the liquidity."""
        ticks, seconds = decode_result(OBSERVE_TYPES, data)
        if len(ticks) != 2 or len(seconds) != 2:
            raise MalformedResult(
                f"{self.id}: {self.pool} answered {len(ticks)} and {len(seconds)} observations instead of 2",
                advice="Check the address: this is not a Uniswap v3 pool.",
            )
        try:
            average = sqrt_ratio_at_tick(mean_tick(ticks[1] - ticks[0], self.window))
            return average, mean_liquidity(seconds[1] - seconds[0], self.window)
        except DomainError as error:
            raise SourceRefused(f"{self.id}: {error.message}", advice=error.advice) from error

    def _check_cardinality(self, cardinality: int) -> None:
        if cardinality < self.cardinality:
            raise SourceRefused(
                f"{self.id}: pool {self.pool} holds {cardinality} observations, fewer than the {self.cardinality} "
                f"that {self.window} s of blocks can bring",
                advice=f"Call increaseObservationCardinalityNext({self.cardinality}) on the pool, then wait as long.",
            )

    def _check_depth(self, lowest: int, mean: int) -> None:
        if lowest < self.min_liquidity:
            raise SourceRefused(
                f"{self.id}: pool {self.pool} has liquidity {lowest} (now, or on average {mean}), "
                f"less than {self.min_liquidity}",
                advice="Use another pool: the price of one without depth costs little to move.",
            )

    def _check_spot(self, spot: int, average: int) -> None:
        square, other = spot * spot, average * average
        lowest = min(square, other)
        if exceeds_bps(abs(square - other), lowest, self.max_spot_gap_bps):
            raise SourceRefused(
                f"{self.id}: spot of pool {self.pool} is more than {self.max_spot_gap_bps} bps from its average "
                f"over {self.window} s",
                advice="Wait until the average has followed, or the trade that moved the price was undone.",
            )

    def _named(self, error: CallReverted) -> SourceRefused | CallReverted:
        if error.data == _TOO_OLD:
            return SourceRefused(
                f"{self.id}: pool {self.pool} has no observation that is {self.window} s old (OLD)",
                advice=f"Call increaseObservationCardinalityNext({self.cardinality}) on the pool, then wait as long.",
            )
        if error.data == _NOT_INITIALIZED:
            return SourceRefused(
                f"{self.id}: pool {self.pool} was never given a price (I)",
                advice="Check the pool's address and fee tier; this one is not in use.",
            )
        return error
