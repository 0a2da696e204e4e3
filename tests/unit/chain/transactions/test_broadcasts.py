"""The way of a sound transaction, and broadcasts that go wrong."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from navoracle.chain.rpc import NodeRefused
from navoracle.domain.units import Timestamp
from navoracle.store_port import TransactionState
from tests.unit.chain.transactions.faults import (
    answering,
    foreign,
    lost_after,
    lost_before,
    on,
)
from tests.unit.chain.transactions.mempool import START, Fault, Request
from tests.unit.chain.transactions.rig import GWEI, SIGNER, Rig

# ---- the ordinary way


async def test_submit__sound_nodes__is_stored_then_broadcast_once(here: Rig) -> None:
    number = await here.post(b"\x01\x02\x03")
    row = here.row(number)
    assert (row.state, row.nonce, len(row.attempts)) == (TransactionState.SENT, 0, 1)
    (attempt,) = row.attempts
    assert [len(node.received) for node in here.nodes] == [1, 0]
    (sent,) = here.waiting()
    assert (sent.hash, sent.raw, sent.data, sent.sender) == (
        attempt.signed.hash,
        attempt.signed.raw,
        b"\x01\x02\x03",
        SIGNER.address,
    )
    assert (attempt.gas, attempt.max_fee, attempt.max_tip) == (72_000, 21 * GWEI, GWEI)
    assert attempt.sent_at == START
    assert [event.kind for event in here.events] == ["sent"]


async def test_tick__mined_and_deep_enough__ends_confirmed(here: Rig) -> None:
    number = await here.post()
    await here.tick()
    assert here.state(number) is TransactionState.SENT
    await here.mine()
    assert here.state(number) is TransactionState.MINED
    assert here.row(number).fee_paid == 60_000 * 11 * GWEI
    await here.mine()
    assert here.state(number) is TransactionState.MINED
    await here.mine()
    row = here.row(number)
    assert (row.state, row.error) == (TransactionState.CONFIRMED, None)
    assert row.receipt is not None
    assert row.receipt.block_number == 1
    assert [event.kind for event in here.events] == ["sent", "mined", "confirmed"]
    assert here.store.open_transactions("main", SIGNER.address) == ()


async def test_submit__several__take_nonces_one_after_the_other(here: Rig) -> None:
    numbers = [await here.add() for _ in range(5)]
    await asyncio.gather(*(here.lane.submit(number) for number in numbers))
    assert sorted(here.row(number).nonce or 0 for number in numbers) == [0, 1, 2, 3, 4]
    await here.mine(3)
    await here.tick()
    assert {here.state(number) for number in numbers} == {TransactionState.CONFIRMED}


async def test_submit__again__changes_nothing(here: Rig) -> None:
    number = await here.post()
    await here.lane.submit(number)
    assert len(here.row(number).attempts) == 1
    await here.mine(3)
    await here.lane.submit(number)
    assert [len(node.received) for node in here.nodes] == [1, 0]


async def test_add__same_key__is_the_same_transaction(here: Rig) -> None:
    assert await here.add(key="fund:1") == await here.add(key="fund:1")


@pytest.mark.parametrize("step", ["first", "dearer", "freeing", "gap"])
async def test_broadcast__any_form__is_stored_before_a_node_sees_it(here: Rig, step: str) -> None:
    seen: list[bool] = []

    def look(sound: Request, method: str, params: Any) -> Any:
        rows = here.store.transactions("main")
        seen.append(params[0] in {attempt.signed.raw for row in rows for attempt in row.attempts})
        return sound(method, params)

    if step == "gap":
        await foreign(here, nonce=0, mine=True)
    if step != "first":
        await here.post(valid_until=Timestamp(START + 40) if step == "freeing" else None)
    if step == "gap":
        here.chain.reorganize(1, keep=False)
        await here.tick()
    for node in here.nodes:
        node.fault = on("eth_sendRawTransaction", look)
    forms = sum(len(row.attempts) for row in here.store.transactions("main"))
    if step == "first":
        await here.post()
    else:
        await here.tick(20 if step == "gap" else 48)
    assert sum(len(row.attempts) for row in here.store.transactions("main")) == forms + 1
    assert seen
    assert all(seen)


# ---- broadcasts that go wrong


@pytest.mark.parametrize("fault", [lost_after, lost_before])
async def test_submit__answer_or_request_lost__is_the_same_transaction_later(here: Rig, fault: Fault) -> None:
    here.nodes[0].fault = on("eth_sendRawTransaction", fault)
    number = await here.post()
    row = here.row(number)
    assert (row.state, len(row.attempts), row.nonce) == (TransactionState.PREPARED, 1, 0)
    assert "closed" in str(row.attempts[0].error)
    here.nodes[0].fault = None
    await here.tick(30)
    assert len(here.row(number).attempts) == 1
    assert here.state(number) is TransactionState.SENT
    assert {sent.hash for node in here.nodes for sent in node.pool.values()} == {row.attempts[0].signed.hash}
    await here.mine(3)
    assert here.state(number) is TransactionState.CONFIRMED
    assert len(here.chain.mined()) == 1


@pytest.mark.parametrize(
    "words", ["already known", "transaction already imported", "Known transaction", "AlreadyKnown"]
)
async def test_submit__node_has_it_already__counts_as_sent(here: Rig, words: str) -> None:
    here.nodes[0].fault = on("eth_sendRawTransaction", answering(NodeRefused("node", "send", -32000, words)))
    number = await here.post()
    assert here.state(number) is TransactionState.SENT
    assert here.row(number).attempts[0].error is None


async def test_submit__node_answers_another_hash__is_looked_up_and_not_signed_anew(here: Rig) -> None:
    here.nodes[0].fault = on("eth_sendRawTransaction", answering("0x" + "22" * 32))
    number = await here.post()
    assert "instead of the hash" in str(here.row(number).attempts[0].error)
    here.nodes[0].fault = None
    await here.tick(30)
    await here.mine(3)
    assert here.state(number) is TransactionState.CONFIRMED
    assert len(here.row(number).attempts) == 1


async def test_submit__first_node_is_left_alone_just_now__another_one_gets_it(here: Rig) -> None:
    await here.tick()
    number = await here.add()
    here.lane._desk.nodes._pool._nodes[0]._back_off.failed(START, at_least=30)
    await here.lane.submit(number)
    assert [len(each.received) for each in here.nodes] == [0, 1]


async def test_tick__mempools_dropped_it__is_broadcast_again_and_again(here: Rig) -> None:
    number = await here.post()
    here.chain.drop()
    await here.tick(29)
    assert here.waiting() == []
    await here.tick(1)
    assert [len(here.waiting(index)) for index in (0, 1)] == [1, 1]
    assert len(here.row(number).attempts) == 1
    assert [event.kind for event in here.events] == ["sent", "republished"]


async def test_tick__insufficient_funds_at_the_node__keeps_watching_and_resumes(here: Rig) -> None:
    refusal = answering(NodeRefused("node", "send", -32003, "Insufficient funds for gas * price + value"))
    for node in here.nodes:
        node.fault = on("eth_sendRawTransaction", refusal)
    number = await here.post()
    for _ in range(5):
        await here.tick(60)
    assert len(here.row(number).attempts) == 1  # a dearer form would be refused all the more
    assert len(here.told("no_funds")) == 1
    for node in here.nodes:
        node.fault = None
    await here.tick(60)
    assert here.state(number) is TransactionState.SENT
    await here.mine(3)
    assert here.state(number) is TransactionState.CONFIRMED
