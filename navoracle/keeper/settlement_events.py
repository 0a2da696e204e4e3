"""What is kept of settlements: events, from which a keeper that starts again knows what is under way and what was told.

An event of the start holds what was planned; one of the end names the same transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from navoracle.domain.flows import VaultFlows
from navoracle.domain.settlement import Refusal
from navoracle.domain.units import Timestamp, Wad
from navoracle.keeper.evidence import plain
from navoracle.store_port import Event, Severity, Store
from navoracle.vault_port import SettledEpoch

STARTED: Final = "settlement_started"
ENDED: Final = "settlement_ended"
WAITING: Final = "settlement_waiting"

_SEARCHED: Final = 50
"""Newest events of a kind among which those of the current epoch are looked for."""

_EXPECTED: Final = frozenset({"too_early", "post_too_old", "proposed", "stale"})
"""Reasons that every epoch has for a time; any other one asks for somebody."""


@dataclass(frozen=True, slots=True)
class StartedSettlement:
    """A settlement that was stored: its transaction, what it is to do, and the vault's flows before it."""

    fund: str
    transaction: int
    expected: SettledEpoch
    flows: VaultFlows


def started(begun: StartedSettlement, at: Timestamp) -> Event:
    """The event that a settlement begins with."""
    expected = begun.expected
    return Event(
        at=at,
        kind=STARTED,
        fund=begun.fund,
        severity=Severity.INFO,
        message=f"epoch {expected.epoch} is settled on the post of {expected.valuation_time}",
        data={"transaction": begun.transaction, "expected": plain(expected), "flows": plain(begun.flows)},
    )


def ended(
    begun: StartedSettlement,
    at: Timestamp,
    *,
    settled: SettledEpoch | None = None,
    differs: tuple[str, ...] = (),
    reason: str = "",
    advice: str = "",
) -> Event:
    """The event that it ends with: what the vault did (`settled`), or why it did nothing (`reason`)."""
    epoch = begun.expected.epoch
    severity, message = Severity.INFO, f"epoch {epoch} was settled as planned"
    if settled is None:
        severity, message = Severity.CRITICAL, f"epoch {epoch} was not settled: {reason}"
    elif differs:
        severity, message = Severity.WARNING, f"epoch {epoch} was settled, but not as planned: {'; '.join(differs)}"
        advice = "The vault or its post changed between plan and block; compare the two before the next settlement."
    return Event(
        at=at,
        kind=ENDED,
        fund=begun.fund,
        severity=severity,
        message=message,
        advice=advice,
        data={
            "transaction": begun.transaction,
            "epoch": epoch,
            "valuation_time": begun.expected.valuation_time,
            "settled": None if settled is None else plain(settled),
            "differs": list(differs),
            "reason": reason,
        },
    )


def waiting(fund: str, epoch: int, refusal: Refusal, at: Timestamp) -> Event:
    """The event of a reason why an epoch does not settle."""
    return Event(
        at=at,
        kind=WAITING,
        fund=fund,
        severity=Severity.INFO if refusal.code in _EXPECTED else Severity.WARNING,
        message=f"epoch {epoch} does not settle: {refusal.detail}",
        advice=refusal.advice,
        data={"epoch": epoch, "reason": refusal.code},
    )


def open_settlement(store: Store, fund: str) -> StartedSettlement | None:
    """The fund's newest settlement, unless it ended."""
    begun = _newest(store, fund, STARTED)
    if begun is None:
        return None
    end = _newest(store, fund, ENDED)
    number = int(begun["transaction"])
    if end is not None and int(end["transaction"]) == number:
        return None
    return StartedSettlement(fund, number, _epoch(begun["expected"]), _flows(begun["flows"]))


def last_failure(store: Store, fund: str) -> tuple[int, Timestamp] | None:
    """Epoch and valuation time of the fund's newest settlement, if it failed."""
    end = _newest(store, fund, ENDED)
    if end is None or end["settled"] is not None:
        return None
    return int(end["epoch"]), Timestamp(int(end["valuation_time"]))


def told_reasons(store: Store, fund: str, epoch: int) -> frozenset[str]:
    """The reasons that were told of an epoch."""
    rows = store.events(fund=fund, kind=WAITING, limit=_SEARCHED)
    return frozenset(str(row.event.data["reason"]) for row in rows if row.event.data.get("epoch") == epoch)


def _newest(store: Store, fund: str, kind: str) -> Mapping[str, Any] | None:
    rows = store.events(fund=fund, kind=kind, limit=1)
    return rows[0].event.data if rows else None


def _epoch(data: Mapping[str, Any]) -> SettledEpoch:
    return SettledEpoch(
        epoch=int(data["epoch"]),
        price_per_share=Wad(int(data["price_per_share"])),
        valuation_time=Timestamp(int(data["valuation_time"])),
        deposited=Wad(int(data["deposited"])),
        minted=Wad(int(data["minted"])),
        fee_shares=Wad(int(data["fee_shares"])),
        burned=Wad(int(data["burned"])),
        payouts=tuple((str(token), int(amount)) for token, amount in data["payouts"]),
    )


def _flows(data: Mapping[str, Any]) -> VaultFlows:
    return VaultFlows(**{each.name: Wad(int(data[each.name])) for each in fields(VaultFlows)})
