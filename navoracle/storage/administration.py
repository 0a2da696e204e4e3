"""What is done to a database as a whole, without opening it as a store, which would bring it to the newest schema."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from navoracle.domain.errors import UsageError
from navoracle.storage import schema
from navoracle.storage.backend import Backend
from navoracle.storage.database import backend_of
from navoracle.storage.failures import store_errors


def database_exists(url: str) -> bool:
    """Whether there is something at a database URL; what cannot be looked at counts, so that opening it explains.

    Raises:
        StoreError: it is no URL of a database.
    """
    with _opened(url) as backend:
        return backend.exists()


def current_revision(url: str) -> str | None:
    """The revision of a database's schema; None when it is empty. Nothing is changed.

    Raises:
        StoreError: there is none, it cannot be read, or it is none of navoracle's.
    """
    with _opened(url) as backend, store_errors(backend):
        backend.find(create=False)
        with backend.engine.connect() as connection:
            return schema.current_revision(connection, backend.place)


def migrate_to(url: str, revision: str = "head") -> str | None:
    """Bring a database to a revision, up or down, in one transaction; the revision that it has then.

    Args:
        revision: one of `navoracle.storage.schema.revisions()`, "head" for the newest or "base" for none at all, which
            deletes everything.

    Raises:
        UsageError: there is no such revision.
        StoreError: the database cannot be read or written, or is none of navoracle's; it is left as it was.
    """
    known = schema.revisions()
    wanted = {"head": len(known), "base": 0} | {name: place for place, name in enumerate(known, start=1)}
    if revision not in wanted:
        raise UsageError(
            f"there is no schema revision {revision}", advice=f"Name one of: base, {', '.join(known)}, head."
        )
    with _opened(url) as backend, store_errors(backend):
        backend.find(create=wanted[revision] > 0)
        with backend.migration() as connection:
            found = schema.current_revision(connection, backend.place)
            if wanted[found or "base"] < wanted[revision]:
                schema.upgrade(connection, revision)
            elif wanted[found or "base"] > wanted[revision]:
                schema.downgrade(connection, revision)
            return schema.current_revision(connection, backend.place)


@contextmanager
def _opened(url: str) -> Iterator[Backend]:
    backend = backend_of(url)
    try:
        yield backend
    finally:
        backend.engine.dispose()
