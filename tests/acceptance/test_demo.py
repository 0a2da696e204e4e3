"""The demo: its whole day, and what it claims of itself."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from navoracle.cli.main import run
from navoracle.domain.units import WAD


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """`navoracle demo --hours 24 --json`, run once."""
    folder = tmp_path_factory.mktemp("demo")
    output = folder / "demo.json"
    database = f"sqlite:///{folder / 'demo.db'}"
    with pytest.MonkeyPatch.context() as patch, output.open("w") as file:
        patch.setattr("sys.stdout", file)
        code = run(["demo", "--hours", "24", "--json", "--database", database])
    document: dict[str, Any] = json.loads(output.read_text())
    document["exit_code"] = code
    return document


def slots(day: dict[str, Any], fund: str, *, state: str | None = None) -> list[dict[str, Any]]:
    """The fund's slots, of one ending or all."""
    return [slot for slot in day["slots"] if slot["fund"] == fund and state in (None, slot["state"])]


def test_demo__whole_day__posts_what_the_contract_serves_and_verifies(day: dict[str, Any]) -> None:
    assert day["exit_code"] == 0
    posted = [slot for slot in day["slots"] if slot["state"] == "posted"]
    assert len(posted) > 60
    for slot in posted:
        assert slot["contract"]["nav"] == slot["nav"]
        assert slot["contract"]["price_per_share"] == slot["price_per_share"]
    assert day["verified"]["rejected"] == []
    assert day["verified"]["accepted"] >= len(day["slots"])
    for fund in ("stable", "levered-pt", "multi"):
        summary = day["funds"][fund]
        assert summary["slots"] == len(slots(day, fund)) >= 24
        assert summary["posts"] == len(slots(day, fund, state="posted"))
        assert all(hold["reason"] for hold in summary["holds"])


def test_demo__outlier__is_excluded_from_the_price(day: dict[str, Any]) -> None:
    excluded = [
        slot
        for slot in slots(day, "stable")
        if {"source": "USDC.chronicle", "reason": "outlier"} in slot["prices"]["USDC"]["excluded"]
    ]
    assert excluded
    assert all(slot["state"] == "posted" for slot in excluded)


def test_demo__outage__is_carried_by_a_decayed_price_and_then_halted(day: dict[str, Any]) -> None:
    estimated = [slot for slot in slots(day, "multi") if slot["status"] == "estimated"]
    assert estimated
    assert all(int(slot["nav"]) < int(slot["undecayed_nav"]) for slot in estimated)
    assert slots(day, "multi", state="skipped")[0]["reason"] == "unpriced:ETH:too_old"
    assert {slot["state"] for slot in slots(day, "stable")} == {"posted"}


def settlements(day: dict[str, Any]) -> list[dict[str, Any]]:
    """What the vault did, by the keeper's events, oldest first."""
    with closing(sqlite3.connect(day["database"].removeprefix("sqlite:///"))) as connection:
        rows = connection.execute("SELECT data FROM events WHERE kind = 'settlement_ended' ORDER BY rowid").fetchall()
    return [json.loads(data) for (data,) in rows]


def test_demo__deposit__is_settled_on_the_next_post_and_moves_no_share_price(day: dict[str, Any]) -> None:
    (asked,) = [event["time"] for event in day["story"] if "asks to deposit" in event["what"]]
    before = next(slot for slot in reversed(slots(day, "stable")) if slot["time"] < asked)
    after = next(slot for slot in slots(day, "stable") if slot["time"] > asked)
    assert int(after["nav"]) * 100 > int(before["nav"]) * 145
    moved = abs(int(after["price_per_share"]) - int(before["price_per_share"]))
    assert moved * 1_000 < int(before["price_per_share"])
    assert after["state"] == "posted"
    (settled,) = [each for each in settlements(day) if int(each["settled"]["deposited"]) > 0]
    assert settled["valuation_time"] == after["time"]
    assert (settled["differs"], settled["settled"]["price_per_share"]) == ([], after["price_per_share"])


def test_demo__redemption__is_settled_burned_and_paid(day: dict[str, Any]) -> None:
    (settled,) = [each["settled"] for each in settlements(day) if int(each["settled"]["burned"]) > 0]
    assert int(settled["burned"]) == 500_000 * WAD
    ((_, paid),) = settled["payouts"]
    assert abs(int(paid) * 10**12 - 500_000 * int(settled["price_per_share"])) < 10**12


def test_demo__loan__has_a_health_factor_until_it_is_critical(day: dict[str, Any]) -> None:
    watched = [slot["risk"] for slot in slots(day, "levered-pt") if slot["risk"] is not None]
    factors = {int(report["lending"][0]["health_factor"]): report["status"] for report in watched}
    assert len(watched) == len(slots(day, "levered-pt"))
    assert {status for factor, status in factors.items() if factor > WAD} == {"safe"}
    assert {status for factor, status in factors.items() if factor < WAD} == {"critical"}


def test_demo__fall_of_a_day__is_vetoed_and_not_posted_until_prices_recover(day: dict[str, Any]) -> None:
    vetoed = slots(day, "multi", state="skipped")[1:]
    assert {slot["reason"] for slot in vetoed} == {"day_loss_limit"}
    assert all(int(slot["gate"]["daily_loss"]) > 5 * WAD // 100 for slot in vetoed)
    after = next(slot for slot in slots(day, "multi") if slot["time"] > vetoed[-1]["time"])
    assert (after["state"], after["gate"]["vetoes"]) == ("posted", [])


def test_demo__jump__is_verified_held_and_the_old_value_served(day: dict[str, Any]) -> None:
    held = [slot for slot in slots(day, "levered-pt", state="held") if slot["status"] == "verified"]
    assert held
    assert {slot["reason"] for slot in held} == {"registry:step+day_drift"}
    served = {slot["contract"]["price_per_share"] for slot in held}
    assert len(served) == 1
    assert all(int(slot["price_per_share"]) * 10 > int(slot["contract"]["price_per_share"]) * 13 for slot in held)
    assert all(slot["contract"]["held"] for slot in held)
    after = [slot for slot in slots(day, "levered-pt", state="posted") if slot["time"] > held[-1]["time"]]
    assert after
    assert all(int(slot["gate"]["drawdown"]) < WAD // 100 for slot in after)  # nobody had the price of the jump


def test_demo__insolvent_fund__posts_no_number_and_recovers(day: dict[str, Any]) -> None:
    insolvent = [slot for slot in slots(day, "levered-pt") if slot["status"] == "insolvent"]
    assert insolvent
    assert {(slot["state"], slot["reason"]) for slot in insolvent} == {("held", "insolvent")}
    assert all(int(slot["nav"]) < 0 < int(slot["contract"]["nav"]) for slot in insolvent)
    assert slots(day, "levered-pt")[-1]["state"] == "posted"


def test_demo__principal_token__accrues(day: dict[str, Any]) -> None:
    def rate(slot: dict[str, Any]) -> float:
        return int(slot["prices"]["PT-USDe"]["price"]) / int(slot["prices"]["USDe"]["price"])

    own = [slot for slot in slots(day, "levered-pt") if slot["prices"]]
    assert rate(own[-1]) > rate(own[0])


def test_demo__without_json__tells_the_story_and_how_to_look_deeper(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    database = f"sqlite:///{tmp_path / 'demo.db'}"
    assert run(["demo", "--hours", "1", "--database", database]) == 0
    out = capsys.readouterr().out
    assert "navoracle verify --all" in out
    assert "equal what the contract says" in out
    assert (tmp_path / "demo.db").exists()
