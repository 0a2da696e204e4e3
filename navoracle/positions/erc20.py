"""A balance of an ERC-20 token: what a fund holds, or owes where the token counts a debt (component `debt`)."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from navoracle.abi import decode_result, encode_call
from navoracle.domain.positions import Position
from navoracle.domain.units import RawAmount
from navoracle.ports import Call, Read, ReadPoint
from navoracle.positions.base import BALANCE_OF, Claim, ComponentPosition
from navoracle.readers import (
    DECIMALS,
    ChecksumAddress,
    Decimals,
    Name,
    check_decimals,
    decode_decimals,
    resolved_decimals,
)


class Erc20Position(ComponentPosition, frozen=True):
    """`balanceOf(holder)` in the token's own units; rebasing and accruing tokens count up to the block.

    Attributes:
        decimals: of the token; filled by `resolve`.
    """

    resolved_fields: ClassVar[tuple[str, ...]] = ("decimals",)

    kind: Literal["erc20"]
    chain: Name
    token: ChecksumAddress
    holder: ChecksumAddress
    decimals: Decimals | None = None

    @property
    def claims(self) -> tuple[Claim, ...]:
        """The holder's balance of the token."""
        return (Claim(self.chain, self.token, self.holder),)

    def resolve(self, at: ReadPoint) -> Read[Self]:
        """Read the token's decimals."""
        (data,) = yield (Call(self.token, DECIMALS),)
        return self.model_copy(update={"decimals": decode_decimals(self, self.token, data)})

    def read(self, at: ReadPoint) -> Read[tuple[Position, ...]]:
        """Read balance and scale at one block. A balance of zero is a position of zero; no answer is an error.

        Raises:
            DecimalsChanged: the token changed its scale.
            ConfigurationError: the position is not resolved.
        """
        decimals = resolved_decimals(self, self.decimals)
        balance, scale = yield (
            Call(self.token, encode_call(BALANCE_OF, self.holder)),
            Call(self.token, DECIMALS),
        )
        check_decimals(self, self.token, scale, decimals)
        return self.holding(RawAmount(decode_result(("uint256",), balance)[0], decimals))
