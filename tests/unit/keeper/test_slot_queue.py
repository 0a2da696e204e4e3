"""Slots that wait: of the regular ones only the newest of each fund, of emergencies every one, and none is lost."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from navoracle.domain.cadence import HOUR, Cadence, ScheduledSlot
from navoracle.domain.units import Timestamp
from navoracle.keeper.slot_queue import SlotQueue, is_still_due, slots_since

NOON = Timestamp(1_700_000_000 // HOUR * HOUR)


def hourly(index: int) -> ScheduledSlot:
    return ScheduledSlot(Timestamp(NOON + index * HOUR), Cadence.HOURLY)


def emergency(fund: str, at: int) -> ScheduledSlot:
    return ScheduledSlot(Timestamp(NOON + at), Cadence.EMERGENCY, fund, ("why",))


def everything(_: str) -> bool:
    return True


def test_take__due_slots__come_out_emergencies_first_and_funds_together() -> None:
    queue = SlotQueue()
    assert queue.add(hourly(0), ("a", "b")) == []
    queue.add(emergency("b", 5), ("b",))
    assert list(queue.take(everything)) == [(emergency("b", 5), ("b",)), (hourly(0), ("a", "b"))]
    assert len(queue) == 0


def test_add__newer_slot_of_a_fund__takes_the_place_of_the_older_one_and_names_it() -> None:
    queue = SlotQueue()
    queue.add(hourly(0), ("a", "b"))
    assert queue.add(hourly(1), ("a",)) == [("a", hourly(0))]
    assert list(queue.take(everything)) == [(hourly(0), ("b",)), (hourly(1), ("a",))]


def test_add__older_slot_after_a_newer_one__is_the_one_that_is_given_up() -> None:
    queue = SlotQueue()
    queue.add(hourly(1), ("a",))
    assert queue.add(hourly(0), ("a",)) == [("a", hourly(0))]
    assert queue.add(hourly(1), ("a",)) == []
    assert list(queue.take(everything)) == [(hourly(1), ("a",))]


def test_take__fund_is_not_ready__waits_with_its_emergencies() -> None:
    queue = SlotQueue()
    queue.add(hourly(0), ("a", "b"))
    queue.add(emergency("a", 5), ("a",))
    assert list(queue.take(lambda fund: fund == "b")) == [(hourly(0), ("b",))]
    assert len(queue) == 2
    assert list(queue.take(everything)) == [(emergency("a", 5), ("a",)), (hourly(0), ("a",))]


added = st.lists(
    st.one_of(
        st.tuples(st.integers(0, 9).map(hourly), st.sets(st.sampled_from("abc"), min_size=1).map(tuple)),
        st.tuples(st.sampled_from("abc"), st.integers(1, 50)).map(lambda it: (emergency(*it), (it[0],))),
    ),
    max_size=30,
)


@given(added, st.sets(st.sampled_from("abc")))
def test_queue__any_order_and_any_readiness__accounts_for_every_slot_of_every_fund(
    slots: list[tuple[ScheduledSlot, tuple[str, ...]]], ready: set[str]
) -> None:
    queue = SlotQueue()
    seen: list[tuple[str, ScheduledSlot]] = []
    for slot, funds in slots:
        seen += queue.add(slot, funds)

    def taken(when: Callable[[str], bool]) -> list[tuple[str, ScheduledSlot]]:
        return [(fund, slot) for slot, funds in queue.take(when) for fund in funds]

    first = taken(ready.__contains__)
    assert {fund for fund, _ in first} <= ready
    rest = taken(everything)
    for fund in "abc":
        regular = [slot for name, slot in (*first, *rest) if name == fund and slot.cadence is Cadence.HOURLY]
        wanted = {slot for slot, funds in slots if fund in funds and slot.cadence is Cadence.HOURLY}
        assert regular == ([max(wanted, key=lambda slot: slot.time)] if wanted else [])
        assert {slot for name, slot in (*seen, *first, *rest) if name == fund} == {
            slot for slot, funds in slots if fund in funds
        }
    emergencies = [slot for _, slot in (*first, *rest) if slot.cadence is Cadence.EMERGENCY]
    assert sorted(emergencies, key=str) == sorted((s for s, _ in slots if s.cadence is Cadence.EMERGENCY), key=str)


def test_slots_since__three_hours_without_a_keeper__are_three_slots() -> None:
    assert slots_since(NOON, Timestamp(NOON + 3 * HOUR)) == tuple(hourly(index) for index in (1, 2, 3))
    assert slots_since(NOON, Timestamp(NOON + HOUR - 1)) == ()


def test_is_still_due__only_the_newest_and_within_the_hour() -> None:
    assert is_still_due(NOON, NOON, Timestamp(NOON + HOUR - 1))
    assert not is_still_due(NOON, NOON, Timestamp(NOON + HOUR))
    assert not is_still_due(NOON, Timestamp(NOON + 60), Timestamp(NOON + 120))
