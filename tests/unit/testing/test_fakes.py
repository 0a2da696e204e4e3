"""The fakes keep the ports' promises, and drive a reader as the collector does."""

from __future__ import annotations

from typing import Any

import pytest

from navoracle.domain.errors import CallReverted, EmptyResult, ReadError
from navoracle.ports import (
    Answer,
    Call,
    ChainReader,
    Clock,
    Document,
    NativeBalance,
    OffChainReader,
    Read,
    RecordedRow,
    Request,
)
from navoracle.testing import FakeChain, FakeOffChain, FixedClock, block_stamp, drive, read_point
from tests.unit.addresses import address

TARGET, HOLDER = address(1), address(2)
ONE = (1).to_bytes(32, "big")
CALL = Call(TARGET, bytes.fromhex("18160ddd"))
STAMP = block_stamp(100)


def chain() -> FakeChain:
    fake = FakeChain(STAMP)
    fake.put(TARGET, "totalSupply()", (), ("uint256",), 1)
    fake.balances[HOLDER] = 1
    return fake


async def test_fake_chain__requests__are_answered_in_order_and_kept() -> None:
    fake = chain()
    reader: ChainReader = fake
    requests = (NativeBalance(HOLDER), CALL, NativeBalance(TARGET), Call(HOLDER, b""))
    empty = Answer(b"", "empty_result")
    assert await reader.read(requests, STAMP) == (Answer(ONE), Answer(ONE), empty, empty)
    assert fake.rounds == [requests]
    assert await reader.stamp() == STAMP
    assert await reader.is_canonical(STAMP)
    assert not await reader.is_canonical(block_stamp(100, number=2))
    assert fake.good_answers() == {CALL: ONE, NativeBalance(HOLDER): ONE}


async def test_fake_chain__call__answers_or_raises() -> None:
    fake = chain()
    assert await fake.call(CALL.target, CALL.data) == ONE
    fake.revert(TARGET, "totalSupply()", data=b"\x01")
    with pytest.raises(CallReverted, match="0x01"):
        await fake.call(CALL.target, CALL.data)
    with pytest.raises(EmptyResult):
        await fake.call(HOLDER, b"")


async def test_fake_off_chain__requests__are_answered_in_order() -> None:
    fake = FakeOffChain()
    fake.rows["usdc"] = (7, "0.99")
    fake.documents["a"] = b"bytes"
    reader: OffChainReader = fake
    found = await reader.read((Document("a"), RecordedRow("usdc"), Document("b")), STAMP.timestamp)
    assert found == (Answer(b"bytes"), Answer(b'{"time":7,"price":"0.99"}'), Answer(b"", "empty_result"))


async def test_fixed_clock__stands_until_it_is_set_or_waits() -> None:
    fixed = FixedClock(5)
    clock: Clock = fixed
    assert clock.now() == 5
    fixed.set(6)
    assert clock.now() == 6
    await clock.sleep(10)
    await clock.sleep(0.1)
    assert clock.now() == 17


def test_block_stamp__next_number__has_the_last_ones_hash_as_parent() -> None:
    assert block_stamp(1, number=2).parent_hash == block_stamp(0, number=1).hash
    assert block_stamp(1) == block_stamp(1)
    assert read_point(9).now == 9
    assert read_point(9, chain=None).block is None


def test_drive__reader__gets_answers_until_it_returns() -> None:
    def reader() -> Read[list[bytes]]:
        first = yield (CALL, NativeBalance(HOLDER))
        second = yield (CALL,)
        return [*first, *second]

    assert drive(reader(), chain().answer) == [ONE] * 3


@pytest.mark.parametrize(
    ("failure", "error"), [("empty_result", EmptyResult), ("call_reverted", CallReverted), ("no node", ReadError)]
)
def test_drive__failed_answer__is_raised_inside_and_can_be_caught(failure: str, error: type[ReadError]) -> None:
    def stubborn() -> Read[str]:
        try:
            yield (CALL,)
        except ReadError as caught:
            (again,) = yield (NativeBalance(HOLDER),)
            return f"{type(caught).__name__} {again.hex()[-1]}"
        return "no error"

    def fragile() -> Read[Any]:
        return (yield (CALL,))

    answers: dict[Request, Answer] = {CALL: Answer(b"", failure), NativeBalance(HOLDER): Answer(ONE)}
    assert drive(stubborn(), answers) == f"{error.__name__} 1"
    with pytest.raises(error):
        drive(fragile(), answers)
