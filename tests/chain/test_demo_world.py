"""The demo's world does what its methods say."""

from __future__ import annotations

import pytest

from navoracle.abi import decode_result, encode_call
from navoracle.chain.embedded import EmbeddedChain
from navoracle.demo.world import (
    ALICE,
    BOB,
    CHAIN,
    FUNDS,
    GROUPS,
    LOAN,
    OPENING_NAV,
    PRICES,
    DemoWorld,
    holder_of,
)
from navoracle.domain import morpho
from navoracle.domain.errors import CallReverted
from navoracle.domain.morpho import MorphoMarket
from navoracle.domain.units import Timestamp, Wad, to_wad
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


async def totals(world: DemoWorld) -> MorphoMarket:
    """The lending market's totals at its last touch."""
    key = bytes.fromhex(world.lending.id[2:])
    found = await ask(world, world.lending.morpho, "market(bytes32)", key, types=("uint128",) * 6)
    supplied, supply_shares, borrowed, borrow_shares, updated, fee = found
    return MorphoMarket(supplied, supply_shares, borrowed, borrow_shares, Timestamp(updated), Wad(fee))


async def loan(world: DemoWorld) -> tuple[int, int]:
    """What the leveraged fund has pledged, and its borrow shares."""
    types, key = ("uint256", "uint128", "uint128"), bytes.fromhex(world.lending.id[2:])
    account = holder_of("levered-pt")
    _, shares, pledged = await ask(world, world.lending.morpho, "position(bytes32,address)", key, account, types=types)
    return pledged, shares


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
        pledged, borrowed = await loan(world)
        assert pledged == to_wad("10000000")
        assert to_wad(owed) // 10**12 <= morpho.owed(borrowed, await totals(world)) <= to_wad(owed) // 10**12 + 1

    await world.add_yield(to_wad("1000"))
    (assets,) = await ask(world, world.tokens["USDC-vault"], "totalAssets()", types=("uint256",))
    assert assets == 2_001_000 * 10**6

    await world.set_pt_rate(to_wad("0.96"), to_wad("0.955"))
    rate = "getPtToAssetRate(address,uint32)"
    oracle, market = world.principal.oracle, world.principal.market
    assert await ask(world, oracle, rate, market, 0, types=("uint256",)) == (to_wad("0.96"),)
    assert await ask(world, oracle, rate, market, 900, types=("uint256",)) == (to_wad("0.955"),)
    assert await ask(world, world.lending.oracle, "price()", types=("uint256",)) == (955 * 10**21,)


async def test_demo_world__loan_that_costs__owes_what_morphos_formulas_say() -> None:
    world = await DemoWorld.build(EmbeddedChain())
    before, (_, shares) = await totals(world), await loan(world)
    assert morpho.owed(shares, before) == LOAN // 10**12

    await world.set_borrow_rate(to_wad("0.05"))
    since = await totals(world)
    assert since.total_borrow_assets == before.total_borrow_assets, "until then it costs nothing"
    world.chain.mine(Timestamp(world.chain.now + 30 * 86_400))
    await world.set_borrow_rate(to_wad("0"))

    (each_second, now) = (to_wad("0.05") // (365 * 86_400), world.chain.now)
    assert await totals(world) == morpho.accrue(since, Wad(each_second), now).market
    assert LOAN // 10**12 * 1_004 < morpho.owed(shares, await totals(world)) * 1_000 < LOAN // 10**12 * 1_005


async def test_demo_world__vault__takes_deposits_and_redemptions_for_the_epoch_that_is_open() -> None:
    world = await DemoWorld.build(EmbeddedChain())
    vault = world.vault
    epoch, closes_at = await vault.epoch()
    assert closes_at % 3_600 == 50 * 60
    assert await vault.shares_of(ALICE) == to_wad("3000000")
    assert await vault.shares_of(BOB) == to_wad("2000000")

    assert await vault.request_deposit(ALICE, to_wad("100")) == epoch
    assert await vault.request_redeem(BOB, to_wad("5")) == epoch
    found = await ask(world, vault.address, "settlement()", types=("uint256",) * 9)
    assert (found[4], found[5], found[8]) == (100 * 10**6, to_wad("5"), OPENING_NAV["stable"])
