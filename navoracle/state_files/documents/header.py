"""What every document begins with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypedDict

from navoracle.domain.units import Timestamp
from navoracle.redaction import redact_text
from navoracle.state_files.facts import Facts, Source, Status
from navoracle.state_files.values import DOCUMENT, Time

FORMAT: Literal[1] = 1


@dataclass(frozen=True, kw_only=True)
class Header:
    """What every document begins with."""

    __pydantic_config__ = DOCUMENT

    format: Literal[1]
    """Of this file; another number when the meaning of a field changes."""
    fund: str
    """The fund's name in the configuration."""
    unit: str
    """The unit of account: what every amount of money is counted in, also where a field is named `usd`."""
    frame: str | None
    """The frame that found all of this; the files of one set have one frame."""
    source: Source
    """What the set is made from: the frame of a slot, a look between slots, or what the chain serves (no frame)."""
    status: Status
    """What the frame says of the NAV; "confirmed" where there is no frame."""
    reason: str
    """Why the NAV may not be posted; empty where it may."""
    updated_at: Time
    """The valuation time that the figures are of, in Unix seconds."""
    age_s: int
    """Seconds from `updated_at` to the writing of the file."""
    unknown: dict[str, str]
    """Why a place is null, by its JSON pointer; "*" stands for every item."""


class Beginning(TypedDict):
    """The header's fields but `unknown`."""

    format: Literal[1]
    fund: str
    unit: str
    frame: str | None
    source: Source
    status: Status
    reason: str
    updated_at: int
    age_s: int


def beginning(facts: Facts, reasons: dict[str, str], updated_at: Timestamp | None = None) -> Beginning:
    """The header of a document about these facts.

    Args:
        updated_at: of its figures; the frame's valuation time, or that of what the chain serves, unless given.
    """
    at = updated_of(facts) if updated_at is None else updated_at
    if facts.frame is None:
        reasons["/frame"] = "no_frame"
    return Beginning(
        format=FORMAT,
        fund=facts.view.fund,
        unit=facts.view.unit,
        frame=None if facts.frame is None else facts.frame.id,
        source=facts.source,
        status=facts.status,
        reason="" if facts.part is None else redact_text(facts.part.reason or ""),
        updated_at=at,
        age_s=facts.now - at,
    )


def updated_of(facts: Facts) -> Timestamp:
    """The valuation time of the facts."""
    if facts.frame is not None:
        return facts.frame.now
    return facts.now if facts.confirmed is None else facts.confirmed.valuation_time
