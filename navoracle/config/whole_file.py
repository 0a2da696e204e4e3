"""A file that is written whole or not at all, whatever happens meanwhile."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def written_beside(path: Path, content: bytes, mode: int) -> Iterator[Path]:
    """A file of this content, on the disk, in the folder of `path`; gone after the block unless it was moved there.

    Args:
        mode: its rights.

    Raises:
        OSError: it cannot be written.
    """
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    made = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        yield made
    finally:
        made.unlink(missing_ok=True)
