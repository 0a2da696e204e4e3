"""Midas feeds (`CustomAggregatorV3CompatibleFeed.sol`), by the guarded call alone.

The feed's admin may also call `setRoundData`, which checks the range and nothing else. That call is not in this module:
a price that the guarded one refuses is for people to look at.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar, Final, Literal, NamedTuple, Self

from navoracle.abi import argument_types, decode_result, encode_call
from navoracle.domain.conversions import INT192, from_units
from navoracle.domain.guard_use import GuardUse
from navoracle.domain.peer_guards.midas import (
    MIN_SECONDS,
    ONE_PERCENT,
    MidasFeed,
    guards,
)
from navoracle.domain.prior import ConfirmedNav, PostBounds
from navoracle.domain.units import Rounding, Timestamp, Wad
from navoracle.ports import Call, Read, ReadPoint
from navoracle.publisher_port import FundPost, Preview, ReadBack, Receipt
from navoracle.publishers.peers.amounts import heartbeat_due, nav_by_supply, price_units, waits_until
from navoracle.publishers.peers.base import TOO_EARLY, PeerModel, PeerRead, unchanged
from navoracle.publishers.peers.simulation import Remedy, refused, simulate
from navoracle.readers import ChecksumAddress, Decimals, block_of, decimals_call, decode_decimals, resolved_decimals

SET: Final = "setRoundDataSafe(int256)"
LATEST: Final = encode_call("latestRoundData()")
LIMITS: Final = tuple(encode_call(f"{view}()") for view in ("minAnswer", "maxAnswer", "maxAnswerDeviation"))

ADMIN: Final = "feedAdminRole()"
UPGRADER: Final = "proxy admin"

ROUND: Final = ("uint80", "int256", "uint256", "uint256", "uint80")
_PER_BPS: Final = ONE_PERCENT // 100

_LOOK: Final = (
    "Look at the price. If it is right, the holder of the role posts it by a call that skips this guard; "
    "navoracle never makes that call."
)
_REMEDIES: Final = {
    "WMAC: hasnt role": Remedy(
        ADMIN, "Grant the sender the feed's role in MidasAccessControl, or use the key that has it."
    ),
    "CA: !deviation": Remedy(ADMIN, _LOOK),
    "CAG: !deviation": Remedy(ADMIN, _LOOK),
    "CAG: deviation is negative": Remedy(ADMIN, _LOOK),
}
_TOO_EARLY_MESSAGES: Final = ("CA: not enough time passed", "CAG: not enough time passed")
_BREACHES: Final = {
    "deviation": Remedy(ADMIN, _LOOK),
    "only_up": Remedy(ADMIN, f"The feed only goes up: setOnlyUp(false) lets it fall. {_LOOK}"),
    "lowest_answer": Remedy(UPGRADER, "The feed has no call that moves its range: check the price, then its contract."),
    "highest_answer": Remedy(
        UPGRADER, "The feed has no call that moves its range: check the price, then its contract."
    ),
    "lowest_growth": Remedy(ADMIN, "setMinGrowthApr (and setOnlyUp) widen the band; or configure another growth_apr."),
    "highest_growth": Remedy(ADMIN, "setMaxGrowthApr widens the band; or configure another growth_apr."),
    "data_after_last_round": Remedy(None, "The feed holds newer data: another post came first. Value again."),
}


class Round(NamedTuple):
    """The latest round as it was posted: `started_at` is the time of a growth feed's data."""

    answer: int
    started_at: Timestamp
    updated_at: Timestamp
    growth: int


class MidasBase(PeerModel, frozen=True):
    """A feed.

    Attributes:
        shares: the token that is priced; its supply makes a NAV of the price. None: the feed's NAV is not known.
        decimals: those of the answer; filled by `resolve`.
    """

    resolved_fields: ClassVar[tuple[str, ...]] = ("decimals",)

    shares: ChecksumAddress | None = None
    decimals: Decimals | None = None

    def resolve(self, at: ReadPoint) -> Read[Self]:
        """Read the feed's decimals."""
        (data,) = yield (decimals_call(self.contract),)
        return self.model_copy(update={"decimals": decode_decimals(self, self.contract, data)})

    def preview(self, post: FundPost, data: bytes, at: ReadPoint) -> PeerRead[Preview]:
        """Its guards at `at.now`, its hour with the margin, and the guarded call as its sender."""
        latest = yield from self._latest()
        feed = yield from self._feed(latest)
        first = latest.updated_at == 0
        waiting = yield from self._waits_for_data(post.fund, data, at)
        if waiting is not None:
            return waiting
        used = yield from self._guards(feed, latest, data, at)
        if not first and self._is_unchanged(latest, data) and not heartbeat_due(self, latest.updated_at, at.now):
            return unchanged(post.fund, used)
        for guard in used:
            remedy = _BREACHES.get(guard.name)
            if remedy is not None and not guard.passes:
                return Preview(post.fund, guard.name, send=False, guards=used, role=remedy.role, advice=remedy.advice)
        ready_at = waits_until(latest.updated_at, MIN_SECONDS, self.margin)
        if at.now < ready_at:
            return Preview(
                post.fund,
                TOO_EARLY,
                send=False,
                guards=used,
                ready_at=ready_at,
                advice=f"The feed takes a round after more than an hour: it is sent from {ready_at}.",
            )
        name = yield from simulate(self, data)
        # The simulation is of the newest block, in which it may have been too early for what is in time now.
        if name is not None and name not in self._early_messages(latest, data, block_of(self, at).timestamp):
            return refused(post.fund, name, _REMEDIES, used, ADMIN)
        return Preview(post.fund, None, send=True, guards=used)

    def confirmed(self, at: ReadPoint) -> Read[ConfirmedNav | None]:
        """The latest answer; its time is that of its data, or of its post where the feed keeps no other."""
        latest = yield from self._latest()
        return (yield from self._confirmed(latest, at))

    def read_back(self, fund: str, data: bytes, receipt: Receipt, at: ReadPoint) -> Read[ReadBack]:
        """Whether the latest round is this post's, of this block."""
        latest = yield from self._latest()
        found = yield from self._confirmed(latest, at)
        confirmed = _nothing(block_of(self, at).number) if found is None else found
        by_this_block = latest.updated_at == block_of(self, at).timestamp
        if not receipt.success:
            reason: str | None = "reverted"
        elif by_this_block and self._holds(latest, data):
            reason = None
        else:
            reason = "superseded" if by_this_block else "missing"
        return ReadBack(fund, accepted=reason is None, reason=reason, confirmed=confirmed)

    @abstractmethod
    def _latest(self) -> Read[Round]:
        """The latest round as it was posted; all zero before the first."""

    @abstractmethod
    def _guards(self, feed: MidasFeed, latest: Round, data: bytes, at: ReadPoint) -> Read[tuple[GuardUse, ...]]:
        """What the post would use of the feed's guards in a block of `at.now`."""

    @abstractmethod
    def _is_unchanged(self, latest: Round, data: bytes) -> bool:
        """Whether the post says what the feed serves anyway."""

    @abstractmethod
    def _holds(self, latest: Round, data: bytes) -> bool:
        """Whether the round is that of this post."""

    def _early_messages(self, latest: Round, data: bytes, block: Timestamp) -> tuple[str, ...]:
        """What the feed refuses the post with in a block of this time for no other reason than the time."""
        return _TOO_EARLY_MESSAGES if block - latest.updated_at < MIN_SECONDS else ()

    def _waits_for_data(self, fund: str, data: bytes, at: ReadPoint) -> Read[Preview | None]:
        """A feed of plain answers is not told the time of its data."""
        yield from ()
        return None

    def _feed(self, latest: Round) -> Read[MidasFeed]:
        low, high, deviation = yield tuple(Call(self.contract, data) for data in LIMITS)
        return MidasFeed(
            latest.answer,
            latest.updated_at,
            decode_result(("int192",), low)[0],
            decode_result(("int192",), high)[0],
            decode_result(("uint256",), deviation)[0],
        )

    def _confirmed(self, latest: Round, at: ReadPoint) -> Read[ConfirmedNav | None]:
        if latest.updated_at == 0:
            return None
        served, limit = yield (Call(self.contract, LATEST), Call(self.contract, LIMITS[2]))
        answer = decode_result(ROUND, served)[1]
        price = from_units(answer, resolved_decimals(self, self.decimals), Rounding.DOWN)
        bps = decode_result(("uint256",), limit)[0] // _PER_BPS
        return ConfirmedNav(
            nav=(yield from nav_by_supply(self, self.shares, price)),
            price_per_share=price,
            valuation_time=latest.started_at,
            held=False,
            block_number=block_of(self, at).number,
            frame=None,
            # It has no bound on a day; that one is only looked at together with a day's drift, which it has not either.
            bounds=PostBounds(bps, bps, bps),
        )


class MidasPeer(MidasBase, frozen=True):
    """A feed of plain answers: `setRoundDataSafe(int256)`."""

    kind: Literal["midas"] = "midas"

    def encode(self, post: FundPost, valuation_time: Timestamp) -> bytes:
        """The guarded call with the price per share, rounded down.

        Raises:
            OutOfRange: the price is zero at these decimals, or beyond what the feed's range can be.
            DomainError: no price of the base. ConfigurationError: the peer is not resolved.
        """
        return encode_call(SET, price_units(self, post, resolved_decimals(self, self.decimals), INT192))

    def _latest(self) -> Read[Round]:
        (data,) = yield (Call(self.contract, LATEST),)
        _, answer, started, updated, _ = decode_result(ROUND, data)
        return Round(answer, Timestamp(started), Timestamp(updated), 0)

    def _guards(self, feed: MidasFeed, latest: Round, data: bytes, at: ReadPoint) -> Read[tuple[GuardUse, ...]]:
        yield from ()
        return guards(feed, arguments_of(SET, data)[0], at.now)

    def _is_unchanged(self, latest: Round, data: bytes) -> bool:
        return latest.answer == int(arguments_of(SET, data)[0])

    def _holds(self, latest: Round, data: bytes) -> bool:
        return self._is_unchanged(latest, data)


def arguments_of(signature: str, data: bytes) -> tuple[Any, ...]:
    """The arguments of a call."""
    return decode_result(argument_types(signature), data[4:])


def _nothing(block_number: int) -> ConfirmedNav:
    """What a feed without a round holds: no price, of no time."""
    return ConfirmedNav(None, Wad(0), Timestamp(0), held=False, block_number=block_number, frame=None)
