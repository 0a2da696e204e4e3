"""The schema's revision: checked when a database is opened, and brought to the newest one.

To change the schema: change `tables.py`, add a file `migrations/versions/000N_*.py` whose `down_revision` is the newest
one's `revision`, and run the tests, which hold the two against each other.
"""

from __future__ import annotations

from functools import cache

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from navoracle.domain.errors import StoreError
from navoracle.storage.backend import Backend


def migrate(backend: Backend, *, create: bool) -> None:
    """Bring the database to the newest revision, in one transaction; one that is there is not written to.

    Args:
        create: whether an empty database gets a schema.

    Raises:
        StoreError: its revision is unknown (a newer navoracle wrote it), it belongs to another program, or it is empty
            and shall stay so; it is left as it was.
    """
    with backend.engine.connect() as connection:
        found = current_revision(connection, backend.place)
    if found == newest_revision():
        return
    if found is None and not create:
        raise StoreError(
            f"{backend.place}: there is no database",
            advice="Name the database that the keeper writes to; `navoracle demo` leaves one to look at.",
        )
    with backend.migration() as connection:
        # Looked at again under the lock: another process may have migrated it in the meantime.
        if current_revision(connection, backend.place) != newest_revision():
            upgrade(connection)


def current_revision(connection: Connection, place: str) -> str | None:
    """The database's revision; None when it is empty. Raises StoreError when it is none of ours."""
    heads = MigrationContext.configure(connection).get_current_heads()
    if not heads:
        if set(inspect(connection).get_table_names()) - {"alembic_version"}:
            raise StoreError(
                f"{place} is a database of another program", advice="Name a file of navoracle's own, or a new one."
            )
        return None
    if len(heads) > 1 or heads[0] not in revisions():
        raise StoreError(
            f"{place} has the schema {', '.join(heads)}; this navoracle knows up to {newest_revision()}",
            advice="Use the navoracle version that wrote it; nothing was changed.",
        )
    return heads[0]


def newest_revision() -> str:
    """The revision that this code is written for."""
    return revisions()[-1]


@cache
def revisions() -> tuple[str, ...]:
    """Every revision, oldest first."""
    scripts = ScriptDirectory.from_config(_config()).walk_revisions()
    return tuple(script.revision for script in scripts)[::-1]


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Run the revisions up to `revision` within the connection's transaction."""
    command.upgrade(_config(connection), revision)


def downgrade(connection: Connection, revision: str = "base") -> None:
    """Undo the revisions after `revision` within the connection's transaction."""
    command.downgrade(_config(connection), revision)


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", "navoracle.storage:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
