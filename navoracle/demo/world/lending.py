"""The lending market of the demo's world: USDC against PT-USDe at a Morpho, and the leveraged fund's loan in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from eth_utils.crypto import keccak

from navoracle.abi import encode_arguments, encode_call
from navoracle.chain.embedded import EmbeddedChain
from navoracle.demo.world.calls import Sent, send_all
from navoracle.demo.world.cast import OPERATOR, holder_of
from navoracle.demo.world.principal import PT_RATE
from navoracle.demo.world.tokens import Tokens, raw
from navoracle.domain.units import Rounding, Wad, divide, to_wad
from navoracle.ports import Address

FUND: Final = "levered-pt"
PLEDGED: Final = to_wad("10000000")
"""PT-USDe that the fund has pledged."""
LOAN: Final = to_wad("8000000")
"""USDC that it owes at the beginning."""
LENT: Final = to_wad("20000000")
"""USDC that others have put into the market."""
LLTV: Final = to_wad("0.915")
"""The loan-to-value at which the market liquidates, and up to which it lends."""
BORROW_RATE: Final = to_wad("0.05")
"""What the loan costs a year once the story begins; until then nothing."""

_YEAR: Final = 365 * 24 * 60 * 60
_PARAMS: Final = "(address,address,address,address,uint256)"
_PRICE_SCALE: Final = 10 ** (36 + 6 - 18 - 18)
"""From USDC per PT-USDe (Wad) to what the market's oracle says."""


@dataclass(frozen=True, slots=True)
class LendingMarket:
    """A market of Morpho Blue.

    Attributes:
        morpho: the contract of all markets.
        oracle: says what a PT-USDe is worth to this one.
        rate: its rate model.
        params: its parameters, whose hash is its id.
    """

    morpho: Address
    oracle: Address
    rate: Address
    params: tuple[Any, ...]

    @classmethod
    async def deploy(cls, chain: EmbeddedChain, tokens: Tokens) -> LendingMarket:
        """Deploy it, lend to it, and let the leveraged fund pledge and borrow."""
        morpho, oracle = await chain.deploy("Morpho"), await chain.deploy("LoanOracle")
        rate = await chain.deploy("LoanRate")
        found = cls(morpho, oracle, rate, (tokens["USDC"], tokens["PT-USDe"], oracle, rate, int(LLTV)))
        holder, lender = holder_of(FUND), chain.accounts[OPERATOR]
        await send_all(
            chain,
            [
                found.price(PT_RATE),
                found._call("createMarket"),
                *tokens.spend("USDC", LENT, morpho),
                found._call("supply", "uint256,address", raw("USDC", LENT), lender),
                *tokens.spend("PT-USDe", PLEDGED, morpho),
                found._call("supplyCollateral", "uint256,address", raw("PT-USDe", PLEDGED), holder),
                found._call("borrow", "uint256,address,address", raw("USDC", LOAN), holder, lender),
            ],
        )
        return found

    @property
    def id(self) -> str:
        """The market's id."""
        return "0x" + keccak(encode_arguments((_PARAMS,), (self.params,))).hex()

    def price(self, price: Wad) -> Sent:
        """The call that sets what a PT-USDe is worth to the market, in USDC (Wad)."""
        return self.oracle, encode_call("setPrice(uint256)", price * _PRICE_SCALE)

    def debt(self, amount: Wad) -> Sent:
        """The call that lets the leveraged fund owe so many USDC (Wad), rounded up, whatever it has pledged."""
        return self._call("setDebt", "address,uint256", holder_of(FUND), divide(amount, 10**12, Rounding.UP))

    def cost(self, yearly: Wad) -> list[Sent]:
        """The calls that let loans cost so much a year (Wad, rounded down to a second's) from now on."""
        each_second = divide(yearly, _YEAR, Rounding.DOWN)
        return [self._call("accrueInterest"), (self.rate, encode_call("setRate(uint256)", each_second))]

    def _call(self, function: str, types: str = "", *arguments: Any) -> Sent:
        signature = f"{function}({_PARAMS}{',' if types else ''}{types})"
        return self.morpho, encode_call(signature, self.params, *arguments)
