"""A private relay: it has a routine post for itself for a while; its nonce is used once, whoever mines it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, Literal

import pytest

from navoracle.chain.rpc import NoAnswer
from navoracle.chain.transactions import Relay
from navoracle.domain.units import Timestamp
from navoracle.store_port import TransactionState, Urgency
from tests.unit.chain.transactions.mempool import START, Sent
from tests.unit.chain.transactions.rig import GWEI, Rig, rig

Method = Literal["eth_sendRawTransaction", "eth_sendPrivateTransaction"]


class FakeRelay:
    """Takes everything and shows it to nobody."""

    name = "https://relay.example/***"

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.held: list[Sent] = []
        self.down = False
        self.closed = False

    async def request(self, method: str, params: Sequence[Any]) -> object:
        self.asked.append(method)
        if self.down:
            raise NoAnswer("relay: no answer", advice="Check it.")
        raw = params[0]["tx"] if method == "eth_sendPrivateTransaction" else params[0]
        self.held.append(Sent.read(raw))
        return self.held[-1].hash

    async def close(self) -> None:
        self.closed = True


@pytest.fixture
def relay() -> FakeRelay:
    return FakeRelay()


@pytest.fixture(params=["eth_sendRawTransaction", "eth_sendPrivateTransaction"])
async def here(relay: FakeRelay, request: pytest.FixtureRequest) -> AsyncIterator[Rig]:
    with rig() as made:
        made.relay = Relay(relay, request.param)
        await made.open()
        yield made
        assert made.advice_is_given()


async def test_submit__routine__goes_to_the_relay_alone(here: Rig, relay: FakeRelay) -> None:
    assert here.relay is not None
    number = await here.post()
    assert here.state(number) is TransactionState.SENT
    assert [sent.hash for sent in relay.held] == [here.row(number).attempts[0].signed.hash]
    assert set(relay.asked) == {here.relay.method}
    await here.tick(30)
    await here.tick(20)  # a dearer form, still within the relay's time
    assert [len(node.received) for node in here.nodes] == [0, 0]
    assert {sent.nonce for sent in relay.held} == {0}
    here.chain.mine(3, only=relay.held[-1:])
    await here.tick(1)
    assert here.state(number) is TransactionState.CONFIRMED
    await here.lane.close()
    assert relay.closed


async def test_submit__emergency__goes_public_at_once(here: Rig, relay: FakeRelay) -> None:
    await here.post(urgency=Urgency.EMERGENCY)
    assert not relay.held
    assert len(here.waiting()) == 1


async def test_tick__relay_never_includes_it__falls_to_the_public_with_the_same_nonce_and_more(
    here: Rig, relay: FakeRelay
) -> None:
    number = await here.post()
    await here.tick(59)
    assert here.waiting() == []
    await here.tick(1)
    attempts = here.row(number).attempts
    (public,) = here.waiting()
    assert (public.hash, public.nonce) == (attempts[-1].signed.hash, attempts[0].signed.nonce)
    assert 10 * public.fee >= 11 * attempts[-2].max_fee
    assert public.hash not in {sent.hash for sent in relay.held}
    # Meanwhile its nonce is given to nobody else.
    second = await here.post()
    assert here.row(second).nonce == 1
    here.chain.mine(3, only=[public])
    await here.tick(12)
    assert here.state(number) is TransactionState.CONFIRMED


async def test_tick__relay_mines_the_private_form_after_all__it_is_adopted(here: Rig, relay: FakeRelay) -> None:
    number = await here.post()
    await here.tick(60)
    here.chain.mine(3, only=relay.held[:1])
    await here.tick(12)
    row = here.row(number)
    assert (row.state, row.receipt and row.receipt.hash) == (TransactionState.CONFIRMED, relay.held[0].hash)
    assert len(here.chain.mined()) == 1


async def test_tick__relay_is_down__goes_public_when_its_time_is_over(here: Rig, relay: FakeRelay) -> None:
    relay.down = True
    number = await here.post()
    await here.tick(30)
    assert here.waiting() == []
    await here.tick(30)
    await here.mine(3)
    assert here.state(number) is TransactionState.CONFIRMED


async def test_tick__expired_private_one__is_freed_in_public(here: Rig, relay: FakeRelay) -> None:
    number = await here.post(valid_until=Timestamp(START + 20))
    await here.tick(21)
    (noop,) = here.waiting()
    assert noop.data == b""
    await here.mine(3)
    assert here.state(number) is TransactionState.REPLACED


async def test_tick__no_room_for_a_dearer_form__goes_public_as_it_is(here: Rig, relay: FakeRelay) -> None:
    await here.with_policy(routine_max_fee=22 * GWEI)
    number = await here.post()
    await here.tick(60)
    assert [sent.hash for sent in here.waiting()] == [here.row(number).attempts[0].signed.hash]


async def test_open__after_a_restart__a_private_form_stays_private(here: Rig, relay: FakeRelay) -> None:
    await here.post()
    await here.open()
    await here.tick(31)
    assert here.waiting() == []
    assert len(relay.held) == 2
