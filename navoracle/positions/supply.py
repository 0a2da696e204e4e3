"""A fund's shares outstanding (1e18 scale)."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from navoracle.abi import decode_result
from navoracle.domain.units import WAD, Rounding, Wad, mul_div
from navoracle.ports import Call, Read, ReadPoint
from navoracle.positions.base import TOTAL_SUPPLY
from navoracle.readers import (
    DECIMALS,
    ChecksumAddress,
    Decimals,
    DecimalWad,
    Name,
    ReaderModel,
    check_decimals,
    decode_decimals,
    resolved_decimals,
)


class Erc20Supply(ReaderModel, frozen=True):
    """`totalSupply()` of the share token.

    Beyond 18 decimals it is rounded up: a supply that exists is never zero, and the share price is never too high.

    Attributes:
        decimals: of the share token; filled by `resolve`.
    """

    section_fields: ClassVar[frozenset[str]] = frozenset({"id"})
    resolved_fields: ClassVar[tuple[str, ...]] = ("decimals",)

    kind: Literal["erc20"]
    chain: Name
    token: ChecksumAddress
    decimals: Decimals | None = None

    def resolve(self, at: ReadPoint) -> Read[Self]:
        """Read the share token's decimals."""
        (data,) = yield (Call(self.token, DECIMALS),)
        return self.model_copy(update={"decimals": decode_decimals(self, self.token, data)})

    def read(self, at: ReadPoint) -> Read[Wad]:
        """Read supply and scale at one block.

        Raises:
            DecimalsChanged: the share token changed its scale.
            ConfigurationError: the supply is not resolved.
        """
        decimals = resolved_decimals(self, self.decimals)
        supply, scale = yield (Call(self.token, TOTAL_SUPPLY), Call(self.token, DECIMALS))
        check_decimals(self, self.token, scale, decimals)
        return Wad(mul_div(decode_result(("uint256",), supply)[0], WAD, 10**decimals, Rounding.UP))


class FixedSupply(ReaderModel, frozen=True):
    """A number of shares stated in the configuration, in whole shares: "1000000".

    Attributes:
        shares: how many, in whole shares.
    """

    section_fields: ClassVar[frozenset[str]] = frozenset({"id"})

    kind: Literal["fixed"]
    shares: DecimalWad

    @property
    def chain(self) -> None:
        """Nothing is read on a chain."""
        return

    def read(self, at: ReadPoint) -> Read[Wad]:
        """Return the stated shares; nothing is read."""
        yield from ()
        return self.shares
