"""The forecast against the real contract: it says more than 100 % exactly where the registry would hold the record."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from navoracle.abi import encode_call
from navoracle.chain.deploy import RegistryRoles, deploy_registry
from navoracle.chain.embedded import EmbeddedChain
from navoracle.domain.guards import forecast
from navoracle.domain.guards.distance import DAY
from navoracle.domain.prior import ConfirmedNav
from navoracle.domain.units import WAD, Timestamp
from navoracle.ports import Address
from navoracle.publishers.nav_registry import NavRegistryPublisher
from navoracle.publishers.nav_registry_codec import RecordSize
from tests.unit.publishers.posts import ROOT, fund_post

ADMIN, POSTER, VAULT = 0, 1, 2
PROFILE = "(uint16,uint16,uint16,uint32,uint32)"
UNITS = 100_000


@dataclass
class Registry:
    """One registry for all examples; every example has a fund and a profile of its own."""

    chain: EmbeddedChain
    address: Address
    publisher: NavRegistryPublisher
    loop: asyncio.AbstractEventLoop
    funds: int = 0

    async def open(self, pps: int, bounds: tuple[int, int, int]) -> int:
        """A new fund at this price, under these bounds."""
        self.funds += 1
        profile = 1 + self.funds % 63
        await self.admin(f"setProfile(uint256,{PROFILE})", profile, (*bounds, 1, 3_600))
        await self.admin(
            "registerFund(uint256,address,address,uint256,uint256,uint256,uint256)",
            self.funds, self.chain.accounts[VAULT], self.chain.accounts[VAULT], profile, WAD, pps, self.chain.now,
        )  # fmt: skip
        return self.funds

    async def admin(self, signature: str, *arguments: object) -> None:
        await self.chain.transact(self.address, encode_call(signature, *arguments), ADMIN)

    async def served(self, fund: int) -> ConfirmedNav:
        return (await self.publisher.confirmed({"f": fund}))["f"]

    async def post(self, fund: int, pps: int) -> None:
        batch = self.publisher.encode([fund_post(fund, pps)], self.chain.now, ROOT)
        await self.chain.transact(self.address, batch.data, POSTER)

    async def would_hold(self, fund: int, pps: int) -> bool:
        """Whether the registry would hold a record of this price now, whatever it holds already."""
        batch = self.publisher.encode([fund_post(fund, pps)], self.chain.now, ROOT)
        (preview,) = await self.publisher.preview(batch)
        reasons = set() if preview.reason is None else set(preview.reason.split("+"))
        assert reasons <= {"step", "day_drift", "held"}
        # "held": within bounds, and ignored, because the fund's hold needs RISK for the reasons beside it.
        return bool(reasons) and "held" not in reasons


async def deployed(loop: asyncio.AbstractEventLoop) -> Registry:
    chain = EmbeddedChain(genesis_time=Timestamp(1_700_000_000 // DAY * DAY))
    registry = await deploy_registry(
        chain.transactor(ADMIN), RegistryRoles(chain.accounts[ADMIN], chain.accounts[POSTER])
    )
    publisher = NavRegistryPublisher(
        chain.reader(), chain="embedded", registry=registry.address, record_size=RecordSize.PLAIN
    )
    return Registry(chain, registry.address, publisher, loop)


@pytest.fixture(scope="module")
def registry() -> Iterator[Registry]:
    loop = asyncio.new_event_loop()
    try:
        yield loop.run_until_complete(deployed(loop))
    finally:
        loop.close()


def around(limit_units: int, served: int) -> list[int]:
    """Prices at a step of so many units, and a wei to either side."""
    exact = served * (UNITS + limit_units) // UNITS
    return [price for price in (exact - 1, exact, exact + 1, exact + 2) if 0 < price < 1 << 88]


@settings(max_examples=25, deadline=None)
@given(
    pps=st.sampled_from([1, 7, 10**6 + 1, WAD, 3 * WAD + 1, 42_000 * WAD + 7]) | st.integers(1, 10**24),
    bounds=st.tuples(st.integers(1, 3_276), st.integers(1, 3_276), st.integers(1, 3_276)),
    first=st.integers(-30_000, 30_000),
    next_day=st.booleans(),
    price=st.integers(1, 10**25),
)
def test_forecast__at_and_around_every_bound__agrees_with_the_registrys_own_preview(
    registry: Registry, pps: int, bounds: tuple[int, int, int], first: int, next_day: bool, price: int
) -> None:
    async def example() -> tuple[int, int]:
        fund = await registry.open(pps, bounds)
        registry.chain.mine(Timestamp(registry.chain.now + 2))
        # A first post that is taken or not, so that the day has a drift or has none.
        await registry.post(fund, max(1, pps * (UNITS + first) // UNITS))
        ahead = DAY if next_day else 2
        registry.chain.mine(Timestamp(registry.chain.now + ahead))
        served = await registry.served(fund)
        assert served.day_drift is not None
        up, down, day = (10 * bound for bound in bounds)
        candidates = [price, served.price_per_share]
        for units in (up, -down, day - served.day_drift, -day - served.day_drift, day, -day):
            candidates += around(units, served.price_per_share)
        held = 0
        for candidate in candidates:
            found = forecast(served, fund_post(fund, candidate).price_per_share, registry.chain.now)
            assert found is not None
            holds = await registry.would_hold(fund, candidate)
            assert (found.used_bps > 10_000) is holds, (served, candidate, found)
            assert found.within is not holds
            held += holds
        return held, len(candidates)

    held, all_of_them = registry.loop.run_until_complete(example())
    assert 0 < held < all_of_them


def test_forecast__post_within_the_band__is_stored_with_the_drift_that_was_forecast(registry: Registry) -> None:
    async def example() -> None:
        fund = await registry.open(WAD, (1_000, 1_000, 2_500))
        drift = 0
        for pps in (WAD * 105 // 100, WAD * 101 // 100, WAD * 110 // 100 + 7):
            registry.chain.mine(Timestamp(registry.chain.now + 60))
            served = await registry.served(fund)
            found = forecast(served, fund_post(fund, pps).price_per_share, registry.chain.now)
            assert found is not None
            assert found.within
            await registry.post(fund, pps)
            after = await registry.served(fund)
            drift = found.day
            assert (after.price_per_share, after.day_drift) == (pps, drift)
        assert drift != 0

    registry.loop.run_until_complete(example())
