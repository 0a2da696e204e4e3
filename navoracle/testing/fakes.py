"""A world that says what it is told to: fakes of the ports, and a driver for one reader."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from navoracle.abi import encode_call
from navoracle.domain.errors import CallReverted, ChainError, EmptyResult, ReadError, SourceDown, Unauthorized
from navoracle.domain.frame import BlockStamp
from navoracle.domain.units import Timestamp
from navoracle.ports import (
    Address,
    Answer,
    Call,
    ChainRequest,
    Document,
    ExchangeCall,
    HttpGet,
    NativeBalance,
    OffChainRequest,
    Read,
    ReadPoint,
    RecordedRow,
    Request,
    Scrutiny,
)

EMPTY = Answer(b"", failure="empty_result")
T = TypeVar("T")

_ADVICE = "Check the address, and that the node has this block."


class FixedClock:
    """A clock that stands until it is set. Implements `ports.Clock`."""

    def __init__(self, time: int) -> None:
        self.time = Timestamp(time)

    def now(self) -> Timestamp:
        """The time it was set to, in Unix seconds."""
        return self.time

    def set(self, time: int) -> None:
        """Set the time."""
        self.time = Timestamp(time)

    async def sleep(self, seconds: float) -> None:
        """Move on by these whole seconds, at least one, without waiting."""
        self.time = Timestamp(self.time + max(1, int(seconds)))


def block_stamp(time: int, *, chain: str = "local", chain_id: int = 1, number: int = 1) -> BlockStamp:
    """A block of the given time (Unix seconds); equal arguments give an equal block."""

    def digest(height: int) -> str:
        return "0x" + keccak(f"{chain}/{chain_id}/{height}".encode()).hex()

    return BlockStamp(chain, chain_id, number, digest(number), digest(number - 1), Timestamp(time))


def read_point(time: int, *, chain: str | None = "local") -> ReadPoint:
    """A point on the named chain at the given time (Unix seconds); off chain for None."""
    return ReadPoint(Timestamp(time), None if chain is None else block_stamp(time, chain=chain))


class FakeChain:
    """A chain made of answers. Implements `ports.ChainReader`; what it was not told is empty, as without a contract."""

    def __init__(self, stamp: BlockStamp) -> None:
        self.block = stamp
        self.answers: dict[tuple[Address, bytes], Answer] = {}
        self.balances: dict[Address, int] = {}
        self.storage: dict[tuple[Address, int], int] = {}
        self.rounds: list[tuple[ChainRequest, ...]] = []
        self.scrutiny: Scrutiny | None = None

    def put(
        self, target: Address, signature: str, arguments: Sequence[Any], types: Sequence[str], *values: Any
    ) -> None:
        """Answer a call with the ABI encoding of the values."""
        self.answers[target, encode_call(signature, *arguments)] = Answer(encode(types, values))

    def revert(self, target: Address, signature: str, *arguments: Any, data: bytes = b"") -> None:
        """Make a call revert with the given data."""
        self.answers[target, encode_call(signature, *arguments)] = Answer(data, failure="call_reverted")

    def answer(self, request: Request) -> Answer:
        """The answer to one request; empty for what is not on a chain."""
        match request:
            case Call(target=target, data=data):
                return self.answers.get((target, data), EMPTY)
            case NativeBalance(account=account):
                balance = self.balances.get(account)
                return EMPTY if balance is None else Answer(balance.to_bytes(32, "big"))
            case _:
                return EMPTY

    def good_answers(self) -> dict[Request, bytes]:
        """Everything it answers without failure, by request; the world of a spec example."""
        answers: dict[Request, bytes] = {
            Call(target, data): answer.data for (target, data), answer in self.answers.items() if answer.failure is None
        }
        answers.update({NativeBalance(account): wei.to_bytes(32, "big") for account, wei in self.balances.items()})
        return answers

    async def stamp(self, number: int | None = None) -> BlockStamp:
        """The block it was made with. Raises ChainError when another one is asked for."""
        if number not in (None, self.block.number):
            raise ChainError(f"there is no block {number}", advice=f"Ask for block {self.block.number}.")
        return self.block

    async def newest(self) -> BlockStamp:
        """The block it was made with."""
        return self.block

    async def is_canonical(self, stamp: BlockStamp) -> bool:
        """Whether that is its block."""
        return stamp == self.block

    async def read(
        self, requests: Sequence[ChainRequest], at: BlockStamp, scrutiny: Scrutiny = Scrutiny.COMPARED
    ) -> tuple[Answer, ...]:
        """Answer in order; every round of requests is kept in `rounds`, and how it was read in `scrutiny`."""
        self.scrutiny = scrutiny
        self.rounds.append(tuple(requests))
        return tuple(self.answer(request) for request in requests)

    async def storage_at(self, contract: Address, slot: int, at: BlockStamp) -> bytes:
        """The word that was put into a slot, zero where none was."""
        return self.storage.get((contract, slot), 0).to_bytes(32, "big")

    async def call(self, to: Address, data: bytes, sender: Address | None = None) -> bytes:
        """Answer one call. Raises CallReverted or EmptyResult."""
        return result_of(self.answer(Call(to, data)))


class FakeOffChain:
    """Rows, documents, HTTP bodies and exchange answers as they were put in. Implements `ports.OffChainReader`."""

    def __init__(self) -> None:
        self.rows: dict[str, tuple[int, str]] = {}
        self.documents: dict[str, bytes] = {}
        self.services: dict[HttpGet | ExchangeCall, Answer] = {}

    def answer(self, request: Request) -> Answer:
        """The answer to one request; empty for what was not put in."""
        match request:
            case RecordedRow(series=series) if series in self.rows:
                time, price = self.rows[series]
                return Answer(json.dumps({"time": time, "price": price}, separators=(",", ":")).encode())
            case Document(path=path) if path in self.documents:
                return Answer(self.documents[path])
            case HttpGet() | ExchangeCall():
                return self.services.get(request, EMPTY)
            case _:
                return EMPTY

    async def read(self, requests: Sequence[OffChainRequest], now: Timestamp) -> tuple[Answer, ...]:
        """Answer in order."""
        return tuple(self.answer(request) for request in requests)


def result_of(answer: Answer) -> bytes:
    """The data of an answer.

    Raises:
        EmptyResult, CallReverted, SourceDown, Unauthorized, ReadError: the answer is a failure; which one follows its
            code.
    """
    if answer.failure is None:
        return answer.data
    if answer.failure == EmptyResult.code:
        raise EmptyResult("empty answer where data was due", advice=_ADVICE)
    if answer.failure == CallReverted.code:
        raise CallReverted(f"the contract reverted with 0x{answer.data.hex()}", advice=_ADVICE, data=answer.data)
    for kind in (SourceDown, Unauthorized):
        if answer.failure.partition(": ")[0] == kind.code:
            raise kind(answer.failure, advice=_ADVICE)
    raise ReadError(answer.failure, advice=_ADVICE)


def drive(read: Read[T], answer: Callable[[Request], Answer] | Mapping[Request, Answer]) -> T:
    """Run one reader to its end and return its value, as the collector would.

    A failed answer is raised inside the reader; what the reader raises comes out. A mapping answers empty for what it
    does not hold.
    """
    find = answer if callable(answer) else lambda request: answer.get(request, EMPTY)
    try:
        requests = next(read)
        while True:
            answers = tuple(find(request) for request in requests)
            failed = next((found for found in answers if found.failure is not None), None)
            requests = read.send(tuple(found.data for found in answers)) if failed is None else _throw(read, failed)
    except StopIteration as end:
        value: T = end.value
        return value


def _throw(read: Read[Any], failed: Answer) -> tuple[Request, ...]:
    try:
        result_of(failed)
    except ReadError as error:
        return read.throw(error)
    return ()
