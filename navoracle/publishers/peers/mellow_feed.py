"""Mellow's permissioned feed: a price between two bounds that were fixed when it was deployed.

Source: `src/oracles/PermissionedChainlinkOracle.sol` of mellow-finance/flexible-vaults. Beyond the bounds the call
reverts with `InvalidPrice`; no other guard looks at what the owner sends, neither at its step nor at its time.
"""

from __future__ import annotations

from typing import ClassVar, Final, Literal, Self

from navoracle.abi import decode_result, decode_uint256, encode_call
from navoracle.domain.conversions import INT256, from_units
from navoracle.domain.peer_guards.answers import at_least, at_most
from navoracle.domain.prior import ConfirmedNav
from navoracle.domain.units import Rounding, Timestamp
from navoracle.ports import Call, Read, ReadPoint
from navoracle.publisher_port import FundPost, Preview, ReadBack, Receipt
from navoracle.publishers.peers.amounts import heartbeat_due, price_units
from navoracle.publishers.peers.base import PeerModel, PeerRead, unchanged
from navoracle.publishers.peers.simulation import Remedy, refused, simulate
from navoracle.readers import Decimals, block_of, check_decimals, decimals_call, decode_decimals, resolved_decimals

OWNER: Final = "owner"
OUT_OF_RANGE: Final = "out_of_range"

_UPDATE: Final = "updatePrice(int256)"
_ANSWER: Final = encode_call("latestAnswer()")
_TIME: Final = encode_call("latestTimestamp()")
_LOWEST: Final = encode_call("minAllowedAnswer()")
_HIGHEST: Final = encode_call("maxAllowedAnswer()")
_ERRORS: Final = ("InvalidPrice()", "OwnableUnauthorizedAccount(address)")
_REMEDIES: Final = {
    "OwnableUnauthorizedAccount": Remedy(OWNER, "Post with the feed's owner, or transferOwnership(sender)."),
}


class MellowFeedPeer(PeerModel, frozen=True):
    """A `PermissionedChainlinkOracle`. What is posted is the price per share, at the feed's own decimals.

    Attributes:
        decimals: of the feed; filled by `resolve`.
    """

    resolved_fields: ClassVar[tuple[str, ...]] = ("decimals",)

    kind: Literal["mellow_feed"] = "mellow_feed"
    decimals: Decimals | None = None

    def resolve(self, at: ReadPoint) -> Read[Self]:
        """Read the feed's decimals."""
        (data,) = yield (decimals_call(self.contract),)
        return self.model_copy(update={"decimals": decode_decimals(self, self.contract, data)})

    def encode(self, post: FundPost, valuation_time: Timestamp) -> bytes:
        """`updatePrice` with the price per share in the base asset, rounded down once.

        Raises:
            OutOfRange: it is not positive, rounds to zero or fits no int256.
            DomainError: the base asset's price is missing. ConfigurationError: the publisher is not resolved.
        """
        decimals = resolved_decimals(self, self.decimals)
        return encode_call(_UPDATE, price_units(self, post, decimals, INT256))

    def confirmed(self, at: ReadPoint) -> PeerRead[ConfirmedNav | None]:
        """The feed's answer at the time of its last update; it has one from its deployment on."""
        answer, time, decimals = yield (
            Call(self.contract, _ANSWER),
            Call(self.contract, _TIME),
            decimals_call(self.contract),
        )
        check_decimals(self, self.contract, decimals, resolved_decimals(self, self.decimals))
        return self._confirmed(decode_result(("int256",), answer)[0], Timestamp(decode_uint256(time)), at)

    def preview(self, post: FundPost, data: bytes, at: ReadPoint) -> PeerRead[Preview]:
        """What the feed would do with the price: its two bounds, and its setter."""
        (value,) = decode_result(("int256",), data[4:])
        questions = tuple(Call(self.contract, question) for question in (_ANSWER, _LOWEST, _HIGHEST, _TIME))
        *answers, time, decimals = yield (*questions, decimals_call(self.contract))
        check_decimals(self, self.contract, decimals, resolved_decimals(self, self.decimals))
        last, lowest, highest = (decode_result(("int256",), answer)[0] for answer in answers)
        guards = (
            at_least("min_allowed_answer", value, lowest, "raw"),
            at_most("max_allowed_answer", value, highest, "raw"),
        )
        if not all(guard.passes for guard in guards):
            advice = (
                f"The feed takes {lowest} to {highest} for good. Check the price; another range needs another feed."
            )
            return Preview(post.fund, OUT_OF_RANGE, send=False, guards=guards, role=OWNER, advice=advice)
        if value == last and not heartbeat_due(self, Timestamp(decode_uint256(time)), at.now):
            return unchanged(post.fund, guards)
        name = yield from simulate(self, data, _ERRORS)
        if name is not None:
            return refused(post.fund, name, _REMEDIES, guards, OWNER)
        return Preview(post.fund, None, send=True, guards=guards)

    def read_back(self, fund: str, data: bytes, receipt: Receipt, at: ReadPoint) -> PeerRead[ReadBack]:
        """Whether the price is the feed's answer since the block of the post."""
        (value,) = decode_result(("int256",), data[4:])
        answers = yield (Call(self.contract, _ANSWER), Call(self.contract, _TIME))
        answer, time = decode_result(("int256",), answers[0])[0], decode_uint256(answers[1])
        mined = block_of(self, at).timestamp
        reason: str | None = None
        if not receipt.success:
            reason = "reverted"
        elif (answer, time) != (value, mined):
            reason = "superseded" if time >= mined else "missing"
        confirmed = self._confirmed(answer, Timestamp(time), at)
        return ReadBack(fund, accepted=reason is None, reason=reason, confirmed=confirmed)

    def _confirmed(self, answer: int, time: Timestamp, at: ReadPoint) -> ConfirmedNav:
        price = from_units(answer, resolved_decimals(self, self.decimals), Rounding.DOWN)
        return ConfirmedNav(
            nav=None,
            price_per_share=price,
            valuation_time=time,
            held=False,
            block_number=block_of(self, at).number,
            frame=None,
        )
