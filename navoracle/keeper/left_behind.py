"""What an earlier run, or a keeper that is gone, left behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from navoracle.domain.cadence import ScheduledSlot
from navoracle.domain.units import Timestamp
from navoracle.keeper.slot_queue import is_still_due
from navoracle.store_port import SlotOutcome, SlotRow, SlotState, Store


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """Slots whose keeper is gone.

    Attributes:
        again: what is still due and of which nothing was posted, by slot: its funds are valued together.
        to_end: the others, each with whether it is still due: what became of their posts is looked up.
    """

    again: dict[ScheduledSlot, list[str]] = field(default_factory=dict)
    to_end: list[tuple[SlotRow, bool]] = field(default_factory=list)


def left_behind(store: Store, now: Timestamp, is_ours: Callable[[SlotRow], bool]) -> LeftBehind:
    """The claimed slots whose lease ran out, of those that are ours to take over. Raises StoreError."""
    newest: dict[str, Timestamp] = {}
    found = LeftBehind()
    for row in store.abandoned_slots():
        if not is_ours(row):
            continue
        if row.fund not in newest:
            newest[row.fund] = store.slots(fund=row.fund, limit=1)[0].slot_time
        due = is_still_due(row.slot_time, newest[row.fund], now)
        if due and row.post is None:
            found.again.setdefault(ScheduledSlot(row.slot_time, row.cadence), []).append(row.fund)
        else:
            found.to_end.append((row, due))
    return found


def untold(store: Store, since: Timestamp) -> Iterator[tuple[SlotRow, SlotOutcome]]:
    """Slots since then that ended just before an earlier run did, of which it could tell nobody. Raises StoreError."""
    told = {
        (row.event.fund, row.event.data.get("slot_time"))
        for row in store.events(since=since)
        if row.event.kind.startswith("slot_")
    }
    for row in reversed(store.slots(since=since)):
        if row.state is not SlotState.CLAIMED and (row.fund, row.slot_time) not in told:
            yield row, SlotOutcome(row.state, row.reason, row.frame, row.post)
