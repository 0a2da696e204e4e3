"""Merkl rewards: believed only with a proof under the active root, less what was claimed, and if they can be paid."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from navoracle.domain.errors import EmptyResult, MalformedResult, SourceDown
from navoracle.domain.positions import Component, Holding
from navoracle.domain.units import RawAmount
from navoracle.keeper.collect import read_all
from navoracle.ports import Answer, HttpGet, Request
from navoracle.positions import MerklRewards
from navoracle.positions.rewards_merkl import CLAIMED_TYPES, proof_holds
from navoracle.testing import Example, FakeChain, FakeOffChain, ReaderSpec, block_stamp, drive, read_point
from tests.unit.addresses import address
from tests.unit.positions.merkle_tree import Earned, RewardTree, body

NOW = 1_700_000_000
AT = read_point(NOW)
DISTRIBUTOR, TOKEN, OTHER, HOLDER = address(1), address(2), address(3), address(0xAB)
WAD = 10**18
URL = HttpGet(f"https://api.merkl.xyz/v4/users/{HOLDER.lower()}/rewards?chainId=1")
MINE: Earned = (HOLDER, TOKEN, 100 * WAD)
TREE = RewardTree([(address(9), TOKEN, 5), MINE, (HOLDER, OTHER, 7), (address(8), OTHER, WAD), (address(7), TOKEN, 1)])
NEXT_TREE = RewardTree([(HOLDER, TOKEN, 150 * WAD), (address(9), TOKEN, 6)])


def reader(**changes: Any) -> MerklRewards:
    fields: dict[str, Any] = {
        "kind": "merkl",
        "id": "merkl",
        "chain": "local",
        "holder": HOLDER,
        "distributor": DISTRIBUTOR,
    }
    fields |= {"rewards": [{"asset": "MORPHO", "token": TOKEN}], "decimals": [18]}
    return MerklRewards.model_validate({**fields, **changes})


def world(
    answer: bytes | None = None, *, root: bytes = TREE.root, claimed: int = 40 * WAD, balance: int = 10**24
) -> dict[Request, Answer]:
    chain = FakeChain(block_stamp(NOW))
    chain.put(DISTRIBUTOR, "getMerkleRoot()", (), ("bytes32",), root)
    for token, taken in ((TOKEN, claimed), (OTHER, 0)):
        chain.put(DISTRIBUTOR, "claimed(address,address)", (HOLDER, token), CLAIMED_TYPES, taken, NOW, b"\1" * 32)
        chain.put(token, "balanceOf(address)", (DISTRIBUTOR,), ("uint256",), balance)
        chain.put(token, "decimals()", (), ("uint8",), 18)
    answers = {request: Answer(data) for request, data in chain.good_answers().items()}
    return {**answers, URL: Answer(body([TREE.listed(MINE)]) if answer is None else answer)}


def found(answers: dict[Request, Answer], **changes: Any) -> dict[str, int]:
    holdings = drive(reader(**changes).read(AT), answers)
    return {holding.id: holding.amount.value for holding in holdings if isinstance(holding, Holding)}


class TestMerklSpec(ReaderSpec):
    def example(self) -> Example:
        rewards = [{"asset": "MORPHO", "token": TOKEN}, {"asset": "COMP", "token": OTHER}]
        answers = world(body([TREE.listed(MINE), TREE.listed((HOLDER, OTHER, 7))]))
        expected = (
            Holding("merkl/MORPHO", Component.REWARDS, "MORPHO", RawAmount(60 * WAD, 18)),
            Holding("merkl/COMP", Component.REWARDS, "COMP", RawAmount(7, 18)),
        )
        data = {request: answer.data for request, answer in answers.items()}
        return Example(reader(rewards=rewards, decimals=[18, 18]), data, AT, expected)


def test_merkl__dispute_window__counts_the_last_tree_and_not_the_new_one() -> None:
    assert found(world(root=TREE.root)) == {"merkl/MORPHO": 60 * WAD}
    newer = body([NEXT_TREE.listed((HOLDER, TOKEN, 150 * WAD))])
    assert found(world(newer, root=TREE.root)) == {"merkl/MORPHO": 0, "merkl/MORPHO not of the active root": 0}
    assert found(world(newer, root=NEXT_TREE.root)) == {"merkl/MORPHO": 110 * WAD}


def test_merkl__api_pending__is_never_counted() -> None:
    assert found(world(body([TREE.listed(MINE, pending=str(10**30))]))) == {"merkl/MORPHO": 60 * WAD}
    assert found(world(body([]))) == {"merkl/MORPHO": 0}


def test_merkl__cumulative_amount__is_counted_less_what_was_claimed() -> None:
    assert found(world(claimed=100 * WAD)) == {"merkl/MORPHO": 0}
    assert found(world(claimed=100 * WAD - 1)) == {"merkl/MORPHO": 1}
    # After a tree was revoked more can have been claimed than the active one grants.
    assert found(world(claimed=101 * WAD)) == {"merkl/MORPHO": 0}


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": str(100 * WAD + 1)},
        {"proofs": []},
        {"proofs": ["0x" + "00" * 32]},
        {"token": {"address": OTHER}},
    ],
)
def test_merkl__amount_without_a_valid_proof__is_nothing_and_named(changes: dict[str, Any]) -> None:
    rewards = [{"asset": "MORPHO", "token": TOKEN}, {"asset": "COMP", "token": OTHER}]
    holdings = found(world(body([TREE.listed(MINE, **changes)])), rewards=rewards, decimals=[18, 18])
    assert set(holdings.values()) == {0}
    assert any(name.endswith(" not of the active root") for name in holdings)


def test_merkl__no_root__proves_nothing() -> None:
    assert found(world(root=b"\0" * 32))["merkl/MORPHO"] == 0
    assert not proof_holds(HOLDER, TOKEN, 1, [], b"\0" * 32)


def test_merkl__distributor_that_does_not_hold_enough__counts_nothing() -> None:
    assert found(world(balance=60 * WAD)) == {"merkl/MORPHO": 60 * WAD}
    assert found(world(balance=60 * WAD - 1)) == {"merkl/MORPHO": 0, "merkl/MORPHO not covered": 0}


def test_merkl__locked_or_unlisted_token__is_nothing() -> None:
    locked = [{"asset": "MORPHO", "token": TOKEN, "locked": True}]
    assert found(world(), rewards=locked) == {"merkl/MORPHO": 0, "merkl/MORPHO locked": 0}
    points = body([TREE.listed(MINE), TREE.listed((HOLDER, OTHER, 7))])
    assert found(world(points)) == {"merkl/MORPHO": 60 * WAD}


def test_merkl__rewards_of_another_chain_or_recipient__are_not_counted() -> None:
    assert found(world(body([TREE.listed(MINE)], chain_id=8_453))) == {"merkl/MORPHO": 0}
    assert found(world(body([TREE.listed(MINE, recipient=address(9))]))) == {"merkl/MORPHO": 0}


def test_merkl__token_listed_twice__counts_the_larger_proven_amount_once() -> None:
    tree = RewardTree([MINE, (HOLDER, TOKEN, 30 * WAD)])
    twice = body([tree.listed(MINE), tree.listed((HOLDER, TOKEN, 30 * WAD)), tree.listed(MINE)])
    assert found(world(twice, root=tree.root)) == {"merkl/MORPHO": 60 * WAD}


@pytest.mark.parametrize(
    "answer",
    [
        b"<html>",
        b"{}x",
        b'{"error": "no"}',
        b"[1]",
        b'[{"chain": {"id": true}, "rewards": []}]',
        b'[{"chain": {"id": 1}}]',
        b"[" * 100_000,
        b"[NaN]",
        b"\xff\xfe",
        body([TREE.listed(MINE, amount="1e20")]),
        body([TREE.listed(MINE, amount=1.5)]),
        body([TREE.listed(MINE, amount=-1)]),
        body([TREE.listed(MINE, amount=str(2**256))]),
        body([TREE.listed(MINE, proofs="0x")]),
        body([TREE.listed(MINE, proofs=["0x12"])]),
        body([TREE.listed(MINE, proofs=["0x" + "00" * 32] * 65)]),
        body([TREE.listed(MINE, token=None)]),
    ],
)
def test_merkl__answer_of_another_shape__is_malformed(answer: bytes) -> None:
    with pytest.raises(MalformedResult, match=r"^merkl: https://api\.merkl\.xyz"):
        found(world(answer))


def test_merkl__service_that_is_down__is_an_error_and_not_zero() -> None:
    with pytest.raises(SourceDown):
        found({**world(), URL: Answer(b"", "source_down: 503")})
    with pytest.raises(EmptyResult):
        found(world(b""))


@given(st.lists(st.integers(0, 2**200), min_size=1, max_size=9), st.data())
def test_proof_holds__any_tree__proves_its_own_amounts_and_no_other(amounts: list[int], data: st.DataObject) -> None:
    earned: list[Earned] = [(address(1 + place), TOKEN, amount) for place, amount in enumerate(amounts)]
    tree = RewardTree(earned)
    entry = data.draw(st.sampled_from(earned))
    proof = [bytes.fromhex(sibling[2:]) for sibling in tree.proof(entry)]
    user, token, amount = entry
    assert proof_holds(user, token, amount, proof, tree.root)
    assert not proof_holds(user, token, amount + data.draw(st.integers(1, 2**200)), proof, tree.root)
    assert not proof_holds(user, OTHER, amount, proof, tree.root)
    assert not proof_holds(address(200), token, amount, proof, tree.root)


async def test_merkl__collected__asks_the_chain_and_the_service_in_one_round() -> None:
    block = block_stamp(NOW)
    chain, off_chain = FakeChain(block), FakeOffChain()
    answers = world()
    off_chain.services[URL] = answers.pop(URL)
    for request, answer in answers.items():
        chain.answers[request.target, request.data] = answer  # type: ignore[union-attr]
    readings = await read_all([reader()], [block], AT.now, {"local": chain}, off_chain)
    assert readings.failures == {}
    (holding,) = readings.values["merkl"]
    assert holding.amount == RawAmount(60 * WAD, 18)
    assert len(chain.rounds) == 1
    assert {name for name, _ in readings.asked["merkl"]} == {None, "local"}
    assert readings.answers[None, URL] == off_chain.services[URL]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rewards": []}, "rewards"),
        ({"rewards": [{"asset": "A", "token": TOKEN}, {"asset": "B", "token": TOKEN}]}, "token .* twice"),
        ({"rewards": [{"asset": "A", "token": TOKEN}, {"asset": "A", "token": OTHER}]}, "asset a twice"),
        ({"decimals": [18, 18]}, "2 decimals for 1 rewards"),
        ({"distributor": None}, "distributor"),
        ({"points": True}, "points"),
        ({"base_url": "http://example.org"}, "https"),
    ],
)
def test_configuration__wrong__is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        reader(**changes)
