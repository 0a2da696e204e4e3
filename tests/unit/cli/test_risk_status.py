"""`status`: what the database knows of a fund's risks, its gate and its peaks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from navoracle.cli.risk_status import KnownRisk, gate_word, known_risks, risk_document, risk_word
from navoracle.cli.risk_tables import part, show_gate, show_report
from navoracle.domain.units import Timestamp, to_wad
from navoracle.risk.gate import kept
from navoracle.storage import SqlStore
from navoracle.store_port import SlotOutcome, SlotState
from navoracle.telemetry.alerts import Alerts
from tests.unit.composition.test_observers import Silent
from tests.unit.risk.builders import AAVE
from tests.unit.risk.frames import frame, gate, report
from tests.unit.storage.builders import NOW, claim, empty_sqlite_store, hash_of

WATCHED, GATED, NEW = "watched", "gated", "new"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    """A watched fund with an alert, one that its gate stops, and one that has no frame yet."""
    with SqlStore.open(empty_sqlite_store(tmp_path / "keeper.db")) as found:
        decision = gate("890")
        watched = frame(report("91"), fund=WATCHED, name="w")
        gated = frame(decision=decision, fund=GATED, name="g")
        state = kept(decision, None, gated.funds[0].status, None)
        assert state is not None
        for each, peaks in ((watched, {}), (gated, {GATED: state})):
            hashes = {name: hash_of(name) for name in each.evidence}
            found.record_frame(each, hashes=hashes, peaks=peaks)
        for name, of in ((WATCHED, "w"), (GATED, "g"), (NEW, None)):
            outcome = SlotOutcome(SlotState.SKIPPED, "why", of, None)
            found.finish_slot(claim(found, name), outcome, Timestamp(NOW))
        yield found


def alarm(store: SqlStore, rule: str, subject: str) -> None:
    Alerts(store, Silent(), now=lambda: Timestamp(NOW)).raise_(rule, subject, "message", advice="advice")  # type: ignore[arg-type]


def known(store: SqlStore) -> dict[str, KnownRisk]:
    return known_risks(store, store.status())


def test_status__fund_with_standing_alerts__names_them_and_the_worst(store: SqlStore) -> None:
    alarm(store, "RiskWarning", f"{WATCHED}:AAVE_HEALTH_FACTOR_WARNING:{AAVE}")
    alarm(store, "LoanToValueHigh", f"{WATCHED}:AAVE_LTV_CRITICAL:{AAVE}")
    alarm(store, "DrawdownBreach", WATCHED)  # the gate's own, which the gate shows
    alarm(store, "FundHalted", WATCHED)
    alarm(store, "RpcDown", f"{WATCHED}:NODE_CRITICAL:x")  # a chain of the fund's name
    document = risk_document(known(store)[WATCHED])
    assert document["worst_alert"] == "critical"
    assert {(alert["name"], alert["watch"], alert["status"]) for alert in document["alerts"]} == {
        ("AAVE_HEALTH_FACTOR_WARNING", AAVE, "warning"),
        ("AAVE_LTV_CRITICAL", AAVE, "critical"),
    }
    assert (document["gate"], document["peaks"]) == (None, None)
    assert "CRITICAL" in risk_word(known(store)[WATCHED])
    assert risk_word(known(store)[WATCHED]).endswith("(2)")
    assert risk_document(known(store)[GATED])["alerts"] == []


def test_status__alert_that_is_over__is_not_shown(store: SqlStore) -> None:
    alerts = Alerts(store, Silent(), now=lambda: Timestamp(NOW))  # type: ignore[arg-type]
    alerts.raise_("LoanToValueHigh", f"{WATCHED}:AAVE_LTV_CRITICAL:{AAVE}", "message")
    alerts.clear("LoanToValueHigh", f"{WATCHED}:AAVE_LTV_CRITICAL:{AAVE}")
    assert risk_document(known(store)[WATCHED])["worst_alert"] is None


def test_status__fund_with_a_gate__has_its_decision_and_its_peaks(store: SqlStore) -> None:
    document = json.loads(json.dumps(risk_document(known(store)[GATED])))
    assert document["gate"] == {
        "price_per_share": str(to_wad("890")),
        "healthy": True,
        "drawdown": str(to_wad("0.11")),
        "daily_loss": str(to_wad("0.11")),
        "vetoes": ["nav_drawdown_limit", "day_loss_limit"],
        "warnings": [],
        "stops": ["posting", "settlements", "deposits"],
    }
    assert (document["peaks"]["peak"], document["peaks"]["daily_peak"]) == (str(to_wad("1000")), str(to_wad("1000")))
    assert gate_word(known(store)[GATED]) == "11.00 % down, [red]nav_drawdown_limit, day_loss_limit[/]"


def test_status__fund_without_a_frame__has_nothing_and_no_zero(store: SqlStore) -> None:
    new = known(store)[NEW]
    assert risk_document(new) == {"worst_alert": None, "alerts": [], "gate": None, "peaks": None}
    assert (risk_word(new), gate_word(new)) == ("-", "-")


# ---- tables


def drawn(draw: object) -> str:
    out = StringIO()
    console = Console(file=out, width=200, highlight=False)
    assert callable(draw)
    draw(console)
    return out.getvalue()


def test_report__on_a_terminal__has_status_figures_and_advice() -> None:
    text = drawn(lambda out: show_report(out, report("91")))
    assert "risk CRITICAL" in text
    assert "AAVE  CRITICAL" in text
    assert "91.00 %" in text
    assert "1.0439" in text
    assert "AAVE_LTV_CRITICAL AAVE: loan-to-value 91.00 %" in text
    assert "advice: Repay debt or add collateral." in text


def test_gate__on_a_terminal__has_its_vetoes_and_what_they_stop() -> None:
    text = drawn(lambda out: show_gate(out, gate("890")))
    assert "gate nav_drawdown_limit, day_loss_limit, stops posting, settlements, deposits" in text
    assert "11.00 %" in text
    assert "gate no veto" in drawn(lambda out: show_gate(out, gate("1000")))


def test_gate__without_a_nav__shows_dashes() -> None:
    found = gate("1000")
    unknown = replace(found, drawdown=None, health=replace(found.health, price_per_share=None))
    assert " - " in drawn(lambda out: show_gate(out, unknown))


@pytest.mark.parametrize(
    ("ratio", "text"), [("0.1234567", "12.34 %"), ("-0.0163", "-1.63 %"), ("0", "0.00 %"), (None, "-")]
)
def test_part__of_a_ratio__is_per_cent_cut_off(ratio: str | None, text: str) -> None:
    assert part(None if ratio is None else to_wad(ratio)) == text
