"""Slots that fell due and are not yet claimed: of the regular ones the newest of each fund, of emergencies all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from navoracle.domain.cadence import HOUR, Cadence, CadenceState, ScheduledSlot, slots_due
from navoracle.domain.units import Timestamp


class SlotQueue:
    """Keeps what is due until it can be claimed: a keeper without its lane waits for it, or for another one's claim."""

    def __init__(self) -> None:
        self._regular: dict[str, ScheduledSlot] = {}
        self._emergencies: list[ScheduledSlot] = []

    def add(self, slot: ScheduledSlot, funds: Iterable[str]) -> list[tuple[str, ScheduledSlot]]:
        """Queue a slot of these funds; returns the older regular ones that it takes the place of."""
        if slot.cadence is Cadence.EMERGENCY:
            self._emergencies.append(slot)
            return []
        superseded = []
        for fund in funds:
            known = self._regular.get(fund)
            older, newer = (slot, known) if known is not None and known.time >= slot.time else (known, slot)
            self._regular[fund] = newer
            if older is not None and older.time != newer.time:
                superseded.append((fund, older))
        return superseded

    def take(self, ready: Callable[[str], bool]) -> Iterator[tuple[ScheduledSlot, tuple[str, ...]]]:
        """Take out what may be worked on now, emergencies first, funds of one slot together."""
        waiting = self._emergencies
        self._emergencies = [slot for slot in waiting if slot.fund is None or not ready(slot.fund)]
        for slot in waiting:
            if slot.fund is not None and slot not in self._emergencies:
                yield slot, (slot.fund,)
        together: dict[ScheduledSlot, list[str]] = {}
        for fund in [fund for fund in self._regular if ready(fund)]:
            together.setdefault(self._regular.pop(fund), []).append(fund)
        yield from ((slot, tuple(funds)) for slot, funds in sorted(together.items(), key=lambda item: item[0].time))

    def __len__(self) -> int:
        return len(self._regular) + len(self._emergencies)


def slots_since(last: Timestamp, now: Timestamp) -> tuple[ScheduledSlot, ...]:
    """The hourly slots after a fund's last one up to now: what fell due while no keeper ran."""
    return slots_due(CadenceState(), last, now)


def is_still_due(slot_time: Timestamp, newest: Timestamp, now: Timestamp) -> bool:
    """Whether a slot that was left behind is worth running again: its fund's newest, and less than an hour old."""
    return slot_time >= newest and now - slot_time < HOUR
