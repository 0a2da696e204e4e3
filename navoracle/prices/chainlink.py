"""Chainlink-shaped feeds: `latestRoundData()` with a heartbeat and a deviation threshold.

Such a feed asserts its answer until its heartbeat runs out, so a round within `heartbeat + grace` counts as observed at
the block's time and ages with the block, by the policy's own limit (a halted chain does not keep its prices fresh).
After that it counts as observed at its own time: too old. The round's own time is always `published_at`.
"""

from __future__ import annotations

from typing import ClassVar, Final, Literal, NamedTuple, Self

from pydantic import Field, model_validator

from navoracle.abi import decode_result, encode_call
from navoracle.domain.errors import SourceRefused
from navoracle.domain.prices import Quote
from navoracle.domain.prices.source_confidence import CONFIDENCE_PER_DEVIATION
from navoracle.domain.units import BPS, WAD, Bps, Rounding, Timestamp, Wad, mul_div
from navoracle.ports import Address, Call, Read, ReadPoint
from navoracle.readers import (
    DECIMALS,
    BasisPoints,
    ChecksumAddress,
    Decimals,
    Name,
    ReaderModel,
    Seconds,
    block_of,
    check_decimals,
    decode_decimals,
    resolved_decimals,
)

LATEST_ROUND_DATA: Final = encode_call("latestRoundData()")
AGGREGATOR: Final = encode_call("aggregator()")
MIN_ANSWER: Final = encode_call("minAnswer()")
MAX_ANSWER: Final = encode_call("maxAnswer()")

ROUND_TYPES: Final = ("uint80", "int256", "uint256", "uint256", "uint80")


class Round(NamedTuple):
    """One answer of `latestRoundData()`: times in Unix seconds, `answer` in the feed's decimals."""

    round_id: int
    answer: int
    started_at: int
    updated_at: int
    answered_in_round: int


class ChainlinkSource(ReaderModel, frozen=True):
    """A feed with `AggregatorV3Interface`.

    Confidence is `confidence` less ten times `deviation_bps`: within its threshold the feed does not move, so the
    threshold is an error that cannot be reduced.

    Attributes:
        heartbeat, grace: seconds; a round older than their sum is stale.
        deviation_bps: the feed's deviation threshold.
        check_bounds: also read the aggregator's `minAnswer` and `maxAnswer`, and refuse an answer within
            `bound_margin_bps` of either (an aggregator rejects reports beyond them, so its answer sticks nearby).
        sequencer: the uptime feed of a rollup's sequencer; refused while down and for `sequencer_grace` seconds after.
        direct, sender: call the feed outside Multicall3 (as `sender`), for feeds that look at their caller.
    """

    section_fields: ClassVar[frozenset[str]] = frozenset({"asset"})
    resolved_fields: ClassVar[tuple[str, ...]] = ("decimals",)

    kind: Literal["chainlink"]
    asset: Name
    group: Name
    chain: Name
    feed: ChecksumAddress
    heartbeat: Seconds
    grace: int = Field(default=300, ge=0)
    deviation_bps: BasisPoints = Bps(0)
    confidence: BasisPoints = Bps(9_500)
    quoted_in: Name | None = None
    decimals: Decimals | None = None
    check_bounds: bool = False
    bound_margin_bps: BasisPoints = Bps(1_000)
    sequencer: ChecksumAddress | None = None
    sequencer_grace: int = Field(default=3_600, ge=0)
    direct: bool = False
    sender: ChecksumAddress | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.sender is not None and not self.direct:
            raise ValueError("`sender` only counts for a direct call: set `direct: true` or remove it")
        if self.quote_confidence <= 0:
            raise ValueError(
                f"a deviation threshold of {self.deviation_bps} bps leaves no confidence of {self.confidence}: "
                "check the feed's threshold"
            )
        return self

    @property
    def quote_confidence(self) -> int:
        """The confidence (Bps) of this feed's quotes."""
        return self.confidence - CONFIDENCE_PER_DEVIATION * self.deviation_bps

    def resolve(self, at: ReadPoint) -> Read[Self]:
        """Read the feed's decimals."""
        (data,) = yield (self._call(DECIMALS),)
        return self.model_copy(update={"decimals": decode_decimals(self, self.feed, data)})

    def read(self, at: ReadPoint) -> Read[Quote]:
        """Read the latest round and its scale at one block; a price beyond 18 decimals is rounded down.

        Raises:
            SourceRefused: the round is missing, incomplete, carried over, not positive or of the future; the answer
                lies near a bound; the sequencer is down.
            DecimalsChanged: the feed changed its scale.
            ConfigurationError: the source is not resolved.
        """
        decimals = resolved_decimals(self, self.decimals)
        now = block_of(self, at).timestamp
        requests = [self._call(LATEST_ROUND_DATA), self._call(DECIMALS)]
        if self.sequencer is not None:
            requests.append(Call(self.sequencer, LATEST_ROUND_DATA))
        if self.check_bounds:
            requests.append(self._call(AGGREGATOR))
        answers = yield tuple(requests)
        check_decimals(self, self.feed, answers[1], decimals)
        if self.sequencer is not None:
            self._check_sequencer(self.sequencer, decode_round(answers[2]), now)
        round_ = decode_round(answers[0])
        self._check_round(round_, now)
        if self.check_bounds:
            (aggregator,) = decode_result(("address",), answers[-1])
            aggregator = Address(aggregator)
            low, high = yield (Call(aggregator, MIN_ANSWER), Call(aggregator, MAX_ANSWER))
            self._check_bounds(round_.answer, decode_result(("int192",), low)[0], decode_result(("int192",), high)[0])
        return self._quote(round_, decimals, now)

    def _call(self, data: bytes) -> Call:
        return Call(self.feed, data, direct=self.direct, sender=self.sender)

    def _quote(self, round_: Round, decimals: int, now: Timestamp) -> Quote:
        price = mul_div(round_.answer, WAD, 10**decimals, Rounding.DOWN)
        if price == 0:
            raise SourceRefused(
                f"{self.id}: answer {round_.answer} of {decimals} decimals is less than 1e-18",
                advice="Check the feed's address and decimals; no price of this size can be held.",
            )
        written = Timestamp(round_.updated_at)
        current = now - written <= self.heartbeat + self.grace
        return Quote(
            asset=self.asset,
            source=self.id,
            group=self.group,
            price=Wad(price),
            confidence=Bps(self.quote_confidence),
            observed_at=now if current else written,
            max_age=None if current else self.heartbeat + self.grace,
            published_at=written,
        )

    def _check_round(self, round_: Round, now: Timestamp) -> None:
        if round_.round_id == 0 or round_.updated_at == 0:
            raise SourceRefused(
                f"{self.id}: {self.feed} has no complete round",
                advice="Check the address; a feed without reports answers zeros until its first one.",
            )
        if round_.answer <= 0:
            raise SourceRefused(
                f"{self.id}: answer {round_.answer} is not positive",
                advice="Check the feed's status; a feed that was shut down answers zero.",
            )
        if round_.updated_at > now:
            raise SourceRefused(
                f"{self.id}: the round of {round_.updated_at} is later than its block ({now})",
                advice="Check the address; a feed's report cannot be newer than the block that holds it.",
            )
        if round_.answered_in_round < round_.round_id:
            raise SourceRefused(
                f"{self.id}: round {round_.round_id} carries the answer of round {round_.answered_in_round}",
                advice="The round timed out and repeats an old answer; wait for the next one or use another feed.",
            )

    def _check_bounds(self, answer: int, low: int, high: int) -> None:
        near_low = answer * BPS <= low * (BPS + self.bound_margin_bps)
        near_high = answer * BPS >= high * (BPS - self.bound_margin_bps)
        if near_low or near_high:
            raise SourceRefused(
                f"{self.id}: answer {answer} is within {self.bound_margin_bps} bps of the aggregator's bound "
                f"{low if near_low else high}",
                advice="Reports beyond the bound are rejected, so the market may be past it; look at other sources.",
            )

    def _check_sequencer(self, feed: Address, round_: Round, now: Timestamp) -> None:
        if round_.started_at == 0 or round_.started_at > now or round_.answer not in (0, 1):
            raise SourceRefused(
                f"{self.id}: the sequencer feed {feed} has no valid round",
                advice="Check the address of the sequencer uptime feed.",
            )
        if round_.answer == 1:
            raise SourceRefused(
                f"{self.id}: the sequencer is down since {round_.started_at}",
                advice="Wait until the chain's sequencer is up again; prices on it cannot be corrected now.",
            )
        if now - round_.started_at <= self.sequencer_grace:
            raise SourceRefused(
                f"{self.id}: the sequencer came up at {round_.started_at}, less than {self.sequencer_grace} s ago",
                advice="Wait for the grace to pass, so that feeds and arbitrage catch up.",
            )


def decode_round(data: bytes) -> Round:
    """Decode an answer of `latestRoundData()`.

    Raises:
        EmptyResult, MalformedResult: the answer is no round.
    """
    return Round(*decode_result(ROUND_TYPES, data))
