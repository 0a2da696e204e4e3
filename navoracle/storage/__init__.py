"""The keeper's store: SQLAlchemy on SQLite, with its migrations."""

from navoracle.storage.store import SqlStore

__all__ = ["SqlStore"]
