"""PostgreSQL: a server that several keepers share.

Nothing here lives longer than a transaction on a connection (no session locks, no session settings, no prepared
statements), so that a pooler that hands a connection on after each transaction does no harm. Whether a commit survives
a loss of power is the server's setting (`synchronous_commit`), which is on unless it was switched off.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, inspect, text
from sqlalchemy.exc import DBAPIError

from navoracle.domain.errors import StoreError
from navoracle.redaction import HIDDEN, redact_database_url, redact_text
from navoracle.storage.backend import DEFECT, PATIENCE_SECONDS, UNCHANGED, Explanation, TransactionState

FORM: Final = "Write the URL as postgresql://user:password@host:5432/database."
_LONGEST_CAUSE: Final = 300
# A keeper that is stopped in the middle of a transaction must not keep the others waiting for its locks.
_BEGIN: Final = text(
    f"SELECT set_config('lock_timeout', '{PATIENCE_SECONDS}s', true), "
    f"set_config('idle_in_transaction_session_timeout', '{3 * PATIENCE_SECONDS}s', true)"
)
_LOCK: Final = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
# A server that no longer answers is noticed in seconds; without these a broken network is waited for for hours.
_CONNECTING: Final = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
    "application_name": "navoracle",
}

_RESTARTING: Final = Explanation(
    f"the server ended the connection or is restarting; {UNCHANGED}",
    "Nothing, if the server was restarted: the keeper connects again by itself. Else look at the server's log.",
)
_REFUSED: Final = Explanation(
    "the server cannot be reached",
    "Check that the server runs, and the host and port of the URL; the keeper tries again with the next slot.",
)
_AUTHENTICATION: Final = Explanation(
    "the server refused the user or the password",
    "Check the user and password of the URL, and the server's pg_hba.conf.",
)
_NO_DATABASE: Final = Explanation(
    "there is no database of that name on the server",
    "Create it (`createdb`), or correct the name at the end of the URL.",
)
_CROWDED: Final = Explanation(
    f"the server has no connection left; {UNCHANGED}",
    "Raise its max_connections, or put a pooler in front of it.",
)
_LOCKED: Final = Explanation(
    f"the rows are locked by another process; {UNCHANGED}",
    "The keeper tries again. If this goes on, look for a transaction that stays open (pg_stat_activity).",
)
_RETRY: Final = Explanation(
    f"another keeper's write came first; {UNCHANGED}", "Nothing: the keeper tries again with what is there now."
)
_READ_ONLY: Final = Explanation(
    "the database is read-only",
    "Name the primary server in the URL, not a standby; or lift default_transaction_read_only.",
)
_DISK: Final = Explanation(
    f"the server's disk is full; {UNCHANGED}",
    "Free space on the server's disk; the keeper goes on with the next slot.",
)
_DAMAGED: Final = Explanation(
    "the database is damaged",
    "Stop the keeper and restore the database from a backup; the chain holds what was posted.",
)

# By SQLSTATE, the longest that fits: five characters name one error, two its class.
_KNOWN: Final = {
    "08": _RESTARTING,
    "23503": Explanation(f"the frame, post or transaction that this belongs to is not recorded; {UNCHANGED}", DEFECT),
    "23505": Explanation(f"this is already recorded; {UNCHANGED}", DEFECT),
    "25006": _READ_ONLY,
    "25P03": Explanation(
        f"the transaction stood still for too long and the server ended it; {UNCHANGED}",
        "Nothing, if the keeper was paused; else the machine is too busy for it.",
    ),
    "28": _AUTHENTICATION,
    "3D000": _NO_DATABASE,
    "40": _RETRY,
    "42501": Explanation(
        "the user may not do that in this database",
        "Grant the user the right to write to the schema, and to create tables in it for a new version.",
    ),
    "53100": _DISK,
    "53200": Explanation(f"the server is out of memory; {UNCHANGED}", "Look at the server's memory and its log."),
    "53300": _CROWDED,
    "55P03": _LOCKED,
    "57014": Explanation(f"the server cancelled the statement; {UNCHANGED}", "Look at its statement_timeout."),
    "57P": _RESTARTING,
    "58": Explanation(f"the server's disk failed; {UNCHANGED}", "Look at the server's disk and log."),
    "XX001": _DAMAGED,
    "XX002": _DAMAGED,
}
# A connection that was never made has no SQLSTATE, only the server's or the library's words.
_IN_WORDS: Final = (
    (re.compile(r"authentication failed|no password supplied|pg_hba\.conf|role .* does not exist"), _AUTHENTICATION),
    (re.compile(r"database .* does not exist"), _NO_DATABASE),
    (re.compile(r"too many clients|remaining connection slots|too many connections"), _CROWDED),
    (re.compile(r"starting up|shutting down|in recovery mode|not yet accepting"), _RESTARTING),
    (re.compile(r"connection failed|refused|timeout|resolve|No such file|unreachable|getaddrinfo"), _REFUSED),
)


class PostgresqlBackend:
    """A database on a server."""

    def __init__(self, url: URL) -> None:
        if "+" in url.drivername and url.drivername.partition("+")[2] != "psycopg":
            raise StoreError(f"the driver of {url.drivername} is not one that navoracle uses", advice=FORM)
        if not url.database:
            raise StoreError("the PostgreSQL URL names no database", advice=FORM)
        self.place = redact_database_url(url.render_as_string(hide_password=True)).replace("+psycopg", "", 1)
        self._password = str(url.password) if url.password else None
        self.engine = _engine(url.set(drivername="postgresql+psycopg"))
        self.reader: Engine = self.engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    def find(self, *, create: bool) -> None:
        """Whether there is a schema is seen when it is opened; a database on a server is never made."""

    def exists(self) -> bool:
        """See `Backend`."""
        try:
            with self.reader.connect() as connection:
                return bool(set(inspect(connection).get_table_names()) - {"alembic_version"})
        except DBAPIError:
            return True

    def writer(self, *, durable: bool) -> Engine:
        """Every commit is as durable as the server makes it."""
        return self.engine

    def begin(self, connection: Connection) -> None:
        """See `Backend`."""
        connection.execute(_BEGIN)

    def lock(self, connection: Connection, name: str) -> None:
        """See `Backend`."""
        connection.execute(_LOCK, {"name": name})

    @contextmanager
    def migration(self) -> Iterator[Connection]:
        """See `Backend`."""
        with self.engine.begin() as connection:
            self.lock(connection, "navoracle:schema")
            yield connection

    def prepare_for_writing(self) -> None:
        """See `Backend`."""
        with self.engine.begin() as connection:
            connection.exec_driver_sql("DELETE FROM flows WHERE false")

    def transaction_state(self, driver: Any) -> TransactionState:
        """After a failed statement PostgreSQL takes a COMMIT for a ROLLBACK, and does not call that an error."""
        match driver.info.transaction_status.name:
            case "INTRANS":
                return TransactionState.OPEN
            case "INERROR":
                return TransactionState.FAILED
            case _:
                return TransactionState.ENDED

    def explain(self, error: DBAPIError) -> Explanation:
        """See `Backend`."""
        said = self._redact(str(error.orig))
        state = getattr(error.orig, "sqlstate", None)
        for length in (5, 3, 2):
            if state and (known := _KNOWN.get(state[:length])):
                return Explanation(f"{known.message} ({said})", known.advice)
        if error.connection_invalidated:
            return Explanation(f"{_RESTARTING.message} ({said})", _RESTARTING.advice)
        if state is None:
            for words, known in _IN_WORDS:
                if words.search(said):
                    return Explanation(f"{known.message} ({said})", known.advice)
        return Explanation(f"the database refused: {said}", DEFECT)

    def _redact(self, said: str) -> str:
        if self._password:
            said = said.replace(self._password, HIDDEN)
        return " ".join(redact_text(said).split())[:_LONGEST_CAUSE]


def _engine(url: URL) -> Engine:
    try:
        return create_engine(
            url,
            pool_pre_ping=True,  # a connection that a restart of the server broke is replaced before it is used
            use_native_hstore=False,
            connect_args={name: value for name, value in _CONNECTING.items() if name not in url.query}
            | {"prepare_threshold": None},
        )
    except ImportError as error:
        raise StoreError(
            f"a database on PostgreSQL needs the driver psycopg, which is not installed ({error})",
            advice="Install it with `pip install 'navoracle[postgres]'`.",
        ) from error
