"""The lines of event files, each read as what it is: an event as it was written, or something else."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from navoracle.domain.units import Timestamp
from navoracle.telemetry.event_chain import Sealed, unseal
from navoracle.telemetry.event_folder import EventFile, day_of
from navoracle.telemetry.events import encoded

_FIELDS: Final = ("id", "at", "component", "kind", "fund", "severity", "message", "advice", "data")


@dataclass(frozen=True, slots=True)
class FoundLine:
    """A line as it was found; `sealed` is None where it is none of ours."""

    file: EventFile
    number: int
    content: bytes
    sealed: Sealed | None

    @property
    def is_torn(self) -> bool:
        """Whether its end is missing."""
        return not self.content.endswith(b"\n")

    @property
    def is_good(self) -> bool:
        """Whether it is what was written."""
        return self.event() is not None

    def event(self) -> dict[str, Any] | None:
        """The event as plain JSON; None where the line's hash is wrong, or it is not written exactly as events are."""
        if self.is_torn or self.sealed is None or not self.sealed.intact:
            return None
        try:
            document: object = json.loads(self.sealed.document)
        except (ValueError, RecursionError):
            return None
        if not isinstance(document, dict) or tuple(document) != _FIELDS:
            return None
        fits = document["component"] == self.file.component and _is_by(document["at"], self.file.day)
        return document if fits and encoded(document) == self.sealed.document else None


def found_lines(files: Iterable[EventFile]) -> Iterator[FoundLine]:
    """Every line of some files, in their order. Raises OSError."""
    for file in files:
        with file.path.open("rb") as lines:
            for number, content in enumerate(lines, 1):
                yield FoundLine(file, number, content, unseal(content.removesuffix(b"\n")))


def _is_by(at: object, day: date) -> bool:
    """Whether an event can be in the file of a day: it happened on that day or, where it was caught up, before."""
    try:
        return isinstance(at, int) and day_of(Timestamp(at)) <= day
    except (ValueError, OverflowError, OSError):
        return False
