"""How statuses are told: the same word and the same tone on every page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from navoracle.dashboard.parts.records import Tone

NAV_TONES: Final[Mapping[str, Tone]] = {
    "live": "good",
    "verified": "good",
    "confirmed": "plain",
    "estimated": "warning",
    "suspicious": "bad",
    "halted": "bad",
    "insolvent": "bad",
    "unknown": "plain",
}
RISK_TONES: Final[Mapping[str, Tone]] = {
    "safe": "good",
    "warning": "warning",
    "urgent": "bad",
    "critical": "bad",
    "unknown": "plain",
}
BREAKER_TONES: Final[Mapping[str, Tone]] = {"closed": "good", "half_open": "warning", "open": "bad"}
FALL_TONES: Final[Mapping[str, Tone]] = {
    "normal": "good",
    "caution": "warning",
    "breached": "bad",
    "unknown": "plain",
}
SLOT_TONES: Final[Mapping[str, Tone]] = {
    "posted": "good",
    "claimed": "plain",
    "held": "bad",
    "skipped": "warning",
    "failed": "bad",
    "missed": "bad",
}


def tone_of(tones: Mapping[str, Tone], word: str) -> Tone:
    """The tone of a word; plain for one that is not in the table."""
    return tones.get(word, "plain")
