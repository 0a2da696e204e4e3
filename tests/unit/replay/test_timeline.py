"""The timeline: what is due at once comes in the service's order, and looks have times of their own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from navoracle.domain.cadence import HOUR, Cadence, ScheduledSlot
from navoracle.domain.frame import NavFrame
from navoracle.domain.units import Timestamp
from navoracle.keeper.risk_looks import RiskLooks
from navoracle.keeper.slots import SlotRunner
from navoracle.keeper.watch import Watch
from navoracle.replay.clock import ReplayClock
from navoracle.replay.timeline import RiskSchedule, WorkedSlot, run_timeline
from navoracle.store_port import SlotOutcome, SlotState

START = Timestamp(1_767_225_600)


@dataclass
class Scene:
    """A runner, a watch and a monitor that write down what is asked of them, as seconds after the start."""

    clock: ReplayClock = field(default_factory=lambda: ReplayClock(START))
    said: list[tuple[str, int]] = field(default_factory=list)
    asks_at: dict[int, str] = field(default_factory=dict)
    pending: list[ScheduledSlot] = field(default_factory=list)
    taken: set[int] = field(default_factory=set)
    reason: str | None = None
    asked: list[tuple[str, str, str]] = field(default_factory=list)

    def note(self, what: str) -> None:
        self.said.append((what, self.clock.now() - START))

    async def sample(self, at: Timestamp) -> NavFrame:
        self.note("sample")
        return cast("NavFrame", None)

    async def look(self) -> None:
        self.note("look")
        now = self.clock.now()
        if now - START in self.asks_at:
            self.pending.append(ScheduledSlot(now, Cadence.EMERGENCY, "a", (self.asks_at[now - START],)))

    def of_slot(self, frames: Iterable[NavFrame]) -> None:
        self.note("of_slot")

    def observe_sample(self, frame: NavFrame) -> None:
        self.note("watched")

    def due(self, now: Timestamp) -> tuple[tuple[ScheduledSlot, tuple[str, ...]], ...]:
        regular = [(ScheduledSlot(now, Cadence.HOURLY), ("a", "b"))] if now % HOUR == 0 else []
        pending, self.pending = self.pending, []
        return (*regular, *((slot, ("a",)) for slot in pending))

    async def run(
        self, funds: tuple[str, ...], slot_time: Timestamp, cadence: Cadence
    ) -> tuple[tuple[NavFrame, ...], dict[str, SlotOutcome]]:
        self.note(f"{cadence.value} of {'+'.join(funds)}")
        outcome = SlotOutcome(SlotState.HELD if self.reason else SlotState.POSTED, self.reason, None, None)
        return (), dict.fromkeys(funds, outcome)

    async def play(self, seconds: int, **changes: Any) -> list[WorkedSlot]:
        looks = cast("RiskLooks", self)
        arguments: dict[str, Any] = {"sample_seconds": 300, "risk": RiskSchedule(looks, 120), **changes}
        return [
            worked
            async for worked in run_timeline(
                cast("SlotRunner", self),
                cast("Watch", self),
                self.clock,
                until=Timestamp(START + seconds),
                ask_emergency=lambda *said: self.asked.append(said),
                **arguments,
            )
        ]

    def times(self, what: str) -> list[int]:
        return [at for said, at in self.said if said == what]


async def test_run__everything_due_at_once__is_sampled_looked_at_and_then_worked_off() -> None:
    scene = Scene()
    await scene.play(0)
    assert [what for what, _ in scene.said] == ["sample", "watched", "look", "hourly of a+b", "of_slot"]


async def test_run__looks_and_samples__keep_their_own_times() -> None:
    scene = Scene()
    await scene.play(900)
    assert scene.times("sample") == [0, 300, 600, 900]
    assert scene.times("look") == [0, 120, 240, 360, 480, 600, 720, 840]


async def test_run__looks__are_at_multiples_of_their_seconds_wherever_it_begins() -> None:
    scene = Scene(clock=ReplayClock(Timestamp(START + 50)))
    await scene.play(400)
    assert scene.times("look") == [120, 240, 360]
    assert scene.times("sample") == [50, 350]


async def test_run__no_fund_watched__only_samples() -> None:
    scene = Scene()
    await scene.play(600, risk=None)
    assert scene.times("look") == []
    assert scene.times("sample") == [0, 300, 600]
    assert "of_slot" not in {what for what, _ in scene.said}


async def test_run__emergency_that_a_look_asks_for__is_worked_off_at_once_and_before_a_regular_slot() -> None:
    scene = Scene(asks_at={0: "critical", 240: "again"})
    worked = await scene.play(300)
    assert [(each.slot.cadence, each.slot.time - START) for each in worked] == [
        (Cadence.EMERGENCY, 0), (Cadence.HOURLY, 0), (Cadence.EMERGENCY, 240),
    ]  # fmt: skip


@pytest.mark.parametrize(("reason", "again"), [("interval", True), ("registry:too_early", True), ("step", False)])
async def test_run__emergency_that_came_too_soon__is_asked_for_again(reason: str, again: bool) -> None:
    scene = Scene(asks_at={120: "critical"}, reason=reason)
    await scene.play(130)
    assert [(fund, cause) for fund, cause, _ in scene.asked] == ([("a", "repeated")] if again else [])


async def test_run__clock_that_a_slot_moved_on__goes_on_from_there() -> None:
    """A second look takes time; what was due meanwhile is not done twice, and nothing goes back."""
    scene = Scene()

    async def slow(funds: tuple[str, ...], slot_time: Timestamp, cadence: Cadence) -> Any:
        await scene.clock.sleep(130)
        return (), {}

    scene.run = slow  # type: ignore[method-assign]
    await scene.play(300)
    assert scene.times("look") == [0, 130, 240]
    assert scene.times("sample") == [0, 300]
