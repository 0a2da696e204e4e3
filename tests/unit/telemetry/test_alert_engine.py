"""Alerts are told once, repeated, escalated, acknowledged and resolved, over restarts and while the store fails."""

from __future__ import annotations

import asyncio

import pytest

from navoracle.domain.units import Timestamp
from navoracle.store_port import Event, Severity
from navoracle.telemetry.alerts import RULES, AlertPolicy, Alerts, Notice, Target
from navoracle.telemetry.alerts.deliveries import WAITING
from navoracle.telemetry.metrics import Metrics
from tests.unit.telemetry.fakes import ListeningNotifier, MemoryStore, SetClock

POLICY = AlertPolicy(repeat=3_600, escalate=900, settle=60, forget=86_400)


class World:
    """An engine with everything around it."""

    def __init__(self, *targets: Target, store: MemoryStore | None = None, clock: SetClock | None = None) -> None:
        self.clock = clock or SetClock()
        self.store = store or MemoryStore()
        self.notifier = ListeningNotifier(*targets)
        self.metrics = Metrics("1", self.clock, process=False)
        self.events: list[Event] = []
        self.alerts = self.engine()

    def engine(self) -> Alerts:
        return Alerts(
            self.store, self.notifier, POLICY, now=self.clock, journal=self.events.append, metrics=self.metrics
        )

    async def tick(self, seconds: int = 0) -> list[tuple[str, str, str]]:
        await self.alerts.tick(self.clock.move(seconds))
        return self.notifier.take()


async def test_alert__raised_again_and_again__is_told_once() -> None:
    world = World()
    for _ in range(5):
        world.alerts.raise_("NavStale", "usd", "7201 s old")
        assert await world.tick(5) in ([("ops", "raised", "NavStale")], [])
    assert world.alerts.open_alerts()[0].count == 5
    assert await world.tick(60) == []


async def test_alert__several_subjects__are_one_message() -> None:
    world = World()
    for number in range(200):
        world.alerts.raise_("NavStale", f"fund{number:03}", "old")
    await world.alerts.tick(world.clock())
    ((_, notice),) = world.notifier.heard
    assert len(notice.keys) == 200
    assert "and 188 more" in notice.body
    assert "fund000" in notice.title
    world.notifier.take()
    assert await world.tick(10) == []


async def test_alert__unacknowledged__is_repeated_after_the_interval() -> None:
    world = World()
    world.alerts.raise_("SourceDown", "ETH.a", "no answer")
    assert await world.tick() == [("ops", "raised", "SourceDown")]
    assert await world.tick(3_599) == []
    assert await world.tick(1) == [("ops", "still open", "SourceDown")]


async def test_alert__acknowledged_by_another_process__is_neither_repeated_nor_escalated() -> None:
    world = World(Target("ops"), Target("boss", escalation=True))
    world.alerts.raise_("NavStale", "usd", "old")
    await world.tick()
    assert world.store.acknowledge_alert("NavStale:usd", "ann", world.clock())
    world.alerts.raise_("NavStale", "usd", "older")
    assert await world.tick(4_000) == []
    assert world.store.rows["NavStale:usd"].acknowledged_by == "ann"


async def test_alert__critical_that_nobody_acknowledges__goes_to_the_escalation_targets_and_they_hear_the_end() -> None:
    world = World(Target("ops"), Target("boss", escalation=True))
    world.alerts.raise_("NavStale", "usd", "old")
    world.alerts.raise_("SourceDown", "ETH.a", "no answer")
    assert {heard[0] for heard in await world.tick()} == {"ops"}
    assert await world.tick(899) == []
    assert await world.tick(1) == [("boss", "nobody has acknowledged", "NavStale")]
    assert await world.tick(1_000) == []
    told = await world.tick(2_600)
    assert [heard for heard in told if heard[0] == "boss"] == [("boss", "nobody has acknowledged", "NavStale")]
    world.alerts.clear("NavStale", "usd")
    assert sorted(await world.tick(60)) == [("boss", "resolved", "NavStale"), ("ops", "resolved", "NavStale")]


async def test_alert__over__is_told_once_it_has_settled() -> None:
    world = World()
    world.alerts.raise_("RpcDown", "main:a", "refused")
    await world.tick()
    world.alerts.clear("RpcDown", "main:a")
    assert await world.tick(59) == []
    assert await world.tick(1) == [("ops", "resolved", "RpcDown")]
    assert await world.tick(60) == []
    assert [event.kind for event in world.events] == ["alert_raised", "alert_resolved"]


async def test_alert__flapping__is_told_once() -> None:
    world = World()
    heard = []
    for _ in range(20):
        world.alerts.raise_("RpcDown", "main:a", "refused")
        heard += await world.tick(10)
        world.alerts.clear("RpcDown", "main:a")
        heard += await world.tick(10)
    assert heard == [("ops", "raised", "RpcDown")]


async def test_alert__back_after_it_was_told_that_it_is_over__is_a_new_one() -> None:
    world = World()
    world.alerts.raise_("RpcDown", "main:a", "refused")
    await world.tick()
    world.alerts.clear("RpcDown", "main:a")
    await world.tick(61)
    world.alerts.raise_("RpcDown", "main:a", "refused")
    assert await world.tick(1) == [("ops", "raised", "RpcDown")]
    assert world.alerts.open_alerts()[0].count == 1


async def test_alert__graver_than_before__is_told_again_although_it_was_acknowledged() -> None:
    world = World()
    world.alerts.raise_("SignerBalanceLow", "main", "for 40 h")
    await world.tick()
    world.store.acknowledge_alert("SignerBalanceLow:main", "ann", world.clock())
    await world.tick(10)
    world.alerts.raise_("SignerBalanceLow", "main", "for 2 h", severity=Severity.CRITICAL)
    assert await world.tick(10) == [("ops", "raised", "SignerBalanceLow")]


async def test_alert__restart__is_neither_told_again_nor_forgotten() -> None:
    world = World()
    world.alerts.raise_("NavStale", "usd", "old")
    await world.tick()
    again = World(store=world.store, clock=world.clock)
    again.alerts.raise_("NavStale", "usd", "old")
    assert await again.tick(10) == []
    again.alerts.clear("NavStale", "usd")
    assert await again.tick(60) == [("ops", "resolved", "NavStale")]


async def test_alert__restart_between_its_end_and_the_message__is_told_to_be_over() -> None:
    world = World()
    world.alerts.raise_("NavStale", "usd", "old")
    await world.tick()
    world.alerts.clear("NavStale", "usd")
    again = World(store=world.store, clock=world.clock)
    assert await again.tick(60) == [("ops", "resolved", "NavStale")]
    third = World(store=world.store, clock=world.clock)
    assert await third.tick(60) == []
    assert third.events == []


async def test_alert__store_that_fails__is_told_from_memory_and_kept_later() -> None:
    world = World()
    world.store.broken = True
    world.alerts.raise_("StoreFailing", "", "the disk is full")
    assert await world.tick() == [("ops", "raised", "StoreFailing")]
    world.store.broken = False
    await world.tick(10)
    assert world.store.rows["StoreFailing"].notified_at is not None
    assert await world.tick(10) == []


async def test_alert__deaf_target__delays_nobody_else_and_is_told_when_it_hears_again() -> None:
    world = World(Target("a"), Target("b"))
    world.notifier.deaf = {"a"}
    world.alerts.raise_("NavStale", "usd", "old")
    assert await world.tick() == [("b", "raised", "NavStale")]
    heard = []
    for _ in range(10):
        heard += await world.tick(60)
    assert ("b", "raised", "DeliveryFailing") in heard
    world.notifier.deaf = set()
    assert ("a", "raised", "NavStale") in await world.tick(600)
    assert world.metrics.registry.get_sample_value(
        "navoracle_alert_notifications_total", {"target": "a", "result": "failed"}
    )


async def test_alert__every_target_deaf__is_not_marked_as_told() -> None:
    world = World()
    world.notifier.deaf = {"ops"}
    world.alerts.raise_("NavStale", "usd", "old")
    await world.tick()
    assert world.store.rows["NavStale:usd"].notified_at is None
    again = World(store=world.store, clock=world.clock)
    assert await again.tick(1) == [("ops", "raised", "NavStale")]


async def test_alert__over_before_the_deaf_target_hears__is_told_both() -> None:
    world = World()
    world.notifier.deaf = {"ops"}
    world.alerts.raise_("NavStale", "usd", "old")
    await world.tick()
    world.alerts.clear("NavStale", "usd")
    await world.tick(30)
    world.notifier.deaf = set()
    assert await world.tick(60) == [("ops", "raised", "NavStale")]
    assert await world.tick(1) == [("ops", "resolved", "NavStale")]


async def test_alert__queue_of_a_deaf_target__stays_bounded() -> None:
    world = World()
    world.notifier.deaf = {"ops"}
    for number in range(3 * WAITING):
        world.alerts.raise_("RequestRefused", f"r{number}", "replayed")
        await world.tick(1)
    dropped = world.metrics.registry.get_sample_value(
        "navoracle_alert_notifications_total", {"target": "ops", "result": "dropped"}
    )
    assert dropped is not None
    assert dropped > WAITING


@pytest.mark.parametrize(
    ("severity", "heard"),
    [("info", {"info", "warning", "critical"}), ("warning", {"warning", "critical"}), ("critical", {"critical"})],
)
async def test_target__least_severity__hears_no_less(severity: str, heard: set[str]) -> None:
    world = World(Target("ops", Severity(severity)))
    for level in Severity:
        world.alerts.raise_("SourceDown", level.value, "gone", severity=level)
    await world.alerts.tick(world.clock())
    subjects = {key.partition(":")[2] for _, notice in world.notifier.heard for key in notice.keys}
    assert heard <= subjects  # a message is as grave as the gravest of what it lists


async def test_alert__nobody_to_tell__is_not_due_for_ever() -> None:
    world = World(Target("ops", Severity.CRITICAL))
    world.alerts.raise_("SourceDown", "a", "gone")
    assert await world.tick() == []
    assert world.store.rows["SourceDown:a"].notified_at == world.clock()


@pytest.mark.parametrize("rule", ["EmergencyUsed", "ConfigChanged"])
async def test_alert__somebody_acted__reaches_every_target(rule: str) -> None:
    world = World(Target("ops", Severity.CRITICAL))
    world.alerts.raise_(rule, "usd", "by 0xabc")  # type: ignore[arg-type]
    assert await world.tick() == [("ops", "raised", rule)]
    assert await world.tick(3_600) == []
    assert world.alerts.open_alerts() == ()


async def test_alert__another_emergency_within_the_hour__is_told_too_and_the_same_one_is_not() -> None:
    world = World()
    world.alerts.raise_("EmergencyUsed", "usd", "guardian 0xabc: depeg")
    await world.tick()
    world.alerts.raise_("EmergencyUsed", "usd", "guardian 0xabc: depeg")
    assert await world.tick(60) == []
    world.alerts.raise_("EmergencyUsed", "usd", "guardian 0xdef: hack")
    assert await world.tick(60) == [("ops", "raised", "EmergencyUsed")]


async def test_alert__key_used_elsewhere__stays_until_somebody_acknowledges() -> None:
    world = World()
    world.alerts.raise_("KeyUsedElsewhere", "main", "nonce 7")
    await world.tick()
    assert ("ops", "still open", "KeyUsedElsewhere") in await world.tick(4_000)
    world.store.acknowledge_alert("KeyUsedElsewhere:main", "ann", world.clock())
    await world.tick(10)
    assert world.alerts.open_alerts() == ()


async def test_alert__not_seen_for_a_day__is_over() -> None:
    world = World()
    world.alerts.raise_("NavStale", "closed-fund", "old")
    await world.tick()
    heard = [await world.tick(3_600) for _ in range(26)]
    assert ("ops", "resolved", "NavStale") in heard[-1] + heard[-2] + heard[-3]
    assert world.alerts.open_alerts() == ()


async def test_tick__called_while_one_is_under_way__returns_at_once() -> None:
    world = World()
    gate = asyncio.Event()
    send = world.notifier.send

    async def slow(target: str, notice: Notice) -> str | None:
        await gate.wait()
        return await send(target, notice)

    world.notifier.send = slow  # type: ignore[method-assign]
    world.alerts.raise_("NavStale", "usd", "old")
    first = asyncio.create_task(world.alerts.tick(world.clock()))
    await asyncio.sleep(0)
    await world.alerts.tick(world.clock())
    gate.set()
    await first
    assert len(world.notifier.heard) == 1


async def test_alert__raised_while_messages_are_sent__is_not_lost() -> None:
    world = World()
    send = world.notifier.send

    async def raising(target: str, notice: Notice) -> str | None:
        world.alerts.raise_("SignerBalanceLow", "main", "for 1 h", severity=Severity.CRITICAL)
        return await send(target, notice)

    world.alerts.raise_("SignerBalanceLow", "main", "for 40 h")
    world.notifier.send = raising  # type: ignore[method-assign]
    await world.tick()
    world.notifier.send = send  # type: ignore[method-assign]
    assert await world.tick(1) == [("ops", "raised", "SignerBalanceLow")]


async def test_alert__seen_every_second__is_not_written_every_second() -> None:
    world = World()
    for _ in range(300):
        world.alerts.raise_("NavStale", "usd", "old")
        await world.tick(1)
    assert world.store.saves < 6
    assert world.store.rows["NavStale:usd"].count > 250


async def test_alert__gauge__counts_what_is_open() -> None:
    world = World()
    world.alerts.raise_("NavStale", "a", "old")
    world.alerts.raise_("NavStale", "b", "old")
    await world.tick()
    labels = {"rule": "NavStale", "severity": "critical"}
    assert world.metrics.registry.get_sample_value("navoracle_alerts_open", labels) == 2
    world.alerts.clear("NavStale", "a")
    world.alerts.clear("NavStale", "b")
    await world.tick(61)
    assert world.metrics.registry.get_sample_value("navoracle_alerts_open", labels) is None


def test_rules__every_one__has_a_summary_and_advice_in_sentences() -> None:
    for name, rule in RULES.items():
        assert name == rule.name
        assert rule.summary.endswith(".")
        assert rule.advice.endswith(".")
        assert rule.runbook.endswith(f"#{name.lower()}")


async def test_notice__raised__says_what_to_do_and_where_to_read() -> None:
    world = World()
    world.alerts.raise_("NavStale", "usd", "old", advice="Wake up.")
    await world.alerts.tick(Timestamp(world.clock()))
    ((_, notice),) = world.notifier.heard
    assert notice.severity is Severity.CRITICAL
    for text in (
        "Wake up.",
        RULES["NavStale"].summary,
        RULES["NavStale"].runbook,
        "navoracle alerts ack 'NavStale:usd'",
    ):
        assert text in notice.body
