"""Receipts, reorganizations, and nonces that others use."""

from __future__ import annotations

from typing import Any

import pytest

from navoracle.domain.errors import (
    ChainError,
)
from navoracle.domain.gas_fees import Fees
from navoracle.store_port import Severity, TransactionKind, TransactionState
from tests.unit.chain.transactions.faults import (
    PAUSED,
    answering,
    foreign,
    lost_before,
    on,
)
from tests.unit.chain.transactions.mempool import Request
from tests.unit.chain.transactions.rig import GWEI, Rig

# ---- receipts


async def test_tick__receipts_are_withheld__waits_and_signs_nothing(here: Rig) -> None:
    number = await here.post()
    here.chain.mine(5)
    here.nodes[0].fault = on("eth_getTransactionReceipt", answering(None))
    await here.tick(12)
    assert here.state(number) is TransactionState.CONFIRMED  # the other node has it

    second = await here.post()
    here.chain.mine(5)
    here.nodes[1].fault = here.nodes[0].fault
    for _ in range(2):
        await here.tick(12)
    assert here.state(second) is TransactionState.SENT
    assert len(here.row(second).attempts) == 1
    here.nodes[1].fault = None
    await here.tick(12)
    assert here.state(second) is TransactionState.CONFIRMED


@pytest.mark.parametrize(
    "change",
    [
        {"blockNumber": "many"},
        {"blockHash": "0x12"},
        {"transactionHash": "0x" + "11" * 32},
        {"status": "0x2"},
        {"blockHash": "0x" + "33" * 32},
    ],
)
async def test_tick__malformed_or_invented_receipt__is_that_nodes_error(here: Rig, change: dict[str, str]) -> None:
    def lie(sound: Request, method: str, params: Any) -> Any:
        found = sound(method, params)
        return None if found is None else {**found, **change}

    number = await here.post()
    for node in here.nodes:
        node.fault = on("eth_getTransactionReceipt", lie)
    await here.mine(5)
    for _ in range(5):
        await here.tick(60)
    assert here.state(number) is TransactionState.SENT
    assert len(here.row(number).attempts) == 1
    here.nodes[0].fault = None
    await here.tick(12)
    assert here.state(number) is TransactionState.CONFIRMED


async def test_tick__nodes_disagree_on_the_outcome__waits(here: Rig) -> None:
    def reverted(sound: Request, method: str, params: Any) -> Any:
        found = sound(method, params)
        return None if found is None else {**found, "status": "0x0"}

    number = await here.post()
    here.nodes[0].fault = on("eth_getTransactionReceipt", reverted)
    await here.mine(5)
    assert here.state(number) is TransactionState.SENT
    here.nodes.append(here.chain.node("node2"))
    await here.open()
    await here.tick()
    assert here.state(number) is TransactionState.CONFIRMED


async def test_tick__reverted_in_its_block__ends_failed_with_the_reason(here: Rig) -> None:
    number = await here.post(b"post")
    here.chain.reverts[b"post"] = PAUSED
    await here.mine(3)
    row = here.row(number)
    assert row.state is TransactionState.FAILED
    assert "Paused()" in str(row.error)
    assert row.fee_paid is not None
    assert here.told("failed")[0].advice


# ---- nonces that others use


async def test_tick__another_transaction_used_the_nonce__ends_replaced_after_enough_looks(here: Rig) -> None:
    number = await here.post()
    here.chain.drop()
    await foreign(here, nonce=0, mine=True)
    here.chain.mine(3)
    await here.tick(12)
    await here.tick(30)
    assert here.state(number) is TransactionState.SENT
    assert len(here.row(number).attempts) == 1
    await here.tick(30)
    assert here.state(number) is TransactionState.REPLACED
    (event,) = here.told("key_used_elsewhere")
    assert (event.severity, event.transaction) == (Severity.CRITICAL, number)
    assert here.row(await here.post()).nonce == 1


async def test_tick__ours_is_in_a_block_and_no_node_has_its_receipt__waits_for_the_receipt(here: Rig) -> None:
    number = await here.post()
    here.chain.mine(3)
    for node in here.nodes:
        node.fault = on("eth_getTransactionReceipt", answering(None))
    for _ in range(6):
        await here.tick(60)
    assert here.state(number) is TransactionState.SENT
    assert here.told("key_used_elsewhere") == []
    for node in here.nodes:
        node.fault = None
    await here.tick(12)
    assert here.state(number) is TransactionState.CONFIRMED


async def test_tick__foreign_use_is_not_deep_yet__waits(here: Rig) -> None:
    number = await here.post()
    here.chain.drop()
    await foreign(here, nonce=0, mine=True)
    for _ in range(5):
        await here.tick(60)
    assert here.state(number) is TransactionState.SENT
    await here.mine(2)
    await here.tick(12)
    assert here.state(number) is TransactionState.REPLACED


async def test_tick__too_few_nodes_answer_about_receipts__decides_nothing(here: Rig) -> None:
    number = await here.post()
    here.chain.drop()
    await foreign(here, nonce=0, mine=True)
    here.chain.mine(3)
    here.nodes[0].fault = on("eth_getTransactionReceipt", lost_before)
    for _ in range(5):
        await here.tick(60)
    assert here.state(number) is TransactionState.SENT


async def test_submit__nonce_used_by_others_before__is_skipped(here: Rig) -> None:
    await foreign(here, nonce=0, mine=True)
    assert here.row(await here.post()).nonce == 1


async def test_submit__one_node_lags_with_the_count__our_own_record_counts(here: Rig) -> None:
    for _ in range(3):
        await here.post()
    await here.mine(3)
    for node in here.nodes:
        node.fault = on("eth_getTransactionCount", answering("0x1"))
    assert here.row(await here.post()).nonce == 3


async def test_submit__one_node_of_three_invents_a_count__is_not_believed(here: Rig) -> None:
    here.nodes.append(here.chain.node("node2"))
    await here.open()
    here.nodes[0].fault = on("eth_getTransactionCount", answering("0x64"))
    assert here.row(await here.post()).nonce == 0


# ---- reorganizations


async def test_tick__reorganization__is_sent_again_and_confirmed_in_the_end(here: Rig) -> None:
    number = await here.post()
    await here.mine()
    assert here.state(number) is TransactionState.MINED
    here.chain.reorganize(1, keep=False)
    here.chain.mine()
    here.chain.drop()
    await here.tick(12)
    row = here.row(number)
    assert (row.state, row.receipt, len(row.attempts)) == (TransactionState.SENT, None, 1)
    assert [sent.hash for sent in here.waiting()] == [row.attempts[0].signed.hash]
    await here.mine(3)
    assert here.state(number) is TransactionState.CONFIRMED
    assert here.told("reorganized")[0].severity is Severity.WARNING


async def test_tick__reorganization_to_a_shorter_chain__is_seen(here: Rig) -> None:
    number = await here.post()
    await here.mine()
    here.chain.reorganize(1, keep=False)
    await here.tick(1)
    assert here.state(number) is TransactionState.SENT


async def test_tick__reorganization_moves_it_to_another_block__is_followed(here: Rig) -> None:
    number = await here.post()
    await here.mine()
    here.chain.reorganize(1)
    here.chain.mine(4)
    await here.tick(12)
    row = here.row(number)
    assert row.state is TransactionState.CONFIRMED
    assert row.receipt is not None
    assert row.receipt.block_hash == here.chain.blocks[1].hash
    assert [event.kind for event in here.events] == ["sent", "mined", "reorganized", "mined", "confirmed"]


async def test_tick__reorganization_long_after_it_was_signed__the_same_bytes_get_their_time(here: Rig) -> None:
    await here.with_policy(post_confirmations=50)
    number = await here.post()
    await here.mine()
    await here.tick(500)
    here.chain.reorganize(1, keep=False)
    here.chain.mine()
    await here.tick(12)
    await here.tick(40)
    assert len(here.row(number).attempts) == 1
    await here.tick(8)
    assert len(here.row(number).attempts) == 2


async def test_tick__reorganization_after_which_an_earlier_form_wins__is_adopted(here: Rig) -> None:
    number = await here.post()
    (first,) = here.waiting()
    await here.tick(48)
    await here.mine()
    here.chain.reorganize(1, keep=False)
    here.chain.mine(3, only=[first])
    await here.tick(12)
    row = here.row(number)
    assert (row.state, row.receipt and row.receipt.hash) == (TransactionState.CONFIRMED, first.hash)


async def test_tick__what_was_final_is_taken_back__stops_and_says_so(here: Rig) -> None:
    number = await here.post()
    await here.mine(3)
    assert here.state(number) is TransactionState.CONFIRMED
    here.chain.reorganize(3, keep=False)
    here.chain.mine(4)
    await here.tick(12)
    await here.tick(12)
    (event,) = here.told("deep_reorganization")
    assert event.severity is Severity.CRITICAL
    with pytest.raises(ChainError, match="final"):
        await here.post()
    # It was broadcast again: once it is back, so is the lane.
    await here.mine(3)
    await here.tick(12)
    assert here.row(await here.post()).nonce == 1
    assert len(here.chain.mined()) == 1


async def test_tick__what_was_final_can_not_come_back__its_nonce_is_freed_and_the_lane_goes_on(here: Rig) -> None:
    await here.post()
    await here.mine(3)
    here.chain.reorganize(3, keep=False)
    here.chain.base_fee = 50 * GWEI  # more than it offers
    here.chain.mine(4)
    for _ in range(4):
        await here.tick(30)
    (noop,) = (row for row in here.store.transactions("main") if row.intent.kind is TransactionKind.NOOP)
    assert noop.attempts[0].max_fee >= 21 * GWEI * 11 // 10
    await here.mine(3)
    await here.tick(12)
    assert here.row(await here.post()).nonce == 1
    assert len(here.told("deep_reorganization")) == 1


async def test_tick__nonce_of_what_was_final_is_used_by_another__is_told_and_the_lane_goes_on(here: Rig) -> None:
    await here.post()
    await here.mine(3)
    here.chain.reorganize(3, keep=False)
    await foreign(here, nonce=0, mine=True)
    here.chain.mine(4)
    for _ in range(3):
        await here.tick(12)
    assert len(here.told("deep_reorganization")) == 1
    assert here.row(await here.post()).nonce == 1


async def test_submit__given_up_with_a_nonce_far_above__that_nonce_counts_for_nothing(here: Rig) -> None:
    number = await here.add()
    attempt, _ = await here.lane._desk.sign(here.row(number), 3, 100_000, Fees(GWEI, GWEI), noop=False)
    here.store.save_attempt(here.lane.lease, number, attempt)
    here.store.end_transaction(here.lane.lease, number, TransactionState.FAILED, here.clock.now(), "given up")
    numbers = [await here.post() for _ in range(5)]
    assert [here.row(each).nonce for each in numbers] == [0, 1, 2, 3, 4]
    await here.mine(3)
    assert {here.state(each) for each in numbers} == {TransactionState.CONFIRMED}


async def test_tick__node_fails_to_answer__confirmed_stays_what_it_is(here: Rig) -> None:
    await here.post()
    await here.mine(3)
    for node in here.nodes:
        node.fault = on("eth_getBlockByNumber", answering(None))
    for _ in range(3):
        await here.tick(12)
    assert not here.told("deep_reorganization")
