"""Chronicle's Scribe oracles: `tryReadWithAge()`, for readers whom the oracle's toll lets pass.

The age is the time of the block in which the value was written (poked), not that of the market data in it. A value of
an optimistic oracle stands while it can still be challenged, and is gone when a challenge succeeds.
"""

from __future__ import annotations

from typing import ClassVar, Final, Literal, Self

from navoracle.abi import decode_result, encode_call, selector
from navoracle.domain.errors import CallReverted, SourceRefused
from navoracle.domain.prices import Quote
from navoracle.ports import Call, Read, ReadPoint
from navoracle.prices.heartbeat import HeartbeatSource
from navoracle.prices.reverts import Meaning, Meanings, explained
from navoracle.readers import (
    DECIMALS,
    ChecksumAddress,
    Decimals,
    Name,
    block_of,
    check_decimals,
    decode_decimals,
    resolved_decimals,
)

TRY_READ_WITH_AGE: Final = encode_call("tryReadWithAge()")
VALUE_TYPES: Final = ("bool", "uint256", "uint256")

REVERTS: Final[Meanings] = {
    selector("NotTolled(address)"): Meaning(
        "the oracle's toll does not let this reader pass",
        "Set `sender` to an address that the oracle has kissed (see `tolled()`), or ask Chronicle to kiss yours.",
    )
}


class ChronicleSource(HeartbeatSource, frozen=True):
    """A value of a Scribe oracle, read directly because the toll looks at the caller.

    Attributes:
        sender: the address that is let pass; None calls as nobody, the zero address, whom some oracles let pass.
        oracle: the Scribe oracle.
        decimals: of the value; filled by `resolve`.
    """

    resolved_fields: ClassVar[tuple[str, ...]] = ("decimals",)

    kind: Literal["chronicle"]
    chain: Name
    oracle: ChecksumAddress
    sender: ChecksumAddress | None = None
    decimals: Decimals | None = None

    def resolve(self, at: ReadPoint) -> Read[Self]:
        """Read the oracle's decimals, which are open to all."""
        (data,) = yield (Call(self.oracle, DECIMALS),)
        return self.model_copy(update={"decimals": decode_decimals(self, self.oracle, data)})

    def read(self, at: ReadPoint) -> Read[Quote]:
        """Read value, age and scale at one block; a price beyond 18 decimals is rounded down.

        Raises:
            SourceRefused: the toll refuses the sender, or the oracle has no value or one of the future.
            DecimalsChanged: the oracle changed its scale.
            ConfigurationError: the source is not resolved.
        """
        decimals = resolved_decimals(self, self.decimals)
        now = block_of(self, at).timestamp
        value_call = Call(self.oracle, TRY_READ_WITH_AGE, direct=True, sender=self.sender)
        try:
            answer, scale = yield (value_call, Call(self.oracle, DECIMALS))
        except CallReverted as revert:
            raise explained(self, revert, REVERTS) from revert
        check_decimals(self, self.oracle, scale, decimals)
        good, value, age = decode_result(VALUE_TYPES, answer)
        if not good:
            raise SourceRefused(
                f"{self.id}: {self.oracle} has no value",
                advice="The oracle was never poked, or its value was dropped by a challenge; wait for the next poke.",
            )
        written = self.check_written(age, now)
        return self.heartbeat_quote(self.scaled(value, decimals), written, now)
