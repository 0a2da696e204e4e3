"""How sound the NAV is that the gate goes by: its mode, its ages, its assets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from navoracle.domain.risk.gates import AssetLine, NavHealth
from navoracle.state_files.facts import Facts
from navoracle.state_files.values import DOCUMENT, Decimal, Unknown, decimal

NavMode = Literal["standard", "enhanced", "confirmed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FreshnessSection:
    """Ages of what the NAV rests on, in seconds, as of the frame; unknown without a gate."""

    __pydantic_config__ = DOCUMENT

    fresh: bool | None
    """Whether the fund was valued and every age is within the gate's limit."""
    balances_age_s: int | None
    """Since the oldest of the holdings was read."""
    marks_age_s: int | None
    """Of the oldest live price."""
    cache_age_s: int | None
    """Of the oldest last valid price that a fallback rests on; null where there is no fallback."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateAsset:
    """What the fund holds less what it owes of one asset, without queued deposits."""

    __pydantic_config__ = DOCUMENT

    asset: str
    """The asset."""
    amount: Decimal
    """Whole units, signed, rounded down."""
    mark_price: Decimal
    """The price of one unit."""
    value: Decimal
    """What they are worth, signed."""
    included: bool
    """Whether they count in the gate's NAV."""


def health_of(facts: Facts) -> NavHealth | None:
    """The gate's; None where there is no gate, or no frame."""
    return None if facts.gate is None else facts.gate.health


def mode_of(facts: Facts) -> NavMode:
    """The gate's mode; without a gate, what the figures are of."""
    health = health_of(facts)
    if health is not None:
        return health.nav_mode
    return "confirmed" if facts.valuation is None else "standard"


def freshness_section(facts: Facts, unknown: Unknown, place: str) -> FreshnessSection:
    """The section; `place` is where it stands in the document."""
    health, none = health_of(facts), facts.ungated
    return FreshnessSection(
        fresh=unknown.other(f"{place}/fresh", None if health is None else health.fresh, none),
        balances_age_s=unknown.other(
            f"{place}/balances_age_s",
            None if health is None else health.balances_age,
            none if health is None else "not_read",
        ),
        marks_age_s=unknown.other(
            f"{place}/marks_age_s",
            None if health is None else health.marks_age,
            none if health is None else "no_live_price",
        ),
        cache_age_s=unknown.other(
            f"{place}/cache_age_s",
            None if health is None else health.cache_age,
            none if health is None else "no_fallback",
        ),
    )


def gate_assets(facts: Facts) -> list[GateAsset]:
    """The gate's lines; none without one."""
    health = health_of(facts)
    return [] if health is None else [_line(line) for line in health.assets]


def _line(line: AssetLine) -> GateAsset:
    return GateAsset(
        asset=line.asset,
        amount=decimal(line.amount),
        mark_price=decimal(line.mark_price),
        value=decimal(line.value),
        included=line.included,
    )
