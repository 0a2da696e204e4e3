"""`positions.json`: every row of the valuation, with where it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from navoracle.domain.positions import Component
from navoracle.domain.units import SCALES, WAD, Rounding, mul_div
from navoracle.state_files.documents.header import Header, beginning
from navoracle.state_files.documents.holdings import PositionRow, position_rows
from navoracle.state_files.facts import Facts
from navoracle.state_files.values import DOCUMENT, BasisPoints, Decimal, Unknown, decimal

ComponentName = Literal[
    "cash", "collateral", "accrued_income", "rewards", "debt", "pending_withdrawals", "margin_calls"
]
_COMPONENTS: dict[Component, ComponentName] = {
    Component.CASH: "cash",
    Component.COLLATERAL: "collateral",
    Component.ACCRUED_INCOME: "accrued_income",
    Component.REWARDS: "rewards",
    Component.DEBT: "debt",
    Component.PENDING_WITHDRAWALS: "pending_withdrawals",
    Component.MARGIN_CALLS: "margin_calls",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionEntry:
    """One row of the valuation; a position carried at cost has two, its cost and its gain."""

    __pydantic_config__ = DOCUMENT

    position: str
    """The name of the position in frames and messages."""
    symbol: str
    """The asset that prices it; under it stand its KPIs."""
    component: ComponentName
    """The part of the NAV that it belongs to."""
    side: Literal["asset", "debt"]
    """Whether it is owned or owed."""
    venue: str
    """Where it is: an exchange, a protocol, "wallet", "declared", or the operator's own label."""
    chain: str | None
    """The chain, by its name in the configuration; null off chain."""
    at_exchange: bool
    """Whether an account at an exchange was read."""
    amount: Decimal
    """Whole units, rounded down: of an accrual those that it accrues on."""
    price: Decimal
    """What one unit is valued at; of what is carried at cost its cost."""
    notional: Decimal
    """What the row is worth, without sign but for a gain or an income that is a loss."""
    value: Decimal
    """Its part of NAV + fees: negative where it is owed. All of them less fees are the NAV with queued deposits."""
    undecayed: Decimal
    """As `value`, without the haircut of a price past its time."""
    pnl: Decimal | None
    """The unrealized gain of what is carried at cost; its own row has it too, do not add them up."""
    entry_price: Decimal | None
    """What one unit cost, where that is known."""
    confidence_bps: BasisPoints
    """How sure its price and amount are, in basis points."""
    epoch: int | None
    """The settlement epoch whose queued deposits it comes from; null for the fund's own."""


@dataclass(frozen=True, kw_only=True)
class PositionsDocument(Header):
    """Every row of the valuation."""

    __pydantic_config__ = DOCUMENT

    positions: list[PositionEntry] | None
    """In the order of the configuration."""


def positions_document(facts: Facts) -> PositionsDocument:
    """The document of these facts."""
    unknown = Unknown()
    rows = position_rows(facts)
    for name, is_missing, reason in (
        ("chain", any(row.place.chain is None for row in rows), "off_chain"),
        ("pnl", any(row.gain is None for row in rows), "no_entry_price"),
        ("entry_price", any(row.gain is None for row in rows), "no_entry_price"),
        ("epoch", any(row.row.epoch is None for row in rows), "not_queued"),
    ):
        if is_missing:
            unknown.reasons[f"/positions/*/{name}"] = reason
    return PositionsDocument(
        **beginning(facts, unknown.reasons),
        positions=unknown.other(
            "/positions", None if facts.valuation is None else [_entry(row) for row in rows], facts.unvalued
        ),
        unknown=unknown.reasons,
    )


def _entry(found: PositionRow) -> PositionEntry:
    row, place = found.row, found.place
    sign = -1 if found.is_owed else 1
    return PositionEntry(
        position=row.position,
        symbol=row.asset,
        component=_COMPONENTS[row.component],
        side="debt" if found.is_owed else "asset",
        venue=place.venue,
        chain=place.chain,
        at_exchange=place.at_exchange,
        amount=decimal(mul_div(row.amount.value, WAD, SCALES[row.amount.decimals], Rounding.DOWN)),
        price=decimal(row.price),
        notional=decimal(row.value),
        value=decimal(sign * row.value),
        undecayed=decimal(sign * row.undecayed),
        pnl=None if found.gain is None else decimal(found.gain),
        entry_price=None if found.gain is None else decimal(row.price),
        confidence_bps=row.confidence,
        epoch=row.epoch,
    )
