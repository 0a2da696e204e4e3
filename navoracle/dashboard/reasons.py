"""Why something is not known, for people; documents say it by the place's JSON pointer and a short word."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from navoracle.dashboard import formats

WORDS: Final[Mapping[str, str]] = {
    "no_frame": "no frame has looked at the fund yet",
    "no_risk_monitor": "the fund has no risk monitor",
    "no_monitor_runs": "no risk monitor runs",
    "no_collateral": "there is no collateral",
    "no_debt": "nothing is owed",
    "no_exposure": "there is no exposure",
    "no_equity": "there is no equity to compare with",
    "no_nav": "the NAV is not positive, or not known",
    "no_gate": "the fund has no gate",
    "no_peak": "there is no peak yet",
    "no_profit": "there was no profit",
    "no_vault": "the fund has no vault of its own",
    "not_begun": "the vault has not been opened yet",
    "no_bridge": "it has no vault of its own, or nothing was posted before",
    "no_prices": "too few prices are kept yet",
    "flows_not_known": "deposits and withdrawals are not known",
    "not_counted": "not counted",
    "not_watched": "not watched in this mode",
    "not_configured": "not configured",
    "not_stated": "the telemetry does not say it",
    "not_held": "not held, and the telemetry does not say it",
    "no_file": "there is no telemetry file",
    "too_old": "the telemetry is too old",
    "unreadable": "the telemetry cannot be read",
    "nothing_that_moves": "it holds nothing whose price moves",
}
"""The words of the state files; any other reason is a sentence already."""


def explained(reason: str) -> str:
    """A reason as a sentence's part."""
    subject, colon, rest = reason.partition(": ")
    if colon and rest in WORDS:
        return f"{subject}: {WORDS[rest]}"
    return WORDS.get(reason, formats.word(reason) if reason.islower() and " " not in reason else reason)


def why(unknown: Mapping[str, str], *steps: str | int) -> str:
    """Why a place of a document is null, by the steps to it; empty where the document does not say."""
    exactly = "".join(f"/{_escaped(step)}" for step in steps)
    found = unknown.get(exactly)
    if found is None:
        wanted = exactly.split("/")
        found = next((reason for place, reason in unknown.items() if _matches(place.split("/"), wanted)), "")
    return explained(found)


def _matches(pattern: list[str], steps: list[str]) -> bool:
    return len(pattern) == len(steps) and all(part in ("*", step) for part, step in zip(pattern, steps, strict=True))


def _escaped(step: str | int) -> str:
    return str(step).replace("~", "~0").replace("/", "~1")
