"""The demo's world does what its methods say."""

from __future__ import annotations

import pytest

from navoracle.abi import decode_result, encode_call
from navoracle.chain.embedded import EmbeddedChain
from navoracle.demo.world import CHAIN, FUNDS, GROUPS, OPENING_NAV, PRICES, DemoWorld, holder_of
from navoracle.domain.errors import CallReverted
from navoracle.domain.units import to_wad
from navoracle.ports import Address


async def ask(
    world: DemoWorld, to: Address, signature: str, *arguments: object, types: tuple[str, ...]
) -> tuple[int, ...]:
    answer = await world.chain.reader(CHAIN).call(to, encode_call(signature, *arguments))
    return tuple(decode_result(types, answer))


async def latest(world: DemoWorld, asset: str, group: str) -> tuple[int, int]:
    """A feed's answer and its time."""
    types = ("uint80", "int256", "uint256", "uint256", "uint80")
    _, price, _, updated, _ = await ask(world, world.feeds[asset, group], "latestRoundData()", types=types)
    return price, updated


async def test_demo_world__every_method__does_what_it_says() -> None:
    world = await DemoWorld.build(EmbeddedChain())
    assert {asset for asset, _ in world.feeds} == set(PRICES)
    assert set(world.shares) == set(FUNDS)

    await world.set_price("ETH", to_wad("3100.5"), groups=["chronicle"], at=world.chain.now)
    assert (await latest(world, "ETH", "chronicle"))[0] == to_wad("3100.5")
    assert [(await latest(world, "ETH", group))[0] for group in GROUPS[:2]] == [3_000 * 10**8] * 2
    assert world.prices["ETH"] == PRICES["ETH"]

    await world.set_prices({"ETH": to_wad("3200"), "WBTC": to_wad("61000")})
    assert [(await latest(world, "WBTC", group))[0] for group in GROUPS[:2]] == [61_000 * 10**8] * 2
    assert world.prices["ETH"] == to_wad("3200")

    await world.set_failing("USDT", failing=True, groups=["redstone"])
    with pytest.raises(CallReverted):
        await latest(world, "USDT", "redstone")
    await world.set_failing("USDT", failing=False)
    assert (await latest(world, "USDT", "redstone"))[0] == 10**8

    shares = await world.deposit("multi", "WETH", to_wad("10"))
    assert shares == to_wad("32000")
    (supply,) = await ask(world, world.shares["multi"], "totalSupply()", types=("uint256",))
    assert supply == OPENING_NAV["multi"] + shares

    for owed in ("8500000", "7000000.5"):
        await world.set_debt(to_wad(owed))
        holder = holder_of("levered-pt")
        (debt,) = await ask(world, world.tokens["USDC-debt"], "balanceOf(address)", holder, types=("uint256",))
        assert debt == to_wad(owed) // 10**12

    await world.add_yield(to_wad("1000"))
    (assets,) = await ask(world, world.tokens["USDC-vault"], "totalAssets()", types=("uint256",))
    assert assets == 2_001_000 * 10**6

    await world.set_pt_rate(to_wad("0.96"), to_wad("0.955"))
    rate = "getPtToAssetRate(address,uint32)"
    assert await ask(world, world.oracle, rate, world.market, 0, types=("uint256",)) == (to_wad("0.96"),)
    assert await ask(world, world.oracle, rate, world.market, 900, types=("uint256",)) == (to_wad("0.955"),)
