"""The publisher against the real registry on the embedded chain."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from navoracle.abi import encode_call
from navoracle.chain.deploy import FundOpening, RegistryRoles, deploy_registry
from navoracle.chain.embedded import EmbeddedChain
from navoracle.chain.versions import require_contract
from navoracle.domain.errors import CallReverted, ChainError, ConfigurationError, DomainError
from navoracle.domain.prior import PostBounds
from navoracle.domain.units import WAD, Timestamp, Wad
from navoracle.ports import Address
from navoracle.publisher_port import Batch, FundPost, Preview, ReadBack
from navoracle.publishers.nav_registry import NavRegistryPublisher
from navoracle.publishers.nav_registry_codec import RecordSize, encode_header, encode_record
from navoracle.registry_port import GuardBounds
from tests.unit.publishers.posts import ROOT, fund_post

ADMIN, POSTER, RISK, GUARDIAN, VAULT = range(5)
MIN_INTERVAL = 60


@dataclass
class Setting:
    """A chain with a registry of funds 1 to 3, opened at 1.0 a share an hour ago."""

    chain: EmbeddedChain
    registry: Address
    publisher: NavRegistryPublisher

    def encode(self, *posts: FundPost, at: int | None = None) -> Batch:
        return self.publisher.encode(posts, Timestamp(self.chain.now if at is None else at), ROOT)

    async def post(self, *posts: FundPost, at: int | None = None) -> dict[str, ReadBack]:
        """Post an hour later, and read back."""
        self.chain.mine(Timestamp(self.chain.now + 3_600))
        batch = self.encode(*posts, at=at)
        receipt = await self.chain.transact(self.registry, batch.data, POSTER)
        return {found.fund: found for found in await self.publisher.read_back(batch, receipt)}

    async def as_role(self, account: int, signature: str, *arguments: object) -> None:
        await self.chain.transact(self.registry, encode_call(signature, *arguments), account)


async def setting(size: RecordSize = RecordSize.COMPONENTS) -> Setting:
    chain = EmbeddedChain()
    accounts = chain.accounts
    deployed = await deploy_registry(
        chain.transactor(ADMIN),
        RegistryRoles(accounts[ADMIN], accounts[POSTER], accounts[RISK], accounts[GUARDIAN]),
        bounds=GuardBounds(up_bps=1_000, down_bps=1_000, day_bps=2_500, min_interval=MIN_INTERVAL),
        funds=[
            FundOpening(fund, accounts[VAULT], Wad(10**24), Wad(WAD), Timestamp(chain.now - 3_600))
            for fund in (1, 2, 3)
        ],
    )
    assert deployed.remaining == ()
    publisher = NavRegistryPublisher(chain.reader(), chain="embedded", registry=deployed.address, record_size=size)
    chain.mine(Timestamp(chain.now + 3_600))
    return Setting(chain, deployed.address, publisher)


def reasons(previews: tuple[Preview, ...]) -> list[tuple[str | None, bool]]:
    return [(preview.reason, preview.send) for preview in previews]


@pytest.mark.parametrize("size", list(RecordSize))
async def test_post__every_record_size__is_what_the_registry_serves(size: RecordSize) -> None:
    here = await setting(size)
    posts = (fund_post(1, WAD + 7), fund_post(2, WAD * 105 // 100, estimated=True), fund_post(3, WAD * 95 // 100))
    found = await here.post(*posts)
    for post in posts:
        outcome = found[post.fund]
        assert (outcome.accepted, outcome.reason, outcome.confirmed.held) == (True, None, False)
        assert (outcome.confirmed.nav, outcome.confirmed.price_per_share) == (post.nav, post.price_per_share)
    served = await here.publisher.confirmed({"one": 1, "two": 2, "three": 3})
    assert [served[name].price_per_share for name in ("one", "two", "three")] == [
        post.price_per_share for post in posts
    ]
    assert {confirmed.block_number for confirmed in served.values()} == {found["fund1"].confirmed.block_number}


async def test_confirmed__unknown_fund__is_left_out() -> None:
    here = await setting()
    served = await here.publisher.confirmed({"known": 2, "unknown": 77})
    assert list(served) == ["known"]
    assert (served["known"].nav, served["known"].price_per_share, served["known"].frame) == (10**24, WAD, None)
    assert await here.publisher.confirmed({}) == {}


async def test_confirmed__funds_on_two_profiles__have_the_bounds_of_their_own() -> None:
    here = await setting()
    await here.as_role(
        ADMIN, "setProfile(uint256,(uint16,uint16,uint16,uint32,uint32))", 5, (1_112, 900, 3_000, 30, 60)
    )
    await here.as_role(ADMIN, "assignProfile(uint256,uint256)", 2, 5)
    served = await here.publisher.confirmed({"one": 1, "two": 2})
    assert served["one"].bounds == PostBounds(up_bps=1_000, down_bps=1_000, day_bps=2_500, max_age=7_200)
    assert served["two"].bounds == PostBounds(up_bps=1_112, down_bps=900, day_bps=3_000, max_age=60)


async def test_preview__every_kind_of_record__says_what_to_send() -> None:
    here = await setting()
    await here.as_role(GUARDIAN, "hold(uint256[])", [3])
    previews = await here.publisher.preview(
        here.encode(
            fund_post(1),
            fund_post(2, WAD * 2),
            fund_post(3),
            fund_post(9),
        )
    )
    assert [preview.fund for preview in previews] == ["fund1", "fund2", "fund3", "fund9"]
    assert reasons(previews)[:2] == [(None, True), ("step+day_drift", True)]
    assert reasons(previews)[2:] == [("guardian+held", False), ("not_live", False)]


async def test_preview__breach_within_the_day_bound__names_the_step_alone() -> None:
    here = await setting()
    assert reasons(await here.publisher.preview(here.encode(fund_post(1, WAD * 112 // 100)))) == [("step", True)]


async def test_preview__too_early_or_not_newer__is_not_sent() -> None:
    here = await setting()
    found = await here.post(fund_post(1))
    posted = found["fund1"].confirmed.valuation_time
    here.chain.mine(Timestamp(posted + MIN_INTERVAL - 1))
    assert reasons(await here.publisher.preview(here.encode(fund_post(1)))) == [("too_early", False)]
    assert reasons(await here.publisher.preview(here.encode(fund_post(1), at=posted))) == [("not_newer", False)]
    here.chain.mine(Timestamp(posted + MIN_INTERVAL))
    assert reasons(await here.publisher.preview(here.encode(fund_post(1)))) == [(None, True)]


async def test_preview__closed_fund_or_zero_price__is_not_sent() -> None:
    here = await setting()
    await here.as_role(ADMIN, "closeFund(uint256)", 1)
    previews = await here.publisher.preview(here.encode(fund_post(1), fund_post(2, 0)))
    assert reasons(previews) == [("not_live", False), ("zero_pps", False)]


async def test_preview__paused_stale_or_future__refuses_the_whole_batch() -> None:
    here = await setting()
    now = here.chain.now
    posts = (fund_post(1), fund_post(2))
    assert reasons(await here.publisher.preview(here.encode(*posts, at=now - 901))) == [("stale_header", False)] * 2
    assert reasons(await here.publisher.preview(here.encode(*posts, at=now + 100))) == [("future_header", False)] * 2
    await here.as_role(GUARDIAN, "setPaused(bool)", True)
    assert reasons(await here.publisher.preview(here.encode(*posts))) == [("paused", False)] * 2


async def test_preview__batch_that_is_no_batch__raises() -> None:
    here = await setting()
    header = here.chain.now << 16 | 99
    broken = replace(
        here.encode(fund_post(1)), data=encode_call("post(uint256,bytes32,bytes)", header, bytes(32), b"1")
    )
    with pytest.raises(CallReverted, match=r"BadLength\(99, 1\)"):
        await here.publisher.preview(broken)


async def test_read_back__one_fund_breaches__is_held_and_the_rest_accepted() -> None:
    here = await setting()
    found = await here.post(fund_post(1, WAD * 14 // 10), fund_post(2, WAD + 1))
    assert (found["fund1"].accepted, found["fund1"].reason) == (False, "step+day_drift")
    assert found["fund1"].confirmed.held
    assert (found["fund1"].confirmed.price_per_share, found["fund2"].accepted) == (WAD, True)
    assert (await here.publisher.confirmed({"one": 1}))["one"].held


async def test_read_back__in_bounds_post_after_a_step_hold__is_accepted() -> None:
    here = await setting()
    assert (await here.post(fund_post(1, WAD * 112 // 100)))["fund1"].reason == "step"
    found = await here.post(fund_post(1, WAD + 5))
    assert (found["fund1"].accepted, found["fund1"].confirmed.held) == (True, False)


async def test_read_back__guardian_holds__names_the_guardian() -> None:
    here = await setting()
    await here.as_role(GUARDIAN, "hold(uint256[])", [1])
    found = await here.post(fund_post(1, WAD + 1))
    assert (found["fund1"].accepted, found["fund1"].reason) == (False, "guardian")


async def test_read_back__a_newer_post_came_first__is_superseded() -> None:
    here = await setting()
    here.chain.mine(Timestamp(here.chain.now + 3_600))
    late = here.encode(fund_post(1, WAD + 1))
    await here.post(fund_post(1, WAD + 2))
    receipt = await here.chain.transact(here.registry, here.encode(fund_post(2)).data, POSTER)
    (found,) = await here.publisher.read_back(late, receipt)
    assert (found.accepted, found.reason) == (False, "superseded")
    assert found.confirmed.price_per_share == WAD + 2


async def test_read_back__not_stored__is_missing_reverted_or_not_live() -> None:
    here = await setting()
    receipt = await here.chain.transact(here.registry, here.encode(fund_post(2)).data, POSTER)
    batch = here.encode(fund_post(1))
    assert [found.reason for found in await here.publisher.read_back(batch, receipt)] == ["missing"]
    failed = replace(receipt, success=False)
    assert [found.reason for found in await here.publisher.read_back(batch, failed)] == ["reverted"]
    await here.as_role(ADMIN, "closeFund(uint256)", 1)
    receipt = await here.chain.transact(here.registry, here.encode(fund_post(2)).data, POSTER)
    assert [found.reason for found in await here.publisher.read_back(batch, receipt)] == ["not_live"]


async def test_read_back__held_and_posted_again_since__is_what_the_receipts_block_left() -> None:
    here = await setting()
    here.chain.mine(Timestamp(here.chain.now + 3_600))
    batch = here.encode(fund_post(1, WAD + 1))
    receipt = await here.chain.transact(here.registry, batch.data, POSTER)
    await here.post(fund_post(1, WAD + 2))
    await here.as_role(GUARDIAN, "hold(uint256[])", [1])
    (found,) = await here.publisher.read_back(batch, receipt)
    assert (found.accepted, found.reason, found.confirmed.held) == (True, None, False)
    assert (found.confirmed.price_per_share, found.confirmed.block_number) == (WAD + 1, receipt.block_number)


async def test_read_back__receipts_block_was_reorganized_away__is_no_answer() -> None:
    here = await setting()
    batch = here.encode(fund_post(1, WAD + 1))
    receipt = await here.chain.transact(here.registry, batch.data, POSTER)
    gone = replace(receipt, block_hash="0x" + "ab" * 32)
    with pytest.raises(ChainError, match=f"block {receipt.block_number} of embedded is no longer the one") as caught:
        await here.publisher.read_back(batch, gone)
    assert receipt.hash in caught.value.message
    assert "looked up again" in caught.value.advice


async def test_read_back__two_funds_of_three_held__names_the_reason_of_each() -> None:
    here = await setting()
    await here.as_role(GUARDIAN, "hold(uint256[])", [3])
    found = await here.post(fund_post(1, WAD * 112 // 100), fund_post(2, WAD + 1), fund_post(3, WAD + 1))
    assert {fund: outcome.reason for fund, outcome in found.items()} == {
        "fund1": "step",
        "fund2": None,
        "fund3": "guardian",
    }


async def test_accept__risk_accepts_the_held_record__is_served_then() -> None:
    here = await setting()
    post = fund_post(1, WAD * 14 // 10)
    at = here.chain.now + 3_600
    await here.post(post, at=at)
    header = encode_header(Timestamp(at), RecordSize.COMPONENTS)
    record = encode_record(post, RecordSize.COMPONENTS)
    await here.as_role(RISK, "accept(uint256,uint256,bytes)", 1, header, record)
    served = (await here.publisher.confirmed({"one": 1}))["one"]
    assert (served.price_per_share, served.valuation_time, served.held) == (WAD * 14 // 10, at, False)


async def test_prepare__stranger_posts__is_refused_with_the_decoded_error() -> None:
    here = await setting()
    with pytest.raises(CallReverted, match=r"Unauthorized\(0x") as caught:
        await here.chain.transactor(VAULT).prepare(here.registry, here.encode(fund_post(1)).data)
    assert "POSTER" in caught.value.advice


@pytest.mark.parametrize("posts", [(), (fund_post(1), fund_post(1))])
async def test_encode__no_post_or_a_fund_twice__raises(posts: tuple[FundPost, ...]) -> None:
    with pytest.raises(DomainError, match="fund ids"):
        (await setting()).encode(*posts)


@pytest.mark.parametrize("root", ["", "0x12", "0x" + "zz" * 32, "0x" + "00" * 33])
async def test_encode__no_root_of_32_bytes__raises(root: str) -> None:
    with pytest.raises(DomainError, match="evidence root"):
        (await setting()).publisher.encode([fund_post(1)], Timestamp(1), root)


async def test_publisher__address_is_another_contract__raises() -> None:
    here = await setting()
    feed = await here.chain.deploy("Feed", 8, "A")
    publisher = NavRegistryPublisher(here.chain.reader(), chain="embedded", registry=feed)
    with pytest.raises(ChainError, match="does not answer as a NavRegistry"):
        await publisher.confirmed({"one": 1})
    with pytest.raises(ChainError, match="does not answer as a NavRegistry"):
        await NavRegistryPublisher(here.chain.reader(), chain="embedded", registry=here.chain.accounts[9]).confirmed(
            {"one": 1}
        )


async def test_require_contract__registry_other_contract_or_none__is_told_apart() -> None:
    here = await setting()
    reader = here.chain.reader()
    await require_contract(reader, here.registry, "NavRegistry")
    with pytest.raises(ChainError, match="is not the Feed"):
        await require_contract(reader, here.registry, "Feed")
    with pytest.raises(ChainError, match="no contract at") as caught:
        await require_contract(reader, here.chain.accounts[9], "NavRegistry")
    assert "navoracle deploy" in caught.value.advice


@pytest.mark.parametrize("also", [ADMIN, RISK])
async def test_deploy__poster_with_another_role__is_refused_before_anything_is_sent(also: int) -> None:
    chain = EmbeddedChain()
    accounts = chain.accounts
    roles = RegistryRoles(accounts[ADMIN], accounts[also], accounts[RISK], accounts[GUARDIAN])
    with pytest.raises(ConfigurationError, match="cannot be POSTER"):
        await deploy_registry(chain.transactor(ADMIN), roles)
    assert await chain.endpoint.request("eth_blockNumber", []) == "0x0"


async def test_deploy__another_admin__is_made_one_and_what_remains_is_said() -> None:
    chain = EmbeddedChain()
    accounts = chain.accounts
    deployed = await deploy_registry(chain.transactor(ADMIN), RegistryRoles(accounts[7], accounts[POSTER]))
    assert deployed.remaining == (f"as {accounts[7]}: setRole({accounts[ADMIN]}, 0)",)
    await chain.transact(deployed.address, encode_call("setRole(address,uint256)", accounts[ADMIN], 0), 7)
    with pytest.raises(CallReverted, match="Unauthorized"):
        await chain.transact(deployed.address, encode_call("closeFund(uint256)", 1), ADMIN)


async def test_deploy__one_address_for_several_roles__holds_them_all() -> None:
    chain = EmbeddedChain()
    accounts = chain.accounts
    roles = RegistryRoles(accounts[ADMIN], accounts[POSTER], accounts[ADMIN], accounts[ADMIN])
    deployed = await deploy_registry(chain.transactor(ADMIN), roles)
    found = await chain.reader().call(deployed.address, encode_call("grantedRoles(address)", accounts[ADMIN]))
    assert int.from_bytes(found, "big") == 2 | 4 | 8
