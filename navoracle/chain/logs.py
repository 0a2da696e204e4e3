"""Logs as JSON-RPC has them: how they are asked for, and how they are understood."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from eth_utils.address import to_checksum_address

from navoracle.chain.rpc import block_field, hex_bytes, quantity
from navoracle.domain.errors import ChainError
from navoracle.ports import Address, Log, LogFilter

MAX_TOPICS: Final = 4


def filter_params(wanted: LogFilter) -> dict[str, object]:
    """The filter as `eth_subscribe` and `eth_getLogs` take it."""
    topics = [None if place is None else list(place) for place in wanted.topics]
    return {"address": list(wanted.addresses), "topics": topics}


def parse_log(found: object) -> Log | None:
    """The log that a node describes; None for one that a reorganization removed.

    Raises:
        ChainError: it is no log of a mined transaction.
    """
    if isinstance(found, Mapping) and found.get("removed") is True:
        return None
    topics = block_field(found, "topics")
    if not isinstance(topics, list) or len(topics) > MAX_TOPICS:
        raise ChainError(
            f"the node answered {str(topics)[:80]!r} where topics were due", advice="Check the node's health."
        )
    return Log(
        address=Address(to_checksum_address(hex_bytes(block_field(found, "address"), "address of a log", 20))),
        topics=tuple(_word(topic, "topic") for topic in topics),
        data=hex_bytes(block_field(found, "data"), "data of a log"),
        block_number=quantity(block_field(found, "blockNumber"), "block number"),
        block_hash=_word(block_field(found, "blockHash"), "block hash"),
        transaction=_word(block_field(found, "transactionHash"), "transaction hash"),
        index=quantity(block_field(found, "logIndex"), "log index"),
    )


class Seen:
    """Which logs were handed over already, by block hash and index; of so many logs, the oldest are forgotten."""

    def __init__(self, limit: int = 20_000) -> None:
        self._limit = limit
        self._known: dict[tuple[str, int], None] = {}

    def __len__(self) -> int:
        return len(self._known)

    def is_new(self, log: Log) -> bool:
        """Whether it was not asked for before; it is known from now on."""
        key = log.block_hash, log.index
        if key in self._known:
            return False
        self._known[key] = None
        if len(self._known) > self._limit:
            del self._known[next(iter(self._known))]
        return True


def _word(value: object, what: str) -> str:
    return "0x" + hex_bytes(value, what, 32).hex()
