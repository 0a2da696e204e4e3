"""Processes that come and go, and the money."""

from __future__ import annotations

from dataclasses import replace

import pytest

from navoracle.domain.errors import (
    ConfigurationError,
    LeaseLost,
)
from navoracle.store_port import Severity, TransactionState
from tests.unit.chain.transactions.faults import (
    answering,
    lost_before,
    on,
)
from tests.unit.chain.transactions.mempool import pool_of
from tests.unit.chain.transactions.rig import GWEI, SIGNER, Rig, rig

# ---- processes that come and go


async def test_open__after_a_crash_between_storing_and_sending__sends_the_same_bytes(here: Rig) -> None:
    for node in here.nodes:
        node.fault = on("eth_sendRawTransaction", answering(KeyboardInterrupt()))
    number = await here.add()
    with pytest.raises(KeyboardInterrupt):
        await here.lane.submit(number)
    stored = here.row(number).attempts[0].signed
    for node in here.nodes:
        node.fault = None
    await here.open()
    await here.tick()
    assert [sent.raw for sent in here.waiting()] == [stored.raw]
    assert here.state(number) is TransactionState.SENT


async def test_open__another_keeper_has_the_lane__is_refused_and_writes_nothing(here: Rig) -> None:
    other = Rig(here.store)
    other.lane._owner = "another keeper"
    assert not await other.lane.open()
    with pytest.raises(LeaseLost, match="not ours"):
        await other.lane.tick()
    with pytest.raises(LeaseLost):
        _ = other.lane.lease
    await here.lane.close()
    assert await other.lane.open()


async def test_submit__lease_was_taken_over__signs_nothing(here: Rig) -> None:
    number = await here.add()
    await here.lane.close()
    stale = here.lane
    await here.open()
    stale._desk.held = replace(here.lane.lease, epoch=here.lane.lease.epoch - 1)
    asked = [len(node.asked) for node in here.nodes]
    with pytest.raises(LeaseLost):
        await stale.submit(number)
    assert [len(node.asked) for node in here.nodes] == asked
    with pytest.raises(LeaseLost):
        await stale.tick()
    assert here.row(number).attempts == ()
    assert await stale.open()  # its own owner takes it anew


async def test_tick__no_node_answers__leaves_everything_as_it_is(here: Rig) -> None:
    number = await here.post()
    before = here.row(number)
    for node in here.nodes:
        node.fault = lost_before
    for _ in range(3):
        await here.tick(60)
    assert here.row(number) == before


async def test_tick__one_node_of_two_is_down__still_pushes_but_confirms_nothing(here: Rig) -> None:
    number = await here.post()
    here.nodes[1].fault = lost_before
    await here.tick(48)
    assert len(here.row(number).attempts) == 2
    await here.mine(5)
    assert here.state(number) is TransactionState.SENT
    here.nodes[1].fault = None
    await here.tick(12)
    assert here.state(number) is TransactionState.CONFIRMED


# ---- money


async def test_status__after_spending__says_what_there_is(here: Rig) -> None:
    status = await here.lane.status()
    assert (status.runway, status.next_nonce, status.pending, status.spent_today) == (None, 0, 0, 0)
    await here.post()
    await here.mine(3)
    await here.post()
    status = await here.lane.status()
    paid = 60_000 * 11 * GWEI
    assert (status.next_nonce, status.pending, status.spent_today) == (2, 1, paid)
    assert status.balance == 1_000 * 10**18 - paid
    assert status.runway == status.balance * 6 * 3_600 // paid
    assert (status.chain, status.sender, status.budget_per_day) == ("main", SIGNER.address, None)


async def test_tick__balance_runs_low__is_told_once_for_each_level(here: Rig) -> None:
    paid = 60_000 * 11 * GWEI
    await here.post()
    await here.mine(3)
    for hours, expected in (
        (40, [Severity.WARNING]),
        (30, []),
        (10, [Severity.CRITICAL]),
        (100, []),
        (40, [Severity.WARNING]),
    ):
        here.events.clear()
        here.chain.balances[SIGNER.address.lower()] = paid + paid * hours // 6
        await here.tick(300)
        await here.tick(300)
        assert [event.severity for event in here.told("low_funds")] == expected


def test_lane__pool_of_another_chain__is_refused() -> None:
    with rig() as here, pytest.raises(ConfigurationError, match="chain 1"):
        type(here.lane)(
            pool=pool_of(*here.nodes, clock=here.clock),
            signer=SIGNER,
            store=here.store,
            clock=here.clock,
            chain="main",
            chain_id=2,
            policy=here.policy,
            owner="keeper",
        )
