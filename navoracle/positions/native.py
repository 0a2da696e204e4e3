"""A balance of a chain's native coin."""

from __future__ import annotations

from typing import Literal

from navoracle.abi import decode_result
from navoracle.domain.positions import Position
from navoracle.domain.units import RawAmount
from navoracle.ports import NativeBalance, Read, ReadPoint
from navoracle.positions.base import ComponentPosition
from navoracle.readers import ChecksumAddress, Decimals, Name


class NativePosition(ComponentPosition, frozen=True):
    """The account's balance in wei.

    Attributes:
        decimals: of the coin; 18 on EVM chains (no contract could say so).
    """

    kind: Literal["native"]
    chain: Name
    holder: ChecksumAddress
    decimals: Decimals = 18

    def read(self, at: ReadPoint) -> Read[tuple[Position, ...]]:
        """Read the balance. Zero is a position of zero; no answer is an error."""
        (balance,) = yield (NativeBalance(self.holder),)
        return self.holding(RawAmount(decode_result(("uint256",), balance)[0], self.decimals))
