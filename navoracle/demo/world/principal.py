"""The principal token's market in the demo's world, and its oracle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from navoracle.abi import encode_call
from navoracle.chain.embedded import EmbeddedChain
from navoracle.demo.world.calls import Sent, send_all
from navoracle.demo.world.tokens import Tokens
from navoracle.domain.units import WAD, Wad, to_wad
from navoracle.ports import Address

PT_RATE: Final = to_wad("0.95")
"""USDe per PT-USDe at the beginning."""

EXPIRY_AFTER: Final = 180 * 24 * 60 * 60
_DEPTH: Final = 10**7 * WAD
_LN_IMPLIED_RATE: Final = to_wad("0.1")


@dataclass(frozen=True, slots=True)
class PrincipalMarket:
    """A Pendle market of PT-USDe, and the oracle that says its rate."""

    market: Address
    oracle: Address

    @classmethod
    async def deploy(cls, chain: EmbeddedChain, tokens: Tokens) -> PrincipalMarket:
        """Deploy it, with its SY, which is added to the tokens, at the opening rate."""
        usde = tokens["USDe"]
        sy = tokens["SY-USDe"] = await chain.deploy("Sy", "SY-USDe", 18, usde, usde, 18)
        yt = await chain.deploy("Yt", "YT-USDe", 18)
        market = await chain.deploy("Market", sy, tokens["PT-USDe"], yt, chain.now + EXPIRY_AFTER)
        found = cls(market, await chain.deploy("PtOracle"))
        seed = encode_call("seed(int128,int128,uint96,uint256)", _DEPTH, _DEPTH, int(_LN_IMPLIED_RATE), _DEPTH)
        await send_all(chain, [(market, seed), found.rates(PT_RATE, PT_RATE)])
        return found

    def rates(self, spot: Wad, twap: Wad) -> Sent:
        """The call that sets USDe per PT-USDe: now, and as an average over time."""
        return self.oracle, encode_call("setRates(address,uint256,uint256)", self.market, int(spot), int(twap))
