"""What every answer of the read model is made of.

Money, prices, rates and ratios are Wad integers (18 places) as text, as `--json` of the commands writes them; basis
points and Unix seconds are integers. What is not known is null, and `unknown` or `reason` beside it says why.
"""

from __future__ import annotations

from typing import Annotated, Final, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from navoracle.domain.units import to_wad, wad_text

MOST_ROWS: Final = 500
"""Rows of a page at most."""

WadText = Annotated[str, Field(pattern=r"^-?[0-9]+$", examples=["1026000000000000000000000"])]
"""A Wad as text: the integer, scaled by 10**18."""

WeiText = Annotated[str, Field(pattern=r"^-?[0-9]+$")]
"""An integer of any size as text, in wei or in a token's own units."""

Time = Annotated[int, Field(description="Unix seconds.")]

NavWord = Literal["live", "estimated", "verified", "suspicious", "halted", "insolvent", "confirmed", "unknown"]
"""What is said of a NAV: a frame's word, "confirmed" for one that the chain serves, or "unknown"."""

RiskWord = Literal["safe", "warning", "urgent", "critical", "unknown"]


class Record(BaseModel):
    """A frozen record whose fields say what they are."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


R = TypeVar("R")


class Page(Record, Generic[R]):
    """Rows of a list that grows: the newest first."""

    items: list[R]
    total: int
    """All rows that match, whatever page they are on."""
    limit: int
    """Rows of a page at most."""
    next: str | None
    """The `cursor` of the next page; null on the last one."""


class OffsetPage(Record, Generic[R]):
    """Rows of a list that is sorted as asked."""

    items: list[R]
    total: int
    """All rows that match, whatever page they are on."""
    offset: int
    """Rows that were left out before the first one here."""
    limit: int
    """Rows of a page at most."""
    next: int | None
    """The `offset` of the next page; null on the last one."""


def wad_of(text: str | None) -> str | None:
    """A decimal of a state file as Wad text, exactly; None where there is none."""
    return None if text is None else wad_text(to_wad(text))


def number(text: str | None) -> int | None:
    """An integer of an evidence document; None where there is none."""
    return None if text is None else int(text)
