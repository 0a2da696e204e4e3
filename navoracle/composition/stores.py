"""Opening the store: to keep, to look at, or to rehearse with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from navoracle.domain.cadence import Cadence
from navoracle.domain.errors import UsageError
from navoracle.domain.fees import Basis
from navoracle.domain.frame import NavFrame
from navoracle.domain.units import Timestamp
from navoracle.redaction import redact_database_url
from navoracle.storage import SqlStore
from navoracle.storage.database import Database
from navoracle.store_records import SlotOutcome


def open_store(url: str) -> SqlStore:
    """Open the database for writing; make it if missing. Raises StoreError."""
    return SqlStore.open(url)


def open_fresh_store(url: str) -> SqlStore:
    """Open a database for one run of a timeline: a new one, or one that holds nothing yet.

    Raises:
        UsageError: it holds frames: its slots are taken and its prices remembered, so nothing could be run anew.
        StoreError: it cannot be written.
    """
    store = SqlStore.open(url)
    if store.frames(limit=1, samples=True):
        store.close()
        raise UsageError(
            f"{redact_database_url(url)} holds the frames of an earlier run",
            advice="Name another database, or leave --database out: a new one is made.",
        )
    return store


def open_existing_store(url: str) -> SqlStore:
    """Open a database that is there, to look at it. Raises StoreError."""
    return SqlStore.open_existing(url)


class RehearsalStore(SqlStore):
    """A store that answers as the database does and keeps nothing.

    A dry run thereby starts from the real state and leaves none behind: no slot is taken from the live run that
    follows, no fee clock or high-water mark begins.
    """

    def claim_slot(self, fund: str, slot_time: Timestamp, cadence: Cadence, at: Timestamp) -> bool:
        """Whether the slot is free; it stays free."""
        return all(row.slot_time != slot_time for row in self.slots(fund, since=slot_time))

    def finish_slot(self, fund: str, slot_time: Timestamp, outcome: SlotOutcome, at: Timestamp) -> None:
        """Nothing is kept."""

    def record_frame(
        self, frame: NavFrame, *, hashes: Mapping[str, str], fee_bases: Mapping[str, Basis] | None = None
    ) -> None:
        """Nothing is kept."""

    def record_sample(self, frame: NavFrame) -> None:
        """Nothing is kept."""


@contextmanager
def rehearsal_store(url: str) -> Iterator[RehearsalStore]:
    """A store for valuations that are only shown and for dry runs; a missing database is as good as an empty one.

    Raises:
        StoreError: the database is there and cannot be read.
    """
    with TemporaryDirectory(prefix="navoracle-") as folder:
        found = url if store_exists(url) else f"sqlite:///{folder}/empty.db"
        store = RehearsalStore(Database.open(found, create=found != url))
        try:
            yield store
        finally:
            store.close()


def store_exists(url: str) -> bool:
    """Whether there is something at a database URL; a URL that names no file counts, so that opening it explains."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        return True
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        return True
    return Path(parsed.database).exists()
