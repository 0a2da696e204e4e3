"""Views of a contract as a user declares them, and what a post must find there before it is sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal, Self

from eth_abi.abi import is_encodable_type
from eth_utils.address import is_address, to_checksum_address
from pydantic import BaseModel, BeforeValidator, Field, WithJsonSchema, model_validator

from navoracle.abi import argument_types, decode_result, encode_arguments, encode_call
from navoracle.domain.conversions import integer_type
from navoracle.domain.errors import DomainError, OutOfRange
from navoracle.ports import Address, Call, Read
from navoracle.readers import ChecksumAddress, Name


def _as_text(value: object) -> object:
    """Integers become text, so that a literal is the same after canonical JSON has turned it into text."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


LiteralValue = Annotated[
    str | bool,
    BeforeValidator(_as_text),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "boolean"}]}),
]
"""A fixed value as it is written: a number, true or false, "0x..." for addresses and bytes, or text."""


class Declaration(BaseModel, frozen=True, extra="forbid"):
    """Base of what is declared beside the peer itself."""


class ViewArgument(Declaration, frozen=True):
    """An argument of a view: exactly one of the three.

    Attributes:
        literal: a fixed value.
        posted: the value that the post has at this place of the setter's arguments (0 is the first).
        result: what another view answers, plus `plus`.
    """

    literal: LiteralValue | None = None
    posted: int | None = Field(default=None, ge=0)
    result: Result | None = None

    @model_validator(mode="after")
    def _check_one(self) -> Self:
        if sum(given is not None for given in (self.literal, self.posted, self.result)) != 1:
            raise ValueError("an argument of a view is one of `literal`, `posted` and `result`")
        return self


class View(Declaration, frozen=True):
    """A call that answers.

    Attributes:
        signature: types only, as in Solidity: "getPriceData()".
        returns: the types of what it answers.
        arguments: one for each type of the signature.
        contract: whose view it is; the peer's own contract where it is not given.
    """

    signature: Name
    returns: tuple[Name, ...] = Field(min_length=1)
    arguments: tuple[ViewArgument, ...] = ()
    contract: ChecksumAddress | None = None

    @model_validator(mode="after")
    def _check_view(self) -> Self:
        types = types_of(self.signature)
        types_of(f"returns({','.join(self.returns)})")
        if len(types) != len(self.arguments):
            raise ValueError(f"{self.signature} takes {len(types)} arguments, {len(self.arguments)} are declared")
        for type_, argument in zip(types, self.arguments, strict=True):
            if argument.literal is not None:
                literal(type_, argument.literal)
            elif argument.result is not None and not is_integer(type_):
                raise ValueError(f"{self.signature}: the result of a view is an integer, the argument a {type_}")
        return self

    @property
    def places(self) -> tuple[tuple[int, str], ...]:
        """Which of the post's arguments it asks for, each with the type that it is wanted as."""
        types = types_of(self.signature)
        own = [(found.posted, type_) for type_, found in zip(types, self.arguments, strict=True)]
        nested = [place for found in self.arguments if found.result is not None for place in found.result.view.places]
        return (*((place, type_) for place, type_ in own if place is not None), *nested)

    def ask(self, contract: Address, posted: Sequence[Any]) -> Read[tuple[Any, ...]]:
        """Call it and decode the answer.

        Args:
            contract: the peer's contract.
            posted: the arguments of the post; may be empty where the view asks for none.

        Raises:
            CallReverted, EmptyResult, MalformedResult: the contract does not answer, or otherwise than declared.
        """
        values: list[Any] = []
        for type_, argument in zip(types_of(self.signature), self.arguments, strict=True):
            if argument.literal is not None:
                values.append(literal(type_, argument.literal))
            elif argument.posted is not None:
                values.append(posted[argument.posted])
            elif argument.result is not None:
                values.append((yield from argument.result.ask(contract, posted)))
        (data,) = yield (Call(self.contract or contract, encode_call(self.signature, *values)),)
        return decode_result(self.returns, data)


class Result(Declaration, frozen=True):
    """One integer that a view answers.

    Attributes:
        view: what is called.
        index: the place of the integer in the answer (0 is the first).
        plus: what is added to it.
    """

    view: View
    index: int = Field(default=0, ge=0)
    plus: int = 0

    @model_validator(mode="after")
    def _check_index(self) -> Self:
        check_integer(self.view.returns, self.index, f"the answer of {self.view.signature}")
        return self

    def ask(self, contract: Address, posted: Sequence[Any]) -> Read[int]:
        """Call the view and return the integer. Raises as `View.ask`."""
        values = yield from self.view.ask(contract, posted)
        return int(values[self.index]) + self.plus


ViewArgument.model_rebuild()

Expectation = Literal["answers", "reverts", "equals", "differs", "at_least", "at_most", "passed"]
_COMPARED: Final = ("equals", "differs", "at_least", "at_most")


class Guard(Declaration, frozen=True):
    """A condition that a view must meet before a post is sent.

    Attributes:
        name: the reason that is given where it is not met: "paused".
        view: what is called.
        expect: `answers` or `reverts`; `equals`, `differs`, `at_least` or `at_most` of `value`; or `passed`: the time
            that it answers lies `delay` seconds back, a post being sent `margin` seconds after that.
        index: the place in the answer of what is compared.
        value: what it is compared with.
        delay: seconds that must pass after the time that it answers.
        strict: whether the delay must be exceeded.
        after_post: whether it must also hold after a post, for the post to count as accepted.
        role, advice: who must act where it is not met, and how; the peer's own where not given.
    """

    name: Name
    view: View
    expect: Expectation = "answers"
    index: int = Field(default=0, ge=0)
    value: LiteralValue | None = None
    delay: int | None = Field(default=None, ge=0)
    strict: bool = False
    after_post: bool = False
    role: Name | None = None
    advice: Name | None = None

    @model_validator(mode="after")
    def _check_guard(self) -> Self:
        if (self.value is not None) != (self.expect in _COMPARED):
            raise ValueError(f"guard {self.name}: `value` is what {', '.join(_COMPARED)} compare with, and only they")
        if (self.delay is not None) != (self.expect == "passed"):
            raise ValueError(f"guard {self.name}: `delay` belongs to `expect: passed`, and to nothing else")
        if self.strict and self.expect != "passed":
            raise ValueError(f"guard {self.name}: `strict` belongs to `expect: passed`")
        if self.after_post and (self.expect == "passed" or self.view.places):
            raise ValueError(f"guard {self.name}: after a post neither a wait nor what was posted can be asked for")
        if self.expect in ("at_least", "at_most", "passed"):
            check_integer(self.view.returns, self.index, f"guard {self.name}: the answer")
        elif self.index >= len(self.view.returns):
            raise ValueError(f"guard {self.name}: the answer has no place {self.index}")
        if self.value is not None:
            literal(self.view.returns[self.index], self.value)
        return self


def types_of(signature: str) -> tuple[str, ...]:
    """The argument types of a signature. Raises ValueError: it is none, or a type is none of Solidity's."""
    try:
        types = argument_types(signature)
    except DomainError as error:
        raise ValueError(f"{error.message}. {error.advice}") from error
    for type_ in types:
        if not is_encodable_type(type_):
            raise ValueError(f"{signature}: {type_} is no type of Solidity's")
    return types


def is_integer(type_: str) -> bool:
    """Whether it is an integer type of Solidity."""
    try:
        integer_type(type_)
    except OutOfRange:
        return False
    return True


def check_integer(types: Sequence[str], index: int, what: str) -> None:
    """Raises ValueError: there is no such place, or there is no integer there."""
    if index >= len(types):
        raise ValueError(f"{what} has {len(types)} places, and no place {index} (0 is the first)")
    if not is_integer(types[index]):
        raise ValueError(f"{what} has {types[index]} at place {index}, where a number is needed")


def literal(type_: str, written: str | bool) -> Any:
    """A fixed value as its type wants it.

    Raises:
        ValueError: it is none of that type, or does not fit it.
    """
    try:
        value = _literal(type_, written)
        encode_arguments((type_,), (value,))
    except (ValueError, DomainError) as error:
        detail = error.message if isinstance(error, DomainError) else str(error)
        raise ValueError(f"{written!r} is no {type_}: {detail}") from error
    return value


def _literal(type_: str, written: str | bool) -> Any:
    if type_ == "bool":
        if not isinstance(written, bool):
            raise ValueError("write true or false, without quotes")
        return written
    if isinstance(written, bool):
        raise ValueError("true and false are of type bool")  # noqa: TRY004 pydantic reports it
    if is_integer(type_):
        return int(written, 16 if written.lower().startswith("0x") else 10)
    if type_ == "address":
        if not is_address(written) or written != to_checksum_address(written):
            raise ValueError("write a checksummed address in quotes")
        return written
    if type_.startswith("bytes") and "[" not in type_:
        if not written.startswith("0x"):
            raise ValueError('write bytes in hex: "0x..."')
        found = bytes.fromhex(written[2:])
        if type_ != "bytes" and len(found) != int(type_.removeprefix("bytes")):
            raise ValueError(f"{len(found)} bytes are given")
        return found
    if type_ == "string":
        return written
    raise ValueError("only numbers, bool, address, bytes and string can be declared")
