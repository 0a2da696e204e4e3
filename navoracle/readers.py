"""What every price source and position reader is made of: one frozen model that is its configuration and its reader.

A model is validated from configuration, then *resolved*: what only the chain knows (a token's decimals) is read once
and filled in. Its `describe()` is plain JSON that validates to an equal model, also after canonical JSON has turned
integers into decimal strings, so evidence can rebuild it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Final, Self

from eth_utils.address import to_checksum_address
from pydantic import BaseModel, BeforeValidator, Field, GetJsonSchemaHandler, PlainSerializer, WithJsonSchema
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from navoracle.abi import decode_uint256, encode_call
from navoracle.domain.errors import ConfigurationError, DecimalsChanged, DomainError, SourceRefused
from navoracle.domain.frame import BlockStamp
from navoracle.domain.units import BPS, MAX_DECIMALS, Bps, RawAmount, Timestamp, Wad, format_wad, to_wad
from navoracle.ports import Address, Call, Read, ReadPoint

DECIMALS: Final = encode_call("decimals()")
_DECIMALS_WORDS: Final = tuple(decimals.to_bytes(32, "big") for decimals in range(MAX_DECIMALS + 1))
"""The answers that contracts of 0 to 36 decimals give, whole: comparing bytes is quicker than decoding them."""

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_AMOUNT = re.compile(r"([0-9]+)(?:\.([0-9]+))?")


def check_address(value: object) -> str:
    """Validate a checksummed address (EIP-55).

    Raises:
        ValueError: not an address, the zero address, or a wrong checksum; the message names the right one.
    """
    if isinstance(value, int):
        raise ValueError("an address was read as a number: put it in quotes")  # noqa: TRY004 pydantic reports it
    if not isinstance(value, str) or _ADDRESS.fullmatch(value) is None:
        raise ValueError(f'{value!r} is not an address: write 0x and 40 hexadecimal digits, "0x..."')
    if int(value, 16) == 0:
        raise ValueError("the zero address is nobody's: name the contract or account")
    right = to_checksum_address(value)
    if value != right:
        raise ValueError(f"{value} has a wrong checksum: if every digit is meant, write {right}")
    return value


def _parse_wad(value: object) -> int:
    if not isinstance(value, str):
        raise ValueError(f'{value!r} is not an exact decimal: put it in quotes, "0.05"')  # noqa: TRY004
    try:
        return to_wad(value)
    except DomainError as error:
        raise ValueError(f"{error.message}. {error.advice}") from error


def written_wad(value: int) -> str:
    """A Wad as a configuration states it: a decimal number without needless zeros."""
    return format_wad(value).rstrip("0").rstrip(".")


def _check_amount(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f'{value!r} is not an exact amount: put it in quotes, "1000000"')  # noqa: TRY004
    if _AMOUNT.fullmatch(value) is None:
        raise ValueError(f'{value!r} is not an amount: write digits with an optional point, "1000000.5"')
    return value


ChecksumAddress = Annotated[
    Address,
    BeforeValidator(check_address),
    WithJsonSchema({"type": "string", "pattern": "^0x[0-9a-fA-F]{40}$", "description": "Checksummed address."}),
]
"""A checksummed address; validation names the right checksum."""

DecimalWad = Annotated[
    Wad,
    Field(ge=0),
    BeforeValidator(_parse_wad),
    PlainSerializer(written_wad, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^\d+(\.\d{1,18})?$", "description": "Decimal number in quotes."}),
]
"""A Wad of zero or more, written as a decimal number in quotes: "0.05"."""

SignedWad = Annotated[
    Wad,
    BeforeValidator(_parse_wad),
    PlainSerializer(written_wad, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^[+-]?\d+(\.\d{1,18})?$", "description": "Decimal in quotes."}),
]
"""A Wad with a sign, written as a decimal number in quotes: "-3.5"."""

AmountText = Annotated[
    str,
    BeforeValidator(_check_amount),
    WithJsonSchema({"type": "string", "pattern": r"^\d+(\.\d+)?$", "description": "Whole tokens, in quotes."}),
]
"""An amount in whole tokens, written as a decimal number in quotes: "1000000.5"."""

BasisPoints = Annotated[Bps, Field(ge=0, le=BPS)]
Decimals = Annotated[int, Field(ge=0, le=MAX_DECIMALS)]
Seconds = Annotated[int, Field(gt=0)]
UnixTime = Annotated[Timestamp, Field(ge=0)]
Name = Annotated[str, Field(min_length=1)]


def raw_amount(text: str, decimals: int) -> RawAmount:
    """Turn whole tokens ("1000000.5") into the token's own units; exact.

    Raises:
        ValueError: not a plain decimal number, or more places than the token has decimals.
    """
    match = _AMOUNT.fullmatch(text)
    if match is None:
        raise ValueError(f'{text!r} is not an amount: write digits with an optional point, "1000000.5"')
    whole, fraction = match.group(1), (match.group(2) or "").rstrip("0")
    if len(fraction) > decimals:
        raise ValueError(f"{text!r} has more places than the token's {decimals} decimals: round it or correct them")
    return RawAmount(int(whole + fraction.ljust(decimals, "0")), decimals)


class ReaderModel(BaseModel, frozen=True, extra="forbid"):
    """Base of all configured readers.

    Class attributes:
        section_fields: fields that the enclosing section of the configuration fills in (an asset's name); they are
            required in code and left out of the JSON schema. `id` may always be left to the section.
        resolved_fields: fields that are None in configuration and filled by `resolve`.
        asks_off_chain: whether a reader of a chain also asks off chain (for a proof that the chain's root confirms).
    """

    section_fields: ClassVar[frozenset[str]] = frozenset()
    resolved_fields: ClassVar[tuple[str, ...]] = ()
    asks_off_chain: ClassVar[bool] = False

    id: Name

    def resolve(self, at: ReadPoint) -> Read[Self]:
        """Read what only the chain knows and return a copy that has it; nothing to read unless a reader says so."""
        yield from ()
        return self

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with other values; what a `cached_property` made of the old ones does not travel with it."""
        copied = super().model_copy(update=update, deep=deep)
        for name in copied.__dict__.keys() - type(self).model_fields.keys():
            del copied.__dict__[name]
        return copied

    def describe(self) -> dict[str, Any]:
        """The model as plain JSON, from which an equal model is validated."""
        return self.model_dump(mode="json")

    @property
    def is_resolved(self) -> bool:
        """Whether every field that the chain fills has its value."""
        return all(getattr(self, name) is not None for name in self.resolved_fields)

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler.resolve_ref_schema(handler(core_schema))
        for name in cls.section_fields:
            schema.get("properties", {}).pop(name, None)
        if "required" in schema:
            schema["required"] = [name for name in schema["required"] if name not in cls.section_fields | {"id"}]
        return schema


def block_of(reader: ReaderModel, at: ReadPoint) -> BlockStamp:
    """The block to read at.

    Raises:
        ConfigurationError: the point has no block.
    """
    if at.block is None:
        raise ConfigurationError(
            f"{reader.id} reads a chain, but is read without a block",
            advice="Configure the chain that the reader names.",
        )
    return at.block


def resolved_decimals(reader: ReaderModel, decimals: int | None) -> int:
    """The decimals that resolution filled in.

    Raises:
        ConfigurationError: the reader is not resolved.
    """
    if decimals is None:
        raise ConfigurationError(
            f"{reader.id} is not resolved: the decimals are not known",
            advice="Resolve readers against the chain before the first frame, or state `decimals`.",
        )
    return decimals


@lru_cache(maxsize=4_096)
def decimals_call(contract: Address) -> Call:
    """The question for a contract's decimals, one and the same for all readers of the contract."""
    return Call(contract, DECIMALS)


def decode_decimals(reader: ReaderModel, contract: Address, data: bytes) -> int:
    """Decode an answer of `decimals()`.

    Raises:
        EmptyResult, MalformedResult: the answer is no number.
        SourceRefused: decimals outside 0 to 36.
    """
    decimals = decode_uint256(data)
    if decimals > MAX_DECIMALS:
        raise SourceRefused(
            f"{reader.id}: {contract} says {decimals} decimals, outside 0 to {MAX_DECIMALS}",
            advice="Check the address; a contract of this scale is not supported.",
        )
    return decimals


def check_decimals(reader: ReaderModel, contract: Address, data: bytes, resolved: int) -> None:
    """Refuse a contract whose decimals differ from those resolved at start.

    Raises:
        DecimalsChanged: they differ; the message names contract, old and new.
        EmptyResult, MalformedResult, SourceRefused: as `decode_decimals`.
    """
    if data == _DECIMALS_WORDS[resolved]:
        return
    found = decode_decimals(reader, contract, data)
    if found != resolved:
        raise DecimalsChanged(
            f"{reader.id}: {contract} had {resolved} decimals and now says {found}",
            advice="Find out why the contract changed (upgrade, phase switch); then restart to resolve it anew.",
        )


def check_names(reader: ReaderModel, what: str, expected: Address, found: str) -> None:
    """Refuse a contract that names another one than configured; `what` says whose name it is ("asset() of 0x...").

    Raises:
        SourceRefused: the addresses differ.
    """
    if found.lower() != expected.lower():
        raise SourceRefused(
            f"{reader.id}: {what} is {to_checksum_address(found)}, not the configured {expected}",
            advice="Check both addresses in the configuration; the contract belongs to another token.",
        )
