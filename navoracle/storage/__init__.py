"""The keeper's store: SQLAlchemy on SQLite or PostgreSQL, with its migrations."""

from navoracle.storage.store import SqlStore

__all__ = ["SqlStore"]
