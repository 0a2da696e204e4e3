"""A Pendle market: what it must be before any rate that its oracle gives is believed.

Spot (duration 0) is the exit value, and can be moved within a transaction; the time-weighted rate cannot. Both are
read: an asset takes the lower one, a debt the higher one. The oracle answers par for a market that nobody seeded, so
the market itself is checked first.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar, Final, NamedTuple, Self

from eth_utils.address import to_checksum_address
from pydantic import Field

from navoracle.abi import decode_result, decode_uint256, encode_call
from navoracle.domain.errors import ConfigurationError, SourceRefused
from navoracle.domain.prices.source_confidence import source_confidence
from navoracle.domain.units import BPS, WAD, Bps, Rounding, Timestamp, Wad, divide, exceeds_bps, mul_div
from navoracle.ports import Address, Call, ProtocolRate, Read, ReadPoint
from navoracle.prices.pendle.manipulation import manipulation_factor, rate_rise
from navoracle.prices.pendle.standardized_yield import (
    EXCHANGE_RATE,
    PRICING_INFO,
    Pricing,
    pricing_of,
    read_pricing,
)
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
READ_STATE: Final = encode_call("readState(address)", "0x" + "00" * 20)
PY_INDEX_STORED: Final = encode_call("pyIndexStored()")

TOKENS_TYPES: Final = ("address", "address", "address")
STATE_TYPES: Final = ("int256", "int256", "int256", "address", "int256", "uint256", "uint256", "uint256", "uint256")
ORACLE_STATE_TYPES: Final = ("bool", "uint16", "bool")
MAX_DURATION: Final = 2**32 // 1_000
"""The longest duration (seconds): the oracle multiplies it by 1,000 in 32 bits."""

CONFIDENCE_PER_GAP: Final = 100
"""Confidence (Bps) lost per basis point between spot and average, and between the SY's rate and the YT's index."""


class Market(NamedTuple):
    """A market's state at the block that is read: raw amounts, indexes as Wad.

    `sy_index` is the SY's rate now, `py_index` the highest that it ever had: what PT and YT are redeemed by.
    """

    now: Timestamp
    expiry: int
    total_pt: int
    total_sy: int
    total_lp: int
    scalar_root: int
    last_ln_implied_rate: int
    sy_index: int
    py_index: int

    @property
    def is_expired(self) -> bool:
        """Whether the expiry has come, as the contracts count it."""
        return self.now >= self.expiry

    @property
    def total_asset(self) -> int:
        """The SY in the pool as accounting asset, rounded down."""
        return mul_div(self.total_sy, self.py_index, WAD, Rounding.DOWN)


class PendleRate(ReaderModel, frozen=True):
    """What the rates of PT, LP and YT have in common: a market, its tokens, and the oracle that prices them.

    Confidence is `confidence`, less 100 per basis point between spot and average, less 100 per basis point by which the
    SY's rate lies below the index that the YT has stored (the SY lost assets, or a gift that raised the index was
    taken back), times what a spot rate is worth that can be pushed so far (`manipulation_factor`).

    Attributes:
        oracle: Pendle's PT, YT and LP oracle.
        base_token: the token that the rate counts in, as the SY must name it.
        factory: a market factory that must know the market; None where that is not checked.
        twap_seconds: duration of the time-weighted rate.
        max_index_shortfall_bps: how far the SY's rate may lie below the YT's index; None only lowers confidence.
        decimals: of the PT and the YT; filled by `resolve`, as are:
        yt: the market's YT, which keeps the index.
        sy_pricing: how the SY says that it is priced.
        base: the configured asset that the rate counts in.
        market, pt, sy: the Pendle market, and the PT and SY that it must name.
        confidence: of the rate, before what speaks against it; a price takes the base's confidence times this.
    """

    section_fields: ClassVar[frozenset[str]] = frozenset({"id"})
    resolved_fields: ClassVar[tuple[str, ...]] = ("decimals", "yt", "sy_pricing")

    chain: Name
    base: Name
    oracle: ChecksumAddress
    market: ChecksumAddress
    pt: ChecksumAddress
    sy: ChecksumAddress
    base_token: ChecksumAddress
    factory: ChecksumAddress | None = None
    twap_seconds: int = Field(default=900, gt=0, le=MAX_DURATION)
    max_index_shortfall_bps: BasisPoints | None = None
    confidence: BasisPoints = Bps(BPS)
    decimals: Decimals | None = None
    yt: ChecksumAddress | None = None
    sy_pricing: Pricing | None = None

    def resolve(self, at: ReadPoint) -> Read[Self]:
        """Read decimals and the market's YT in one round, and how the SY is priced in a second one."""
        tokens, decimals, sy_decimals = yield (
            Call(self.market, READ_TOKENS),
            Call(self.pt, DECIMALS),
            Call(self.sy, DECIMALS),
        )
        pricing = yield from read_pricing(self.sy)
        found: dict[str, Any] = {
            "decimals": decode_decimals(self, self.pt, decimals),
            "sy_decimals": decode_decimals(self, self.sy, sy_decimals),
            "yt": Address(to_checksum_address(decode_result(TOKENS_TYPES, tokens)[2])),
            "sy_pricing": pricing,
        }
        return self.model_copy(update={name: found[name] for name in self.resolved_fields})

    def read(self, at: ReadPoint) -> Read[ProtocolRate]:
        """Check the market in one round, read both rates at the same block in a second one.

        Before expiry the market must be seeded and its observations must reach back over the duration. After expiry
        neither matters to a PT, whose rate the oracle still decides: an insolvent SY pays less than 1.

        Raises:
            SourceRefused: another PT, YT, SY or base token, a market that its factory does not know, an unseeded
                market, a time-weighted rate that is not ready, a YT that has expired, an index too far above the SY's
                rate, or a rate of zero or above its ceiling.
            DecimalsChanged: a token changed its scale.
            ConfigurationError: the rate is not resolved.
        """
        now = block_of(self, at).timestamp
        yt, pricing = self._resolved()
        factory = (
            () if self.factory is None else (Call(self.factory, encode_call("isValidMarket(address)", self.market)),)
        )
        priced = () if pricing == "unstated" else (Call(self.sy, PRICING_INFO),)
        base = self._base_calls()
        answers = yield (
            Call(self.market, READ_TOKENS),
            Call(self.market, READ_STATE),
            Call(self.sy, EXCHANGE_RATE),
            Call(yt, PY_INDEX_STORED),
            Call(self.oracle, encode_call("getOracleState(address,uint32)", self.market, self.twap_seconds)),
            Call(self.pt, DECIMALS),
            *base,
            *priced,
            *factory,
        )
        self._check_tokens(yt, answers[0])
        check_decimals(self, self.pt, answers[5], resolved_decimals(self, self.decimals))
        rest = answers[6:]
        self._check_base(rest[: len(base)], self._check_pricing(pricing, rest[len(base) : len(base) + len(priced)]))
        self._check_factory(rest[len(base) + len(priced) :])
        market = self._market(now, answers[1], answers[2], answers[3])
        self._check_market(market)
        if not market.is_expired:
            self._check_oracle_state(answers[4])
        spot, average, *unit = yield (
            self._rate_call(0),
            self._rate_call(self.twap_seconds),
            *(self._unit_calls() if pricing == "unstated" else ()),
        )
        if unit:
            self._check_unit(unit[0])
        rates = (self._rate(spot, "spot", market), self._rate(average, f"{self.twap_seconds} s", market))
        return ProtocolRate(
            self._scale(min(rates), Rounding.DOWN),
            self._scale(max(rates), Rounding.UP),
            self._confidence(rates[0], rates[1], market),
        )

    @abstractmethod
    def _base_calls(self) -> tuple[Call, ...]:
        """The calls that show what the rate counts in."""

    @abstractmethod
    def _check_base(self, answers: tuple[bytes, ...], pricing_token: tuple[Address, Pricing] | None) -> None:
        """Refuse a base other than the configured one; `pricing_token` is what the SY's `pricingInfo()` says."""

    def _unit_calls(self) -> tuple[Call, ...]:
        """The call that shows what one SY is, for an SY that does not state it; none where the rate is not in SY."""
        return ()

    def _check_unit(self, answer: bytes) -> None:
        """Refuse an SY that is another thing than the rate takes it for, by the answer to `_unit_calls`."""

    @abstractmethod
    def _rate_call(self, duration: int) -> Call:
        """The oracle's call for a duration; 0 is spot."""

    @abstractmethod
    def _scale(self, rate: int, rounding: Rounding) -> Wad:
        """Turn a rate between raw units (1e18) into one between whole tokens."""

    @abstractmethod
    def _ceiling(self, market: Market) -> int | None:
        """The highest rate (between raw units, 1e18) that can be true; None where there is none."""

    def _manipulation(self, market: Market) -> Wad:
        """What a spot rate is worth that can be pushed as far as this market's."""
        rise = rate_rise(market.total_pt, market.total_asset, market.scalar_root, market.expiry - market.now)
        return manipulation_factor(rise)

    def _check_market(self, market: Market) -> None:
        """Refuse a market whose rates mean nothing."""
        if not market.is_expired:
            self._check_seeded(market)
        shortfall = market.py_index - market.sy_index
        limit = self.max_index_shortfall_bps
        if limit is not None and exceeds_bps(shortfall, market.py_index, limit):
            raise SourceRefused(
                f"{self.id}: the rate of SY {self.sy} is {market.sy_index}, the index of its YT {market.py_index}: "
                f"more than {limit} bps below",
                advice="Find out whether the SY lost assets, or a gift that raised the index was taken back.",
            )

    def _check_seeded(self, market: Market) -> None:
        reserves = (market.total_pt, market.total_asset, market.total_lp, market.scalar_root)
        if market.last_ln_implied_rate == 0 or min(reserves) <= 0:
            raise SourceRefused(
                f"{self.id}: market {self.market} is not seeded, so its oracle answers par",
                advice="Check the market's address, or wait until it has liquidity.",
            )

    def _resolved(self) -> tuple[Address, Pricing]:
        if self.yt is None or self.sy_pricing is None or not self.is_resolved:
            raise ConfigurationError(
                f"{self.id} is not resolved: decimals, YT or pricing of its SY are not known",
                advice="Resolve readers against the chain before the first frame.",
            )
        return self.yt, self.sy_pricing

    def _check_tokens(self, yt: Address, answer: bytes) -> None:
        found = decode_result(TOKENS_TYPES, answer)
        for name, expected, token in zip(("SY", "PT", "YT"), (self.sy, self.pt, yt), found, strict=True):
            check_names(self, f"the {name} of market {self.market}", expected, token)

    def _check_pricing(self, resolved: Pricing, answers: tuple[bytes, ...]) -> tuple[Address, Pricing] | None:
        if not answers:
            return None
        token, pricing = pricing_of(answers[0])
        if pricing != resolved:
            raise SourceRefused(
                f"{self.id}: SY {self.sy} was priced by its {resolved} rate and now says {pricing}",
                advice="Find out why the SY changed (an upgrade); then restart to resolve it anew.",
            )
        return token, pricing

    def _check_factory(self, answers: tuple[bytes, ...]) -> None:
        if answers and not decode_result(("bool",), answers[0])[0]:
            raise SourceRefused(
                f"{self.id}: factory {self.factory} does not know market {self.market}",
                advice="Check both addresses: the market may be another version's, or nobody's.",
            )

    def _market(self, now: Timestamp, state: bytes, rate: bytes, index: bytes) -> Market:
        total_pt, total_sy, total_lp, _, scalar_root, expiry, _, _, ln_rate = decode_result(STATE_TYPES, state)
        sy_index, stored = decode_uint256(rate), decode_uint256(index)
        return Market(now, expiry, total_pt, total_sy, total_lp, scalar_root, ln_rate, sy_index, max(sy_index, stored))

    def _check_oracle_state(self, data: bytes) -> None:
        increase_cardinality, cardinality, oldest_satisfied = decode_result(ORACLE_STATE_TYPES, data)
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

    def _rate(self, data: bytes, name: str, market: Market) -> int:
        rate = decode_uint256(data)
        if self._scale(rate, Rounding.DOWN) == 0:
            raise SourceRefused(
                f"{self.id}: the {name} rate of market {self.market} is zero",
                advice="Check the market; if its SY lost everything, remove the position.",
            )
        ceiling = self._ceiling(market)
        if ceiling is not None and rate > ceiling:
            raise SourceRefused(
                f"{self.id}: the {name} rate of market {self.market} is {rate}, above par ({ceiling})",
                advice="Check oracle and market: nothing of a market is worth more than what it is redeemed for.",
            )
        return rate

    def _confidence(self, spot: int, average: int, market: Market) -> Bps:
        lost = divide(abs(spot - average) * BPS, spot, Rounding.UP)
        if market.sy_index < market.py_index:
            lost += divide((market.py_index - market.sy_index) * BPS, market.py_index, Rounding.UP)
        left = Bps(max(0, self.confidence - CONFIDENCE_PER_GAP * lost))
        return left if market.is_expired else source_confidence(left, self._manipulation(market))
