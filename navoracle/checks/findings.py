"""What a check finds: how bad, where in the configuration, what, and what to change."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


class Level(Enum):
    """ERROR stops a fund from being posted or posts it wrongly; WARNING is a risk that somebody should know of."""

    ERROR = "error"
    WARNING = "warning"


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


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Each finding once, errors first, then as the configuration goes."""
    return tuple(sorted(dict.fromkeys(findings), key=lambda found: found.level is not Level.ERROR))
