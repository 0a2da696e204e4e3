"""A balance of an ERC-20 token: what a fund holds, or owes where the token counts a debt (component `debt`)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import ClassVar, Final, Literal, Self

from navoracle.abi import decode_result, decode_uint256, encode_call
from navoracle.domain.errors import MalformedResult, SourceRefused
from navoracle.domain.positions import Position
from navoracle.domain.units import RawAmount
from navoracle.ports import Call, Read, ReadPoint
from navoracle.positions.base import BALANCE_OF, NATIVE, Claim, ComponentPosition
from navoracle.readers import (
    ChecksumAddress,
    Decimals,
    Name,
    check_decimals,
    decimals_call,
    decode_decimals,
    resolved_decimals,
)

SYMBOL: Final = encode_call("symbol()")

NATIVE_COINS: Final = frozenset(
    {
        "0x0000000000000000000000000000000000001010",  # Polygon
        "0x000000000000000000000000000000000000800a",  # ZKsync
        "0x0000000000000000000000000000000000000802",  # Moonbeam
        "0x471ece3750da237f93b8e339c536989b8978a438",  # Celo
        "0xdeaddeaddeaddeaddeaddeaddeaddeaddead0000",  # Metis
    }
)
"""Contracts that show a chain's native coin as a token: its balance is the account's coins."""

BlacklistGetter = Literal["isBlacklisted", "isBlackListed", "isFrozen"]
"""How a token says that an account cannot move it: USDC and sUSDe's kind, USDT's, PYUSD's."""


class Erc20Position(ComponentPosition, frozen=True):
    """`balanceOf(holder)` in the token's own units; rebasing and accruing tokens count up to the block.

    Attributes:
        decimals: of the token; filled by `resolve`, and never guessed: a token without `decimals()` is refused.
        symbol: what `symbol()` must say, at start and with every reading; a token at a guessed address says another.
        shares: for stETH: what `sharesOf(holder)` converts to must be the balance, to the wei.
        blacklist: the getter that must not name the holder: a frozen balance cannot be realized.
    """

    resolved_fields: ClassVar[tuple[str, ...]] = ("decimals",)

    kind: Literal["erc20"]
    chain: Name
    token: ChecksumAddress
    holder: ChecksumAddress
    decimals: Decimals | None = None
    symbol: Name | None = None
    shares: bool = False
    blacklist: BlacklistGetter | None = None

    @property
    def claims(self) -> tuple[Claim, ...]:
        """The holder's balance of the token, which may be the native coin's."""
        balance = Claim(self.chain, self.token, self.holder)
        return (balance, balance._replace(contract=NATIVE)) if self.token.lower() in NATIVE_COINS else (balance,)

    def resolve(self, at: ReadPoint) -> Read[Self]:
        """Read the token's decimals, and hold its symbol against the configured one."""
        symbol_calls = () if self.symbol is None else (Call(self.token, SYMBOL),)
        data, *symbol = yield (decimals_call(self.token), *symbol_calls)
        for answer in symbol:
            self._check_symbol(answer)
        return self.model_copy(update={"decimals": decode_decimals(self, self.token, data)})

    def read(self, at: ReadPoint) -> Read[tuple[Position, ...]]:
        """Read balance and scale at one block. A balance of zero is a position of zero; no answer is an error.

        Raises:
            DecimalsChanged: the token changed its scale.
            SourceRefused: another symbol than configured, a frozen holder, or shares that are not the balance.
            ConfigurationError: the position is not resolved.
        """
        decimals = resolved_decimals(self, self.decimals)
        balance, scale, *checks = yield self._requests
        check_decimals(self, self.token, scale, decimals)
        amount = decode_uint256(balance)
        if checks:
            yield from self._check(iter(checks), amount)
        return self.holding(RawAmount(amount, decimals))

    @cached_property
    def _requests(self) -> tuple[Call, ...]:
        """What every reading asks first: balance, scale, and the checks that are configured."""
        checks = [] if self.symbol is None else [SYMBOL]
        if self.blacklist is not None:
            checks.append(encode_call(f"{self.blacklist}(address)", self.holder))
        if self.shares:
            checks.append(encode_call("sharesOf(address)", self.holder))
        return (
            Call(self.token, encode_call(BALANCE_OF, self.holder)),
            decimals_call(self.token),
            *(Call(self.token, data) for data in checks),
        )

    def _check(self, answers: Iterator[bytes], balance: int) -> Read[None]:
        if self.symbol is not None:
            self._check_symbol(next(answers))
        if self.blacklist is not None:
            self._check_blacklist(next(answers))
        if self.shares:
            shares = decode_uint256(next(answers))
            (pooled,) = yield (Call(self.token, encode_call("getPooledEthByShares(uint256)", shares)),)
            self._check_shares(decode_uint256(pooled), balance)

    def _check_symbol(self, data: bytes) -> None:
        found = decode_symbol(data)
        if found != self.symbol:
            raise SourceRefused(
                f"{self.id}: {self.token} calls itself {found!r}, not {self.symbol!r}",
                advice="Check the token's address with its issuer: anybody can deploy a token.",
            )

    def _check_blacklist(self, data: bytes) -> None:
        if decode_result(("bool",), data)[0]:
            raise SourceRefused(
                f"{self.id}: {self.token} has blacklisted {self.holder}",
                advice="The balance cannot be moved: talk to the issuer, and value it as attested meanwhile.",
            )

    def _check_shares(self, pooled: int, balance: int) -> None:
        if pooled != balance:
            raise SourceRefused(
                f"{self.id}: {self.token} says a balance of {balance}, and shares that are worth {pooled}",
                advice="Find out whether the token was upgraded; both follow from one rebase.",
            )


def decode_symbol(data: bytes) -> str:
    """Decode an answer of `symbol()`: a string, or text in 32 bytes as old tokens have it.

    Raises:
        EmptyResult, MalformedResult: no text.
    """
    if len(data) != 32:
        return str(decode_result(("string",), data)[0])
    try:
        return data.rstrip(b"\0").decode()
    except UnicodeDecodeError as error:
        raise MalformedResult(f"0x{data.hex()} is no symbol", advice="Check the token's address.") from error
