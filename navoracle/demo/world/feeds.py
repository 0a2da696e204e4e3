"""The price feeds of the demo's world: three independent ones for every asset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from navoracle.abi import encode_call
from navoracle.chain.embedded import EmbeddedChain
from navoracle.demo.world.calls import Sent
from navoracle.domain.units import Rounding, Timestamp, Wad, divide, to_wad
from navoracle.ports import Address

GROUPS: Final = ("chainlink", "redstone", "chronicle")

PRICES: Final[Mapping[str, Wad]] = {
    "USDC": to_wad("1"),
    "USDT": to_wad("1"),
    "USDe": to_wad("1"),
    "WBTC": to_wad("60000"),
    "ETH": to_wad("3000"),
    "XAUT": to_wad("4000"),
    "ZAR": to_wad("0.06"),
}
"""What the feeds say at the beginning, in whole units of account: of a token, an ounce of gold, a rand."""

_DECIMALS: Final = {"chainlink": 8, "redstone": 8, "chronicle": 18}


class Feeds(dict[tuple[str, str], Address]):
    """Feed contracts, by asset and group."""

    @classmethod
    async def deploy(cls, chain: EmbeddedChain) -> Feeds:
        """Deploy a feed of every group for every asset; none has answered yet."""
        found = cls()
        for asset in PRICES:
            for group in GROUPS:
                found[asset, group] = await chain.deploy("Feed", _DECIMALS[group], f"{asset} / USD")
        return found

    def answers(self, prices: Mapping[tuple[str, str], Wad], at: Timestamp) -> list[Sent]:
        """The calls that let feeds answer these prices (Wad), as of a time."""
        return [
            (
                self[asset, group],
                encode_call("set(int256,uint256)", divide(price, 10 ** (18 - _DECIMALS[group]), Rounding.DOWN), at),
            )
            for (asset, group), price in prices.items()
        ]

    def fail(self, asset: str, groups: tuple[str, ...], *, failing: bool) -> list[Sent]:
        """The calls that let an asset's feeds revert, or answer again."""
        return [(self[asset, group], encode_call("setFailing(bool)", failing)) for group in groups]
