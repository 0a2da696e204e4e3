"""What is kept of a reader that failed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Failure:
    """A reader that failed, with the error's code, message and advice."""

    reader: str
    code: str
    message: str
    advice: str
