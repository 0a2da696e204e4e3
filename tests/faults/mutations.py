"""Changes of the code under the rows, made in a process of their own: each must make a row fail, or else the row is blind.

`largest_file:KILOBYTES` is no mutation but a full disk: no file of the process can grow beyond it.
"""

from __future__ import annotations

import resource
from collections.abc import Callable
from typing import Any, Final
from unittest.mock import patch

from navoracle.chain.transactions.watching import Watcher
from navoracle.storage import SqlStore
from navoracle.store_port import Attempt, LaneLease


def apply(name: str) -> None:
    """Change the code of this process for good."""
    kind, _, argument = name.partition(":")
    if kind == "largest_file":
        most = int(argument) * 1_024
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
        return
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
        from dataclasses import replace

        return await settle(self, replace(row, attempts=row.attempts[-1:]), look)

    _put(Watcher, "settle", newest_only)


def _lose_no_lease() -> None:
    """Whoever lost a lease writes all the same."""
    from navoracle.storage import lanes, slots

    for module in (lanes, slots):
        for name in [name for name in dir(module) if name.startswith(("require_", "_require_"))]:
            _put(module, name, lambda *_arguments, **_named: None)


MUTATIONS: Final[dict[str, tuple[str, Callable[[], None]]]] = {
    "send_before_saving": ("the signed bytes are stored after they were sent", _send_before_saving),
    "forget_earlier_hashes": ("only the newest hash of a transaction is looked up", _forget_earlier_hashes),
    "lose_no_lease": ("a keeper that lost its lease writes and sends all the same", _lose_no_lease),
}
"""What each changes, and how."""
