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
PRICE_TONES: Final[Mapping[str, Tone]] = {"live": "good", "estimated": "warning", "unavailable": "bad"}
REGIME_TONES: Final[Mapping[str, Tone]] = {"quiet": "good", "normal": "good", "wild": "warning"}
SEVERITY_TONES: Final[Mapping[str, Tone]] = {"info": "plain", "warning": "warning", "critical": "bad"}
NODE_TONES: Final[Mapping[str, Tone]] = {
    "alive": "good",
    "unreachable": "bad",
    "wrong_chain": "bad",
    "syncing": "warning",
    "out_of_sync": "warning",
    "no_finalized": "warning",
    "disputed": "bad",
}
TRANSACTION_TONES: Final[Mapping[str, Tone]] = {
    "confirmed": "good",
    "mined": "plain",
    "sent": "plain",
    "prepared": "plain",
    "replaced": "warning",
    "failed": "bad",
}
REQUEST_TONES: Final[Mapping[str, Tone]] = {
    "queued": "plain",
    "done": "good",
    "partly_done": "warning",
    "refused": "bad",
}


def tone_of(tones: Mapping[str, Tone], word: str) -> Tone:
    """The tone of a word; plain for one that is not in the table."""
    return tones.get(word, "plain")
