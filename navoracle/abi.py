"""Contract calls and results in the standard ABI, with typed errors; a thin layer over eth-abi.

Signatures are written as in Solidity, types only: `balanceOf(address)`, `post(uint256,bytes32,bytes)`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError, EncodingError, ParseError
from eth_abi.grammar import TupleType, parse
from eth_utils.crypto import keccak

from navoracle.domain.errors import DomainError, EmptyResult, MalformedResult


@lru_cache(maxsize=1024)
def selector(signature: str) -> bytes:
    """The first four bytes of the keccak-256 of a signature in canonical form.

    Raises:
        DomainError: the text is not a function signature.
    """
    argument_types(signature)
    return keccak(text=signature)[:4]


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
    return selector(signature) + encode_arguments(types, arguments)


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
    try:
        return tuple(decode(types, data))
    # OverflowError: an offset beyond any memory; UnicodeDecodeError: a string that is no text
    except (DecodingError, OverflowError, UnicodeDecodeError) as error:
        raise MalformedResult(
            f"{len(data)} bytes are not ({', '.join(types)}): {error}",
            advice="Check that the address is the contract it is meant to be, and of the version it is meant to be.",
        ) from error
