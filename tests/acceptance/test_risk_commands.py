"""`navoracle risk`: a fund's risks now, what a fall would do to it, and what the database then knows of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from navoracle.domain.units import WAD, to_wad
from tests.acceptance.worlds import Bench
from tests.requirements import PROJECT

LEVERED = PROJECT / "config" / "levered-fund.yaml"
"""100 ETH at 3,000, 150,000 USDC owed, 80,000 USDT at an exchange that is short 100 ETH."""

UNWATCHED = PROJECT / "config" / "one-fund.yaml"


def edited(path: Path, *changes: tuple[str, str]) -> Path:
    """The example with places replaced, each of which is there."""
    text = LEVERED.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
    return path


def ask(still: Bench, *arguments: str, config: Path = LEVERED, code: int = 0) -> Any:
    result = still.cli("risk", *arguments, "--json", config=config)
    assert result.code == code, result.out + result.err
    return result.json


def test_show__watched_fund__has_every_figure_and_the_gate(still: Bench) -> None:
    document = ask(still, "show", "neutral")
    risk, gate = document["risk"], document["gate"]
    assert (document["fund"], document["nav_status"], risk["status"]) == ("neutral", "live", "safe")
    (loan,) = risk["lending"]
    assert (loan["loan_to_value"], loan["health_factor"]) == (str(to_wad("0.5")), str(to_wad("1.66")))
    assert loan["move_to_liquidation"] == str((166 - 100) * WAD // 166)
    (venue,) = risk["margin"]
    assert venue["margin_ratio"] == str(80_000 * WAD // 300_000)
    assert risk["delta"]["net_delta"] == "0"
    assert [limit["name"] for limit in risk["limits"]] == ["leverage", "exposure", "drawdown", "funding_cost"]
    assert (risk["alerts"], risk["failures"]) == ([], [])
    assert (gate["peak"], gate["drawdown"], gate["vetoes"]) == (str(WAD), "0", [])


def test_show__on_a_terminal__says_it_in_tables(still: Bench) -> None:
    result = still.cli("risk", "show", "neutral", config=LEVERED)
    assert result.code == 0
    for said in ("risk SAFE", "AAVE", "50.00 %", "BINANCE", "26.66 %", "delta SAFE", "leverage", "gate no veto"):
        assert said in result.out


def test_show__looks__leave_nothing_behind(still: Bench) -> None:
    before = still.nonces()
    ask(still, "show", "neutral")
    assert still.nonces() == before
    assert not still.database.exists()


def test_show__limit_crossed__has_the_alert_and_still_ends_well(still: Bench, tmp_path: Path) -> None:
    tight = ('ltv: { warning: "0.65", urgent: "0.70", critical: "0.75" }', 'ltv: { warning: "0.3", critical: "0.4" }')
    document = ask(still, "show", "neutral", config=edited(tmp_path / "tight.yaml", tight))
    assert document["risk"]["status"] == "critical"
    assert [alert["name"] for alert in document["risk"]["alerts"]] == ["AAVE_LTV_CRITICAL"]


def test_show__price_that_is_missing__says_what_is_not_known_and_ends_with_6(still: Bench, tmp_path: Path) -> None:
    other = edited(tmp_path / "other.yaml", ("asset: ETH, size", "asset: DAI, size"), ("funds:\n", DAI + "funds:\n"))
    document = ask(still, "show", "neutral", config=other, code=6)
    assert document["error"]["code"] == "RISK-001"
    assert "neutral.risk.binance" in document["error"]["message"]
    assert document["risk"]["status"] == "warning"
    assert document["risk"]["lending"][0]["loan_to_value"] == str(to_wad("0.5"))
    assert document["risk"]["delta"] is None


DAI = """  DAI:
    min_sources: 2
    sources:
      - { kind: chainlink, group: chainlink, chain: home, feed: "${FEED_USDC_CHAINLINK}", heartbeat: 1, grace: 0 }
      - { kind: chainlink, group: redstone, chain: home, feed: "${FEED_USDC_REDSTONE}", heartbeat: 1, grace: 0 }

"""
"""An asset whose feeds are always too old."""


def test_simulate__fall_that_liquidates__follows_the_terms_to_the_wei(still: Bench) -> None:
    document = ask(still, "simulate", "neutral", "--drop", "0.45")
    (loan,) = document["loans"]
    assert loan["fallen"]["health_factor"] == str(to_wad("0.913"))
    taken = loan["liquidation"]
    assert (taken["repaid"], taken["seized"], taken["lost"]) == tuple(
        str(to_wad(amount)) for amount in ("75000", "78750", "3750")
    )
    assert (taken["after"]["collateral"], taken["after"]["debt"]) == (str(to_wad("86250")), str(to_wad("75000")))
    (venue,) = document["venues"]
    assert (venue["liquidation"], venue["at_stake"]) == (None, str(to_wad("80000")))


def test_simulate__fall_that_is_safe__takes_nothing(still: Bench) -> None:
    document = ask(still, "simulate", "neutral", "--drop", "0.1", "--watch", "loan")
    assert document["loans"][0]["liquidation"] is None
    assert document["venues"] == []
    assert ask(still, "simulate", "neutral", "--drop", "0", "--watch", "neutral.risk.binance")["loans"] == []
    assert "safe" in still.cli("risk", "simulate", "neutral", "--drop", "0.1", config=LEVERED).out


def test_simulate__exchange_below_its_maintenance_margin__loses_all_of_it(still: Bench, tmp_path: Path) -> None:
    thin = edited(tmp_path / "thin.yaml", ('balance: "80000"', 'balance: "20000"'))
    (venue,) = ask(still, "simulate", "neutral", "--drop", "0", config=thin)["venues"]
    assert venue["liquidation"] == {
        "margin_ratio": str(20_000 * WAD // 300_000),
        "margin_lost": str(to_wad("20000")),
        "remaining_balance": "0",
    }


def test_stress__table__has_a_row_for_each_fall(still: Bench) -> None:
    rows = ask(still, "stress", "neutral")["stress"]
    assert [(row["name"], row["fall"]) for row in rows] == [
        *(("eth", str(to_wad(fall))) for fall in ("0.1", "0.3", "0.5")),
        *(("depeg", str(to_wad(fall))) for fall in ("0.03", "0.12")),
    ]
    assert [row["nav"] for row in rows] == [
        str(to_wad(nav)) for nav in ("230000", "230000", "226250", "223100", "202400")
    ]
    assert [row["loans"][0]["liquidation"] is not None for row in rows] == [False, False, True, False, False]
    assert "226,250.00" in still.cli("risk", "stress", "neutral", config=LEVERED).out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("show", "nobody"), "there is no fund nobody"),
        (("simulate", "neutral", "--drop", "ten"), "is no number"),
        (("simulate", "neutral", "--drop", "1"), "outside 0 to 1"),
        (("simulate", "neutral", "--drop", "-0.1"), "outside 0 to 1"),
        (("simulate", "neutral", "--drop", "0.1", "--watch", "okx"), "neutral watches no okx"),
    ],
)
def test_risk__wrong_usage__says_what_is_wrong(still: Bench, arguments: tuple[str, ...], said: str) -> None:
    assert said in ask(still, *arguments, code=2)["error"]["message"]


@pytest.mark.parametrize("command", [("show",), ("simulate", "--drop", "0.1"), ("stress",)], ids=lambda each: each[0])
def test_risk__fund_that_is_not_watched__says_so(still: Bench, command: tuple[str, ...]) -> None:
    result = still.cli("risk", command[0], "stable", *command[1:], "--json", config=UNWATCHED)
    assert result.code == 2
    assert result.json["error"]["message"].startswith("stable is not watched")


def test_stress__fund_that_cannot_be_valued__is_refused_with_its_reason(still: Bench, tmp_path: Path) -> None:
    other = edited(
        tmp_path / "o.yaml", ("id: pledged, asset: ETH", "id: pledged, asset: DAI"), ("funds:\n", DAI + "funds:\n")
    )
    error = ask(still, "stress", "neutral", config=other, code=3)["error"]
    assert error["message"].startswith("neutral could not be valued (unpriced:DAI")
    assert error["advice"]
