"""Queues and cooldowns on a chain: what leaves a balance is found again until it arrives, and can be had when it says.

The contracts are doubles: those of Lido, Ethena and ether.fi were not found on npm.
"""

from __future__ import annotations

from typing import Any

import pytest

from navoracle.positions import Erc4626Position, LidoWithdrawals, SusdeCooldown, WeethWithdrawals
from tests.protocols.chain import NAME, Chain, NodeError, ReaderFailed
from tests.protocols.doubles import double
from tests.protocols.token_readers import erc20, erc4626, native, parts, total
from tests.requirements import needs_node

pytestmark = needs_node

WAD = 10**18
USD = 10**6
WEEK = 7 * 86_400


class SusdeWorld:
    """Staked USDe at 1.0, of which the holder has half."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.holder, other = chain.accounts[1:3]
        self.usde = chain.deploy(double("Token"), "USDe", 18)
        self.susde = chain.deploy(double("CooldownVault"), self.usde)
        for account in (self.holder, other):
            chain.send(self.usde, "mint(address,uint256)", account, 1_000 * WAD)
            chain.send(self.usde, "approve(address,uint256)", self.susde, 2**255, sender=account)
            chain.send(self.susde, "deposit(uint256,address)", 500 * WAD, account, sender=account)

    def cooldown(self) -> SusdeCooldown:
        fields = {"kind": "susde_cooldown", "id": "cooldown", "asset": "USDe", "chain": NAME, "holder": self.holder}
        return SusdeCooldown.model_validate({**fields, "vault": self.susde, "underlying": self.usde})

    def shares(self, **options: Any) -> Erc4626Position:
        return erc4626(self.susde, self.usde, self.holder, **options)

    def cool(self, shares: int) -> None:
        self.chain.send(self.susde, "cooldownShares(uint256)", shares, sender=self.holder)


@pytest.fixture(scope="module")
def staked(chain: Chain) -> SusdeWorld:
    return SusdeWorld(chain)


async def test_susde__shares_burned_at_cooldown__are_counted_until_they_are_taken_out(
    chain: Chain, staked: SusdeWorld
) -> None:
    readers = (erc20(staked.usde, staked.holder), staked.shares(), staked.cooldown())
    assert await total(chain, *readers) == 1_000 * WAD
    staked.cool(200 * WAD)
    assert await parts(chain, staked.shares()) == {"shares": 300 * WAD}
    assert await parts(chain, staked.cooldown()) == {"cooling": 200 * WAD, "claimable": 0}
    assert await total(chain, *readers) == 1_000 * WAD
    chain.travel(WEEK)
    assert await parts(chain, staked.cooldown()) == {"cooling": 0, "claimable": 200 * WAD}
    chain.send(staked.susde, "unstake(address)", staked.holder, sender=staked.holder)
    assert await parts(chain, staked.cooldown()) == {"cooling": 0, "claimable": 0}
    assert await total(chain, *readers) == 1_000 * WAD


async def test_susde__adding_one_share__restarts_seven_days_for_all(chain: Chain, staked: SusdeWorld) -> None:
    staked.cool(200 * WAD)
    chain.travel(WEEK - 60)
    staked.cool(1)
    chain.travel(120)
    assert await parts(chain, staked.cooldown()) == {"cooling": 200 * WAD + 1, "claimable": 0}


async def test_susde__max_redeem_positive_while_redeem_reverts__is_refused_where_it_must_be_realizable(
    chain: Chain, staked: SusdeWorld
) -> None:
    assert chain.view(staked.susde, "maxRedeem(address)", ("uint256",), staked.holder) == 500 * WAD
    with pytest.raises(NodeError):
        chain.view(
            staked.susde,
            "redeem(uint256,address,address)",
            ("uint256",),
            WAD,
            staked.holder,
            staked.holder,
            sender=staked.holder,
        )
    with pytest.raises(ReaderFailed, match="0xf50a3b52") as refusal:
        await chain.read(staked.shares(realizable="max_withdraw"))
    assert refusal.value.code == "call_reverted"
    chain.send(staked.susde, "setCooldownDuration(uint256)", 0)
    assert await parts(chain, staked.shares(realizable="max_withdraw")) == {"shares": 500 * WAD}


async def test_susde__rewards__vest_over_eight_hours_in_the_rate(chain: Chain, staked: SusdeWorld) -> None:
    chain.send(staked.usde, "mint(address,uint256)", chain.owner, 80 * WAD)
    chain.send(staked.usde, "approve(address,uint256)", staked.susde, 80 * WAD)
    chain.send(staked.susde, "addRewards(uint256)", 80 * WAD)
    assert await parts(chain, staked.shares()) == {"shares": 500 * WAD}
    found = []
    for _ in range(3):
        chain.travel(4 * 3_600)
        found.append((await parts(chain, staked.shares()))["shares"])
    # The vault rounds down by a unit.
    assert [due * WAD - amount for due, amount in zip((520, 540, 540), found, strict=True)] == [1, 1, 1]


async def test_erc4626__donation__is_refused_by_its_band(chain: Chain, staked: SusdeWorld) -> None:
    band = {"min_rate": "1", "max_rate": "1.05", "share_decimals": 18}
    assert await parts(chain, staked.shares(**band)) == {"shares": 500 * WAD}
    chain.send(staked.usde, "mint(address,uint256)", staked.susde, 700 * WAD)
    assert await parts(chain, staked.shares()) == {"shares": 850 * WAD - 1}
    with pytest.raises(ReaderFailed, match=r"outside 1\.0+ to 1\.050*"):
        await chain.read(staked.shares(**band))


class LidoWorld:
    """A rebasing token at 1.0 and its queue, which has ether to pay."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.holder = chain.accounts[1]
        self.steth = chain.deploy(double("RebasingToken"))
        self.queue = chain.deploy(double("LidoQueue"), self.steth)
        chain.send(self.steth, "submit(address,uint256)", self.holder, 100 * WAD)
        chain.send(self.steth, "submit(address,uint256)", chain.owner, 900 * WAD)
        chain.rpc("anvil_setBalance", self.queue, hex(10**21))

    def withdrawals(self) -> LidoWithdrawals:
        fields = {"kind": "lido_withdrawals", "id": "lido", "asset": "ETH", "chain": NAME, "holder": self.holder}
        return LidoWithdrawals.model_validate({**fields, "queue": self.queue, "steth": self.steth})

    def request(self, amount: int) -> None:
        self.chain.send(self.queue, "requestWithdrawal(uint256)", amount, sender=self.holder)

    def rebase(self, numerator: int, denominator: int) -> None:
        pooled = self.chain.view(self.steth, "totalPooled()", ("uint256",))
        self.chain.send(self.steth, "rebase(uint256)", pooled * numerator // denominator)


@pytest.fixture(scope="module")
def lido(chain: Chain) -> LidoWorld:
    return LidoWorld(chain)


async def test_lido__no_requests__is_nothing(chain: Chain, lido: LidoWorld) -> None:
    assert await parts(chain, lido.withdrawals()) == {"waiting": 0, "claimable": 0}


async def test_lido__request__keeps_the_total_and_earns_nothing_after_it(chain: Chain, lido: LidoWorld) -> None:
    balance = erc20(lido.steth, lido.holder, shares=True, symbol="stETH")
    assert await total(chain, balance) == 100 * WAD
    lido.request(40 * WAD)
    assert await total(chain, balance, lido.withdrawals()) == 100 * WAD
    lido.rebase(11, 10)
    assert await parts(chain, lido.withdrawals()) == {"waiting": 40 * WAD, "claimable": 0}
    assert await parts(chain, balance) == {"balance": 66 * WAD}


async def test_lido__slashing_before_finalisation__discounts_what_is_claimable(chain: Chain, lido: LidoWorld) -> None:
    lido.request(10 * WAD)
    chain.send(lido.queue, "finalize(uint256)", 1)
    lido.request(20 * WAD)
    lido.rebase(9, 10)
    assert await parts(chain, lido.withdrawals()) == {"waiting": 18 * WAD, "claimable": 10 * WAD}
    chain.send(lido.queue, "finalize(uint256)", 2)
    lido.rebase(2, 1)
    lido.request(30 * WAD)
    # Amounts become shares rounded down, and shares amounts again.
    assert await parts(chain, lido.withdrawals()) == {"waiting": 30 * WAD - 2, "claimable": 28 * WAD}


async def test_lido__claimed_out_of_order__is_nothing_and_the_rest_stays(chain: Chain, lido: LidoWorld) -> None:
    for amount in (10, 20, 30):
        lido.request(amount * WAD)
    chain.send(lido.queue, "finalize(uint256)", 3)
    before = await total(chain, lido.withdrawals(), native(lido.holder))
    chain.send(lido.queue, "claim(uint256,uint256)", 1, 1, sender=lido.holder)
    # The set of requests is now in the order 3, 2; hints are asked for in ascending order all the same.
    assert await parts(chain, lido.withdrawals()) == {"waiting": 0, "claimable": 50 * WAD}
    gas = 10**16
    assert before - gas < await total(chain, lido.withdrawals(), native(lido.holder)) <= before


class WeethWorld:
    """Requests of ether.fi's kind: 1 and 2 are the holder's, 3 is another one's."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.holder, other = chain.accounts[1:3]
        self.nft = chain.deploy(double("WithdrawRequests"))
        chain.rpc("anvil_setBalance", self.nft, hex(10**21))
        for owner, amount, fee in ((self.holder, 5, 7), (self.holder, 10, 0), (other, 20, 0)):
            signature = "requestWithdraw(uint96,uint96,address,uint32)"
            chain.send(self.nft, signature, amount * WAD, amount * WAD, owner, fee)

    def withdrawals(self, *token_ids: int, **options: Any) -> WeethWithdrawals:
        fields = {"kind": "weeth_withdrawals", "id": "weeth", "asset": "ETH", "chain": NAME, "holder": self.holder}
        fields |= {"nft": self.nft, "liquidity_pool": self.nft}
        return WeethWithdrawals.model_validate({**fields, "token_ids": list(token_ids), **options})


@pytest.fixture(scope="module")
def weeth(chain: Chain) -> WeethWorld:
    return WeethWorld(chain)


async def test_weeth__whole_life_of_a_request__waiting_finalised_claimed(chain: Chain, weeth: WeethWorld) -> None:
    reader = weeth.withdrawals(1, 2)
    expected = {"1": 5 * WAD - 7 * 10**9, "2": 10 * WAD}
    assert await parts(chain, reader) == expected
    chain.send(weeth.nft, "finalizeRequests(uint32)", 1)
    assert await parts(chain, reader) == expected
    chain.send(weeth.nft, "setRate(uint256)", WAD // 2)
    assert await parts(chain, reader) == {"1": 25 * 10**17 - 7 * 10**9, "2": 5 * WAD}
    before = await total(chain, native(weeth.holder))
    chain.send(weeth.nft, "claimWithdraw(uint256)", 1, sender=weeth.holder)
    assert await parts(chain, reader) == {"1": 0, "2": 5 * WAD}
    assert await total(chain, native(weeth.holder)) - before > 249 * 10**16


async def test_weeth__invalidated_request__is_worth_nothing_and_named_so(chain: Chain, weeth: WeethWorld) -> None:
    chain.send(weeth.nft, "finalizeRequests(uint32)", 2)
    chain.send(weeth.nft, "invalidateRequest(uint256)", 2)
    assert chain.view(weeth.nft, "getClaimableAmount(uint256)", ("uint256",), 2) == 10 * WAD
    assert await parts(chain, weeth.withdrawals(1, 2)) == {"1": 5 * WAD - 7 * 10**9, "2 invalidated": 0}


async def test_weeth__id_that_is_missing_or_somebody_elses__is_refused(chain: Chain, weeth: WeethWorld) -> None:
    for reader, message in (
        (weeth.withdrawals(1), "holds 2 requests"),
        (weeth.withdrawals(1, 2, 3), "belongs to"),
        (weeth.withdrawals(1, 2, 4), "has not given out request 4"),
    ):
        with pytest.raises(ReaderFailed, match=message):
            await chain.read(reader)


async def test_erc20__fee_on_transfer__counts_what_arrived(chain: Chain) -> None:
    holder = chain.accounts[1]
    token = chain.deploy(double("Token"), "FEE", 6)
    chain.send(token, "mint(address,uint256)", chain.owner, 1_000 * USD)
    chain.send(token, "setFee(uint256)", 30)
    chain.send(token, "transfer(address,uint256)", holder, 1_000 * USD)
    assert await parts(chain, erc20(token, holder)) == {"balance": 997 * USD}


async def test_erc20__blacklisted_holder__is_refused_as_a_transfer_is(chain: Chain) -> None:
    holder = chain.accounts[1]
    token = chain.deploy(double("Token"), "USDC", 6)
    chain.send(token, "mint(address,uint256)", holder, USD)
    reader = erc20(token, holder, blacklist="isBlacklisted", symbol="USDC")
    assert await parts(chain, reader) == {"balance": USD}
    chain.send(token, "setBlacklisted(address,bool)", holder, True)
    with pytest.raises(NodeError):
        chain.send(token, "transfer(address,uint256)", chain.owner, 1, sender=holder)
    with pytest.raises(ReaderFailed, match="has blacklisted"):
        await chain.read(reader)


async def test_erc20__decimals_missing__cannot_be_resolved(chain: Chain, weeth: WeethWorld) -> None:
    with pytest.raises(Exception, match="revert"):
        await chain.resolve(erc20(weeth.nft, weeth.holder))
