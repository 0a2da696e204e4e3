"""The registry as it is: inspected, held and decided upon, on the embedded chain with the real contract."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from navoracle.abi import encode_call
from navoracle.chain.artifacts import artifact
from navoracle.chain.deploy import FundOpening, RegistryRoles, deploy_registry
from navoracle.chain.embedded import EmbeddedChain
from navoracle.chain.reader import Web3ChainReader
from navoracle.domain.errors import DomainError, GuardRefused
from navoracle.domain.frame import NavStatus
from navoracle.domain.prior import ConfirmedNav
from navoracle.domain.units import WAD, Timestamp, Wad
from navoracle.keeper.preflight import preflight
from navoracle.keeper.proposals import (
    Decision,
    accept_proposal,
    discard_proposal,
    held_post,
    release_proposal,
)
from navoracle.ports import Address
from navoracle.publisher_port import Batch, FundPost
from navoracle.publishers.nav_registry import NavRegistryPublisher
from navoracle.publishers.nav_registry_calls import NavRegistryCalls
from navoracle.publishers.nav_registry_codec import RecordSize
from navoracle.publishers.nav_registry_state import NavRegistryInspector
from navoracle.registry_port import Hold, Registration, RegistryState
from navoracle.store_port import PostFundRow, PostRow, TransactionState
from tests.unit.publishers.posts import ROOT, fund_post

ADMIN, POSTER, RISK, GUARDIAN, VAULT = range(5)
IDS = {"fund1": 1, "fund2": 2}
CALLS = NavRegistryCalls()


@dataclass
class Setting:
    """A registry with funds 1 and 2 at 1.0 a share."""

    chain: EmbeddedChain
    reader: Web3ChainReader
    registry: Address
    size: RecordSize

    @property
    def publisher(self) -> NavRegistryPublisher:
        return NavRegistryPublisher(self.reader, chain="embedded", registry=self.registry, record_size=self.size)

    @property
    def inspector(self) -> NavRegistryInspector:
        known = artifact("NavRegistry").is_code
        return NavRegistryInspector(self.reader, registry=self.registry, is_known_code=known)

    @property
    def poster(self) -> Address:
        return self.chain.accounts[POSTER]

    async def state(self) -> RegistryState:
        return await self.inspector.inspect(IDS, self.poster)

    async def hold(self, fund: str = "fund1") -> Hold:
        return (await self.state()).holds[fund]

    async def served(self, fund: str = "fund1") -> ConfirmedNav:
        return (await self.publisher.confirmed(IDS))[fund]

    async def reason(self) -> str | None:
        found = await preflight(
            self.inspector, chain="embedded", chain_id=self.chain.chain_id, fund_ids=IDS, sender=self.poster
        )
        return None if found.refusal is None else found.refusal.reason

    async def as_role(self, account: int, signature: str, *arguments: object) -> None:
        await self.chain.transact(self.registry, encode_call(signature, *arguments), account)

    async def post(self, *posts: FundPost, number: int = 1) -> PostRow:
        self.chain.mine(Timestamp(self.chain.now + 3_600))
        batch = self.publisher.encode(posts, self.chain.now, ROOT)
        await self.chain.transact(self.registry, batch.data, POSTER)
        return row(batch, number)


def row(batch: Batch, number: int) -> PostRow:
    return PostRow(
        id=number,
        frame=f"frame{number}",
        batch=batch,
        transaction=number,
        state=TransactionState.CONFIRMED,
        created_at=Timestamp(0),
        finished_at=Timestamp(1),
        transaction_hash="0x1",
        block_number=1,
        error=None,
        attempts=(),
        funds=tuple(
            PostFundRow(post.fund, post.fund_id, post.nav, post.price_per_share, None, None, ("0xp",), "0xe")
            for post in batch.posts
        ),
    )


async def setting(size: RecordSize = RecordSize.FULL) -> Setting:
    chain = EmbeddedChain()
    accounts = chain.accounts
    deployed = await deploy_registry(
        chain.transactor(ADMIN),
        RegistryRoles(accounts[ADMIN], accounts[POSTER], accounts[RISK], accounts[GUARDIAN]),
        funds=[FundOpening(fund, accounts[VAULT], Wad(10**24), Wad(WAD), Timestamp(chain.now - 60)) for fund in (1, 2)],
    )
    return Setting(chain, chain.reader(), deployed.address, size)


async def test_inspect__fresh_registry__is_known_live_free_and_our_poster_is_nothing_else() -> None:
    here = await setting()
    state = await here.state()
    assert (state.known_code, state.paused, state.max_post_age) == (True, False, 900)
    assert state.sender_roles == frozenset({"poster"})
    assert state.funds == {"fund1": Registration.LIVE, "fund2": Registration.LIVE}
    assert (state.holds, state.at.chain_id) == ({}, here.chain.chain_id)
    assert (await here.inspector.inspect(IDS, None)).sender_roles is None
    assert await here.reason() is None


async def test_preflight__paused_and_resumed__is_refused_meanwhile() -> None:
    here = await setting()
    await here.as_role(GUARDIAN, "setPaused(bool)", True)
    assert await here.reason() == "paused"
    await here.as_role(RISK, "setPaused(bool)", False)
    assert await here.reason() is None


async def test_preflight__poster_replaced__is_refused_from_that_block_on() -> None:
    here = await setting()
    await here.as_role(ADMIN, "replacePoster(address)", here.chain.accounts[7])
    assert await here.reason() == "not_poster"


async def test_preflight__other_contract_or_none__is_refused() -> None:
    here = await setting()
    feed = await here.chain.deploy("Feed", 8, "A")
    assert await replace(here, registry=feed).reason() == "unknown_code"
    assert await replace(here, registry=here.chain.accounts[9]).reason() == "no_contract"


async def test_preflight__fund_closed_or_never_registered__is_refused_alone() -> None:
    here = await setting()
    await here.as_role(ADMIN, "closeFund(uint256)", 2)
    found = await preflight(
        here.inspector,
        chain="embedded",
        chain_id=here.chain.chain_id,
        fund_ids={**IDS, "fund9": 9},
        sender=here.poster,
    )
    assert found.ok
    assert {fund: refusal.reason for fund, refusal in found.funds.items()} == {
        "fund2": "closed",
        "fund9": "not_registered",
    }
    assert not (await here.served("fund2")).live
    assert (await here.served("fund1")).live


async def test_code_at__earlier_block__is_what_was_there_then() -> None:
    here = await setting()
    now = await here.reader.stamp()
    first = await here.reader.stamp(0)
    assert await here.reader.code_at(here.registry, now) == await here.reader.code(here.registry)
    assert await here.reader.code_at(here.registry, first) == b""


@pytest.mark.parametrize("size", list(RecordSize))
async def test_accept_proposal__held_post__is_what_the_registry_accepts(size: RecordSize) -> None:
    here = await setting(size)
    post = await here.post(fund_post(2), fund_post(1, WAD * 14 // 10))
    hold = await here.hold()
    served = await here.served()
    proposal = accept_proposal(
        held_post([post], "fund1", hold, CALLS), "fund1", served=served, hold=hold, status=NavStatus.VERIFIED,
        calls=CALLS,
    )  # fmt: skip
    assert (proposal.decision, proposal.fund_id, proposal.to, proposal.held_for) == (
        Decision.ACCEPT,
        1,
        here.registry,
        "step+day_drift",
    )
    assert (proposal.served, proposal.proposed, proposal.change_bps) == (WAD, WAD * 14 // 10, 4_000)
    assert (proposal.header, len(proposal.record or b"")) == (post.batch.valuation_time << 16 | size, size)
    assert (proposal.evidence_root, proposal.evidence_hash, proposal.proof) == (ROOT, "0xe", ("0xp",))
    assert (proposal.frame, proposal.status, proposal.post) == ("frame1", NavStatus.VERIFIED, 1)
    assert (proposal.served_time, proposal.proposed_time) == (served.valuation_time, post.batch.valuation_time)
    assert proposal.since == hold.since
    await here.chain.transact(proposal.to, proposal.data, RISK)
    after = await here.served()
    assert (after.price_per_share, after.held, after.day_drift) == (WAD * 14 // 10, False, 0)


async def test_discard_proposal__held_post__lets_the_served_value_be_good_again() -> None:
    here = await setting()
    post = await here.post(fund_post(1, WAD * 6 // 10))
    proposal = discard_proposal(
        post, "fund1", served=await here.served(), hold=await here.hold(), status=None, calls=CALLS
    )
    assert (proposal.decision, proposal.change_bps) == (Decision.DISCARD, -4_000)
    await here.chain.transact(proposal.to, proposal.data, RISK)
    after = await here.served()
    assert (after.price_per_share, after.held) == (WAD, False)


async def test_held_post__two_posts_were_held__finds_the_first_which_alone_can_be_accepted() -> None:
    here = await setting()
    first = await here.post(fund_post(1, WAD * 14 // 10), number=1)
    second = await here.post(fund_post(1, WAD * 15 // 10), number=2)
    hold, served = await here.hold(), await here.served()
    assert held_post([second, first], "fund1", hold, CALLS).id == 1
    with pytest.raises(GuardRefused, match="post 2 is not what is held"):
        accept_proposal(second, "fund1", served=served, hold=hold, status=None, calls=CALLS)
    with pytest.raises(GuardRefused, match="post 2 is not what is held"):
        discard_proposal(second, "fund1", served=served, hold=hold, status=None, calls=CALLS)


async def test_held_post__strange_record_or_none__is_refused() -> None:
    here = await setting()
    await here.post(fund_post(1, WAD * 14 // 10))
    strange = row(here.publisher.encode([fund_post(1, WAD * 13 // 10)], here.chain.now, ROOT), 7)
    with pytest.raises(GuardRefused, match="none of our posts"):
        held_post([strange], "fund1", await here.hold(), CALLS)
    await here.as_role(GUARDIAN, "hold(uint256[])", [2])
    with pytest.raises(GuardRefused, match="no record is held"):
        held_post([strange], "fund2", await here.hold("fund2"), CALLS)


async def test_accept_proposal__a_guardian_holds_it_too__must_be_released_first() -> None:
    here = await setting()
    post = await here.post(fund_post(1, WAD * 14 // 10))
    await here.as_role(GUARDIAN, "hold(uint256[])", [1])
    hold, served = await here.hold(), await here.served()
    assert hold.by_guardian
    with pytest.raises(GuardRefused, match="a guardian holds fund fund1"):
        accept_proposal(post, "fund1", served=served, hold=hold, status=None, calls=CALLS)
    release = release_proposal(
        "fund1", 1, chain="embedded", registry=here.registry, served=served, hold=hold, calls=CALLS
    )
    assert (release.decision, release.record, release.served) == (Decision.RELEASE, None, WAD)
    await here.chain.transact(release.to, release.data, RISK)
    left = await here.hold()
    assert (left.by_guardian, left.reasons) == (False, "step+day_drift")
    accept = accept_proposal(post, "fund1", served=served, hold=left, status=None, calls=CALLS)
    await here.chain.transact(accept.to, accept.data, RISK)
    assert (await here.served()).price_per_share == WAD * 14 // 10


async def test_release_proposal__no_guardian_holds_it__is_refused() -> None:
    here = await setting()
    await here.post(fund_post(1, WAD * 14 // 10))
    with pytest.raises(GuardRefused, match="no guardian holds fund fund1"):
        release_proposal(
            "fund1", 1, chain="embedded", registry=here.registry, served=await here.served(),
            hold=await here.hold(), calls=CALLS,
        )  # fmt: skip


async def test_hold__encoded_call__is_what_the_guardian_sends() -> None:
    here = await setting()
    await here.chain.transact(here.registry, CALLS.hold([1, 2]), GUARDIAN)
    state = await here.state()
    assert {fund: (hold.by_guardian, hold.digest) for fund, hold in state.holds.items()} == {
        "fund1": (True, None),
        "fund2": (True, None),
    }


async def test_posted__fund_that_the_batch_does_not_have__is_refused() -> None:
    here = await setting()
    batch = here.publisher.encode([fund_post(1)], here.chain.now, ROOT)
    with pytest.raises(DomainError, match="no record of fund fund2"):
        CALLS.posted(batch, "fund2")
    swapped = replace(batch, posts=(fund_post(2),))
    with pytest.raises(DomainError, match="no record of fund fund2"):
        CALLS.posted(swapped, "fund2")
