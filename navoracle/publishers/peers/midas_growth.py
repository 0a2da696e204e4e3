"""Midas feeds that grow (`CustomAggregatorV3CompatibleFeedGrowth.sol`), by the guarded call alone."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field

from navoracle.abi import decode_result, encode_call
from navoracle.domain.conversions import INT192
from navoracle.domain.guard_use import GuardUse
from navoracle.domain.peer_guards.midas import GrowthLimits, GrowthRound, MidasFeed, growth_guards
from navoracle.domain.units import Timestamp
from navoracle.ports import Call, Read, ReadPoint
from navoracle.publisher_port import FundPost, Preview
from navoracle.publishers.peers.amounts import price_units, waits_until
from navoracle.publishers.peers.base import TOO_EARLY
from navoracle.publishers.peers.midas import ROUND, MidasBase, Round, arguments_of
from navoracle.readers import block_of, resolved_decimals

SET_GROWTH: Final = "setRoundDataSafe(int256,uint256,int80)"
LATEST_RAW: Final = encode_call("latestRoundDataRaw()")
GROWTH_LIMITS: Final = tuple(encode_call(f"{view}()") for view in ("minGrowthApr", "maxGrowthApr", "onlyUp"))

_DATA_AHEAD: Final = ("CAG: timestamp >= now", "CAG: timestampTo < timestampFrom")


class MidasGrowthPeer(MidasBase, frozen=True):
    """A feed whose answer grows from the time of its data on: `setRoundDataSafe(int256,uint256,int80)`.

    Attributes:
        growth_apr: the yearly growth that is posted with every answer, 1e8 for 1 %; may be below zero.
    """

    kind: Literal["midas_growth"] = "midas_growth"
    growth_apr: int = Field(ge=-(1 << 79), lt=1 << 79)

    def encode(self, post: FundPost, valuation_time: Timestamp) -> bytes:
        """The guarded call with the price per share (rounded down), the valuation time and the growth.

        Raises:
            OutOfRange, DomainError, ConfigurationError: as of a plain feed.
        """
        answer = price_units(self, post, resolved_decimals(self, self.decimals), INT192)
        return encode_call(SET_GROWTH, answer, valuation_time, self.growth_apr)

    def _latest(self) -> Read[Round]:
        (data,) = yield (Call(self.contract, LATEST_RAW),)
        _, answer, started, updated, _, growth = decode_result((*ROUND, "int80"), data)
        return Round(answer, Timestamp(started), Timestamp(updated), growth)

    def _waits_for_data(self, fund: str, data: bytes, at: ReadPoint) -> Read[Preview | None]:
        yield from ()
        new = _round(data)
        ready_at = waits_until(new.data_time, 1, self.margin)
        # What lies before the newest block lies before every later one: no margin is needed then.
        if new.data_time < block_of(self, at).timestamp or at.now >= ready_at:
            return None
        return Preview(
            fund,
            TOO_EARLY,
            send=False,
            ready_at=ready_at,
            advice="The chain's newest block is older than the data, which must lie before the block of the post.",
        )

    def _guards(self, feed: MidasFeed, latest: Round, data: bytes, at: ReadPoint) -> Read[tuple[GuardUse, ...]]:
        low, high, only_up = yield tuple(Call(self.contract, view) for view in GROWTH_LIMITS)
        limits = GrowthLimits(
            decode_result(("int80",), low)[0], decode_result(("int80",), high)[0], decode_result(("bool",), only_up)[0]
        )
        # A post that is sent now lands in a later block than the newest.
        landing = Timestamp(max(at.now, block_of(self, at).timestamp + 1))
        last = GrowthRound(latest.answer, latest.started_at, latest.growth)
        return growth_guards(feed, last, limits, _round(data), landing)

    def _is_unchanged(self, latest: Round, data: bytes) -> bool:
        new = _round(data)
        if new.data_time < latest.started_at or new.growth != latest.growth:
            return False
        return GrowthRound(latest.answer, latest.started_at, latest.growth).at(new.data_time) == new.answer

    def _holds(self, latest: Round, data: bytes) -> bool:
        return _round(data) == GrowthRound(latest.answer, latest.started_at, latest.growth)

    def _early_messages(self, latest: Round, data: bytes, block: Timestamp) -> tuple[str, ...]:
        """Beside the hour: a block that is not later than the data."""
        return super()._early_messages(latest, data, block) + (_DATA_AHEAD if _round(data).data_time >= block else ())


def _round(data: bytes) -> GrowthRound:
    answer, data_time, growth = arguments_of(SET_GROWTH, data)
    return GrowthRound(answer, Timestamp(data_time), growth)
