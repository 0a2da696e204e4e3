"""A whole frame: 1,000 funds of 10 positions over 200 assets, from the first request to the valuation and beyond."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from bench.clients import chain_reader
from bench.deployed import CHAIN, FUNDS, GROUPS, POSITIONS, TOKENS, VAULTS, Deployed
from bench.measuring import Spent, median, spent
from navoracle.chain.reader import Web3ChainReader
from navoracle.composition.resolving import resolve
from navoracle.domain.cadence import Cadence
from navoracle.domain.fees import FeeTerms
from navoracle.domain.frame import FundFrame, NavFrame
from navoracle.domain.guard_policy import GuardPolicy
from navoracle.domain.positions import Component
from navoracle.domain.prices import AggregationPolicy, LastValid
from navoracle.domain.prior import Prior, PriorPrice, Sample
from navoracle.domain.units import WAD, Bps, Timestamp, Wad
from navoracle.keeper.collect import Collected, collect
from navoracle.keeper.frame import seal
from navoracle.keeper.judging import guard
from navoracle.keeper.plan import AssetPlan, FramePlan, FundPlan
from navoracle.keeper.planner import Subject
from navoracle.keeper.pricing import Prices, price
from navoracle.keeper.valuing import Valued, value
from navoracle.ports import Answer, ChainRequest, Scrutiny
from navoracle.positions import Erc20Position, Erc20Supply, Erc4626Position
from navoracle.prices import ChainlinkSource
from navoracle.recorded.reader import RecordedReader
from navoracle.testing import FixedClock

SAMPLES: Final = 30
"""Prices of the sampler per asset: one a minute for half an hour."""


@dataclass(slots=True)
class CountedChain:
    """A chain reader that counts the rounds and requests that go through it."""

    chain: Web3ChainReader
    rounds: list[int] = field(default_factory=list)

    async def stamp(self, number: int | None = None) -> Any:
        return await self.chain.stamp(number)

    async def newest(self) -> Any:
        return await self.chain.newest()

    async def is_canonical(self, stamp: Any) -> bool:
        return await self.chain.is_canonical(stamp)

    async def call(self, to: Any, data: bytes, sender: Any = None) -> bytes:
        return await self.chain.call(to, data, sender)

    async def read(
        self, requests: Sequence[ChainRequest], at: Any, scrutiny: Scrutiny = Scrutiny.COMPARED
    ) -> tuple[Answer, ...]:
        self.rounds.append(len(requests))
        return await self.chain.read(requests, at, scrutiny)


@dataclass(frozen=True, slots=True)
class Stages:
    """What each stage of one frame took, and what came out."""

    took: dict[str, Spent]
    rounds: tuple[int, ...]
    frame: NavFrame


async def measure(world: Deployed, runs: int) -> dict[str, Any]:
    """Resolve once, then run the frame: the first run begins with empty requests, the others are as a service's.

    Raises:
        RuntimeError: a fund is not valued, or its positions are not what the chain holds.
    """
    async with chain_reader(world.url) as chain:
        at = await chain.stamp()
        off_chain = RecordedReader({})
        subject = await resolve(subject_of(world), {CHAIN: chain}, off_chain, at.timestamp)
        first = await run(plan_of(subject, Prior(), at.timestamp), CountedChain(chain), at.timestamp)
        prior = prior_of(first.frame)
        stages = [
            await run(plan_of(subject, prior, at.timestamp), CountedChain(chain), at.timestamp) for _ in range(runs)
        ]
    for each in (first, *stages):
        check(world, each.frame)
    warm = {name: median([each.took[name] for each in stages]) for name in first.took}
    to_valuation = ("collect", "price", "value")
    return {
        "funds": FUNDS,
        "positions": FUNDS * POSITIONS,
        "assets": TOKENS,
        "requests_by_round": list(stages[-1].rounds),
        "runs": runs,
        "cpu_seconds": {name: warm[name].cpu for name in warm},
        "collect_to_valuation_cpu_seconds": sum(warm[name].cpu for name in to_valuation),
        "collect_to_valuation_wall_seconds": sum(warm[name].wall for name in to_valuation),
        "first_frame_collect_to_valuation_cpu_seconds": sum(first.took[name].cpu for name in to_valuation),
    }


async def run(plan: FramePlan, chain: CountedChain, now: Timestamp) -> Stages:
    """One frame, stage by stage."""
    took: dict[str, Spent] = {}

    async def collected() -> Collected:
        return await collect(plan, {CHAIN: chain}, RecordedReader({}), FixedClock(now))

    found, took["collect"] = await spent(collected)

    async def priced() -> Prices:
        return price(plan, found.readings, found.now)

    prices, took["price"] = await spent(priced)

    async def valued() -> tuple[Valued, ...]:
        return value(plan, found.readings, prices, found.now)

    values, took["value"] = await spent(valued)

    async def guarded() -> tuple[FundFrame, ...]:
        return guard(plan, found.readings, prices, values, stamps=found.stamps, clock=found.clock, now=found.now)

    funds, took["guard"] = await spent(guarded)

    async def sealed() -> NavFrame:
        return seal(plan, found, prices, funds)

    frame, took["evidence"] = await spent(sealed)
    return Stages(took, tuple(chain.rounds), frame)


def subject_of(world: Deployed) -> Subject:
    """The funds and assets as a configuration would have them, not yet resolved."""
    policy = AggregationPolicy()
    assets = {
        _asset(number): AssetPlan(
            _asset(number),
            policy,
            tuple(
                ChainlinkSource(
                    kind="chainlink",
                    id=f"{_asset(number)}.{group}",
                    asset=_asset(number),
                    group=group,
                    chain=CHAIN,
                    feed=world.feeds[group][number],
                    heartbeat=86_400,
                )
                for group in GROUPS
            ),
        )
        for number in range(TOKENS)
    }
    return Subject("USD", CHAIN, assets, {f"fund {number}": _fund(world, number) for number in range(FUNDS)})


def _fund(world: Deployed, number: int) -> FundPlan:
    name, vault = f"fund {number}", number % VAULTS
    held = world.balances[number * POSITIONS : (number + 1) * POSITIONS]
    in_vault = Erc4626Position(
        kind="erc4626",
        id=f"{name}.vault",
        asset=_asset(vault),
        component=Component.COLLATERAL,
        chain=CHAIN,
        vault=world.vaults[vault],
        holder=held[0].account,
        underlying=world.tokens[vault],
    )
    tokens = tuple(
        Erc20Position(
            kind="erc20",
            id=f"{name}.{place}",
            asset=_asset(balance.token),
            component=Component.COLLATERAL,
            chain=CHAIN,
            token=world.tokens[balance.token],
            holder=balance.account,
        )
        for place, balance in enumerate(held[1:], start=1)
    )
    supply = Erc20Supply(kind="erc20", id=f"{name}.supply", chain=CHAIN, token=world.shares[number])
    fees = FeeTerms(management_rate=Wad(WAD // 50), performance_rate=Wad(WAD // 5))
    return FundPlan(name, number + 1, None, (in_vault, *tokens), supply, fees, GuardPolicy())


def plan_of(subject: Subject, prior: Prior, now: Timestamp) -> FramePlan:
    """The plan of a frame over everything."""
    return FramePlan(
        now, Cadence.HOURLY, subject.unit, subject.home_chain, subject.assets, tuple(subject.funds.values()), prior
    )


def prior_of(frame: NavFrame) -> Prior:
    """What a service would know after the frame: last valid prices, and half an hour of samples."""
    prices, samples = [], []
    for (asset, side), estimate in frame.estimates.items():
        if estimate.price is None:
            raise RuntimeError(f"{asset} has no price ({estimate.reason}): the bench's feeds are not read")
        last = LastValid(estimate.price, Bps(estimate.confidence), frame.now)
        prices.append(PriorPrice(asset, side, last, frame.id))
        samples += [
            Sample(asset, Timestamp(frame.now - 60 * minute), estimate.price, frame.id)
            for minute in range(SAMPLES, 0, -1)
        ]
    return Prior(prices=tuple(prices), samples=tuple(samples))


def check(world: Deployed, frame: NavFrame) -> None:
    """Refuse a frame that is not the whole world's. Raises RuntimeError."""
    for number, found in enumerate(frame.funds):
        if found.valuation is None:
            raise RuntimeError(f"{found.fund} is not valued: {found.reason}")
        amounts = [row.amount.value for row in found.valuation.positions[1:]]
        held = world.balances[number * POSITIONS + 1 : (number + 1) * POSITIONS]
        if amounts != [balance.amount for balance in held]:
            raise RuntimeError(f"{found.fund} holds other balances than were put in place")


def _asset(number: int) -> str:
    return f"A{number}"
