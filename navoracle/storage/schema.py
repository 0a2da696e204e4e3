"""The schema's revision: checked when a database is opened, and brought to the newest one.

To change the schema: change `tables.py`, add a file `migrations/versions/000N_*.py` whose `down_revision` is the newest
one's `revision`, and run the tests, which hold the two against each other.
"""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect

from navoracle.domain.errors import StoreError


def migrate(reader: Engine, writer: Engine, place: str) -> None:
    """Bring the database to the newest revision, in one transaction; one that is there is not written to.

    Raises:
        StoreError: its revision is unknown (a newer navoracle wrote it), or it belongs to another program; it is left
            as it was.
    """
    with reader.connect() as connection:
        if current_revision(connection, place) == newest_revision():
            return
    with writer.begin() as connection:
        # Looked at again under the lock: another process may have migrated it in the meantime.
        if current_revision(connection, place) != newest_revision():
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
    known = {script.revision for script in _scripts().walk_revisions()}
    if len(heads) > 1 or heads[0] not in known:
        raise StoreError(
            f"{place} has the schema {', '.join(heads)}; this navoracle knows up to {newest_revision()}",
            advice="Use the navoracle version that wrote it; nothing was changed.",
        )
    return heads[0]


def newest_revision() -> str:
    """The revision that this code is written for."""
    (head,) = _scripts().get_heads()
    return head


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Run the revisions up to `revision` within the connection's transaction."""
    command.upgrade(_config(connection), revision)


def downgrade(connection: Connection, revision: str = "base") -> None:
    """Undo the revisions down to `revision` within the connection's transaction."""
    command.downgrade(_config(connection), revision)


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", "navoracle.storage:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())
