"""How the documents write a figure, and how they say that it is not known.

Money, prices, amounts and ratios are decimal numbers as text, exact to 18 places. What is not known is null, and the
document's `unknown` has the reason under the JSON pointer (RFC 6901) of the place, where "*" stands for any step.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Final, TypeVar

from pydantic import ConfigDict, Field

from navoracle.domain.units import format_wad

T = TypeVar("T")

DECIMAL_PATTERN: Final = r"^-?[0-9]+(\.[0-9]{1,18})?$"

Decimal = Annotated[str, Field(pattern=DECIMAL_PATTERN)]
"""A decimal number as text, with at most 18 places and no trailing zeros."""

Time = Annotated[int, Field(ge=0)]
"""Unix seconds."""

BasisPoints = Annotated[int, Field(ge=0, le=10_000)]

DOCUMENT: Final = ConfigDict(use_attribute_docstrings=True, extra="forbid")
"""How the models of documents are read: what stands below a field says what it is."""


def decimal(amount: int) -> str:
    """A Wad as a decimal number, exactly."""
    text = format_wad(amount).rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def decimal_of(amount: int, decimals: int) -> str:
    """An amount of zero or more, of so many decimals; places beyond the 18th are cut off."""
    return decimal(amount * 10 ** (18 - decimals) if decimals <= 18 else amount // 10 ** (decimals - 18))


def escaped(step: str) -> str:
    """A step of a JSON pointer."""
    return step.replace("~", "~0").replace("/", "~1")


@dataclass(slots=True)
class Unknown:
    """Collects the reasons while a document is made."""

    reasons: dict[str, str] = field(default_factory=dict)

    def wad(self, place: str, amount: int | None, reason: str) -> str | None:
        """The decimal number; where there is none, null and the reason."""
        if amount is None:
            self.reasons[place] = reason
            return None
        return decimal(amount)

    def other(self, place: str, value: T | None, reason: str) -> T | None:
        """The value; where there is none, the reason is noted."""
        if value is None:
            self.reasons[place] = reason
        return value
