"""Chainlink feeds: `latestRoundData()` of a proxy or of an aggregator, with a heartbeat and a deviation threshold."""

from __future__ import annotations

from typing import Any, ClassVar, Final, Literal, Self

from pydantic import Field, model_validator

from navoracle.abi import decode_result, encode_call
from navoracle.domain.errors import CallReverted, ConfigurationError, SourceRefused
from navoracle.domain.prices import Quote
from navoracle.domain.prices.source_confidence import MARKET_FEED
from navoracle.domain.units import BPS, Bps
from navoracle.ports import Address, Call, Read, ReadPoint
from navoracle.prices.heartbeat import HeartbeatSource
from navoracle.prices.reverts import Meaning, Meanings, explained, message_revert
from navoracle.prices.rounds import LATEST_ROUND_DATA, check_round, decode_round
from navoracle.prices.sequencer import check_sequencer
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

AGGREGATOR: Final = encode_call("aggregator()")
PHASE_ID: Final = encode_call("phaseId()")
MIN_ANSWER: Final = encode_call("minAnswer()")
MAX_ANSWER: Final = encode_call("maxAnswer()")

REVERTS: Final[Meanings] = {
    message_revert("No access"): Meaning(
        "the feed does not let its caller read",
        "Read it outside Multicall3: set `direct: true`, and `sender` where the feed lets only certain accounts in.",
    ),
    message_revert("No data present"): Meaning(
        "the aggregator has no round yet", "Check the address, or wait for the feed's first round."
    ),
}

PHASE_OFFSET: Final = 64
"""A proxy's round id is phase * 2**64 + its aggregator's round id."""


class ChainlinkSource(HeartbeatSource, frozen=True):
    """A feed with `AggregatorV3Interface`, proxy or aggregator.

    A proxy's owner may put another aggregator behind it. Its decimals are read with every round, so another scale is
    always refused; `check_phase` refuses any other aggregator than the one that was there at start, `aggregator` any
    other than the configured one.

    Attributes:
        check_phase: refuse rounds of another phase than that of the proxy when it was resolved.
        phase: the proxy's phase; filled by `resolve` where `check_phase` is set.
        aggregator: the aggregator that must be behind the proxy; the feed itself where there is no proxy.
        check_bounds: also read the aggregator's `minAnswer` and `maxAnswer`, and refuse an answer within
            `bound_margin_bps` of either (an aggregator rejects reports beyond them, so its answer sticks nearby).
        sequencer: the uptime feed of a rollup's sequencer; refused while down and for `sequencer_grace` seconds after.
        direct, sender: call the feed outside Multicall3 (as `sender`), for feeds that look at their caller.
        feed: the proxy or aggregator.
        decimals: of the answer; filled by `resolve`.
        bound_margin_bps: how near to its bounds an answer is refused, where `check_bounds` is set.
        sequencer_grace: seconds after the sequencer came back during which the feed is refused.
    """

    resolved_fields: ClassVar[tuple[str, ...]] = ("decimals",)

    kind: Literal["chainlink"]
    chain: Name
    feed: ChecksumAddress
    confidence: BasisPoints = MARKET_FEED
    decimals: Decimals | None = None
    check_phase: bool = False
    phase: int | None = Field(default=None, ge=0)
    aggregator: ChecksumAddress | None = None
    check_bounds: bool = False
    bound_margin_bps: BasisPoints = Bps(1_000)
    sequencer: ChecksumAddress | None = None
    sequencer_grace: int = Field(default=3_600, ge=0)
    direct: bool = False
    sender: ChecksumAddress | None = None

    @model_validator(mode="after")
    def _check_settings(self) -> Self:
        if self.sender is not None and not self.direct:
            raise ValueError("`sender` only counts for a direct call: set `direct: true` or remove it")
        if self.phase is not None and not self.check_phase:
            raise ValueError("`phase` only counts where it is checked: set `check_phase: true` or remove it")
        return self

    @property
    def is_resolved(self) -> bool:
        """Whether the decimals, and the phase where it is checked, are known."""
        return super().is_resolved and (self.phase is not None or not self.check_phase)

    def resolve(self, at: ReadPoint) -> Read[Self]:
        """Read the feed's decimals, and the proxy's phase where it is checked."""
        if not self.check_phase:
            (data,) = yield (self._call(DECIMALS),)
            return self.model_copy(update={"decimals": decode_decimals(self, self.feed, data)})
        data, phase = yield (self._call(DECIMALS), self._call(PHASE_ID))
        update: dict[str, Any] = {
            "decimals": decode_decimals(self, self.feed, data),
            "phase": decode_result(("uint16",), phase)[0],
        }
        return self.model_copy(update=update)

    def read(self, at: ReadPoint) -> Read[Quote]:
        """Read the latest round and its scale at one block; a price beyond 18 decimals is rounded down.

        Raises:
            SourceRefused: the feed is closed to this caller; the round is missing, incomplete, carried over, not
                positive or of the future; it is of another phase or aggregator; the answer lies near a bound; the
                sequencer is down.
            DecimalsChanged: the feed changed its scale.
            ConfigurationError: the source is not resolved.
        """
        decimals = resolved_decimals(self, self.decimals)
        phase = self._resolved_phase()
        now = block_of(self, at).timestamp
        requests = [self._call(LATEST_ROUND_DATA), self._call(DECIMALS)]
        if self.sequencer is not None:
            requests.append(Call(self.sequencer, LATEST_ROUND_DATA))
        if self._asks_for_aggregator:
            requests.append(self._call(AGGREGATOR))
        try:
            answers = yield tuple(requests)
        except CallReverted as revert:
            raise explained(self, revert, REVERTS) from revert
        check_decimals(self, self.feed, answers[1], decimals)
        if self.sequencer is not None:
            check_sequencer(self, self.sequencer, decode_round(answers[2]), now, self.sequencer_grace)
        round_ = decode_round(answers[0])
        written = check_round(self, self.feed, round_, now)
        if phase is not None:
            self._check_phase(round_.round_id >> PHASE_OFFSET, phase)
        aggregator = self._aggregator(answers[-1]) if self._asks_for_aggregator else self.feed
        if self.check_bounds:
            low, high = yield (Call(aggregator, MIN_ANSWER), Call(aggregator, MAX_ANSWER))
            self._check_bounds(round_.answer, decode_result(("int192",), low)[0], decode_result(("int192",), high)[0])
        return self.heartbeat_quote(self.scaled(round_.answer, decimals), written, now)

    @property
    def _asks_for_aggregator(self) -> bool:
        return (self.check_bounds or self.aggregator is not None) and self.aggregator != self.feed

    def _call(self, data: bytes) -> Call:
        return Call(self.feed, data, direct=self.direct, sender=self.sender)

    def _resolved_phase(self) -> int | None:
        if self.check_phase and self.phase is None:
            raise ConfigurationError(
                f"{self.id} is not resolved: the proxy's phase is not known",
                advice="Resolve readers against the chain before the first frame, or remove `check_phase`.",
            )
        return self.phase

    def _check_phase(self, found: int, resolved: int) -> None:
        if found != resolved:
            raise SourceRefused(
                f"{self.id}: {self.feed} was in phase {resolved} and is now in phase {found}",
                advice="Compare the new aggregator's heartbeat, threshold and bounds with the configuration; "
                "then restart to resolve it anew.",
            )

    def _aggregator(self, data: bytes) -> Address:
        (found,) = decode_result(("address",), data)
        if self.aggregator is not None:
            check_names(self, f"the aggregator of {self.feed}", self.aggregator, found)
        return Address(found)

    def _check_bounds(self, answer: int, low: int, high: int) -> None:
        near_low = answer * BPS <= low * (BPS + self.bound_margin_bps)
        near_high = answer * BPS >= high * (BPS - self.bound_margin_bps)
        if near_low or near_high:
            raise SourceRefused(
                f"{self.id}: answer {answer} is within {self.bound_margin_bps} bps of the aggregator's bound "
                f"{low if near_low else high}",
                advice="Reports beyond the bound are rejected, so the market may be past it; look at other sources.",
            )
