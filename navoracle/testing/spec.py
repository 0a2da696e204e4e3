"""The spec that every reader must pass, whatever its protocol.

Subclass `ReaderSpec` in a test module under a name that starts with `Test`, and return an example from `example()`: a
resolved reader, a world in which it reads well, and the value that it must find there. pytest collects the rest.

    class TestMySource(ReaderSpec):
        def example(self) -> Example:
            return Example(reader=..., answers={...}, at=read_point(1_700_000_000), value=Quote(...))
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from navoracle.abi import encode_call
from navoracle.domain.errors import (
    CallReverted,
    ConfigurationError,
    DecimalsChanged,
    EmptyResult,
    NavoracleError,
    ReadError,
)
from navoracle.ports import (
    Answer,
    Call,
    Document,
    ExchangeCall,
    HttpGet,
    NativeBalance,
    Read,
    Reader,
    ReadPoint,
    RecordedRow,
    Request,
)
from navoracle.readers import ReaderModel
from navoracle.testing.fakes import EMPTY, drive

DECIMALS = encode_call("decimals()")
OFF_CHAIN: tuple[type[Request], ...] = (RecordedRow, Document, HttpGet, ExchangeCall)


class SpecFailed(AssertionError):
    """A reader breaks the spec; the message says which rule and how."""


@dataclass(frozen=True)
class Example:
    """A resolved reader, the answers under which it reads well, where it reads, and what it must find."""

    reader: Any
    answers: Mapping[Request, bytes]
    at: ReadPoint
    value: object


class ReaderSpec(ABC):
    """What holds for every price source, rate source, position reader and supply reader."""

    @abstractmethod
    def example(self) -> Example:
        """A reader and a world in which it reads well."""

    def test_read__good_answers__finds_the_expected_value(self) -> None:
        example = self.example()
        found = _read(example, example.answers)
        _require(found == example.value, f"found {found!r}, not {example.value!r}")

    def test_read__twice__asks_and_finds_the_same(self) -> None:
        example = self.example()
        first, second = _asked(example), _asked(example)
        _require(first == second, f"asked {first!r}, then {second!r}")
        _require(_read(example, example.answers) == _read(example, example.answers), "two readings differ")

    def test_read__requests__are_all_of_the_readers_own_world(self) -> None:
        example = self.example()
        reader: Reader[Any] = example.reader
        kinds: tuple[type[Request], ...] = OFF_CHAIN if reader.chain is None else (Call, NativeBalance)
        if _model(example).asks_off_chain:
            kinds += OFF_CHAIN
        for requests in _asked(example):
            _require(len(requests) > 0, "a round of requests is empty")
            strangers = [request for request in requests if not isinstance(request, kinds)]
            _require(not strangers, f"asks {strangers!r} of {reader.chain or 'the world off chain'}")

    def test_read__any_answer_empty__is_refused(self) -> None:
        self._refused_for_each("empty data", lambda _: Answer(b""), EmptyResult)
        self._refused_for_each("nothing there", lambda _: EMPTY, EmptyResult)

    def test_read__any_call_reverts__is_refused(self) -> None:
        self._refused_for_each("a revert", lambda _: Answer(b"\x08\xc3\x79\xa0", "call_reverted"), CallReverted)

    def test_read__any_answer_unavailable__is_refused(self) -> None:
        self._refused_for_each("no node", lambda _: Answer(b"", "unavailable: no node answers"), ReadError)

    def test_read__any_answer_truncated__is_refused(self) -> None:
        self._refused_for_each("all but the last byte", lambda data: Answer(data[:-1]), ReadError)
        self._refused_for_each("half of the bytes", lambda data: Answer(data[: len(data) // 2]), ReadError)
        self._refused_for_each("the first byte", lambda data: Answer(data[:1]), ReadError)

    def test_read__decimals_changed__are_refused(self) -> None:
        example = self.example()
        for request in (request for round_ in _asked(example) for request in round_):
            if isinstance(request, Call) and request.data == DECIMALS:
                data = example.answers[request]
                for change, error in ((1, DecimalsChanged), (37, ReadError), (2**255, ReadError)):
                    changed = ((int.from_bytes(data, "big") + change) % 2**256).to_bytes(32, "big")
                    _refused(example, {**example.answers, request: changed}, error, "changed decimals")

    def test_read__not_resolved__is_a_configuration_error(self) -> None:
        example = self.example()
        reader = _model(example)
        for name in reader.resolved_fields:
            unresolved = reader.model_copy(update={name: None})
            _require(not unresolved.is_resolved, f"is_resolved without {name}")
            _refused(_with(example, unresolved), example.answers, ConfigurationError, f"{name} is not resolved")

    def test_resolve__unresolved_reader__gives_the_resolved_one(self) -> None:
        example = self.example()
        reader = _model(example)
        _require(reader.is_resolved, "the example's reader is not resolved")
        unresolved = reader.model_copy(update=dict.fromkeys(reader.resolved_fields))
        resolving: Read[ReaderModel] = unresolved.resolve(example.at)
        found = drive(resolving, _world(example.answers))
        _require(found == reader, f"resolved to {found!r}, not {reader!r}")

    def test_describe__validated_again__gives_an_equal_reader(self) -> None:
        reader = _model(self.example())
        described = reader.describe()
        for form, value in {"as it is": described, "integers as decimal strings": _as_text(described)}.items():
            again = type(reader).model_validate(value)
            _require(again == reader, f"described {form}, it becomes {again!r}, not {reader!r}")
            _require(again.describe() == described, f"described {form}, it describes itself in other words")

    def test_describe__unknown_key__is_refused(self) -> None:
        reader = _model(self.example())
        try:
            type(reader).model_validate({**reader.describe(), "not_a_setting": 1})
        except ValueError:
            return
        raise SpecFailed("an unknown key is accepted")

    def _refused_for_each(self, name: str, spoil: Callable[[bytes], Answer], error: type[NavoracleError]) -> None:
        example = self.example()
        for round_ in _asked(example):
            for request in round_:
                spoiled = spoil(example.answers[request])
                _refused(example, {**_world(example.answers), request: spoiled}, error, f"{name} for {request!r}")


def _world(answers: Mapping[Request, bytes | Answer]) -> dict[Request, Answer]:
    return {key: Answer(value) if isinstance(value, bytes) else value for key, value in answers.items()}


def _read(example: Example, answers: Mapping[Request, bytes | Answer]) -> object:
    reading: Read[object] = example.reader.read(example.at)
    return drive(reading, _world(answers))


def _asked(example: Example) -> list[tuple[Request, ...]]:
    rounds: list[tuple[Request, ...]] = []
    reading: Read[object] = example.reader.read(example.at)
    try:
        requests = next(reading)
        while True:
            rounds.append(requests)
            missing = [request for request in requests if request not in example.answers]
            _require(not missing, f"the example has no answer to {missing!r}")
            requests = reading.send(tuple(example.answers[request] for request in requests))
    except StopIteration:
        return rounds


def _refused(
    example: Example, answers: Mapping[Request, bytes | Answer], expected: type[NavoracleError], why: str
) -> None:
    try:
        found = _read(example, answers)
    except expected as error:
        _require(bool(error.advice.strip()), f"{why}: the error carries no advice")
        _require(bool(error.message.strip()), f"{why}: the error carries no message")
        return
    except NavoracleError as error:
        raise SpecFailed(f"{why}: raised {type(error).__name__}, not {expected.__name__}: {error}") from error
    raise SpecFailed(f"{why}: nothing was raised, found {found!r}")


def _model(example: Example) -> ReaderModel:
    reader = example.reader
    if not isinstance(reader, ReaderModel):
        raise SpecFailed(f"{type(reader).__name__} is not a ReaderModel")
    return reader


def _with(example: Example, reader: ReaderModel) -> Example:
    return Example(reader, example.answers, example.at, example.value)


def _as_text(value: object) -> object:
    if isinstance(value, dict):
        return {key: _as_text(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_text(item) for item in value]
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise SpecFailed(message)
