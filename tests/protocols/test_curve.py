"""The EMA source against a pool that keeps averages as Curve's StableSwap NG does; its code was not found on npm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import pytest

from navoracle.domain.units import WAD, Bps, to_wad
from navoracle.ports import Address
from navoracle.prices import CurveEma
from tests.protocols.chain import Chain, ReaderFailed
from tests.protocols.contracts import compiled
from tests.requirements import needs_node

pytestmark = needs_node

# What the pool documents: averages packed with their spot price, a spot cut off at 2, an average of 1 at deployment,
# exponential weights by the time since the last trade, and rates that scale raw units to 1e18 (an ERC-4626's included).
POOL: Final = """
pragma solidity 0.8.28;

contract Coin {
    uint8 public immutable decimals;
    constructor(uint8 places) { decimals = places; }
}

contract Pool {
    address[] private _coins;
    uint256[] private _rates;
    uint256 public constant ma_exp_time = 866;
    uint256 public constant D_ma_time = 62324;
    uint256 public last_prices_packed = (1e18 << 128) | 1e18;
    uint256 public last_D_packed;
    uint256 public ma_last_time = (block.timestamp << 128) | block.timestamp;

    constructor(address[] memory names, uint256[] memory rates) {
        _coins = names;
        _rates = rates;
    }

    function coins(uint256 i) external view returns (address) { return _coins[i]; }
    function stored_rates() external view returns (uint256[] memory) { return _rates; }
    function set_rate(uint256 i, uint256 rate) external { _rates[i] = rate; }

    function price_oracle(uint256 i) public view returns (uint256) {
        require(i == 0, "i");
        return average(last_prices_packed, ma_exp_time, uint128(ma_last_time));
    }

    function D_oracle() public view returns (uint256) {
        return average(last_D_packed, D_ma_time, ma_last_time >> 128);
    }

    function last_price(uint256) external view returns (uint256) { return uint128(last_prices_packed); }

    function seed(uint256 invariant) external {
        last_D_packed = (invariant << 128) | invariant;
        ma_last_time = (block.timestamp << 128) | uint128(ma_last_time);
    }

    function trade(uint256 spot, uint256 invariant) external {
        uint256 price = price_oracle(0);
        uint256 depth = D_oracle();
        last_prices_packed = (price << 128) | (spot < 2e18 ? spot : 2e18);
        last_D_packed = (depth << 128) | invariant;
        ma_last_time = (block.timestamp << 128) | block.timestamp;
    }

    function average(uint256 packed, uint256 window, uint256 last) private view returns (uint256) {
        uint256 spot = uint128(packed);
        uint256 before = packed >> 128;
        if (last >= block.timestamp) return before;
        uint256 weight = decay(((block.timestamp - last) * 1e18) / window);
        return (spot * (1e18 - weight) + before * weight) / 1e18;
    }

    // e**-x by its series on x / 2**k, then squared k times.
    function decay(uint256 x) private pure returns (uint256 found) {
        if (x > 41e18) return 0;
        uint256 small = x / 64;
        uint256 up = 1e18;
        uint256 term = 1e18;
        for (uint256 n = 1; n < 20; n++) {
            term = (term * small) / (n * 1e18);
            up += term;
        }
        found = 1e36 / up;
        for (uint256 n = 0; n < 6; n++) found = (found * found) / 1e18;
    }
}
"""


@dataclass(frozen=True)
class World:
    """A pool of a dollar of 6 decimals and a share of 18 that redeems for 1.2."""

    chain: Chain
    pool: Address
    usdc: Address
    share: Address

    def source(self, **changes: Any) -> CurveEma:
        """A source of the share's price."""
        fields = {
            "kind": "curve_ema",
            "id": "share-curve",
            "asset": "sUSDe",
            "group": "curve",
            "chain": "local",
            "quoted_in": "USDC",
            "pool": self.pool,
            "coin": self.share,
            "quote_coin": self.usdc,
            "liquidity": "1000000",
            "min_liquidity": "100000",
        }
        return CurveEma.model_validate({**fields, **changes})

    def trade(self, spot: str) -> int:
        """A trade that leaves the pool at a spot price; returns its time."""
        self.chain.send(self.pool, "trade(uint256,uint256)", to_wad(spot), to_wad("1000000"))
        return self.chain.time


@pytest.fixture(scope="module")
def world(chain: Chain) -> World:
    """A seeded pool that nobody has traded with."""
    found = compiled("viem@2.38.0", "solc@0.8.28", sources={"Pool.sol": POOL})
    usdc, share = chain.deploy(found["Coin"], 6), chain.deploy(found["Coin"], 18)
    pool = chain.deploy(found["Pool"], [usdc, share], [10**30, to_wad("1.2")])
    chain.send(pool, "seed(uint256)", to_wad("1000000"))
    return World(chain, pool, usdc, share)


async def test_read__ema_starts_at_1e18__is_refused_until_somebody_traded(world: World) -> None:
    deployed = world.chain.view(world.pool, "ma_last_time()", ("uint256",)) % 2**128
    world.chain.travel(86_400)
    with pytest.raises(ReaderFailed, match=f"exactly 1, as it was deployed .* at {deployed}"):
        await world.chain.read(world.source())
    traded = world.trade("0.998")
    world.chain.travel(86_400)
    found = await world.chain.read(world.source())
    assert found.price == to_wad("0.998") * 12 // 10
    assert (found.observed_at, found.published_at, found.confidence) == (world.chain.time, traded, Bps(7_000))


async def test_read__spot_moved_within_a_block__does_not_move_the_average(world: World) -> None:
    world.trade("0.998")
    world.chain.travel(86_400)
    before = (await world.chain.read(world.source())).price
    world.trade("1.9")
    after = (await world.chain.read(world.source())).price
    assert world.chain.view(world.pool, "last_price(uint256)", ("uint256",), 0) == to_wad("1.9")
    assert after == before
    world.chain.travel(86_400)
    assert (await world.chain.read(world.source(bound_margin_bps=400))).price == to_wad("1.9") * 12 // 10


async def test_read__spot_capped_at_2e18__is_refused_as_the_average_nears_it(world: World) -> None:
    world.trade("5")
    world.chain.travel(866)
    # One window after: 2 - 1/e = 1.632, still far from the cap though the market is not.
    assert to_wad("1.9") < (await world.chain.read(world.source())).price < to_wad("2")
    world.chain.travel(3 * 866)
    with pytest.raises(ReaderFailed, match="within 1000 bps of 2"):
        await world.chain.read(world.source())
    world.chain.travel(86_400)
    assert world.chain.view(world.pool, "price_oracle(uint256)", ("uint256",), 0) == 2 * WAD


async def test_read__stored_rates__scale_the_average_back(world: World) -> None:
    world.trade("0.998")
    world.chain.travel(86_400)
    world.chain.send(world.pool, "set_rate(uint256,uint256)", 1, to_wad("1.5"))
    assert (await world.chain.read(world.source())).price == to_wad("1.497")


async def test_read__pool_drained__loses_confidence_and_is_then_refused(world: World) -> None:
    world.trade("0.998")
    world.chain.travel(86_400)
    world.chain.send(world.pool, "seed(uint256)", to_wad("100000"))
    assert (await world.chain.read(world.source())).confidence == Bps(700)
    world.chain.send(world.pool, "seed(uint256)", 0)
    with pytest.raises(ReaderFailed, match=r"holds 0\.00, less than 100000\.00"):
        await world.chain.read(world.source())


async def test_read__other_coins__are_refused(world: World) -> None:
    world.trade("0.998")
    with pytest.raises(ReaderFailed, match=r"coins\(1\) of .* not the configured"):
        await world.chain.read(world.source(coin=world.usdc))
