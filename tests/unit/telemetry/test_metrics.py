"""Metrics show what the keeper found, by names that follow Prometheus' conventions, and never grow with hashes."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from enum import Enum

import pytest

from navoracle.domain.breaker import Breaker, BreakerState
from navoracle.domain.cadence import Cadence
from navoracle.domain.frame import NavStatus
from navoracle.domain.prior import ConfirmedNav
from navoracle.domain.units import WAD, Timestamp, Wad
from navoracle.domain.verdicts import Outcome, Verdict
from navoracle.lane_port import LaneEvent, LaneStatus
from navoracle.ports import Address
from navoracle.store_port import BreakerSubject, Severity, SlotRow, SlotState
from navoracle.telemetry.metrics import Metrics
from tests.unit.storage.builders import NOW, frame_of, fund_frame, valuation_of
from tests.unit.telemetry.fakes import SetClock

SENDER = Address("0x2222222222222222222222222222222222222222")


@pytest.fixture
def clock() -> SetClock:
    return SetClock(NOW)


@pytest.fixture
def metrics(clock: SetClock) -> Metrics:
    return Metrics("1.2.3", clock, configuration="abcd", process=False)


def value(metrics: Metrics, metric: str, /, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"navoracle_{metric}", labels)


def confirmed(price: int = WAD, at: int = NOW, *, held: bool = False) -> ConfirmedNav:
    return ConfirmedNav(Wad(5 * price), Wad(price), Timestamp(at), held, 17, None)


def test_frame__valued__shows_price_status_checks_and_ages(metrics: Metrics, clock: SetClock) -> None:
    part = fund_frame("usd", valuation_of({"a": 3}, shares=2 * WAD))
    metrics.observe_frame(frame_of("f", part))
    assert value(metrics, "frame_nav_per_share", fund="usd") == 1.5
    assert value(metrics, "frame_status", fund="usd", status="live") == 1
    assert value(metrics, "frame_status", fund="usd", status="halted") == 0
    assert value(metrics, "guard_blocked", fund="usd", check="change") == 0
    assert value(metrics, "source_failures_total", source="USDC:b", code="empty_result") == 1
    assert value(metrics, "price_status", asset="USDC", side="asset", status="live") == 1
    clock.move(45)
    assert value(metrics, "source_age_seconds", source="USDC:b") == 45


def test_frame__check_that_stops_and_then_says_nothing__blocks_no_more(metrics: Metrics) -> None:
    part = fund_frame("usd", None, NavStatus.HALTED, "breaker")
    stopped = Verdict("asset_breaker:ETH", Outcome.HALT, "open", "Reset it.")
    metrics.observe_frame(frame_of("f", type(part)("usd", part.status, part.reason, None, (stopped,), ())))
    assert value(metrics, "guard_blocked", fund="usd", check="asset_breaker:ETH") == 1
    metrics.observe_frame(frame_of("g", fund_frame("usd", None)))
    assert value(metrics, "guard_blocked", fund="usd", check="asset_breaker:ETH") == 0


def test_confirmed__time_passes__age_grows_without_another_call(metrics: Metrics, clock: SetClock) -> None:
    metrics.observe_confirmed("usd", confirmed(), age_limit=7_200)
    clock.move(100)
    assert value(metrics, "nav_age_seconds", fund="usd") == 100
    assert value(metrics, "nav_age_limit_seconds", fund="usd") == 7_200
    assert value(metrics, "nav_per_share", fund="usd") == 1
    assert value(metrics, "nav_value", fund="usd") == 5


def test_confirmed__newer_value__shows_its_change_with_its_sign(metrics: Metrics) -> None:
    metrics.observe_confirmed("usd", confirmed())
    assert value(metrics, "post_deviation_ratio", fund="usd") is None
    metrics.observe_confirmed("usd", confirmed(WAD * 98 // 100, NOW + 3_600, held=True))
    assert value(metrics, "post_deviation_ratio", fund="usd") == pytest.approx(-0.02)
    assert value(metrics, "fund_held", fund="usd") == 1


def slot(state: SlotState, finished: int | None) -> SlotRow:
    return SlotRow(
        "usd", NOW, Cadence.HOURLY, state, None, None, None, NOW, None if finished is None else Timestamp(finished),
        "k", 1, None,
    )  # fmt: skip


def test_slot__ended__is_counted_and_its_lag_is_that_of_posts_alone(metrics: Metrics) -> None:
    metrics.observe_slot(slot(SlotState.POSTED, NOW + 15))
    metrics.observe_slot(slot(SlotState.SKIPPED, NOW + 900))
    assert value(metrics, "slot_total", fund="usd", result="posted") == 1
    assert value(metrics, "slot_total", fund="usd", result="skipped") == 1
    assert value(metrics, "slot_lag_seconds_sum", cadence="hourly") == 15


def lane(**changes: object) -> LaneStatus:
    facts: dict[str, object] = {
        "chain": "main", "sender": SENDER, "balance": 10**18, "runway": 3_600, "pending": 2, "next_nonce": 9,
        "spent_today": 7, "budget_per_day": 100,
    }  # fmt: skip
    return LaneStatus(**(facts | changes))  # type: ignore[arg-type]


def test_lane__owned_and_lost__shows_both(metrics: Metrics) -> None:
    metrics.observe_lane(lane(), epoch=4)
    names = {"chain": "main", "signer": SENDER}
    assert value(metrics, "signer_balance_wei", **names) == 10**18
    assert value(metrics, "signer_runway_seconds", **names) == 3_600
    assert value(metrics, "lease_epoch", **names) == 4
    assert value(metrics, "fee_budget_wei", **names) == 100
    metrics.observe_lane(lane(runway=None), epoch=None)
    assert value(metrics, "lease_held", **names) == 0
    assert value(metrics, "signer_runway_seconds", **names) == math.inf


def test_lane_events__counted_by_kind__never_by_hash(metrics: Metrics) -> None:
    for kind in ("sent", "bumped", "bumped", "confirmed", "failed"):
        metrics.lane_event(LaneEvent(kind, "main", SENDER, Severity.INFO, "m", hash="0x" + "ab" * 32))
    assert value(metrics, "tx_bumps_total", chain="main") == 2
    assert value(metrics, "tx_total", chain="main", result="confirmed") == 1
    assert value(metrics, "tx_total", chain="main", result="sent") is None
    assert "abab" not in metrics.render().decode()


class State(Enum):
    DISPUTED = "disputed"
    ALIVE = "alive"


@dataclass(frozen=True)
class Node:
    name: str
    head: int | None
    is_alive: bool = True
    operator: str = "a"
    errors: int = 0


@dataclass(frozen=True)
class Change:
    state: State
    chain: str = "main"
    node: str = "https://a.example"


def test_nodes__one_behind_one_dead_one_gone__are_told_apart(metrics: Metrics) -> None:
    metrics.observe_nodes(
        "main", [Node("x", 100), Node("y", 93, operator="b"), Node("z", None, is_alive=False)], quorum=2
    )
    assert value(metrics, "rpc_head_lag_blocks", chain="main", endpoint="y") == 7
    assert value(metrics, "rpc_up", chain="main", endpoint="z") == 0
    assert math.isnan(value(metrics, "rpc_head_lag_blocks", chain="main", endpoint="z") or 0)
    assert value(metrics, "rpc_operators_up", chain="main") == 2
    assert value(metrics, "rpc_quorum", chain="main") == 2
    metrics.observe_nodes("main", [Node("x", 101)])
    assert value(metrics, "rpc_up", chain="main", endpoint="y") is None


def test_node_event__dispute__is_a_disagreement_and_others_are_not(metrics: Metrics) -> None:
    metrics.node_event(Change(State.DISPUTED))
    metrics.node_event(Change(State.ALIVE))
    assert value(metrics, "rpc_disagreement_total", chain="main", endpoint="https://a.example") == 1


def test_breakers__closed_again__are_no_longer_shown(metrics: Metrics) -> None:
    stopped = Breaker(BreakerState.OPEN, ("test",), NOW)
    metrics.observe_breakers({BreakerSubject("fund", "usd"): stopped})
    assert value(metrics, "breaker_open", kind="fund", name="usd") == 1
    metrics.observe_breakers({BreakerSubject("fund", "usd"): Breaker(BreakerState.HALF_OPEN, ("test",), NOW)})
    assert value(metrics, "breaker_open", kind="fund", name="usd") == 0.5
    metrics.observe_breakers({})
    assert value(metrics, "breaker_open", kind="fund", name="usd") is None


def test_cycle__of_the_sampler__is_no_successful_cycle(metrics: Metrics, clock: SetClock) -> None:
    metrics.observe_cycle("sample", "success", 0.2)
    assert value(metrics, "last_cycle_timestamp_seconds", result="success") is None
    metrics.observe_cycle("slot", "success", 3.0)
    assert value(metrics, "last_cycle_timestamp_seconds", result="success") == clock()


def test_build__shown__has_version_and_configuration(metrics: Metrics) -> None:
    assert value(metrics, "build_info", version="1.2.3", configuration="abcd") == 1


def test_names__every_metric__follow_the_conventions() -> None:
    found = list(Metrics("1", SetClock(), process=False).registry.collect())
    assert len(found) > 40
    for family in found:
        assert re.fullmatch(r"navoracle_[a-z0-9_]+", family.name)
        assert family.documentation.endswith(".")
        assert not family.name.endswith(("_total", "_count", "_sum")) or family.type != "gauge"
        assert not re.search(r"_(?:ms|minutes|hours|percent|gwei)\b", family.name)
        if family.name.endswith(("_wei", "_per_share", "nav_value")):
            assert "float" in family.documentation, family.name


def test_process__shown__has_resident_memory() -> None:
    assert b"process_resident_memory_bytes" in Metrics("1", SetClock()).render()
