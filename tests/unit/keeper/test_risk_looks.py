"""Looks at risk between slots: which funds, how often again, what is asked for, and what it says of the monitor."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import cast

import pytest

from navoracle.domain.errors import ChainError, ErrorSeverity, NavoracleError, StoreError
from navoracle.domain.frame import NavFrame
from navoracle.domain.risk.report import RiskReport
from navoracle.domain.units import to_wad
from navoracle.keeper.risk_looks import RiskLooks, Trigger, watched_funds
from navoracle.keeper.slots import SlotRunner
from navoracle.risk.health import ComponentHealth, HealthRule, HealthStatus
from navoracle.risk.monitor import Observation, RiskMonitor
from navoracle.testing import FixedClock
from tests.unit.keeper.world import funds
from tests.unit.risk.frames import frame, report, together, unread
from tests.unit.storage.builders import NOW

DOWN = ChainError("no node answers", advice="Check it.")


@dataclass
class Script:
    """A runner whose looks say what they are told, and a listener: together all that happens, in order."""

    says: list[dict[str, RiskReport] | NavoracleError]
    looked: list[list[str]] = field(default_factory=list)
    told: list[tuple[Trigger, HealthStatus]] = field(default_factory=list)
    unseen: list[HealthStatus] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    seen: list[Observation] = field(default_factory=list)
    count: int = 0

    async def look(self, wanted: Iterable[str]) -> NavFrame:
        names = list(wanted)
        self.looked.append(names)
        said = self.says.pop(0)
        if isinstance(said, NavoracleError):
            raise said
        self.count += 1
        return together(*(frame(said[name], fund=name, at=self.count, name=f"{self.count}") for name in names))

    def risk_observed(self, seen: Observation, health: ComponentHealth, trigger: Trigger, seconds: float) -> None:
        assert seconds >= 0
        self.seen.append(seen)
        self.told.append((trigger, health.status))

    def risk_unseen(self, health: ComponentHealth) -> None:
        self.unseen.append(health.status)

    def ask(self, fund: str, cause: str, reason: str) -> None:
        self.asked.append((fund, cause, reason))


class WaitingClock(FixedClock):
    """Notes what it is asked to wait for."""

    def __init__(self, noted: list[float]) -> None:
        super().__init__(NOW)
        self.noted = noted

    async def sleep(self, seconds: float) -> None:
        self.noted.append(seconds)


Looks = Callable[..., tuple[RiskLooks, Script]]


@pytest.fixture
def looks() -> Looks:
    def build(
        *says: dict[str, RiskReport] | NavoracleError, max_error_rate: str = "1", watched: tuple[str, ...] = ("a", "b")
    ) -> tuple[RiskLooks, Script]:
        script = Script(list(says))
        rule = HealthRule(to_wad(max_error_rate), max_age=600, min_updates=1)
        monitor = RiskMonitor(history_limit=10, rule=rule, started=NOW)
        runner, clock = cast("SlotRunner", script), WaitingClock(script.waits)
        return RiskLooks(monitor, runner, clock, script, watched, script.ask), script

    return build


SAFE, WARNS, CRITICAL, UNREAD = report("80"), report("86"), report("91"), unread()


async def test_look__all_is_read__looks_once_at_every_watched_fund(looks: Looks) -> None:
    here, script = looks({"a": SAFE, "b": WARNS})
    await here.look()
    assert script.looked == [["a", "b"]]
    assert (script.waits, script.asked) == ([], [])
    assert script.told == [("look", HealthStatus.HEALTHY)]


async def test_look__fund_that_is_worked_on__is_left_out(looks: Looks) -> None:
    here, script = looks({"b": SAFE})
    await here.look(busy=("a", "other"))
    assert script.looked == [["b"]]


async def test_look__every_fund_is_worked_on__looks_at_nothing(looks: Looks) -> None:
    here, script = looks()
    await here.look(busy=("a", "b"))
    assert (script.looked, script.told) == ([], [])
    assert here.monitor.health(NOW).updates == 0
    assert script.unseen == [HealthStatus.HEALTHY]
    cast("FixedClock", here.clock).set(NOW + 601)
    await here.look(busy=("a", "b"))
    assert script.unseen[-1] is HealthStatus.UNHEALTHY  # slots under way hide for how long no risk was looked at


async def test_look__account_never_answers__is_looked_at_again_after_1_2_and_4_seconds(looks: Looks) -> None:
    here, script = looks({"a": UNREAD, "b": SAFE}, {"a": UNREAD}, {"a": UNREAD}, {"a": UNREAD})
    await here.look()
    assert script.looked == [["a", "b"], ["a"], ["a"], ["a"]]
    assert script.waits == [1, 2, 4]
    assert [trigger for trigger, _ in script.told] == ["look", "retry", "retry", "retry"]
    assert script.told[-1] == ("retry", HealthStatus.UNHEALTHY)
    found = here.monitor.health(NOW)
    assert (found.updates, found.errors) == (1, 1)


async def test_look__account_answers_at_a_retry__is_degraded_and_ends_there(looks: Looks) -> None:
    here, script = looks({"a": UNREAD, "b": UNREAD}, {"a": SAFE, "b": UNREAD}, {"b": SAFE})
    await here.look()
    assert script.looked == [["a", "b"], ["a", "b"], ["b"]]
    assert script.waits == [1, 2]
    assert script.told[-1] == ("retry", HealthStatus.DEGRADED)
    assert here.monitor.health(NOW).errors == 1


async def test_look__after_a_failed_one_succeeds__is_degraded_no_longer_unhealthy(looks: Looks) -> None:
    here, script = looks(*({"a": UNREAD} for _ in range(4)), {"a": SAFE}, watched=("a",))
    await here.look()
    await here.look()
    assert script.told[-1] == ("look", HealthStatus.DEGRADED)
    assert [alert.name for alert in here.monitor.standing("a")] == []


async def test_look__critical_risk__asks_once_for_an_emergency(looks: Looks) -> None:
    here, script = looks({"a": SAFE, "b": CRITICAL}, {"a": SAFE, "b": CRITICAL})
    await here.look()
    await here.look()
    assert script.asked == [("b", "risk", "AAVE_LTV_CRITICAL")]


async def test_look__critical_risk_beside_an_account_that_fails__asks_before_it_waits(looks: Looks) -> None:
    here, script = looks({"a": CRITICAL, "b": UNREAD}, {"b": SAFE})
    asked_at: list[int] = []

    def ask(fund: str, cause: str, reason: str) -> None:
        asked_at.append(len(script.waits))

    changed = RiskLooks(here.monitor, here.runner, here.clock, here.observer, here.watched, ask)
    await changed.look()
    assert asked_at == [0]


@pytest.mark.parametrize("error", [DOWN, StoreError("locked", advice="Wait.")], ids=["chain", "store"])
async def test_look__fails_as_a_whole__is_a_failed_update_and_told(looks: Looks, error: NavoracleError) -> None:
    here, script = looks(error, {"a": SAFE, "b": SAFE})
    with pytest.raises(type(error)):
        await here.look()
    assert (script.told, script.unseen) == ([], [HealthStatus.UNHEALTHY])
    assert (here.monitor.health(NOW).updates, here.monitor.health(NOW).errors) == (1, 1)
    await here.look()
    assert script.told == [("look", HealthStatus.DEGRADED)]


async def test_look__fails_as_a_whole_at_a_retry__is_one_failed_update(looks: Looks) -> None:
    here, script = looks({"a": UNREAD}, DOWN, watched=("a",))
    with pytest.raises(ChainError):
        await here.look()
    assert script.told == [("look", HealthStatus.HEALTHY)]  # not judged yet: its retries are part of the update
    assert script.unseen == [HealthStatus.UNHEALTHY]
    assert (here.monitor.health(NOW).updates, here.monitor.health(NOW).errors) == (1, 1)


async def test_look__errors_in_most_updates__is_unhealthy_by_their_rate(looks: Looks) -> None:
    here, script = looks({"a": UNREAD}, {"a": SAFE}, watched=("a",), max_error_rate="0.1")
    await here.look()
    assert script.told[-1] == ("retry", HealthStatus.UNHEALTHY)


def test_of_slot__its_frames__are_seen_and_asked_for_without_a_retry(looks: Looks) -> None:
    here, script = looks()
    here.of_slot([frame(CRITICAL, fund="a"), frame(UNREAD, fund="a", at=12)])
    assert [trigger for trigger, _ in script.told] == ["slot", "slot"]
    assert script.asked == [("a", "risk", "AAVE_LTV_CRITICAL")]
    assert script.waits == []
    assert script.told[-1] == ("slot", HealthStatus.UNHEALTHY)


def test_of_slot__frame_of_funds_without_risks__is_no_update(looks: Looks) -> None:
    here, script = looks()
    here.of_slot([frame(None, fund="plain")])
    assert script.told == []
    assert here.monitor.health(NOW).updates == 0


def test_of_slot__critical_health_factor__is_told_by_a_monitor_that_is_healthy(looks: Looks) -> None:
    here, script = looks()
    here.of_slot([frame(report("94"), fund="a")])
    assert [each.error.severity for each in script.seen[0].errors] == [ErrorSeverity.CRITICAL]
    assert script.told == [("slot", HealthStatus.HEALTHY)]


async def test_look__critical_health_factor__is_told_by_a_monitor_that_is_healthy(looks: Looks) -> None:
    here, script = looks({"a": report("94"), "b": SAFE})
    await here.look()
    assert script.told == [("look", HealthStatus.HEALTHY)]


def test_watched_funds__none_has_limits_or_a_gate__are_none() -> None:
    assert watched_funds(funds().values()) == ()
