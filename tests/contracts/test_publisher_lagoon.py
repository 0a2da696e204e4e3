"""The Lagoon publisher on the vault's double: preview, post, read back, settle; and the harm of each quirk avoided."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from navoracle.abi import encode_call
from navoracle.chain.embedded import EmbeddedChain
from navoracle.domain.errors import CallReverted
from navoracle.domain.peer_guards.lagoon import ONE_YEAR
from navoracle.domain.units import WAD, Timestamp, Wad
from navoracle.ports import Address
from navoracle.publisher_port import Batch, FollowUp, Preview, ReadBack
from navoracle.publishers.peers.lagoon import LagoonPeer
from navoracle.publishers.peers.lagoon_settlement import Settlement
from navoracle.publishers.peers.publisher import PeerPublisher, run_read
from navoracle.testing.fakes import FixedClock, read_point
from tests.unit.publishers.posts import ROOT, fund_post

OWNER, MANAGER, SAFE, COUNCIL, RECEIVER, USER = range(6)
MILLION = 10**6
HOUR, DAY = 3_600, 86_400
RATES = (0, 0, 0, 0, 0)


@dataclass
class World:
    """A vault of a million USDC in its Safe, 50 % a year in either direction; the manager posts."""

    chain: EmbeddedChain
    vault: Address
    token: Address
    peer: LagoonPeer
    clock: FixedClock = field(default_factory=lambda: FixedClock(0))

    @property
    def publisher(self) -> PeerPublisher:
        return PeerPublisher(self.chain.reader(), self.peer, self.clock)

    async def call(self, account: int, to: Address, signature: str, *arguments: Any) -> None:
        await self.chain.transact(to, encode_call(signature, *arguments), account)

    def after(self, seconds: int) -> None:
        self.chain.mine(Timestamp(self.chain.now + seconds))

    def batch(self, nav: int) -> Batch:
        self.clock.set(self.chain.now + 1)
        return self.publisher.encode([fund_post(nav_before=Wad(nav * WAD))], self.chain.now, ROOT)

    async def preview(self, nav: int) -> Preview:
        batch = self.batch(nav)
        (found,) = await self.publisher.preview(batch)
        return found

    async def post(self, nav: int) -> ReadBack:
        """Post whatever the preview says, and read back."""
        batch = self.batch(nav)
        receipt = await self.chain.transact(batch.to, batch.data, MANAGER)
        (found,) = await self.publisher.read_back(batch, receipt)
        return found

    async def reverts(self, nav: int) -> str:
        """What the vault itself says to a post of the manager's now."""
        with pytest.raises(CallReverted) as caught:
            await self.chain.transact(self.vault, self.batch(nav).data, MANAGER)
        return caught.value.data[:4].hex()

    async def settlement(self, nav: int, settlement: Settlement = "deposit", **options: Any) -> Preview:
        reader, data = self.chain.reader(), self.batch(nav).data
        at = await reader.newest()
        read = self.peer.preview_follow_up("fund1", data, read_point(self.chain.now), settlement, **options)
        return await run_read(read, reader, at)

    async def settle(self, nav: int, settlement: Settlement = "deposit") -> None:
        call = self.peer.follow_up(self.batch(nav).data, settlement)
        await self.chain.transact(call.to, call.data, SAFE)

    async def request_deposit(self, assets: int) -> None:
        user, raw = self.chain.accounts[USER], assets * 10**6
        await self.call(OWNER, self.token, "mint(address,uint256)", user, raw)
        await self.call(USER, self.token, "approve(address,uint256)", self.vault, raw)
        await self.call(USER, self.vault, "requestDeposit(uint256,address,address)", raw, user, user)


async def world(*, guarded: bool = True, initial: int = MILLION, **settings: Any) -> World:
    chain = EmbeddedChain()
    accounts = chain.accounts
    token = await chain.deploy("Token", "USD Coin", "USDC", 6)
    roles = [accounts[number] for number in (SAFE, MANAGER, OWNER, RECEIVER, COUNCIL)]
    vault = await chain.deploy("LagoonVault", (token, "Vault", "V", *roles, RATES, initial * 10**6, True))
    model = {"id": "lagoon", "chain": "embedded", "contract": vault, "sender": accounts[MANAGER]}
    reader = chain.reader()
    at = await reader.newest()
    peer = await run_read(LagoonPeer.model_validate(model | settings).resolve(read_point(chain.now)), reader, at)
    here = World(chain, vault, token, peer)
    await here.call(OWNER, token, "mint(address,uint256)", accounts[SAFE], initial * 10**6)
    await here.call(SAFE, token, "approve(address,uint256)", vault, 2**256 - 1)
    if guarded:
        await here.call(COUNCIL, vault, "updateGuardrails((uint256,int256))", (WAD // 2, -WAD // 2))
        await here.call(COUNCIL, vault, "updateActivated(bool)", True)
    return here


async def test_circle__post_settle__stored_is_not_settled_and_the_number_is_the_same() -> None:
    here = await world()
    await here.request_deposit(100)
    here.after(DAY)
    preview = await here.preview(1_001_000)
    assert (preview.reason, preview.send) == (None, True)
    assert [guard.passes for guard in preview.guards] == [True, True]

    stored = await here.post(1_001_000)
    assert (stored.accepted, stored.reason, stored.role) == (True, "unsettled", "safe")
    assert stored.confirmed.nav == MILLION * WAD

    assert (await here.settlement(1_001_000)).send
    assert (await here.settlement(1_000_999)).reason == "wrong_new_total_assets"
    needed = await here.publisher.follow_up(here.batch(1_001_000))
    assert needed == FollowUp(here.vault, encode_call("settleDeposit(uint256)", 1_001_000 * 10**6), "safe")
    await here.settle(1_001_000)
    assert await here.publisher.follow_up(here.batch(1_001_000)) is None
    served = (await here.publisher.confirmed({"fund1": 1}))["fund1"]
    assert served.nav == 1_001_100 * WAD
    assert served.valuation_time == here.chain.now
    assert (await here.settlement(1_001_000)).reason == "new_total_assets_missing"


async def test_post__exactly_at_the_vault_s_guardrails__is_taken_and_one_unit_beyond_is_refused_by_both() -> None:
    here = await world()
    here.after(DAY)
    # 50 % a year over 365 whole days, of a price that the vault rounds down to six places.
    best = 1_001_370
    assert (await here.preview(best)).send
    assert (await here.preview(best + 1)).reason == "guardrails"
    assert await here.reverts(best + 1) == encode_call("GuardrailsViolation()").hex()
    assert (await here.post(best)).accepted


async def test_post__in_the_second_of_a_settlement__is_waited_out() -> None:
    here = await world(margin=0)
    here.after(DAY)
    await here.post(MILLION)
    await here.settle(MILLION)
    batch = here.batch(MILLION + 1)
    here.clock.set(here.chain.now)
    (found,) = await here.publisher.preview(batch)
    # Asked at the settlement's own block, the vault divides by zero.
    assert (found.reason, found.send, found.ready_at) == ("too_early", False, here.chain.now + 1)
    with pytest.raises(CallReverted) as caught:
        await here.chain.reader().call(here.vault, batch.data, here.chain.accounts[MANAGER])
    assert caught.value.data == encode_call("Panic(uint256)", 0x12)


async def test_post__a_year_after_the_settlement__is_refused_where_the_vault_takes_a_hundredfold() -> None:
    here = await world()
    here.after(ONE_YEAR + DAY)
    assert (await here.preview(100 * MILLION)).reason == "beyond_worn_guardrails"
    assert (await here.preview(1_200_000)).reason == "unguarded"
    # The vault itself takes it.
    assert (await here.post(100 * MILLION)).accepted


async def test_post__while_total_assets_are_valid__waits_or_the_safe_expires_them() -> None:
    here = await world()
    await here.call(SAFE, here.vault, "updateTotalAssetsLifespan(uint128)", HOUR)
    here.after(DAY)
    await here.post(MILLION)
    await here.settle(MILLION)
    here.after(60)
    found = await here.preview(MILLION + 1)
    assert (found.reason, found.role) == ("total_assets_not_expired", "safe")
    assert await here.reverts(MILLION + 1) == encode_call("ValuationUpdateNotAllowed()").hex()
    await here.call(SAFE, here.vault, "expireTotalAssets()")
    assert (await here.preview(MILLION + 1)).reason is None


async def test_post__first_of_an_empty_vault__settles_its_first_deposit_at_zero() -> None:
    here = await world(initial=0)
    await here.request_deposit(500)
    here.after(DAY)
    assert await here.publisher.confirmed({"fund1": 1}) == {}
    assert (await here.preview(0)).send
    assert (await here.post(0)).reason == "unsettled"
    await here.settle(0)
    served = (await here.publisher.confirmed({"fund1": 1}))["fund1"]
    assert (served.nav, served.price_per_share) == (500 * WAD, WAD)


async def test_settlement__safe_without_the_cash__is_stopped_before_redemptions_are_left_out() -> None:
    here = await world()
    safe, half = here.chain.accounts[SAFE], MILLION // 2
    await here.call(SAFE, here.vault, "requestRedeem(uint256,address,address)", half * WAD, safe, safe)
    await here.call(SAFE, here.token, "transfer(address,uint256)", here.chain.accounts[USER], half * 10**6 + 1)
    here.after(DAY)
    await here.post(MILLION)
    assert (await here.settlement(MILLION)).reason == "redemptions_unfunded"
    await here.call(USER, here.token, "transfer(address,uint256)", safe, 1)
    assert (await here.settlement(MILLION)).send
    await here.settle(MILLION, "redeem")
    served = (await here.publisher.confirmed({"fund1": 1}))["fund1"]
    assert served.nav == half * WAD


async def test_post__by_another_than_the_valuation_manager__names_the_error_before_anything_is_sent() -> None:
    here = await world()
    here.after(DAY)
    here.peer = here.peer.model_copy(update={"sender": here.chain.accounts[USER]})
    found = await here.preview(1_001_000)
    assert (found.reason, found.send, found.role) == ("peer_refuses", False, "owner")
    assert "OnlyValuationManager" in found.advice


async def test_post__paused_or_closed__is_not_sent() -> None:
    here = await world()
    here.after(DAY)
    await here.call(OWNER, here.vault, "pause()")
    assert (await here.preview(1_001_000)).reason == "paused"
    assert (await here.publisher.confirmed({"fund1": 1}))["fund1"].held
    await here.call(OWNER, here.vault, "unpause()")
    await here.call(OWNER, here.vault, "setState(uint8)", 2)
    assert (await here.preview(1_001_000)).reason == "closed"
    assert await here.reverts(1_001_000) == encode_call("Closed()").hex()


async def test_post__same_number_while_a_deposit_waits__is_sent_so_that_it_settles() -> None:
    here = await world()
    here.after(DAY)
    await here.post(MILLION)
    await here.settle(MILLION)
    here.after(HOUR)
    assert (await here.preview(MILLION)).reason == "unchanged"
    await here.request_deposit(10)
    assert (await here.preview(MILLION)).send
