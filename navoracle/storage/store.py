"""The store: frames, slots, posts, events and flows in one SQLite database."""

from __future__ import annotations

from contextlib import AbstractContextManager
from types import TracebackType

from navoracle.storage.database import Database
from navoracle.storage.frames import FrameStore
from navoracle.storage.history import HistoryStore
from navoracle.storage.ledger import LedgerStore
from navoracle.storage.posts import PostStore
from navoracle.storage.slots import SlotStore


class SqlStore(FrameStore, SlotStore, PostStore, LedgerStore, HistoryStore):
    """`navoracle.store_port.Store` on SQLite. Close it, or use it as a context manager.

    Every method may raise StoreError: the disk is full or failed, the file is locked, read-only or damaged. A write
    that fails leaves nothing behind. One store may be used from several threads, each with its own connection.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def open(cls, url: str) -> SqlStore:
        """Open the database at `url` ("sqlite:///navoracle.db") for writing, make it if missing, migrate it.

        Raises:
            StoreError: the directory is missing, the file is read-only, no database, another program's, or of a newer
                schema; it is left as it was.
        """
        return cls(Database.open(url, create=True))

    @classmethod
    def open_existing(cls, url: str) -> SqlStore:
        """Open a database to look at it; one of an older schema is migrated.

        Raises:
            StoreError: there is no file, or it cannot be read; see `open`.
        """
        return cls(Database.open(url, create=False))

    def transaction(self) -> AbstractContextManager[None]:
        """Group this thread's writes into one transaction: all are kept, or none when an error leaves the block.

        Reads inside see the writes. Other writers wait meanwhile, so nothing may be awaited inside.
        """
        return self._database.transaction()

    def close(self) -> None:
        """Close every connection."""
        self._database.close()

    def __enter__(self) -> SqlStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
