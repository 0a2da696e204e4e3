"""A reader of a chain that asks off chain too, through a whole frame: its evidence holds both answers."""

from __future__ import annotations

from navoracle.composition.evidence_plans import plan_from_evidence
from navoracle.domain.frame import NavStatus
from navoracle.domain.units import to_wad
from navoracle.keeper.verify import verify_document, verify_reads
from navoracle.ports import Answer, HttpGet
from navoracle.positions import MerklRewards
from navoracle.positions.rewards_merkl import CLAIMED_TYPES
from tests.unit.addresses import address
from tests.unit.keeper.world import CHAIN, HOLDER, NOW, TOKEN, World, declared, frame_plan, fund, world
from tests.unit.positions.merkle_tree import RewardTree, body

DISTRIBUTOR = address(99)
URL = HttpGet(f"https://api.merkl.xyz/v4/users/{HOLDER.lower()}/rewards?chainId=1")


def rewarding() -> World:
    """100 of the unit of account earned, 40 of them claimed."""
    found = world()
    mine = (HOLDER, TOKEN, 100 * 10**6)
    tree = RewardTree([mine, (address(98), TOKEN, 1)])
    chain = found.chain
    chain.put(DISTRIBUTOR, "getMerkleRoot()", (), ("bytes32",), tree.root)
    claimed = (40 * 10**6, NOW, tree.root)
    chain.put(DISTRIBUTOR, "claimed(address,address)", (HOLDER, TOKEN), CLAIMED_TYPES, *claimed)
    chain.put(TOKEN, "balanceOf(address)", (DISTRIBUTOR,), ("uint256",), 10**12)
    found.markets.services[URL] = Answer(body([tree.listed(mine)]))
    return found


async def test_merkl__in_a_frame__is_valued_recorded_and_verified_from_its_evidence() -> None:
    here = rewarding()
    rewards = [{"asset": "USD", "token": TOKEN}]
    fields = {"kind": "merkl", "id": "f.merkl", "chain": CHAIN, "holder": HOLDER, "distributor": DISTRIBUTOR}
    reader = MerklRewards.model_validate({**fields, "rewards": rewards, "decimals": [6]})
    holder = fund("f", 1, declared("f.usd", "USD", "cash", "7"), reader, shares="7")
    frame = await here.frame(frame_plan(funds=(holder,)))
    (found,) = frame.funds
    assert found.status is NavStatus.LIVE
    assert found.valuation is not None
    assert found.valuation.after.nav == to_wad("67")
    verified = verify_document(frame.evidence["f"], plan_from_evidence)
    assert {(record.chain, record.kind) for record in verified.reads} == {(CHAIN, "call"), (None, "http_get")}
    assert await verify_reads(verified, here.chain, CHAIN) == 4
