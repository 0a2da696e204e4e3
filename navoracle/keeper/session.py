"""Readers driven in lockstep: every round's requests are gathered, answered together and handed back.

The session performs no I/O, so the same code runs live (answers from the world) and in verification (answers from
evidence). The number of rounds is the depth of the deepest reader, whatever the number of readers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import chain as chained
from typing import Any, Final

from navoracle.domain.errors import (
    CallReverted,
    EmptyResult,
    NavoracleError,
    ReadError,
    ReadsDisagree,
    ReadsWithoutQuorum,
    SourceDown,
    Unauthorized,
)
from navoracle.domain.failures import Failure
from navoracle.ports import (
    Answer,
    Document,
    ExchangeCall,
    HttpGet,
    Read,
    Reader,
    ReadPoint,
    RecordedRow,
    Request,
)

Asked = tuple[str | None, Request]
"""A request, and the chain that it is put to (None off chain)."""

_OFF_CHAIN: Final = frozenset({RecordedRow, Document, HttpGet, ExchangeCall})
"""What a reader of a chain that `asks_off_chain` does not ask of its chain."""

_ERRORS: Final[Mapping[str, tuple[type[ReadError], str]]] = {
    EmptyResult.code: (
        EmptyResult,
        "Check that the address holds a contract on this chain and that the node has this block.",
    ),
    SourceDown.code: (SourceDown, "Check the service's status and address; the other sources go on without it."),
    Unauthorized.code: (Unauthorized, "Check the credential that the source names, and whether it has run out."),
    ReadsDisagree.code: (
        ReadsDisagree,
        "One of the chain's endpoints lies or mixes blocks: the log names it; remove it from the configuration.",
    ),
    ReadsWithoutQuorum.code: (
        ReadsWithoutQuorum,
        "Bring the chain's endpoints back, or configure more of them; the quorum is never lowered.",
    ),
}


@dataclass(frozen=True, slots=True)
class Readings:
    """What all readers of a frame found: values and failures by reader, and every answer that was given."""

    values: Mapping[str, Any]
    failures: Mapping[str, Failure]
    asked: Mapping[str, tuple[Asked, ...]]
    answers: Mapping[Asked, Answer]

    def failure(self, reader: str) -> Failure | None:
        """Why the reader failed; None when it did not."""
        return self.failures.get(reader)


class _Run:
    """A reader under way: what it waits for, and all that it has asked."""

    __slots__ = ("asked", "chain", "generator", "mixed", "name", "waiting")

    def __init__(self, name: str, chain: str | None, generator: Read[Any], *, mixed: bool) -> None:
        self.name = name
        self.chain = chain
        self.generator = generator
        self.mixed = mixed
        self.waiting: tuple[Asked, ...] = ()
        self.asked: tuple[Asked, ...] = ()

    def to_ask(self, requests: tuple[Request, ...]) -> tuple[Asked, ...]:
        """The requests, each with the chain that it is put to."""
        chain = self.chain
        if self.mixed:
            return tuple([(None if type(request) in _OFF_CHAIN else chain, request) for request in requests])
        return tuple([(chain, request) for request in requests])


class ReadSession:
    """One frame's readers. Ask `pending()`, answer with `supply()`, until nothing is pending; then take `readings()`.

    Args:
        readers: the readers; two of one id are an error of the caller.
        points: the point at which each chain is read; a reader whose chain is missing fails as unavailable.
    """

    def __init__(self, readers: Iterable[Reader[Any]], points: Mapping[str | None, ReadPoint]) -> None:
        self._answers: dict[Asked, Answer] = {}
        self._data: dict[Asked, bytes] = {}  # of the answers that hold data: all that most readers ever look up
        self._values: dict[str, Any] = {}
        self._failures: dict[str, Failure] = {}
        self._asked: dict[str, tuple[Asked, ...]] = {}
        self._runs: list[_Run] = []
        for reader in readers:
            name = reader.id
            if name in self._asked:
                raise ReadError(f"two readers are named {name}", advice="Give each source and position its own id.")
            self._asked[name] = ()
            chain = reader.chain
            point = points.get(chain)
            if point is None:
                self._failures[name] = Failure(
                    name, "unavailable", f"chain {chain} could not be read", "Check the chain's endpoints."
                )
                continue
            run = _Run(name, chain, reader.read(point), mixed=getattr(reader, "asks_off_chain", False))
            self._runs.append(run)
            self._resume(run, run.generator.send, None)
        self._settle()

    def pending(self) -> tuple[Asked, ...]:
        """The distinct requests that readers wait for, in a stable order."""
        wanted = dict.fromkeys(chained.from_iterable([run.waiting for run in self._runs]))
        return tuple([asked for asked in wanted if asked not in self._answers] if self._answers else wanted)

    def supply(self, answers: Mapping[Asked, Answer]) -> None:
        """Hand over answers and let every reader go on as far as it can."""
        self._answers.update(answers)
        self._data.update({asked: answer.data for asked, answer in answers.items() if answer.failure is None})
        self._settle()

    def readings(self) -> Readings:
        """What was found. Call it when nothing is pending."""
        return Readings(self._values, self._failures, self._asked, self._answers)

    def _settle(self) -> None:
        data = self._data
        for run in self._runs:
            while run.waiting:
                try:
                    found = tuple([data[asked] for asked in run.waiting])
                except KeyError:
                    if not all(asked in self._answers for asked in run.waiting):
                        break
                    answers = (self._answers[asked] for asked in run.waiting)
                    failed = next(answer for answer in answers if answer.failure is not None)
                    self._resume(run, run.generator.throw, _error(run.name, failed))
                else:
                    self._resume(run, run.generator.send, found)
        self._runs = [run for run in self._runs if run.waiting]

    def _resume(self, run: _Run, resume: Callable[[Any], tuple[Request, ...]], value: object) -> None:
        """Advance one reader by one step; its end, either way, is recorded and leaves it waiting for nothing."""
        if run.waiting:
            self._asked[run.name] = run.asked = run.asked + run.waiting
            run.waiting = ()
        try:
            run.waiting = run.to_ask(resume(value))
            if not run.waiting:
                raise ReadError(f"{run.name} asked for nothing", advice="Report this as a defect of the reader.")
        except StopIteration as end:
            self._values[run.name] = end.value
        except NavoracleError as error:
            self._failures[run.name] = Failure(run.name, error.code, error.message, error.advice)


def _error(reader: str, answer: Answer) -> ReadError:
    code, _, detail = (answer.failure or ReadError.code).partition(": ")
    if code == CallReverted.code:
        data = f" with 0x{answer.data[:68].hex()}" if answer.data else ""
        return CallReverted(
            f"{reader}: the contract reverted{data}",
            advice="Check the address and that the contract supports this call.",
            data=answer.data,
        )
    kind, advice = _ERRORS.get(code, (ReadError, "Check the endpoints of the chain or service."))
    if kind is EmptyResult:
        detail = "empty answer where data was due"
    if kind is ReadError:
        detail = answer.failure or code
    return kind(f"{reader}: {detail or code}", advice=advice)
