"""What a check finds: how bad, where in the configuration, what, and what to change."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


class Level(Enum):
    """ERROR stops a fund from being posted or posts it wrongly; WARNING is a risk that somebody should know of.

    NOTE is no risk: something that others may expect is not there.
    """

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong; `place` is the path in the configuration ("assets.USDC.sources[0].feed")."""

    level: Level
    place: str
    message: str
    advice: str


def error(place: str, message: str, advice: str) -> Finding:
    """Something that stops a fund, or makes its NAV wrong."""
    return Finding(Level.ERROR, place, message, advice)


def warning(place: str, message: str, advice: str) -> Finding:
    """Something that works and is a risk."""
    return Finding(Level.WARNING, place, message, advice)


def note(place: str, message: str, advice: str) -> Finding:
    """Something that works, without what others may expect of it."""
    return Finding(Level.NOTE, place, message, advice)


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Each finding once: errors, then warnings as the configuration goes, then notes."""
    ranks = {Level.ERROR: 0, Level.WARNING: 1, Level.NOTE: 2}
    return tuple(sorted(dict.fromkeys(findings), key=lambda found: ranks[found.level]))


def failing(findings: Iterable[Finding], *, strict: bool) -> list[Finding]:
    """Those for which a check ends badly: errors, and with `strict` warnings too; never notes."""
    ending = {Level.ERROR, Level.WARNING} if strict else {Level.ERROR}
    return [found for found in findings if found.level in ending]
