"""The tokens of the demo's world, and who holds them at the beginning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from navoracle.abi import encode_call
from navoracle.chain.embedded import EmbeddedChain
from navoracle.demo.world.calls import BUNDLE, Sent
from navoracle.domain.units import Rounding, Wad, divide, to_wad
from navoracle.ports import Address

TOKENS: Final[Mapping[str, tuple[str, int]]] = {
    "USDC": ("USDC", 6),
    "USDT": ("USDT", 6),
    "USDe": ("USDe", 18),
    "PT-USDe": ("PT-USDe", 18),
    "WBTC": ("WBTC", 8),
    "WETH": ("ETH", 18),
}
"""Each token's asset and decimals."""

HOLDINGS: Final[Mapping[str, Mapping[str, Wad]]] = {
    "multi": {"WBTC": to_wad("10"), "WETH": to_wad("95"), "USDC": to_wad("40000")},
}
"""What a fund's holder has of tokens, where it is simply given to it."""

NATIVE: Final = to_wad("5")
"""The native coins of `multi`."""

SAVINGS: Final = "USDC-vault"
"""The token of the ERC-4626 vault that `stable` saves in."""


class Tokens(dict[str, Address]):
    """Token contracts by symbol; `SAVINGS` and "SY-USDe" among them."""

    @classmethod
    async def deploy(cls, chain: EmbeddedChain) -> Tokens:
        """Deploy the tokens, and the vault to save in."""
        found = cls()
        for symbol, (_, decimals) in TOKENS.items():
            found[symbol] = await chain.deploy("Token", symbol, symbol, decimals)
        found[SAVINGS] = await chain.deploy("Vault4626", found["USDC"], "USDC vault", "vUSDC", TOKENS["USDC"][1])
        return found

    def mint(self, symbol: str, account: Address, amount: Wad) -> Sent:
        """The call that gives an account whole tokens (Wad)."""
        return self[symbol], encode_call("mint(address,uint256)", account, raw(symbol, amount))

    def burn(self, symbol: str, account: Address, amount: Wad) -> Sent:
        """The call that takes whole tokens (Wad) from an account."""
        return self[symbol], encode_call("burn(address,uint256)", account, raw(symbol, amount))

    def spend(self, symbol: str, amount: Wad, to: Address) -> list[Sent]:
        """The calls that give whole tokens (Wad) to a bundle, and let a contract take them from it."""
        allowed = encode_call("approve(address,uint256)", to, raw(symbol, amount))
        return [self.mint(symbol, BUNDLE, amount), (self[symbol], allowed)]

    def save(self, amount: Wad, holder: Address) -> list[Sent]:
        """The calls that put whole USDC (Wad) of a holder's into the vault to save in, for shares of the holder's."""
        deposited = encode_call("deposit(uint256,address)", raw("USDC", amount), holder)
        vault = self[SAVINGS]
        return [self.burn("USDC", holder, amount), *self.spend("USDC", amount, vault), (vault, deposited)]


def raw(symbol: str, amount: Wad) -> int:
    """Whole tokens (Wad) in the token's own units, rounded down."""
    return divide(amount, 10 ** (18 - TOKENS[symbol][1]), Rounding.DOWN)
