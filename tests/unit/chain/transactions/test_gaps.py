"""Nonces that nothing uses."""

from __future__ import annotations

import asyncio
from typing import Any

from navoracle.store_port import Severity, TransactionKind, TransactionState, Urgency
from tests.unit.chain.transactions.faults import (
    FaultySigner,
    answering,
    foreign,
    on,
)
from tests.unit.chain.transactions.mempool import Request
from tests.unit.chain.transactions.rig import GWEI, SIGNER, Rig, rig


async def test_tick__nonce_that_nothing_uses__is_filled(here: Rig) -> None:
    await foreign(here, nonce=0, mine=True)
    number = await here.post()
    here.chain.reorganize(1, keep=False)  # the foreign transaction is gone for good
    await here.tick()
    await here.tick(10)
    (event,) = here.told("gap_filled")
    await here.mine(3)
    await here.tick()
    assert here.state(number) is TransactionState.CONFIRMED
    noop = here.store.transactions("main")[0]
    assert (noop.intent.kind, noop.intent.to, noop.intent.data) == (TransactionKind.NOOP, SIGNER.address, b"")
    assert noop.intent.key == f"gap:main:{SIGNER.address}:0"
    assert (noop.state, noop.nonce, event.transaction) == (TransactionState.CONFIRMED, 0, noop.id)


async def test_tick__signer_fails_while_a_gap_is_filled__is_told_and_filled_later() -> None:
    signer = FaultySigner("")
    with rig(signer=signer) as here:
        await here.open()
        await foreign(here, nonce=0, mine=True)
        number = await here.post()
        here.chain.reorganize(1, keep=False)
        signer.fault = "other key"
        for _ in range(4):
            await here.tick(10)
        (event,) = here.told("wrong_signature")
        assert (event.severity, bool(event.advice)) == (Severity.CRITICAL, True)
        assert not here.told("gap_filled")
        signer.fault = ""
        await here.tick(10)
        await here.mine(3)
        await here.tick()
        assert here.state(number) is TransactionState.CONFIRMED
        assert here.store.open_transactions("main", SIGNER.address) == ()


async def test_tick__filler_that_was_never_signed__ends_when_the_gap_is_gone() -> None:
    signer = FaultySigner("")
    with rig(signer=signer) as here:
        await here.open()
        await foreign(here, nonce=0, mine=True)
        number = await here.post()
        here.chain.reorganize(1, keep=False)
        signer.fault = "down"
        for _ in range(3):
            await here.tick(10)
        signer.fault = ""
        await foreign(here, nonce=0, mine=True)
        await here.mine(3)
        await here.tick()
        assert here.state(number) is TransactionState.CONFIRMED
        assert here.store.open_transactions("main", SIGNER.address) == ()
        assert len(here.chain.mined()) == 2


async def test_submit__node_is_slow_to_take_a_broadcast__the_next_one_is_not_held_up(here: Rig) -> None:
    gate, entered = asyncio.Event(), asyncio.Event()

    async def slow(sound: Request, method: str, params: Any) -> Any:
        entered.set()
        await gate.wait()
        return sound(method, params)

    here.nodes[0].fault = on("eth_sendRawTransaction", slow)
    first, second = await here.add(), await here.add(urgency=Urgency.EMERGENCY)
    waiting = asyncio.create_task(here.lane.submit(first))
    await entered.wait()
    here.nodes[0].fault = None
    async with asyncio.timeout(20):
        await here.lane.submit(second)
    assert [sent.nonce for sent in here.waiting()] == [1]
    gate.set()
    await waiting
    assert [sent.nonce for sent in here.waiting()] == [0, 1]


async def test_tick__gap_is_seen_once__is_not_filled_yet(here: Rig) -> None:
    await foreign(here, nonce=0, mine=True)
    await here.post()
    here.chain.reorganize(1, keep=False)
    await here.tick(60)
    assert not here.told("gap_filled")


async def test_tick__all_nodes_count_too_few_for_long__nothing_is_filled_or_doubled(here: Rig) -> None:
    for _ in range(3):
        await here.post()
    await here.mine(3)
    for node in here.nodes:
        node.fault = on("eth_getTransactionCount", answering("0x1"))
    number = await here.post()
    for _ in range(10):
        await here.tick(60)
    assert here.row(number).nonce == 3
    assert len(here.store.transactions("main")) == 4
    for node in here.nodes:
        node.fault = None
    await here.mine(3)
    assert here.state(number) is TransactionState.CONFIRMED
    assert not here.told("key_used_elsewhere")


async def test_tick__stuck_filler__is_replaced_like_any_other(here: Rig) -> None:
    await foreign(here, nonce=0, mine=True)
    number = await here.post()
    here.chain.reorganize(1, keep=False)
    await here.tick()
    await here.tick(10)
    here.chain.base_fee = 50 * GWEI
    await here.tick(48)
    await here.tick(48)
    await here.mine(3)
    await here.tick()
    assert here.state(number) is TransactionState.CONFIRMED
