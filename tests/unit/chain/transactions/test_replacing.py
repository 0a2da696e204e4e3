"""Dearer forms, and forms that only free a nonce."""

from __future__ import annotations

from navoracle.chain.rpc import NodeRefused
from navoracle.domain.units import Timestamp
from navoracle.store_port import Severity, TransactionState, Urgency
from tests.unit.chain.transactions.faults import (
    FaultySigner,
    answering,
    foreign,
    lost_before,
    on,
)
from tests.unit.chain.transactions.mempool import START
from tests.unit.chain.transactions.rig import GWEI, SIGNER, Rig, rig

# ---- replacing


async def test_tick__not_mined__is_replaced_by_both_fields_and_all_hashes_are_kept(here: Rig) -> None:
    number = await here.post()
    here.chain.base_fee = 30 * GWEI
    await here.tick(48)
    first, second = here.row(number).attempts
    assert (second.max_fee, second.max_tip) == (61 * GWEI, 11 * GWEI // 10)
    assert second.signed.nonce == first.signed.nonce
    assert [sent.hash for sent in here.waiting()] == [second.signed.hash]
    await here.mine(3)
    row = here.row(number)
    assert (row.state, row.receipt and row.receipt.hash) == (TransactionState.CONFIRMED, second.signed.hash)
    assert [event.kind for event in here.events] == ["sent", "bumped", "mined", "confirmed"]


async def test_tick__fees_do_not_rise__is_replaced_by_a_tenth_more(here: Rig) -> None:
    number = await here.post()
    await here.tick(48)
    await here.tick(47)
    assert len(here.row(number).attempts) == 2
    await here.tick(1)
    fees = [(each.max_fee, each.max_tip) for each in here.row(number).attempts]
    assert fees == [
        (21 * GWEI, GWEI),
        (23_100_000_000, 1_100_000_000),
        (25_410_000_000, 1_210_000_000),
    ]
    assert [len(node.pool) for node in here.nodes] == [1, 1]


async def test_tick__earlier_form_is_mined__is_adopted(here: Rig) -> None:
    number = await here.post()
    (first,) = here.waiting()
    await here.tick(48)
    assert len(here.row(number).attempts) == 2
    here.chain.mine(3, only=[first])
    await here.tick(12)
    row = here.row(number)
    assert (row.state, row.receipt and row.receipt.hash) == (TransactionState.CONFIRMED, first.hash)


async def test_tick__at_the_ceiling__is_broadcast_again_and_told_once(here: Rig) -> None:
    here.chain.base_fee = 90 * GWEI
    number = await here.post()
    here.chain.base_fee = 4_500 * GWEI
    for _ in range(40):
        await here.tick(48)
    attempts = here.row(number).attempts
    assert max(each.max_fee for each in attempts) == 200 * GWEI
    assert len(here.told("fee_cap")) == 1
    assert here.told("fee_cap")[0].severity is Severity.WARNING
    here.chain.drop()
    await here.tick(48)
    assert [sent.hash for sent in here.waiting()] == [attempts[-1].signed.hash]
    here.chain.base_fee = 100 * GWEI
    await here.mine(3)
    assert here.state(number) is TransactionState.CONFIRMED


async def test_tick__emergency__may_go_above_the_routine_ceiling(here: Rig) -> None:
    number = await here.post(urgency=Urgency.EMERGENCY)
    here.chain.base_fee = 300 * GWEI
    await here.tick(48)
    assert here.row(number).attempts[-1].max_fee == 500 * GWEI


async def test_tick__emergency_behind_a_routine_one__raises_that_one_too(here: Rig) -> None:
    routine = await here.post()
    here.chain.base_fee = 300 * GWEI
    urgent = await here.post(urgency=Urgency.EMERGENCY)
    await here.tick(48)
    await here.mine(3)
    assert here.state(routine) is TransactionState.CONFIRMED
    assert here.state(urgent) is TransactionState.CONFIRMED


async def test_tick__several_wait__only_the_first_is_replaced_while_the_others_could_be_mined(here: Rig) -> None:
    numbers = [await here.post() for _ in range(3)]
    await here.tick(48)
    assert [len(here.row(number).attempts) for number in numbers] == [2, 1, 1]
    here.chain.base_fee = 25 * GWEI
    await here.tick(48)
    assert [len(here.row(number).attempts) for number in numbers] == [3, 2, 2]


async def test_tick__no_price_to_be_had__the_old_form_is_broadcast_again(here: Rig) -> None:
    number = await here.post()
    here.chain.drop()
    for node in here.nodes:
        node.fault = on("eth_maxPriorityFeePerGas", lost_before)
    await here.tick(48)
    assert len(here.row(number).attempts) == 1
    assert [sent.hash for sent in here.waiting()] == [here.row(number).attempts[0].signed.hash]
    assert len(here.told("send_failed")) == 1


async def test_tick__budget_does_not_cover_the_dearer_form__the_old_one_is_broadcast_again(here: Rig) -> None:
    await here.with_policy(routine_budget=72_000 * 21 * GWEI)
    number = await here.post()
    here.chain.drop()
    await here.tick(48)
    await here.tick(48)
    assert len(here.row(number).attempts) == 1
    assert len(here.waiting()) == 1
    assert len(here.told("fee_budget")) == 1


async def test_tick__node_calls_the_replacement_underpriced__is_raised_again_within_bounds(here: Rig) -> None:
    number = await here.post()
    underpriced = answering(NodeRefused("node", "send", -32000, "replacement transaction underpriced"))
    for node in here.nodes:
        node.fault = on("eth_sendRawTransaction", underpriced)
    await here.tick(48)
    for _ in range(20):
        await here.tick(1)
    # One at the ordinary pace, and no more than five at once after it.
    assert len(here.row(number).attempts) == 7
    for node in here.nodes:
        node.fault = None
    await here.tick(48)
    await here.mine(3)
    assert here.state(number) is TransactionState.CONFIRMED


async def test_submit__foreign_transaction_waits_with_the_nonce__is_outbid(here: Rig) -> None:
    await foreign(here, nonce=0, fee=40 * GWEI, tip=2 * GWEI)
    number = await here.post()
    assert "underpriced" in str(here.row(number).attempts[0].error)
    for _ in range(20):
        await here.tick(30)
    await here.mine(3)
    assert here.state(number) is TransactionState.CONFIRMED


# ---- expiry


async def test_tick__expired__its_nonce_is_freed_by_a_form_that_does_nothing(here: Rig) -> None:
    number = await here.post(valid_until=Timestamp(START + 40))
    here.chain.base_fee = 30 * GWEI
    await here.tick(41)
    first, second = here.row(number).attempts
    assert (second.noop, second.gas, second.signed.to) == (True, 21_000, SIGNER.address)
    assert second.max_fee >= first.max_fee * 11 // 10
    assert here.told("expired")[0].severity is Severity.WARNING
    await here.mine(3)
    row = here.row(number)
    assert (row.state, row.receipt and row.receipt.hash) == (TransactionState.REPLACED, second.signed.hash)
    assert "expired" in str(row.error)
    assert here.row(await here.post()).nonce == 1


async def test_tick__expired_and_mined_all_the_same__is_confirmed(here: Rig) -> None:
    number = await here.post(valid_until=Timestamp(START + 40))
    (post,) = here.waiting()
    await here.tick(41)
    here.chain.mine(3, only=[post])
    await here.tick(12)
    assert here.state(number) is TransactionState.CONFIRMED


async def test_tick__expired_form_is_stuck__is_replaced_likewise(here: Rig) -> None:
    number = await here.post(valid_until=Timestamp(START + 40))
    here.chain.base_fee = 450 * GWEI
    for _ in range(4):
        await here.tick(48)
    attempts = here.row(number).attempts
    assert [each.noop for each in attempts] == [False] + [True] * (len(attempts) - 1)
    await here.mine(3)
    assert here.state(number) is TransactionState.REPLACED


async def test_tick__expired_and_no_room_to_outbid__only_what_frees_the_nonce_is_broadcast_again(here: Rig) -> None:
    number = await here.post(valid_until=Timestamp(START + 40), urgency=Urgency.EMERGENCY)
    here.chain.base_fee = 400 * GWEI
    await here.with_policy(emergency_max_fee=22 * GWEI, routine_max_fee=22 * GWEI)
    here.chain.drop()
    await here.tick(41)
    await here.tick(60)
    (waiting,) = here.waiting()
    assert (waiting.data, waiting.fee) == (b"", 22 * GWEI)
    assert [each.noop for each in here.row(number).attempts] == [False, True]
    assert here.told("fee_cap")
    here.chain.base_fee = 10 * GWEI
    await here.mine(3)
    assert here.state(number) is TransactionState.REPLACED


async def test_tick__expired_and_nothing_can_be_signed__the_post_is_not_broadcast_again() -> None:
    signer = FaultySigner("")
    with rig(signer=signer) as here:
        await here.open()
        number = await here.post(valid_until=Timestamp(START + 40))
        here.chain.drop()
        signer.fault = "down"
        await here.tick(60)
        await here.tick(60)
        assert here.waiting() == []
        signer.fault = ""
        await here.tick(1)
        assert [each.noop for each in here.row(number).attempts] == [False, True]


async def test_tick__never_signed_and_expired__ends_failed(here: Rig) -> None:
    number = await here.add(valid_until=Timestamp(START + 40))
    await here.tick(40)
    assert here.state(number) is TransactionState.PREPARED
    await here.tick(1)
    assert here.state(number) is TransactionState.FAILED
