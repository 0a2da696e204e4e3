"""Answers of `latestRoundData()`, which Chainlink's feeds and those of its shape give."""

from __future__ import annotations

from typing import Final, NamedTuple

from navoracle.abi import decode_result, encode_call
from navoracle.domain.errors import SourceRefused
from navoracle.domain.units import Timestamp
from navoracle.ports import Address
from navoracle.prices.heartbeat import Heartbeat

LATEST_ROUND_DATA: Final = encode_call("latestRoundData()")
ROUND_TYPES: Final = ("uint80", "int256", "uint256", "uint256", "uint80")


class Round(NamedTuple):
    """One answer of `latestRoundData()`: times in Unix seconds, `answer` in the feed's decimals."""

    round_id: int
    answer: int
    started_at: int
    updated_at: int
    answered_in_round: int


def decode_round(data: bytes) -> Round:
    """Decode an answer of `latestRoundData()`.

    Raises:
        EmptyResult, MalformedResult: the answer is no round.
    """
    return Round(*decode_result(ROUND_TYPES, data))


def check_round(reader: Heartbeat, feed: Address, round_: Round, now: Timestamp) -> Timestamp:
    """The time at which a price feed's round was written (Unix seconds).

    Raises:
        SourceRefused: the round is missing, incomplete, later than its block, or repeats the answer of an older one.
    """
    if round_.round_id == 0 or round_.updated_at == 0:
        raise SourceRefused(
            f"{reader.id}: {feed} has no complete round",
            advice="Check the address; a feed without reports answers zeros until its first one.",
        )
    if round_.answered_in_round < round_.round_id:
        raise SourceRefused(
            f"{reader.id}: round {round_.round_id} carries the answer of round {round_.answered_in_round}",
            advice="The round timed out and repeats an old answer; wait for the next one or use another feed.",
        )
    return reader.check_written(round_.updated_at, now)
