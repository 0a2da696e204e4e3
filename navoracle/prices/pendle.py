"""Pendle principal tokens: the rate between a PT and what it is redeemed for, by Pendle's own oracle contract.

Spot (duration 0) is the vault's exit value, and can be moved within a transaction; the time-weighted rate cannot. Both
are read: an asset takes the lower one, a debt the higher one. The oracle answers 1e18 for a market that nobody seeded,
so the market itself is checked before any rate is believed.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar, Final, Literal, Self

from pydantic import Field

from navoracle.abi import decode_result, encode_call
from navoracle.domain.errors import SourceRefused
from navoracle.domain.units import BPS, WAD, Bps, Rounding, Wad, divide, mul_div
from navoracle.ports import Address, Call, ProtocolRate, Read, ReadPoint
from navoracle.readers import (
    DECIMALS,
    BasisPoints,
    ChecksumAddress,
    Decimals,
    Name,
    ReaderModel,
    block_of,
    check_decimals,
    check_names,
    decode_decimals,
    resolved_decimals,
)

READ_TOKENS: Final = encode_call("readTokens()")
STORAGE: Final = encode_call("_storage()")
TOTAL_SUPPLY: Final = encode_call("totalSupply()")
EXPIRY: Final = encode_call("expiry()")
ASSET_INFO: Final = encode_call("assetInfo()")
YIELD_TOKEN: Final = encode_call("yieldToken()")

STORAGE_TYPES: Final = ("int128", "int128", "uint96", "uint16", "uint16", "uint16")
ASSET_INFO_TYPES: Final = ("uint256", "address", "uint256")
ASSET_TYPE_TOKEN: Final = 0
MAX_DURATION: Final = 2**32 // 1_000
"""The longest duration (seconds): the oracle multiplies it by 1,000 in 32 bits."""

CONFIDENCE_PER_GAP: Final = 100
"""Confidence (Bps) lost per basis point between spot and time-weighted rate."""


class PendleRate(ReaderModel, frozen=True):
    """What both legs of a PT have in common: which market, and what it must be before its rates are believed.

    Confidence is `confidence` less 100 per basis point between spot and time-weighted rate, never below zero.

    Attributes:
        oracle: Pendle's PT, YT and LP oracle.
        base_token: the token that the rate counts in, as the SY must name it.
        twap_seconds: duration of the time-weighted rate.
        decimals: of the PT; filled by `resolve`.
    """

    section_fields: ClassVar[frozenset[str]] = frozenset({"id"})
    resolved_fields: ClassVar[tuple[str, ...]] = ("decimals",)

    chain: Name
    base: Name
    oracle: ChecksumAddress
    market: ChecksumAddress
    pt: ChecksumAddress
    sy: ChecksumAddress
    base_token: ChecksumAddress
    twap_seconds: int = Field(default=900, gt=0, le=MAX_DURATION)
    confidence: BasisPoints = Bps(BPS)
    decimals: Decimals | None = None

    def read(self, at: ReadPoint) -> Read[ProtocolRate]:
        """Check the market in one round, read both rates at the same block in a second one.

        Before expiry the market must be seeded and its observations must reach back over the duration. After expiry
        neither matters to the oracle, which still decides: an insolvent SY pays less than 1.

        Raises:
            SourceRefused: another PT, SY or base token, an unseeded market, a time-weighted rate that is not ready,
                or a rate of zero or above its ceiling.
            DecimalsChanged: a token changed its scale.
            ConfigurationError: the rate is not resolved.
        """
        now = block_of(self, at).timestamp
        self._require_resolved()
        common = (
            Call(self.market, READ_TOKENS),
            Call(self.market, EXPIRY),
            Call(self.market, STORAGE),
            Call(self.market, TOTAL_SUPPLY),
            Call(self.oracle, encode_call("getOracleState(address,uint32)", self.market, self.twap_seconds)),
            Call(self.pt, DECIMALS),
        )
        answers = yield (*common, *self._base_calls())
        self._check_tokens(answers[0], answers[5])
        self._check_base(answers[len(common) :])
        (expiry,) = decode_result(("uint256",), answers[1])
        if now < expiry:
            self._check_market(answers[2], answers[3])
            self._check_oracle_state(answers[4])
        spot, average = yield (self._rate_call(0), self._rate_call(self.twap_seconds))
        rates = (self._rate(spot, "spot"), self._rate(average, f"{self.twap_seconds} s"))
        gap = divide((max(rates) - min(rates)) * BPS, rates[0], Rounding.UP)
        return ProtocolRate(
            self._scale(min(rates), Rounding.DOWN),
            self._scale(max(rates), Rounding.UP),
            Bps(max(0, self.confidence - CONFIDENCE_PER_GAP * gap)),
        )

    @abstractmethod
    def _require_resolved(self) -> None:
        """Raise ConfigurationError when a field that the chain fills is missing."""

    @abstractmethod
    def _base_calls(self) -> tuple[Call, ...]:
        """The calls that show what the rate counts in."""

    @abstractmethod
    def _check_base(self, answers: tuple[bytes, ...]) -> None:
        """Refuse a base other than the configured one."""

    @abstractmethod
    def _rate_call(self, duration: int) -> Call:
        """The oracle's call for a duration; 0 is spot."""

    @abstractmethod
    def _scale(self, rate: int, rounding: Rounding) -> Wad:
        """Turn a rate between raw units (1e18) into one between whole tokens."""

    def _ceiling(self) -> int | None:
        """The highest rate that can be true; None where there is none."""
        return None

    def _rate(self, data: bytes, name: str) -> int:
        (rate,) = decode_result(("uint256",), data)
        if self._scale(rate, Rounding.DOWN) == 0:
            raise SourceRefused(
                f"{self.id}: the {name} rate of market {self.market} is zero",
                advice="Check the market; if its SY lost everything, remove the position.",
            )
        ceiling = self._ceiling()
        if ceiling is not None and rate > ceiling:
            raise SourceRefused(
                f"{self.id}: the {name} rate of market {self.market} is {rate}, above par",
                advice="Check oracle and market: a PT is never worth more than what it is redeemed for.",
            )
        return int(rate)

    def _check_tokens(self, tokens: bytes, decimals: bytes) -> None:
        sy, pt, _ = decode_result(("address", "address", "address"), tokens)
        check_names(self, f"the PT of market {self.market}", self.pt, pt)
        check_names(self, f"the SY of market {self.market}", self.sy, sy)
        check_decimals(self, self.pt, decimals, resolved_decimals(self, self.decimals))

    def _check_market(self, storage: bytes, supply: bytes) -> None:
        total_pt, total_sy, last_ln_implied_rate, *_ = decode_result(STORAGE_TYPES, storage)
        (total_supply,) = decode_result(("uint256",), supply)
        if last_ln_implied_rate == 0 or total_pt <= 0 or total_sy <= 0 or total_supply == 0:
            raise SourceRefused(
                f"{self.id}: market {self.market} is not seeded, so its oracle answers par",
                advice="Check the market's address, or wait until it has liquidity.",
            )

    def _check_oracle_state(self, data: bytes) -> None:
        increase_cardinality, cardinality, oldest_satisfied = decode_result(("bool", "uint16", "bool"), data)
        if increase_cardinality:
            raise SourceRefused(
                f"{self.id}: market {self.market} keeps too few observations for {self.twap_seconds} s",
                advice=f"Call increaseObservationsCardinalityNext({cardinality}) on the market, then wait as long.",
            )
        if not oldest_satisfied:
            raise SourceRefused(
                f"{self.id}: market {self.market} has no observation that is {self.twap_seconds} s old",
                advice="Wait until the market has recorded for that long.",
            )


class PendlePtRate(PendleRate, frozen=True):
    """Units of the SY's accounting asset per PT: `getPtToAssetRate`. `base_token` is what `assetInfo()` names.

    PT and accounting asset have the same decimals by construction, so the rate holds for whole tokens as it is.
    """

    kind: Literal["pendle_pt"]

    def resolve(self, at: ReadPoint) -> Read[Self]:
        """Read the PT's decimals."""
        (data,) = yield (Call(self.pt, DECIMALS),)
        return self.model_copy(update={"decimals": decode_decimals(self, self.pt, data)})

    def _require_resolved(self) -> None:
        resolved_decimals(self, self.decimals)

    def _base_calls(self) -> tuple[Call, ...]:
        return (Call(self.sy, ASSET_INFO),)

    def _check_base(self, answers: tuple[bytes, ...]) -> None:
        asset_type, asset, asset_decimals = decode_result(ASSET_INFO_TYPES, answers[0])
        if asset_type != ASSET_TYPE_TOKEN:
            raise SourceRefused(
                f"{self.id}: the accounting asset of SY {self.sy} is liquidity, not a token",
                advice="Price this PT through its yield token: kind pendle_pt_sy.",
            )
        check_names(self, f"the accounting asset of SY {self.sy}", self.base_token, asset)
        if asset_decimals != self.decimals:
            raise SourceRefused(
                f"{self.id}: PT {self.pt} has {self.decimals} decimals and its accounting asset {asset_decimals}",
                advice="Check the PT's and the SY's addresses: they belong together only with equal decimals.",
            )

    def _rate_call(self, duration: int) -> Call:
        return Call(self.oracle, encode_call("getPtToAssetRate(address,uint32)", self.market, duration))

    def _scale(self, rate: int, rounding: Rounding) -> Wad:
        return Wad(rate)

    def _ceiling(self) -> int | None:
        return WAD


class PendlePtSyRate(PendleRate, frozen=True):
    """Whole yield tokens per whole PT: `getPtToSyRate`, the second way to the PT's price.

    Its failures go the other way than `PendlePtRate`'s (a gift to the SY's vault moves only this one), so it is the
    native rate to hold the first one against. `base_token` is the SY's `yieldToken()`.
    """

    resolved_fields: ClassVar[tuple[str, ...]] = ("decimals", "sy_decimals")

    kind: Literal["pendle_pt_sy"]
    sy_decimals: Decimals | None = None

    def resolve(self, at: ReadPoint) -> Read[Self]:
        """Read the decimals of PT and SY."""
        pt, sy = yield (Call(self.pt, DECIMALS), Call(self.sy, DECIMALS))
        update: dict[str, Any] = {
            "decimals": decode_decimals(self, self.pt, pt),
            "sy_decimals": decode_decimals(self, self.sy, sy),
        }
        return self.model_copy(update=update)

    def _require_resolved(self) -> None:
        resolved_decimals(self, self.decimals)
        resolved_decimals(self, self.sy_decimals)

    def _base_calls(self) -> tuple[Call, ...]:
        return (Call(self.sy, YIELD_TOKEN), Call(self.sy, DECIMALS))

    def _check_base(self, answers: tuple[bytes, ...]) -> None:
        (token,) = decode_result(("address",), answers[0])
        check_names(self, f"the yield token of SY {self.sy}", self.base_token, Address(token))
        check_decimals(self, self.sy, answers[1], resolved_decimals(self, self.sy_decimals))

    def _rate_call(self, duration: int) -> Call:
        return Call(self.oracle, encode_call("getPtToSyRate(address,uint32)", self.market, duration))

    def _scale(self, rate: int, rounding: Rounding) -> Wad:
        pt, sy = resolved_decimals(self, self.decimals), resolved_decimals(self, self.sy_decimals)
        # raw SY per raw PT, to whole tokens: x 10**(PT decimals - SY decimals)
        return Wad(mul_div(rate, 10**pt, 10**sy, rounding))
