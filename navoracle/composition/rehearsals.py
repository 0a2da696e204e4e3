"""What a rehearsal of the service works on: a copy of the database, so that everything happens and nothing is left."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import make_url

from navoracle.composition.stores import open_existing_store, store_exists
from navoracle.domain.errors import StoreError


def copy_for_rehearsal(url: str, folder: Path) -> str:
    """The URL of a throw-away SQLite database in `folder` that starts from what `url` holds.

    A SQLite database is copied as it is, while others may write to it. Where the database is on a server, or missing,
    the rehearsal starts from an empty one: the sampler then finds its prices anew.

    Raises:
        StoreError: the database is there and cannot be read.
    """
    copy = folder / "rehearsal.db"
    if store_exists(url):
        open_existing_store(url).close()  # what is wrong with it is told by the store, in its own words
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite" and parsed.database:
            try:
                with closing(sqlite3.connect(parsed.database)) as source, closing(sqlite3.connect(copy)) as target:
                    source.backup(target)
            except sqlite3.Error as error:
                raise StoreError(
                    f"{parsed.database} cannot be copied for the rehearsal: {error}",
                    advice="Free space for a copy in the folder for temporary files, or set TMPDIR to another one.",
                ) from error
    return f"sqlite:///{copy}"
