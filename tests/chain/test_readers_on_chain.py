"""Readers on a real EVM: the collector's way through Multicall3 at a pinned block, against deployed contracts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from navoracle.abi import encode_call
from navoracle.chain.embedded import EmbeddedChain
from navoracle.domain.errors import CallReverted, DecimalsChanged, EmptyResult, ReadError, SourceRefused
from navoracle.domain.positions import Component, Holding
from navoracle.domain.prices import Quote
from navoracle.domain.units import WAD, Bps, RawAmount, Timestamp, Wad
from navoracle.keeper.collect import read_points
from navoracle.keeper.session import Readings, ReadSession
from navoracle.ports import Address, ChainRequest, ProtocolRate, Read
from navoracle.positions import Erc20Position, Erc20Supply, Erc4626Position, NativePosition
from navoracle.prices import ChainlinkSource, Erc4626Rate, PendlePtRate, PendlePtSyRate
from navoracle.readers import ReaderModel
from tests.unit.addresses import address

GENESIS = Timestamp(1_700_000_000)
NOW = Timestamp(GENESIS + 100_000)
HOLDER = address(0x77)
YEAR = 365 * 86_400


@dataclass(frozen=True)
class Resolving:
    """A reader's resolution in the shape of a reader, so that a session can drive it."""

    reader: ReaderModel
    id: str
    chain: str | None

    def read(self, at: Any) -> Read[ReaderModel]:
        return self.reader.resolve(at)

    def describe(self) -> dict[str, Any]:
        return self.reader.describe()


class World:
    """An embedded chain with one of everything deployed, and a session over it."""

    def __init__(self, chain: EmbeddedChain) -> None:
        self.chain = chain
        self.reader = chain.reader("local")
        self.rounds = 0

    async def send(self, to: Address, signature: str, *arguments: Any) -> None:
        await self.chain.transact(to, encode_call(signature, *arguments))

    async def run(self, readers: Sequence[Any]) -> Readings:
        """Drive readers as the collector does, at the newest block."""
        if self.chain.now < NOW:
            self.chain.mine(NOW)
        stamp = await self.reader.stamp()
        session = ReadSession(readers, read_points((stamp,), stamp.timestamp))
        self.rounds = 0
        while pending := session.pending():
            requests: list[ChainRequest] = [asked[1] for asked in pending]  # type: ignore[misc]
            answers = await self.reader.read(requests, stamp)
            session.supply(dict(zip(pending, answers, strict=True)))
            self.rounds += 1
        return session.readings()

    async def resolved(self, model: Any) -> Any:
        """The reader with its decimals read from the chain."""
        readings = await self.run([Resolving(model, model.id, model.chain)])
        self.check(readings)
        return readings.values[model.id]

    async def read(self, model: Any) -> Any:
        """Resolve and read one reader. Fails with its failure's code and message."""
        reader = model if model.is_resolved else await self.resolved(model)
        readings = await self.run([reader])
        self.check(readings)
        return readings.values[reader.id]

    @staticmethod
    def check(readings: Readings) -> None:
        errors = {kind.code: kind for kind in (DecimalsChanged, EmptyResult, CallReverted, SourceRefused)}
        for failure in readings.failures.values():
            raise errors.get(failure.code, ReadError)(failure.message, advice=failure.advice)


@pytest.fixture
def world() -> World:
    return World(EmbeddedChain(genesis_time=GENESIS))


def feed_source(feed: Address, **changes: Any) -> ChainlinkSource:
    fields = {"kind": "chainlink", "id": "eth-usd", "asset": "ETH", "group": "chainlink", "chain": "local"}
    return ChainlinkSource.model_validate({**fields, "feed": feed, "heartbeat": 3_600, **changes})


async def deploy_feed(world: World, decimals: int = 8) -> Address:
    return await world.chain.deploy("Feed", decimals, "ETH / USD")


async def test_chainlink__fresh_round__is_a_quote_of_the_block(world: World) -> None:
    feed = await deploy_feed(world)
    await world.send(feed, "set(int256,uint256)", 1_999_50000000, NOW - 1_200)
    found = await world.read(feed_source(feed))
    price = Wad(1_999 * WAD + WAD // 2)
    assert found == Quote(
        "ETH", "eth-usd", "chainlink", price, Bps(9_500), NOW, max_age=None, published_at=Timestamp(NOW - 1_200)
    )
    assert world.rounds == 1


async def test_chainlink__unused_or_dead_or_missing_feed__is_refused(world: World) -> None:
    feed = await deploy_feed(world)
    with pytest.raises(SourceRefused, match="no complete round"):
        await world.read(feed_source(feed))
    await world.send(feed, "setFailing(bool)", True)
    with pytest.raises(SourceRefused, match="no round yet"):
        await world.read(feed_source(feed))
    with pytest.raises(EmptyResult):
        await world.read(feed_source(address(9)))
    with pytest.raises(EmptyResult):
        await world.read(feed_source(address(9), decimals=8))


async def test_chainlink__phase_switch_to_other_decimals__is_refused(world: World) -> None:
    feed = await deploy_feed(world)
    await world.send(feed, "set(int256,uint256)", 1_999_50000000, NOW - 10)
    source = await world.resolved(feed_source(feed))
    assert source.decimals == 8
    await world.send(feed, "setPhase(uint16)", 2)
    await world.send(feed, "setDecimals(uint8)", 18)
    await world.send(feed, "set(int256,uint256)", 1_999_500000000000000000, NOW - 5)
    with pytest.raises(DecimalsChanged, match="had 8 decimals and now says 18"):
        await world.read(source)


async def test_chainlink__gated_feed__answers_only_a_direct_call(world: World) -> None:
    feed = await deploy_feed(world)
    await world.send(feed, "set(int256,uint256)", 1_999_50000000, NOW - 10)
    await world.send(feed, "setGated(bool)", True)
    with pytest.raises(SourceRefused, match="does not let its caller read"):
        await world.read(feed_source(feed))
    assert (await world.read(feed_source(feed, direct=True))).price == 1_999 * WAD + WAD // 2
    assert (await world.read(feed_source(feed, direct=True, sender=address(5)))).observed_at == NOW


async def test_chainlink__answer_stuck_at_a_bound__is_refused(world: World) -> None:
    feed = await deploy_feed(world)
    await world.send(feed, "setBounds(int192,int192)", 10_000_000, 10**13)
    await world.send(feed, "set(int256,uint256)", 10_700_000, NOW - 10)
    assert (await world.read(feed_source(feed))).price == WAD * 107 // 1_000
    with pytest.raises(SourceRefused, match="bound"):
        await world.read(feed_source(feed, check_bounds=True))
    assert world.rounds == 2


async def test_chainlink__sequencer_down__is_refused(world: World) -> None:
    feed, uptime = await deploy_feed(world), await deploy_feed(world, 0)
    await world.send(feed, "set(int256,uint256)", 1_999_50000000, NOW - 10)
    source = feed_source(feed, sequencer=uptime)
    with pytest.raises(SourceRefused, match="no valid round"):
        await world.read(source)
    await world.send(uptime, "set(int256,uint256)", 1, NOW - 50_000)
    with pytest.raises(SourceRefused, match="down"):
        await world.read(source)
    await world.send(uptime, "set(int256,uint256)", 0, NOW - 3_601)
    assert (await world.read(source)).price == 1_999 * WAD + WAD // 2


class Pendle:
    """Oracle, market and tokens of a PT whose yield token is sUSDe and whose accounting asset is USDe."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def deploy(self, *, seeded: bool = True) -> Pendle:
        deploy = self.world.chain.deploy
        self.usde = await deploy("Token", "USDe", "USDe", 18)
        self.susde = await deploy("Token", "sUSDe", "sUSDe", 18)
        self.sy = await deploy("Sy", "SY-sUSDe", 18, self.susde, self.usde, 18)
        self.pt = await deploy("Token", "PT-sUSDe", "PT-sUSDe", 18)
        self.yt = await deploy("Yt", "YT-sUSDe", 18)
        self.market = await deploy("Market", self.sy, self.pt, self.yt, NOW + YEAR)
        self.oracle = await deploy("PtOracle")
        if seeded:
            arguments = (10**24, 10**24, 10**17, 10**24)
            await self.world.send(self.market, "seed(int128,int128,uint96,uint256)", *arguments)
            await self.set_rates(WAD * 95 // 100, WAD * 9501 // 10_000)
        return self

    async def set_rates(self, spot: int, average: int) -> None:
        await self.world.send(self.oracle, "setRates(address,uint256,uint256)", self.market, spot, average)

    def fields(self) -> dict[str, Any]:
        names = ("oracle", "market", "pt", "sy")
        return {"id": "pt", "chain": "local", **{name: getattr(self, name) for name in names}}

    def rate(self, **changes: Any) -> PendlePtRate:
        fields = {**self.fields(), "kind": "pendle_pt", "base": "USDe", "base_token": self.usde}
        return PendlePtRate.model_validate({**fields, **changes})

    def sy_rate(self) -> PendlePtSyRate:
        fields = {**self.fields(), "kind": "pendle_pt_sy", "base": "sUSDe", "base_token": self.susde}
        return PendlePtSyRate.model_validate(fields)


async def test_pendle__seeded_market__gives_both_rates_in_two_rounds(world: World) -> None:
    pendle = await Pendle(world).deploy()
    assert await world.read(pendle.rate()) == ProtocolRate(Wad(WAD * 95 // 100), Wad(WAD * 9501 // 10_000), Bps(9_800))
    assert world.rounds == 2
    await world.send(pendle.sy, "setExchangeRate(uint256)", WAD * 5 // 4)
    assert (await world.read(pendle.sy_rate())).lower == WAD * 76 // 100


async def test_pendle__market_that_nobody_seeded__is_refused_though_its_oracle_says_par(world: World) -> None:
    pendle = await Pendle(world).deploy(seeded=False)
    assert await world.reader.call(
        pendle.oracle, encode_call("getPtToAssetRate(address,uint32)", pendle.market, 0)
    ) == WAD.to_bytes(32, "big")
    with pytest.raises(SourceRefused, match="not seeded"):
        await world.read(pendle.rate())


async def test_pendle__average_not_ready__is_refused_with_what_to_do(world: World) -> None:
    pendle = await Pendle(world).deploy()
    await world.send(pendle.oracle, "setOracleState(address,bool,uint16,bool)", pendle.market, True, 61, False)
    readings = await world.run([await world.resolved(pendle.rate())])
    assert "increaseObservationsCardinalityNext(61)" in readings.failures["pt"].advice


async def test_pendle__wrong_pt_or_asset__is_refused(world: World) -> None:
    pendle = await Pendle(world).deploy()
    with pytest.raises(SourceRefused, match="the PT of market"):
        await world.read(pendle.rate(pt=pendle.yt))
    with pytest.raises(SourceRefused, match="accounting asset"):
        await world.read(pendle.rate(base_token=pendle.susde))
    with pytest.raises(EmptyResult):
        await world.read(pendle.rate(market=address(9)))


async def test_pendle__expired_and_insolvent__the_oracle_decides(world: World) -> None:
    pendle = await Pendle(world).deploy()
    await world.send(pendle.market, "setExpiry(uint256)", NOW)
    await pendle.set_rates(WAD * 8 // 10, WAD * 8 // 10)
    assert (await world.read(pendle.rate())).higher == WAD * 8 // 10


async def test_tokens__of_a_fund__are_read_in_the_depth_of_the_deepest(world: World) -> None:
    deploy = world.chain.deploy
    usdc = await deploy("Token", "USD Coin", "USDC", 6)
    shares = await deploy("Token", "Fund shares", "FUND", 8)
    vault = await deploy("Vault4626", usdc, "Vault", "vUSDC", 18)
    await world.send(usdc, "mint(address,uint256)", HOLDER, 1_500_000)
    await world.send(shares, "mint(address,uint256)", HOLDER, 12_345)
    await world.send(vault, "mint(address,uint256)", HOLDER, 3 * WAD)
    await world.send(usdc, "mint(address,uint256)", vault, 3_240_000)
    common = {"chain": "local", "holder": HOLDER, "component": "cash"}
    models: list[Any] = [
        Erc20Position.model_validate({**common, "kind": "erc20", "id": "usdc", "asset": "USDC", "token": usdc}),
        NativePosition.model_validate(
            {**common, "kind": "native", "id": "eth", "asset": "ETH", "holder": world.chain.accounts[1]}
        ),
        Erc4626Position.model_validate(
            {**common, "kind": "erc4626", "id": "vault", "asset": "USDC", "vault": vault, "underlying": usdc}
        ),
        Erc20Supply.model_validate({"kind": "erc20", "id": "shares", "chain": "local", "token": shares}),
        Erc4626Rate.model_validate(
            {"kind": "erc4626", "id": "rate", "chain": "local", "base": "USDC", "vault": vault, "underlying": usdc}
        ),
    ]
    resolved = [await world.resolved(model) for model in models]
    readings = await world.run(resolved)
    world.check(readings)
    assert world.rounds == 2
    assert readings.values == {
        "usdc": (Holding("usdc", Component.CASH, "USDC", RawAmount(1_500_000, 6)),),
        "eth": (Holding("eth", Component.CASH, "ETH", RawAmount(10**9 * WAD, 18)),),
        "vault": (Holding("vault", Component.CASH, "USDC", RawAmount(3_240_000, 6)),),
        "shares": 12_345 * 10**10,
        "rate": ProtocolRate(Wad(WAD * 108 // 100), Wad(WAD * 108 // 100), Bps(10_000)),
    }


async def test_tokens__one_bad_address__fails_only_its_own_reader(world: World) -> None:
    usdc = await world.chain.deploy("Token", "USD Coin", "USDC", 6)
    common = {"kind": "erc20", "chain": "local", "holder": HOLDER, "component": "cash", "asset": "USDC", "decimals": 6}
    good = Erc20Position.model_validate({**common, "id": "good", "token": usdc})
    bad = Erc20Position.model_validate({**common, "id": "bad", "token": address(9)})
    readings = await world.run([bad, good])
    assert readings.values["good"][0].amount == RawAmount(0, 6)
    assert readings.failures["bad"].code == "empty_result"
    assert set(readings.failures) == {"bad"}
