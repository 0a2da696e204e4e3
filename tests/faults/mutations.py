"""Changes of the code under the rows, made in a process of their own: each makes a row fail, or else the row is blind.

Two are no mutations but surroundings: `largest_file:KILOBYTES` is a full disk, no file of the process can grow beyond
it; `session_per_transaction` is a pooler that gives every transaction another session.
"""

from __future__ import annotations

import resource
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Final
from unittest.mock import patch

from sqlalchemy import NullPool, create_engine

from navoracle.chain.reader import Web3ChainReader
from navoracle.chain.transactions import replacing
from navoracle.chain.transactions.watching import Watcher
from navoracle.domain.gas_fees import Fees
from navoracle.ports import Scrutiny
from navoracle.storage import SqlStore, postgresql
from navoracle.store_port import Attempt, LaneLease


def apply(name: str) -> None:
    """Change the code of this process for good."""
    kind, _, argument = name.partition(":")
    if kind == "largest_file":
        most = int(argument) * 1_024
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    elif kind == "session_per_transaction":
        _put(postgresql, "create_engine", partial(create_engine, poolclass=NullPool))
    else:
        MUTATIONS[kind][1]()


def _put(owner: Any, name: str, replacement: Any) -> None:
    patch.object(owner, name, replacement).start()


def _send_before_saving() -> None:
    """The signed bytes are stored only when the broadcast was answered."""
    save, record = SqlStore.save_attempt, SqlStore.record_broadcast
    kept: dict[str, tuple[LaneLease, int, Attempt]] = {}

    def later(self: SqlStore, lane: LaneLease, transaction: int, attempt: Attempt) -> None:
        kept[attempt.signed.hash] = (lane, transaction, attempt)

    def now(self: SqlStore, lane: LaneLease, transaction_hash: str, at: Any, error: str | None = None) -> None:
        if transaction_hash in kept:
            save(self, *kept.pop(transaction_hash))
        record(self, lane, transaction_hash, at, error)

    _put(SqlStore, "save_attempt", later)
    _put(SqlStore, "record_broadcast", now)


def _forget_earlier_hashes() -> None:
    """Only the newest form of a transaction is looked up."""
    settle = Watcher.settle

    async def newest_only(self: Watcher, row: Any, look: Any) -> bool:
        return await settle(self, replace(row, attempts=row.attempts[-1:]), look)

    _put(Watcher, "settle", newest_only)


def _raise_too_little() -> None:
    """A replacement offers a twentieth more, where nodes ask for a tenth."""

    def too_little(newest: Fees, _wanted: Fees, _ceiling: int) -> Fees:
        return Fees(newest.max_fee * 105 // 100, newest.max_tip * 105 // 100)

    _put(replacing, "replacement_fees", too_little)


def _believe_one_node() -> None:
    """What one node says is taken for what the chain holds."""
    read = Web3ChainReader.read

    async def by_one(self: Web3ChainReader, requests: Any, at: Any, _scrutiny: Any = None) -> Any:
        return await read(self, requests, at, Scrutiny.ONE)

    _put(Web3ChainReader, "read", by_one)


MUTATIONS: Final[dict[str, tuple[str, Callable[[], None]]]] = {
    "send_before_saving": ("the signed bytes are stored after they were sent", _send_before_saving),
    "forget_earlier_hashes": ("only the newest hash of a transaction is looked up", _forget_earlier_hashes),
    "raise_too_little": ("a replacement raises fees by a twentieth", _raise_too_little),
    "believe_one_node": ("one node is believed", _believe_one_node),
}
"""What each changes, and how."""
