"""The spec tests fail for a reader that breaks a rule, each rule by itself."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, ClassVar, Literal, Self

import pytest

from navoracle.abi import decode_result, encode_call
from navoracle.domain.errors import NavoracleError
from navoracle.ports import Call, Document, Read, ReadPoint, Request
from navoracle.readers import DECIMALS, ReaderModel, check_decimals, decode_decimals, resolved_decimals
from navoracle.testing import Example, ReaderSpec, SpecFailed, read_point
from tests.unit.addresses import address

TARGET = address(1)
VALUE = Call(TARGET, encode_call("value()"))
SCALE = Call(TARGET, DECIMALS)
COUNTER = itertools.count()


class Good(ReaderModel, frozen=True):
    """A reader that keeps every rule; each subclass breaks one."""

    resolved_fields: ClassVar[tuple[str, ...]] = ("decimals",)

    kind: Literal["good"] = "good"
    chain: str = "local"
    decimals: int | None = None

    def resolve(self, at: ReadPoint) -> Read[Self]:
        (data,) = yield (SCALE,)
        return self.model_copy(update={"decimals": decode_decimals(self, TARGET, data)})

    def read(self, at: ReadPoint) -> Read[Any]:
        decimals = resolved_decimals(self, self.decimals)
        value, scale = yield (VALUE, SCALE)
        check_decimals(self, TARGET, scale, decimals)
        return decode_result(("uint256",), value)[0]


class WrongValue(Good, frozen=True):
    def read(self, at: ReadPoint) -> Read[Any]:
        return (yield from super().read(at)) + 1


class Moody(Good, frozen=True):
    def read(self, at: ReadPoint) -> Read[Any]:
        found = yield from super().read(at)
        if next(COUNTER) % 2:
            yield (VALUE,)
        return found


class Stranger(Good, frozen=True):
    def read(self, at: ReadPoint) -> Read[Any]:
        found = yield from super().read(at)
        yield (Document("a"),)
        return found


class EmptyIsZero(Good, frozen=True):
    def read(self, at: ReadPoint) -> Read[Any]:
        resolved_decimals(self, self.decimals)
        value, _ = yield (VALUE, SCALE)
        return int.from_bytes(value, "big")


class CatchesAll(Good, frozen=True):
    def read(self, at: ReadPoint) -> Read[Any]:
        try:
            return (yield from super().read(at))
        except NavoracleError:
            return 0


class RawErrors(Good, frozen=True):
    def read(self, at: ReadPoint) -> Read[Any]:
        resolved_decimals(self, self.decimals)
        value, _ = yield (VALUE, SCALE)
        if len(value) != 32:
            raise ValueError("not a word")
        return int.from_bytes(value, "big")


class NoAdvice(Good, frozen=True):
    def read(self, at: ReadPoint) -> Read[Any]:
        try:
            return (yield from super().read(at))
        except NavoracleError as error:
            raise type(error)(error.message, advice=" ") from error


class IgnoresScale(Good, frozen=True):
    def read(self, at: ReadPoint) -> Read[Any]:
        resolved_decimals(self, self.decimals)
        value, scale = yield (VALUE, SCALE)
        decode_decimals(self, TARGET, scale)
        return decode_result(("uint256",), value)[0]


class GuessesScale(Good, frozen=True):
    def read(self, at: ReadPoint) -> Read[Any]:
        value, scale = yield (VALUE, SCALE)
        check_decimals(self, TARGET, scale, 6 if self.decimals is None else self.decimals)
        return decode_result(("uint256",), value)[0]


class ResolvesWrongly(Good, frozen=True):
    def resolve(self, at: ReadPoint) -> Read[Self]:
        yield (SCALE,)
        return self.model_copy(update={"decimals": 18})


class Forgetful(Good, frozen=True):
    def describe(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude={"decimals"})


class Lenient(Good, frozen=True, extra="ignore"):
    """Takes keys that it does not know."""


def spec(model: type[Good]) -> ReaderSpec:
    answers: dict[Request, bytes] = {
        VALUE: (42).to_bytes(32, "big"),
        SCALE: (6).to_bytes(32, "big"),
        Document("a"): b"bytes",
    }

    class Spec(ReaderSpec):
        def example(self) -> Example:
            return Example(model(id="sample", decimals=6), answers, read_point(1), 42)

    return Spec()


def rules() -> list[str]:
    return [name for name in dir(ReaderSpec) if name.startswith("test_")]


def broken(model: type[Good]) -> set[str]:
    found = set()
    for name in rules():
        rule: Callable[[], None] = getattr(spec(model), name)
        try:
            rule()
        except (SpecFailed, ValueError):
            found.add(name)
    return found


def test_spec__good_reader__passes_every_rule() -> None:
    assert len(rules()) == 12
    assert broken(Good) == set()


@pytest.mark.parametrize(
    ("model", "rule"),
    [
        (WrongValue, "test_read__good_answers__finds_the_expected_value"),
        (Moody, "test_read__twice__asks_and_finds_the_same"),
        (Stranger, "test_read__requests__are_all_of_the_readers_own_world"),
        (EmptyIsZero, "test_read__any_answer_empty__is_refused"),
        (EmptyIsZero, "test_read__any_answer_truncated__is_refused"),
        (CatchesAll, "test_read__any_call_reverts__is_refused"),
        (CatchesAll, "test_read__any_answer_unavailable__is_refused"),
        (RawErrors, "test_read__any_answer_truncated__is_refused"),
        (NoAdvice, "test_read__any_answer_empty__is_refused"),
        (IgnoresScale, "test_read__decimals_changed__are_refused"),
        (GuessesScale, "test_read__not_resolved__is_a_configuration_error"),
        (ResolvesWrongly, "test_resolve__unresolved_reader__gives_the_resolved_one"),
        (Forgetful, "test_describe__validated_again__gives_an_equal_reader"),
        (Lenient, "test_describe__unknown_key__is_refused"),
    ],
)
def test_spec__reader_that_breaks_a_rule__fails_it(model: type[Good], rule: str) -> None:
    assert rule in broken(model)
