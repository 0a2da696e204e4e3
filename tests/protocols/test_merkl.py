"""Merkl's rewards on a chain: what the reader counts is what a claim pays, in and after a dispute window.

The contract is a double: Merkl's Distributor was not found on npm.
"""

from __future__ import annotations

import pytest

from navoracle.chain.http import HttpEndpoint
from navoracle.chain.pool import NodePool
from navoracle.chain.reader import Web3ChainReader
from navoracle.keeper.collect import read_all
from navoracle.ports import Address, Answer, HttpGet
from navoracle.positions import MerklRewards
from navoracle.testing import FakeOffChain
from tests.protocols.chain import CHAIN_ID, NAME, Chain, NodeError
from tests.protocols.doubles import double
from tests.requirements import needs_node
from tests.unit.positions.merkle_tree import Earned, RewardTree, body

pytestmark = needs_node

WAD = 10**18
WINDOW = 7_200


class MerklWorld:
    """A distributor with a million tokens, and a tree in which the holder has earned 100."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.holder = chain.accounts[1]
        self.token = chain.deploy(double("Token"), "MORPHO", 18)
        self.distributor = chain.deploy(double("RewardDistributor"))
        chain.send(self.token, "mint(address,uint256)", self.distributor, 10**6 * WAD)
        self.tree = self.tree_of(100)
        chain.send(self.distributor, "updateTree(bytes32,uint256)", self.tree.root, 0)

    def mine(self, amount: int) -> Earned:
        return (self.holder, self.token, amount * WAD)

    def tree_of(self, amount: int) -> RewardTree:
        others = [(Address(account), self.token, place) for place, account in enumerate(self.chain.accounts[2:7])]
        return RewardTree([*others[:2], self.mine(amount), *others[2:]])

    def claim(self, tree: RewardTree, amount: int) -> None:
        proof = [bytes.fromhex(sibling[2:]) for sibling in tree.proof(self.mine(amount))]
        signature = "claim(address,uint256,bytes32[])"
        self.chain.send(self.distributor, signature, self.token, amount * WAD, proof, sender=self.holder)

    async def found(self, tree: RewardTree, amount: int) -> dict[str, int]:
        """What the reader counts when the service lists that amount of that tree."""
        fields = {"kind": "merkl", "id": "merkl", "chain": NAME, "holder": self.holder}
        rewards = [{"asset": "MORPHO", "token": self.token}]
        reader = await self.chain.resolve(
            MerklRewards.model_validate({**fields, "distributor": self.distributor, "rewards": rewards})
        )
        service = FakeOffChain()
        url = f"https://api.merkl.xyz/v4/users/{self.holder.lower()}/rewards?chainId={CHAIN_ID}"
        service.services[HttpGet(url)] = Answer(body([tree.listed(self.mine(amount))], CHAIN_ID))
        pool = NodePool.of(HttpEndpoint(self.chain.url), chain=NAME, chain_id=CHAIN_ID, finality=0)
        chain = Web3ChainReader(pool)
        try:
            at = await chain.stamp()
            readings = await read_all([reader], [at], at.timestamp, {NAME: chain}, service)
        finally:
            await chain.close()
        return {holding.id: holding.amount.value for holding in readings.values["merkl"]}

    def balance(self) -> int:
        return int(self.chain.view(self.token, "balanceOf(address)", ("uint256",), self.holder))


@pytest.fixture(scope="module")
def merkl(chain: Chain) -> MerklWorld:
    return MerklWorld(chain)


async def test_merkl__claimable_amount__is_what_a_claim_pays(merkl: MerklWorld) -> None:
    assert await merkl.found(merkl.tree, 100) == {"merkl/MORPHO": 100 * WAD}
    merkl.claim(merkl.tree, 100)
    assert merkl.balance() == 100 * WAD
    assert await merkl.found(merkl.tree, 100) == {"merkl/MORPHO": 0}


@pytest.mark.parametrize("disputed", [False, True])
async def test_merkl__dispute_window_or_dispute__the_last_tree_counts_and_the_new_one_does_not(
    chain: Chain, merkl: MerklWorld, disputed: bool
) -> None:
    newer = merkl.tree_of(150)
    chain.send(merkl.distributor, "updateTree(bytes32,uint256)", newer.root, WINDOW)
    if disputed:
        chain.send(merkl.distributor, "dispute(address)", chain.owner)
        chain.travel(WINDOW + 1)
    assert await merkl.found(merkl.tree, 100) == {"merkl/MORPHO": 100 * WAD}
    assert await merkl.found(newer, 150) == {"merkl/MORPHO": 0, "merkl/MORPHO not of the active root": 0}
    with pytest.raises(NodeError):
        merkl.claim(newer, 150)
    merkl.claim(merkl.tree, 100)


async def test_merkl__window_that_is_over__counts_the_new_tree_less_what_was_claimed(
    chain: Chain, merkl: MerklWorld
) -> None:
    merkl.claim(merkl.tree, 100)
    newer = merkl.tree_of(150)
    chain.send(merkl.distributor, "updateTree(bytes32,uint256)", newer.root, WINDOW)
    chain.travel(WINDOW + 1)
    assert await merkl.found(newer, 150) == {"merkl/MORPHO": 50 * WAD}
    merkl.claim(newer, 150)
    assert merkl.balance() == 150 * WAD


async def test_merkl__amount_that_was_made_up__is_nothing_as_its_claim_reverts(merkl: MerklWorld) -> None:
    forged = merkl.tree_of(10_000)
    assert (await merkl.found(forged, 10_000))["merkl/MORPHO"] == 0
    with pytest.raises(NodeError):
        merkl.claim(forged, 10_000)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8])
async def test_merkl__tree_of_any_size__is_proven_as_the_contract_proves_it(
    chain: Chain, merkl: MerklWorld, size: int
) -> None:
    others = [(Address(account), merkl.token, 1) for account in chain.accounts[2 : 1 + size]]
    tree = RewardTree([*others, merkl.mine(9)])
    chain.send(merkl.distributor, "updateTree(bytes32,uint256)", tree.root, 0)
    assert await merkl.found(tree, 9) == {"merkl/MORPHO": 9 * WAD}
    merkl.claim(tree, 9)
    assert merkl.balance() == 9 * WAD
