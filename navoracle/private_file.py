"""Files that only their owner may read: keys, passphrases, tokens."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from navoracle.domain.errors import ConfigurationError


def read_private(path: Path, what: str, limit: int = 1024) -> bytes:
    """The content of a file that nobody but its owner may read or write.

    Args:
        what: how errors call it: "key file".
        limit: the most bytes that it may hold.

    Raises:
        ConfigurationError: it is missing, not a file, open to others, or larger.
    """
    try:
        # Without waiting: opening a pipe that nobody writes to would never return.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise ConfigurationError(f"{what} {path} is not a file", advice="Name a file that holds the secret.")
            if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise ConfigurationError(
                    f"{what} {path} may be read or written by others than its owner",
                    advice=f"Take their rights away: chmod 600 {path}. If others may have read it, use a new one.",
                )
            content = file.read(limit + 1)
    except OSError as error:
        raise ConfigurationError(
            f"{what} {path} cannot be read: {error.strerror}", advice="Check the path and the file's owner."
        ) from error
    if len(content) > limit:
        raise ConfigurationError(f"{what} {path} holds more than {limit} bytes", advice="Name the file of the secret.")
    return content
