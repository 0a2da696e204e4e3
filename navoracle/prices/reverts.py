"""Reverts of price feeds that have a meaning, told as the refusal that they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

from navoracle.abi import encode_call
from navoracle.domain.errors import CallReverted, ReadError, SourceRefused
from navoracle.readers import ReaderModel


class Meaning(NamedTuple):
    """What a revert says of a feed, and what to do about it."""

    message: str
    advice: str


Meanings: TypeAlias = Mapping[bytes, Meaning]
"""By a custom error's selector (4 bytes), or by the whole revert data of a message."""


def message_revert(text: str) -> bytes:
    """The revert data of `require(false, text)`."""
    return encode_call("Error(string)", text)


def explained(reader: ReaderModel, revert: CallReverted, meanings: Meanings) -> ReadError:
    """The refusal that a revert stands for; the revert itself where it is not among the meanings."""
    meaning = meanings.get(revert.data[:4]) or meanings.get(revert.data)
    if meaning is None:
        return revert
    return SourceRefused(f"{reader.id}: {meaning.message}", advice=meaning.advice)
