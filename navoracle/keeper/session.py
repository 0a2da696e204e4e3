"""Readers driven in lockstep: every round's requests are gathered, answered together and handed back.

The session performs no I/O, so the same code runs live (answers from the world) and in verification (answers from
evidence). The number of rounds is the depth of the deepest reader, whatever the number of readers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
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
from navoracle.domain.frame import Failure
from navoracle.ports import Answer, Read, Reader, ReadPoint, Request

Asked = tuple[str | None, Request]
"""A request, and the chain that it is put to (None off chain)."""

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


@dataclass(slots=True)
class _Run:
    reader: Reader[Any]
    generator: Read[Any]
    waiting: tuple[Request, ...] = ()
    asked: list[Asked] = field(default_factory=list)


class ReadSession:
    """One frame's readers. Ask `pending()`, answer with `supply()`, until nothing is pending; then take `readings()`.

    Args:
        readers: the readers; two of one id are an error of the caller.
        points: the point at which each chain is read; a reader whose chain is missing fails as unavailable.
    """

    def __init__(self, readers: Iterable[Reader[Any]], points: Mapping[str | None, ReadPoint]) -> None:
        self._answers: dict[Asked, Answer] = {}
        self._values: dict[str, Any] = {}
        self._failures: dict[str, Failure] = {}
        self._asked: dict[str, tuple[Asked, ...]] = {}
        self._runs: list[_Run] = []
        for reader in readers:
            if reader.id in self._asked:
                raise ReadError(
                    f"two readers are named {reader.id}", advice="Give each source and position its own id."
                )
            self._asked[reader.id] = ()
            point = points.get(reader.chain)
            if point is None:
                self._failures[reader.id] = Failure(
                    reader.id, "unavailable", f"chain {reader.chain} could not be read", "Check the chain's endpoints."
                )
                continue
            run = _Run(reader, reader.read(point))
            self._runs.append(run)
            self._resume(run, None)
        self._settle()

    def pending(self) -> tuple[Asked, ...]:
        """The distinct requests that readers wait for, in a stable order."""
        wanted: dict[Asked, None] = {}
        for run in self._runs:
            for request in run.waiting:
                key = (run.reader.chain, request)
                if key not in self._answers:
                    wanted[key] = None
        return tuple(wanted)

    def supply(self, answers: Mapping[Asked, Answer]) -> None:
        """Hand over answers and let every reader go on as far as it can."""
        self._answers.update(answers)
        self._settle()

    def readings(self) -> Readings:
        """What was found. Call it when nothing is pending."""
        return Readings(self._values, self._failures, self._asked, self._answers)

    def _settle(self) -> None:
        waiting: list[_Run] = []
        for run in self._runs:
            while run.waiting and all((run.reader.chain, request) in self._answers for request in run.waiting):
                keys = [(run.reader.chain, request) for request in run.waiting]
                run.asked += keys
                self._resume(run, tuple(self._answers[key] for key in keys))
            if run.waiting:
                waiting.append(run)
        self._runs = waiting

    def _resume(self, run: _Run, answers: tuple[Answer, ...] | None) -> None:
        """Advance one reader by one step; its end, either way, is recorded and leaves it waiting for nothing."""
        name = run.reader.id
        run.waiting = ()
        try:
            if answers is None:
                run.waiting = next(run.generator)
            else:
                failed = next((answer for answer in answers if answer.failure is not None), None)
                if failed is None:
                    run.waiting = run.generator.send(tuple(answer.data for answer in answers))
                else:
                    run.waiting = run.generator.throw(_error(name, failed))
            if not run.waiting:
                raise ReadError(f"{name} asked for nothing", advice="Report this as a defect of the reader.")
        except StopIteration as end:
            self._values[name] = end.value
        except NavoracleError as error:
            self._failures[name] = Failure(name, error.code, error.message, error.advice)
        self._asked[name] = tuple(run.asked)


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
