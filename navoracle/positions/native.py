"""A balance of a chain's native coin."""

from __future__ import annotations

from functools import cached_property
from typing import Literal, Self

from pydantic import model_validator

from navoracle.abi import decode_uint256
from navoracle.domain.positions import LIABILITIES, Position
from navoracle.domain.units import RawAmount
from navoracle.ports import NativeBalance, Read, ReadPoint
from navoracle.positions.base import NATIVE, Claim, ComponentPosition
from navoracle.readers import AmountText, ChecksumAddress, Decimals, Name, raw_amount


class NativePosition(ComponentPosition, frozen=True):
    """The account's balance in wei. A wrapped coin (WETH) is a token of its own and is read as one.

    Attributes:
        decimals: of the coin; 18 on EVM chains (no contract could say so).
        gas_reserve: whole coins that pay for transactions and are no part of the NAV; a smaller balance counts as zero.
    """

    kind: Literal["native"]
    chain: Name
    holder: ChecksumAddress
    decimals: Decimals = 18
    gas_reserve: AmountText = "0"

    @model_validator(mode="after")
    def _check(self) -> Self:
        if raw_amount(self.gas_reserve, self.decimals).value and self.component in LIABILITIES:
            raise ValueError(f"`gas_reserve` would lower what is owed ({self.component.value}): leave it out")
        return self

    @property
    def claims(self) -> tuple[Claim, ...]:
        """The holder's coins."""
        return (Claim(self.chain, NATIVE, self.holder),)

    @cached_property
    def _reserve(self) -> int:
        return raw_amount(self.gas_reserve, self.decimals).value

    def read(self, at: ReadPoint) -> Read[tuple[Position, ...]]:
        """Read the balance. Zero is a position of zero; no answer is an error."""
        (balance,) = yield (NativeBalance(self.holder),)
        return self.holding(RawAmount(max(0, decode_uint256(balance) - self._reserve), self.decimals))
