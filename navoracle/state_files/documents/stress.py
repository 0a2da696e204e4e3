"""The stress table: what falls of assets would do to the NAV."""

from __future__ import annotations

from dataclasses import dataclass

from navoracle.state_files.facts import StressLine
from navoracle.state_files.values import DOCUMENT, Decimal, Unknown, decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class StressEntry:
    """One line of the stress table: these assets fall together, nobody reacts, one round of liquidations."""

    __pydantic_config__ = DOCUMENT

    name: str
    """Of its block."""
    assets: list[str]
    """What falls."""
    fall: Decimal
    """By how much: a fraction."""
    nav: Decimal | None
    """NAV without queued deposits afterwards; null where a part could not be computed."""
    nav_per_share: Decimal | None
    """That NAV over shares."""
    change_pct: Decimal | None
    """Change of the NAV: a fraction, negative for a loss."""
    liquidated: list[str]
    """Loans and venues that would be liquidated."""
    cost: Decimal
    """What these liquidations would cost, in the unit of account."""
    failures: list[str]
    """What could not be computed."""


def stress_entry(line: StressLine, at: int, unknown: Unknown) -> StressEntry:
    """A line of the table; `at` is its place in the document's list."""
    place, why = f"/stress/{at}", "; ".join(line.failures) or "no_nav"
    return StressEntry(
        name=line.name,
        assets=list(line.assets),
        fall=decimal(line.fall),
        nav=unknown.wad(f"{place}/nav", line.nav, why),
        nav_per_share=unknown.wad(f"{place}/nav_per_share", line.nav_per_share, why),
        change_pct=unknown.wad(f"{place}/change_pct", line.change, why),
        liquidated=list(line.liquidated),
        cost=decimal(line.cost),
        failures=list(line.failures),
    )
