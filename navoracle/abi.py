"""Contract calls and results in the standard ABI, with typed errors; a thin layer over eth-abi.

Signatures are written as in Solidity, types only: `balanceOf(address)`, `post(uint256,bytes32,bytes)`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final, NamedTuple

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError, EncodingError, ParseError
from eth_abi.grammar import TupleType, parse
from eth_utils.crypto import keccak

from navoracle.domain.errors import DomainError, EmptyResult, MalformedResult

_WORD: Final = 32
_NUMBER: Final = re.compile(r"(u?int)([1-9][0-9]*)")


_SIGNATURES: dict[bytes, str] = {}


@lru_cache(maxsize=1024)
def selector(signature: str) -> bytes:
    """The first four bytes of the keccak-256 of a signature in canonical form.

    Raises:
        DomainError: the text is not a function signature.
    """
    argument_types(signature)
    found = keccak(text=signature)[:4]
    _SIGNATURES[found] = signature
    return found


def known_signature(data: bytes) -> str | None:
    """The signature of a call that this process knows how to make; None for any other."""
    return _SIGNATURES.get(data[:4])


@lru_cache(maxsize=1024)
def argument_types(signature: str) -> tuple[str, ...]:
    """The argument types of a signature, as eth-abi names them.

    Raises:
        DomainError: the text is not a function signature.
    """
    name, _, rest = signature.partition("(")
    refusal = DomainError(
        f"{signature!r} is not a function signature", advice='Write name and types: "balanceOf(address)".'
    )
    if not name.isidentifier():
        raise refusal
    if rest == ")":
        return ()
    try:
        parsed = parse(f"({rest}")
        parsed.validate()
    except (ParseError, ValueError) as error:  # ValueError: an empty tuple, or "uint" for "uint256"
        raise refusal from error
    if not isinstance(parsed, TupleType) or parsed.is_array:
        raise refusal
    return tuple(component.to_type_str() for component in parsed.components)


def encode_call(signature: str, *arguments: Any) -> bytes:
    """Encode a call: selector and arguments.

    Raises:
        DomainError: an argument does not fit its type, or there are too many or too few.
    """
    types = argument_types(signature)
    if len(arguments) != len(types):
        raise DomainError(
            f"{signature} takes {len(types)} arguments, {len(arguments)} given", advice="Pass one value per type."
        )
    words = _encode_words(types, arguments)
    return selector(signature) + (encode_arguments(types, arguments) if words is None else words)


def encode_arguments(types: tuple[str, ...], arguments: tuple[Any, ...]) -> bytes:
    """Encode values alone, as constructor arguments are.

    Raises:
        DomainError: an argument does not fit its type.
    """
    try:
        return encode(types, arguments)
    except EncodingError as error:
        raise DomainError(
            f"arguments do not fit ({', '.join(types)}): {error}", advice="Check the values against the types."
        ) from error


def decode_uint256(data: bytes) -> int:
    """Decode an answer of one unsigned word, the most common there is; bytes after it are ignored.

    Raises:
        EmptyResult, MalformedResult: as `decode_result`.
    """
    if len(data) == 32:
        return int.from_bytes(data, "big")
    if len(data) < 32:
        decode_result(("uint256",), data)
    return int.from_bytes(data[:32], "big")


def decode_result(types: tuple[str, ...], data: bytes) -> tuple[Any, ...]:
    """Decode the answer of a call. Addresses come back in lower case; bytes after the last value are ignored.

    Raises:
        EmptyResult: there is no data where some was due.
        MalformedResult: the data is too short, or padded with other bytes than the types allow.
    """
    if not data and types:
        raise EmptyResult(
            f"empty answer where ({', '.join(types)}) was due",
            advice="Check that there is a contract at this address, and that the node has this block's state.",
        )
    words = _word_types(types)
    if words is not None and len(data) >= _WORD * len(words):
        values = _decode_words(words, data)
        if values is not None:
            return values
    try:
        return tuple(decode(types, data))
    # OverflowError: an offset beyond any memory; UnicodeDecodeError: a string that is no text
    except (DecodingError, OverflowError, UnicodeDecodeError) as error:
        raise MalformedResult(
            f"{len(data)} bytes are not ({', '.join(types)}): {error}",
            advice="Check that the address is the contract it is meant to be, and of the version it is meant to be.",
        ) from error


def _encode_words(types: tuple[str, ...], arguments: tuple[Any, ...]) -> bytes | None:
    """The commonest arguments, a word each; None where one is something else, which eth-abi encodes or refuses."""
    words = b""
    for name, value in zip(types, arguments, strict=True):
        if name == "address" and type(value) is str:
            words += _address_word(value)
        elif name == "uint256" and type(value) is int and 0 <= value < 1 << 256:
            words += value.to_bytes(_WORD, "big")
        elif name == "bytes32" and type(value) is bytes and len(value) == _WORD:
            words += value
        else:
            return None
    return words


@lru_cache(maxsize=16_384)
def _address_word(address: str) -> bytes:
    """An address as an argument: checking its checksum costs a hash, and the same accounts are asked for again."""
    return encode_arguments(("address",), (address,))


class _WordType(NamedTuple):
    """A type of one word: which values it holds, and how a value is written."""

    lowest: int
    beyond: int
    convert: Callable[[int], Any] | None


@lru_cache(maxsize=1024)
def _word_types(types: tuple[str, ...]) -> tuple[_WordType, ...] | None:
    """The types as single words; None where one of them is something else, which eth-abi decodes."""
    found: list[_WordType] = []
    for name in types:
        number = _NUMBER.fullmatch(name)
        if name == "address":
            found.append(_WordType(0, 1 << 160, _address))
        elif name == "bool":
            found.append(_WordType(0, 2, bool))
        elif number is None or int(number.group(2)) not in range(8, 257, 8):
            return None
        elif number.group(1) == "uint":
            found.append(_WordType(0, 1 << int(number.group(2)), None))
        else:
            half = 1 << int(number.group(2)) - 1
            found.append(_WordType(-half, half, None))
    return tuple(found)


def _decode_words(words: tuple[_WordType, ...], data: bytes) -> tuple[Any, ...] | None:
    """One value per word; None where a word is not of its type, so that eth-abi says what is wrong with it."""
    values: list[Any] = []
    for place, (lowest, beyond, convert) in enumerate(words):
        start = _WORD * place
        value = int.from_bytes(data[start : start + _WORD], "big", signed=lowest < 0)
        if not lowest <= value < beyond:
            return None
        values.append(value if convert is None else convert(value))
    return tuple(values)


def _address(value: int) -> str:
    return f"0x{value:040x}"
