"""The uptime feed of a rollup's sequencer: while it is down, and shortly after, prices on the rollup lag the market."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from navoracle.domain.errors import SourceRefused
from navoracle.domain.units import Timestamp
from navoracle.ports import Address, Call, Read, ReadPoint
from navoracle.prices.rounds import LATEST_ROUND_DATA, Round, decode_round
from navoracle.readers import ChecksumAddress, Name, ReaderModel, block_of


class SequencerGate(ReaderModel, frozen=True):
    """A rollup's sequencer, read with every frame: where it is down, nothing that was read on its chain counts.

    Attributes:
        feed: the sequencer's uptime feed.
        grace: seconds after it came up in which the chain is not believed yet.
    """

    kind: Literal["sequencer"]
    chain: Name
    feed: ChecksumAddress
    grace: int = Field(default=3_600, ge=0)

    def read(self, at: ReadPoint) -> Read[Timestamp]:
        """Since when the sequencer is up, in Unix seconds.

        Raises:
            SourceRefused: it is down, or up for too short a time; or the feed has no valid round.
        """
        (answer,) = yield (Call(self.feed, LATEST_ROUND_DATA),)
        round_ = decode_round(answer)
        check_sequencer(self, self.feed, round_, block_of(self, at).timestamp, self.grace)
        return Timestamp(round_.started_at)


def check_sequencer(reader: ReaderModel, feed: Address, round_: Round, now: Timestamp, grace: int) -> None:
    """Refuse to read prices while the sequencer is down and for `grace` seconds after it came up.

    The feed answers 0 for up and 1 for down; `started_at` is when that changed, and zero until the feed is set up.

    Raises:
        SourceRefused: down, up for too short a time, or no such feed.
    """
    if round_.started_at == 0 or round_.started_at > now or round_.answer not in (0, 1):
        raise SourceRefused(
            f"{reader.id}: the sequencer feed {feed} has no valid round",
            advice="Check the address of the sequencer uptime feed.",
        )
    if round_.answer == 1:
        raise SourceRefused(
            f"{reader.id}: the sequencer is down since {round_.started_at}",
            advice="Wait until the chain's sequencer is up again; prices on it cannot be corrected now.",
        )
    if now - round_.started_at <= grace:
        raise SourceRefused(
            f"{reader.id}: the sequencer came up at {round_.started_at}, less than {grace} s ago",
            advice="Wait for the grace to pass, so that feeds and arbitrage catch up.",
        )
