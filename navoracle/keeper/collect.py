"""Collect: stamp one block per chain, then answer all readers in as few round trips as the deepest one needs."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from navoracle.domain.errors import ChainError
from navoracle.domain.failures import Failure
from navoracle.domain.frame import BlockStamp
from navoracle.domain.units import Timestamp
from navoracle.keeper.plan import FramePlan
from navoracle.keeper.session import Asked, Readings, ReadSession
from navoracle.ports import (
    Answer,
    Call,
    ChainReader,
    Clock,
    NativeBalance,
    OffChainReader,
    Reader,
    ReadPoint,
    Request,
    Scrutiny,
)


@dataclass(frozen=True, slots=True)
class Collected:
    """All readings of a frame, with the blocks and the clock that they belong to."""

    readings: Readings
    stamps: tuple[BlockStamp, ...]
    clock: Timestamp
    now: Timestamp
    chain_failures: tuple[Failure, ...]


async def collect(
    plan: FramePlan,
    chains: Mapping[str, ChainReader],
    off_chain: OffChainReader,
    clock: Clock,
    scrutiny: Scrutiny | None = None,
) -> Collected:
    """Read everything that the plan needs.

    Args:
        scrutiny: how far nodes are believed, where it is only for display; else as `scrutiny_of` the plan.

    The valuation time is the home chain's block time, or the clock's reading where the plan has no home chain.

    Raises:
        ChainError: the home chain cannot be stamped; another chain's failure only fails its own readers.
    """
    readers = readers_of(plan)
    names = chains_of(plan)
    reading = clock.now()
    stamped = await asyncio.gather(*(_stamp(name, chains) for name in names))
    stamps = tuple(stamp for stamp in stamped if isinstance(stamp, BlockStamp))
    failures = tuple(failure for failure in stamped if isinstance(failure, Failure))
    now = _valuation_time(plan, stamps, failures, reading)
    readings = behind_gates(
        plan, await read_all(readers, stamps, now, chains, off_chain, scrutiny or scrutiny_of(plan))
    )
    return Collected(readings, stamps, reading, now, failures)


async def read_all(
    readers: Iterable[Reader[Any]],
    stamps: Sequence[BlockStamp],
    now: Timestamp,
    chains: Mapping[str, ChainReader],
    off_chain: OffChainReader,
    scrutiny: Scrutiny = Scrutiny.COMPARED,
) -> Readings:
    """Drive the readers in lockstep against the world at those blocks."""
    with _uncollected():
        session = ReadSession(readers, read_points(stamps, now))
        requests = session.pending()
    while requests:
        answers = await _fetch(requests, chains, off_chain, stamps, now, scrutiny)
        with _uncollected():
            session.supply(answers)
            requests = session.pending()
    return session.readings()


@contextmanager
def _uncollected() -> Iterator[None]:
    """No garbage collection meanwhile: a frame's readers make nothing but what lives until its end, and looking for
    garbage among tens of thousands of such objects, over and over, takes as long as making them. Not across an `await`.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def behind_gates(plan: FramePlan, readings: Readings) -> Readings:
    """Take back what was read on a chain whose gate failed: every reader of it fails as the gate did."""
    closed = {gate.chain: failure for gate in plan.gates if (failure := readings.failure(gate.id)) is not None}
    if not closed:
        return readings
    values, failures = dict(readings.values), dict(readings.failures)
    for reader in readers_of(plan):
        if reader.chain in closed:
            values.pop(reader.id, None)
            failures[reader.id] = replace(closed[reader.chain], reader=reader.id)
    return replace(readings, values=values, failures=failures)


def scrutiny_of(plan: FramePlan) -> Scrutiny:
    """A quorum of nodes, and other ones than before for a second look.

    Samples are compared too: they become last valid prices and averages, which later posts rest on.
    """
    return Scrutiny.COMPARED if plan.verifies is None else Scrutiny.ANEW


def read_points(stamps: Iterable[BlockStamp], now: Timestamp) -> dict[str | None, ReadPoint]:
    """The point at which each chain, and everything off chain, is read."""
    points: dict[str | None, ReadPoint] = {None: ReadPoint(now, None)}
    points.update({stamp.chain: ReadPoint(stamp.timestamp, stamp) for stamp in stamps})
    return points


def readers_of(plan: FramePlan) -> tuple[Reader[Any], ...]:
    """Every reader of the plan, in a stable order."""
    readers: list[Reader[Any]] = []
    for symbol in sorted(plan.assets):
        asset = plan.assets[symbol]
        readers += asset.sources
        readers += [rate for rate in (asset.derived, asset.native) if rate is not None]
    if plan.stop_after != "price":
        for fund in plan.funds:
            readers += fund.positions
            readers.append(fund.supply)
            if fund.vault is not None:
                readers.append(fund.vault)
            if fund.risk is not None:
                readers += fund.risk.readers
    return (*readers, *_gates(plan, readers))


def gates_of(plan: FramePlan) -> tuple[Reader[object], ...]:
    """The gates of the chains that the plan's readers read."""
    return _gates(plan, readers_of(plan))


def _gates(plan: FramePlan, readers: Iterable[Reader[Any]]) -> tuple[Reader[object], ...]:
    read = {reader.chain for reader in readers}
    return tuple(gate for gate in plan.gates if gate.chain in read)


def chains_of(plan: FramePlan) -> tuple[str, ...]:
    """The chains that the plan's readers read, and the one whose block sets the valuation time; sorted."""
    names = {plan.home_chain, *(reader.chain for reader in readers_of(plan))}
    return tuple(sorted(name for name in names if name is not None))


async def _stamp(name: str, chains: Mapping[str, ChainReader]) -> BlockStamp | Failure:
    chain = chains.get(name)
    if chain is None:
        return Failure(name, "chain", f"chain {name} is not configured", f"Add `chains: {name}:` with its endpoints.")
    try:
        return await chain.stamp()
    except ChainError as error:
        return Failure(name, error.code, error.message, error.advice)


def _valuation_time(
    plan: FramePlan, stamps: Sequence[BlockStamp], failures: Sequence[Failure], clock: Timestamp
) -> Timestamp:
    if plan.home_chain is None:
        return clock
    for stamp in stamps:
        if stamp.chain == plan.home_chain:
            return stamp.timestamp
    failure = next(failure for failure in failures if failure.reader == plan.home_chain)
    raise ChainError(failure.message, advice=failure.advice)


async def _fetch(
    requests: Sequence[Asked],
    chains: Mapping[str, ChainReader],
    off_chain: OffChainReader,
    stamps: Sequence[BlockStamp],
    now: Timestamp,
    scrutiny: Scrutiny,
) -> dict[Asked, Answer]:
    by_chain: dict[str | None, list[Asked]] = {}
    for each in requests:
        by_chain.setdefault(each[0], []).append(each)
    blocks = {stamp.chain: stamp for stamp in stamps}
    groups = await asyncio.gather(
        *(
            _off_chain([request for _, request in group], off_chain, now)
            if name is None
            else _on_chain([request for _, request in group], chains[name], blocks[name], scrutiny)
            for name, group in by_chain.items()
        )
    )
    answers: dict[Asked, Answer] = {}
    for asked, found in zip(by_chain.values(), groups, strict=True):
        answers.update(zip(asked, found, strict=True))
    return answers


async def _on_chain(
    requests: Sequence[Request], chain: ChainReader, at: BlockStamp, scrutiny: Scrutiny
) -> Sequence[Answer]:
    good = [request for request in requests if isinstance(request, Call | NativeBalance)]
    try:
        found = await chain.read(good, at, scrutiny)
    except ChainError as error:
        return [Answer(b"", f"{error.code}: {error.message}")] * len(requests)
    return found if len(good) == len(requests) else _placed(requests, good, found, "not_a_chain_request")


async def _off_chain(requests: Sequence[Request], reader: OffChainReader, now: Timestamp) -> Sequence[Answer]:
    good = [request for request in requests if not isinstance(request, Call | NativeBalance)]
    found = await reader.read(good, now)
    return found if len(good) == len(requests) else _placed(requests, good, found, "not_an_off_chain_request")


def _placed(
    requests: Sequence[Request], good: Sequence[Request], found: Sequence[Answer], failure: str
) -> Sequence[Answer]:
    """The answers in the order of all requests; what could not be asked there has the failure."""
    answers = dict(zip(good, found, strict=True))
    return [answers.get(request, Answer(b"", failure)) for request in requests]
