"""The moving average (EMA) that a Curve pool keeps of one coin's price in its coin 0.

Only `price_oracle` is ever asked. `get_p` and `last_price` are spot: one swap moves them, and median oracles that
counted several of them were robbed.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final, Literal, Self

from pydantic import Field, model_validator

from navoracle.abi import decode_result, decode_uint256, encode_call
from navoracle.domain.errors import SourceRefused
from navoracle.domain.prices import Quote
from navoracle.domain.prices.source_confidence import POOL_AVERAGE, depth_factor, source_confidence
from navoracle.domain.units import BPS, WAD, Bps, Rounding, Timestamp, Wad, format_wad, mul_div
from navoracle.ports import Call, Read, ReadPoint
from navoracle.prices.base import SourceBase
from navoracle.readers import (
    DECIMALS,
    BasisPoints,
    ChecksumAddress,
    Decimals,
    DecimalWad,
    Name,
    block_of,
    check_decimals,
    check_names,
    decode_decimals,
    resolved_decimals,
)

STORED_RATES: Final = encode_call("stored_rates()")
D_ORACLE: Final = encode_call("D_oracle()")
LAST_TIMES: Final = encode_call("ma_last_time()")

START: Final = WAD
"""The average that a pool is deployed with, before anybody traded."""
CAP: Final = 2 * WAD
"""The highest spot price that a StableSwap NG pool feeds to its average."""
_LOW_128: Final = (1 << 128) - 1


class CurveEma(SourceBase, frozen=True):
    """`price_oracle` of one coin, as whole coins 0 per whole coin; rounded down once.

    Confidence is `confidence` times the share of `liquidity` that was there. The pool lets its average run on to the
    block, so it counts as observed at the block's time; `published_at` is the last trade's, where the pool tells it.

    Attributes:
        quoted_in: the asset that `quote_coin` is priced as.
        coin, index: the coin that is quoted, and its place in the pool (1 or more).
        quote_coin: the pool's coin 0.
        form: `stableswap_ng`: `price_oracle(i)` is a price between balances that are scaled by `stored_rates()`, so it
            is multiplied back. `indexed`: `price_oracle(i)` of whole coins (tricrypto). `single`: `price_oracle()` of
            whole coins (pools of two coins).
        liquidity: what gives full confidence, in whole coins 0; below `min_liquidity` the source refuses. Held against
            the average invariant `D_oracle()` (the whole pool) in StableSwap NG, elsewhere against coin 0's balance.
        bound_margin_bps: how near the average may come to 2, above which StableSwap NG does not look.
        decimals, quote_decimals: filled by `resolve`.
        pool: the pool.
        min_liquidity: the least that the pool must have, in whole coins 0.
    """

    resolved_fields: ClassVar[tuple[str, ...]] = ("decimals", "quote_decimals")

    kind: Literal["curve_ema"]
    chain: Name
    quoted_in: Name
    pool: ChecksumAddress
    coin: ChecksumAddress
    quote_coin: ChecksumAddress
    index: int = Field(default=1, ge=1, le=7)
    form: Literal["stableswap_ng", "indexed", "single"] = "stableswap_ng"
    liquidity: DecimalWad = Field(gt=0)
    min_liquidity: DecimalWad = Field(gt=0)
    bound_margin_bps: BasisPoints = Bps(1_000)
    confidence: BasisPoints = POOL_AVERAGE
    decimals: Decimals | None = None
    quote_decimals: Decimals | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.form == "single" and self.index != 1:
            raise ValueError("`form: single` is of pools of two coins: their second one has `index` 1")
        if self.min_liquidity > self.liquidity:
            raise ValueError("`min_liquidity` is more than `liquidity`, which is full depth")
        return self

    def resolve(self, at: ReadPoint) -> Read[Self]:
        """Read the decimals of both coins."""
        coin, quote_coin = yield (Call(self.coin, DECIMALS), Call(self.quote_coin, DECIMALS))
        update: dict[str, Any] = {
            "decimals": decode_decimals(self, self.coin, coin),
            "quote_decimals": decode_decimals(self, self.quote_coin, quote_coin),
        }
        return self.model_copy(update=update)

    def read(self, at: ReadPoint) -> Read[Quote]:
        """Read the average and what gives it meaning, at one block and in one round.

        Raises:
            SourceRefused: other coins than configured, an average at its start or near its cap, no rates, no or too
                little liquidity, or a price of zero.
            DecimalsChanged: a coin changed its scale.
            ConfigurationError: the source is not resolved.
        """
        now = block_of(self, at).timestamp
        decimals = resolved_decimals(self, self.decimals)
        quote_decimals = resolved_decimals(self, self.quote_decimals)
        answers = yield (*self._common_calls(), *self._form_calls())
        check_names(self, f"coins(0) of {self.pool}", self.quote_coin, decode_result(("address",), answers[1])[0])
        check_names(self, f"coins({self.index}) of {self.pool}", self.coin, decode_result(("address",), answers[2])[0])
        check_decimals(self, self.coin, answers[3], decimals)
        check_decimals(self, self.quote_coin, answers[4], quote_decimals)
        average = decode_uint256(answers[0])
        if self.form == "stableswap_ng":
            depth, rates, times = answers[5:]
            traded = self._last_trade(times, now)
            self._check_average(average, f" (last trade or deployment at {traded})")
            self._check_cap(average)
            found = Wad(decode_uint256(depth))
            above, below = self._rates(rates)
            price = mul_div(average * above, 10**decimals, below * 10**quote_decimals, Rounding.DOWN)
        else:
            traded = None
            self._check_average(average, "")
            found = Wad(mul_div(decode_uint256(answers[5]), WAD, 10**quote_decimals, Rounding.DOWN))
            price = average
        self._check_depth(found)
        confidence = source_confidence(self.confidence, depth_factor(found, self.liquidity))
        return self.quote(self.scaled(price, 18), confidence, now, published_at=traded)

    def _common_calls(self) -> tuple[Call, ...]:
        if self.form == "single":
            average = encode_call("price_oracle()")
        else:
            average = encode_call("price_oracle(uint256)", self.index - 1)
        return (
            Call(self.pool, average),
            Call(self.pool, encode_call("coins(uint256)", 0)),
            Call(self.pool, encode_call("coins(uint256)", self.index)),
            Call(self.coin, DECIMALS),
            Call(self.quote_coin, DECIMALS),
        )

    def _form_calls(self) -> tuple[Call, ...]:
        if self.form == "stableswap_ng":
            return Call(self.pool, D_ORACLE), Call(self.pool, STORED_RATES), Call(self.pool, LAST_TIMES)
        return (Call(self.pool, encode_call("balances(uint256)", 0)),)

    def _rates(self, data: bytes) -> tuple[int, int]:
        """The rates of coin and coin 0: raw units to scaled ones, 1e18 scale."""
        (rates,) = decode_result(("uint256[]",), data)
        if len(rates) <= self.index or rates[0] == 0 or rates[self.index] == 0:
            raise SourceRefused(
                f"{self.id}: pool {self.pool} scales its coins by {list(rates)}, with none for 0 or {self.index}",
                advice="Look at the rate contracts of the pool's coins; a rate of zero is a broken one.",
            )
        return rates[self.index], rates[0]

    def _last_trade(self, data: bytes, now: Timestamp) -> Timestamp:
        # The low half is of prices, the high half of the invariant.
        traded = Timestamp(decode_uint256(data) & _LOW_128)
        if not 0 < traded <= now:
            raise SourceRefused(
                f"{self.id}: pool {self.pool} last took down prices at {traded}, which is no time before {now}",
                advice="Check the address and `form`; this is not a StableSwap NG pool.",
            )
        return traded

    def _check_average(self, average: int, when: str) -> None:
        if average == START:
            raise SourceRefused(
                f"{self.id}: the average of pool {self.pool} is exactly 1, as it was deployed{when}",
                advice="Check the pool's address; an average that nobody has traded on says nothing.",
            )

    def _check_cap(self, average: int) -> None:
        if average * BPS >= CAP * (BPS - self.bound_margin_bps):
            raise SourceRefused(
                f"{self.id}: the average {format_wad(average, 6)} is within {self.bound_margin_bps} bps of 2, "
                f"beyond which pool {self.pool} cuts prices off",
                advice="The market may be past the cap: price the coin from other sources.",
            )

    def _check_depth(self, found: Wad) -> None:
        if found < self.min_liquidity:
            raise SourceRefused(
                f"{self.id}: pool {self.pool} holds {format_wad(found, 2)}, less than "
                f"{format_wad(self.min_liquidity, 2)}",
                advice="Use another pool: the price of one without depth costs little to move.",
            )
