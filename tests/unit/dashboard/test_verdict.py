"""The verdict: four answers in words, and never a yes for what is not known."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from navoracle.dashboard.verdict import Answer, Since, Until, Words, is_fresh, is_right, is_safe, to_do, verdict
from navoracle.domain.units import WAD
from navoracle.read_model.documents import Documents
from navoracle.read_model.events import AlertRecord
from navoracle.read_model.fees import FeeStanding
from navoracle.read_model.frame import GuardDistanceRecord
from navoracle.read_model.fund import BreakerRecord, FundDetail, OnChain
from navoracle.read_model.funds import FundRow
from navoracle.read_model.gates import GateRecord
from navoracle.read_model.operations import NextSlot
from navoracle.state_files.documents import ADAPTERS
from tests.unit.state_files import builders

NOW = 1_000_000
AT = NOW - 300


def row(**changes: Any) -> FundRow:
    said: dict[str, Any] = {
        "fund": "alpha", "chain": "main", "status": "live", "reason": "", "frame": "f00d", "source": "slot",
        "updated_at": AT, "nav": str(WAD), "price_per_share": str(WAD), "nav_source": "frame", "nav_updated_at": AT,
        "confidence_bps": 9_000, "risk_status": "warning", "drawdown": None, "held": False, "unknown": {},
    }  # fmt: skip
    return FundRow(**{**said, **changes})


def served(**changes: Any) -> OnChain:
    said: dict[str, Any] = {
        "known_by": "frame", "nav": str(WAD), "price_per_share": str(WAD), "valuation_time": AT, "held": False,
        "live": True, "expires_at": AT + 7_200, "block_number": 1, "nav_difference": "0",
        "price_per_share_difference": "0",
    }  # fmt: skip
    return OnChain(**{**said, **changes})


def distance(used_bps: int = 84, *, within: bool = True) -> GuardDistanceRecord:
    return GuardDistanceRecord(
        used_bps=used_bps, within=within, binds="step", step=1, step_limit=100, day=1, day_limit=100
    )


def breaker(state: str = "closed", advice: str | None = None) -> BreakerRecord:
    reasons = [] if state == "closed" else ["too far"]
    return BreakerRecord(kind="fund", name="alpha", state=state, reasons=reasons, since=None, advice=advice)


def gate(*, vetoes: list[str] | None = None, warnings: list[str] | None = None) -> GateRecord:
    return GateRecord(
        measure="*", price_per_share=None, healthy=True, drawdown=None, daily_loss=None, vetoes=vetoes or [],
        warnings=warnings or [], stops=[],
    )  # fmt: skip


def documents(*, risk: bool = True) -> Documents:
    found = ADAPTERS["risk.json"].validate_python(builders.documents()["risk"]) if risk else None
    others = dict.fromkeys(("nav_state", "nav", "synced_state", "kpis", "positions"))
    return Documents(**others, risk=found, unknown={} if risk else {"/risk": "no state files are configured"})


def detail(**changes: Any) -> FundDetail:
    said: dict[str, Any] = {
        "fund": row(), "documents": documents(), "on_chain": served(),
        "next_slot": NextSlot(slot_time=AT + 3_600, cadence="hourly", reasons=[]), "breakers": [breaker()],
        "guard_distance": distance(), "bridge": None,
        "fees": FeeStanding(kept_by="keeper", high_water_mark=None, accrued_since=None),
        "peaks": None, "gate": gate(), "latest": None, "posted": None, "requests": [], "unknown": {},
    }  # fmt: skip
    return FundDetail.model_construct(**{**said, **changes})


def alert(rule: str = "NavStale", severity: str = "critical", **changes: Any) -> AlertRecord:
    said: dict[str, Any] = {
        "key": rule, "rule": rule, "subject": "alpha", "severity": severity, "message": "it is old",
        "advice": "Look at the node.", "runbook": None, "first_at": 1, "last_at": 2, "count": 1, "notified_at": None,
        "escalated_at": None, "acknowledged_at": None, "acknowledged_by": None, "resolved_at": None,
    }  # fmt: skip
    return AlertRecord(**{**said, **changes})


def words(answer: Answer) -> str:
    return "".join(part if isinstance(part, str) else "TIME" for part in answer.why)


def test_right__equal_to_the_wei__is_yes() -> None:
    found = is_right(detail())
    assert (found.word, found.tone, words(found)) == ("yes", "good", "computed = on chain, to the wei")


def test_right__moved_since_the_post__is_yes_and_says_by_how_much() -> None:
    found = is_right(detail(on_chain=served(valuation_time=AT - 900, nav_difference="-1234")))
    assert found.word == "yes"
    assert "(-1,234 wei)" in words(found)
    assert Since(AT - 900) in found.why


@pytest.mark.parametrize(
    ("changes", "word", "says"),
    [
        ({"on_chain": served(nav_difference="5")}, "no", "differ for the same time: +0.00 apart (+5 wei)"),
        ({"on_chain": served(nav_difference="1", held=True)}, "no", "the contract holds the fund"),
        ({"on_chain": served(valuation_time=AT + 9, nav_difference="5")}, "unknown", "newer value than this keeper"),
        ({"on_chain": served(nav_difference=None, price_per_share_difference=None)}, "unknown", "cannot be compared"),
        ({"on_chain": served(nav_difference=None, price_per_share_difference="7")}, "no", "per share apart (+7 wei)"),
        ({"on_chain": None}, "unknown", "nothing to compare with"),
        ({"fund": row(nav_source="confirmed", reason="no price")}, "unknown", "what is shown is the chain's: no price"),
        ({"fund": row(nav_source="unknown", nav=None)}, "unknown", "none is known"),
        ({"fund": row(status="halted", reason="a jump")}, "no", "the newest value is halted: a jump"),
        ({"fund": row(status="estimated", reason="old")}, "estimated", "last valid one: old"),
    ],
)
def test_right__not_served_as_computed__is_no_yes_and_says_why(changes: dict[str, Any], word: str, says: str) -> None:
    found = is_right(detail(**changes))
    assert found.word == word
    assert found.tone in ("bad", "warning")
    assert says in words(found)


def test_fresh__before_slot_and_expiry__is_yes_with_both_times() -> None:
    found = is_fresh(detail(), NOW)
    assert (found.word, found.tone) == ("yes", "good")
    assert [part for part in found.why if not isinstance(part, str)] == [
        Since(AT), Until(AT + 3_600), Until(AT + 7_200),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "now", "word"),
    [
        ({}, AT + 3_600 + 600, "yes"),
        ({}, AT + 3_600 + 601, "no"),
        ({}, AT + 7_200, "no"),
        ({"next_slot": None}, AT + 7_199, "yes"),
        ({"next_slot": None}, AT + 7_200, "no"),
        ({"next_slot": None, "on_chain": None}, NOW, "unknown"),
        ({"next_slot": None, "on_chain": served(expires_at=None)}, NOW, "unknown"),
        ({"fund": row(nav_updated_at=None)}, NOW, "unknown"),
        ({"on_chain": served(expires_at=AT + 3_599)}, NOW, "not for long"),
        ({"next_slot": NextSlot(slot_time=AT + 7_000, cadence="hourly", reasons=[])}, AT + 4_201, "late"),
        ({"next_slot": NextSlot(slot_time=AT + 7_000, cadence="hourly", reasons=[])}, AT + 4_200, "yes"),
    ],
)
def test_fresh__at_every_edge__is_what_the_times_say(changes: dict[str, Any], now: int, word: str) -> None:
    assert is_fresh(detail(**changes), now).word == word


def test_safe__something_is_near_its_limit__is_watched_and_says_the_health_factor() -> None:
    found = is_safe(detail())
    assert (found.word, found.tone) == ("watch it", "warning")
    assert words(found).startswith("risk warning, health factor 1.0655; 0.84 % of the contract's band used")


@pytest.mark.parametrize(
    ("changes", "word", "first"),
    [
        ({"fund": row(risk_status="safe")}, "yes", "0.84 % of the contract's band used"),
        ({"fund": row(risk_status="critical")}, "no", "risk critical"),
        ({"fund": row(risk_status="unknown")}, "unknown", "risk unknown"),
        ({"documents": documents(risk=False)}, "unknown", "risk is not known (no state files are configured)"),
        ({"fund": row(risk_status="safe"), "gate": None}, "as far as watched", "0.84 %"),
        ({"fund": row(risk_status="safe"), "guard_distance": None}, "unknown", "the contract's band is not known"),
        ({"fund": row(risk_status="safe"), "guard_distance": distance(9_000)}, "watch it", "90.00 %"),
        ({"fund": row(risk_status="safe"), "guard_distance": distance(12_000, within=False)}, "no", "120.00 %"),
        ({"fund": row(risk_status="safe"), "breakers": [breaker("open")]}, "no", "breaker of fund alpha open"),
        ({"fund": row(risk_status="safe"), "breakers": [breaker("half_open")]}, "watch it", "breaker of fund alpha"),
        ({"fund": row(risk_status="safe"), "gate": gate(vetoes=["nav_drawdown_limit"])}, "no", "gate: nav drawdown"),
        ({"fund": row(risk_status="safe"), "gate": gate(warnings=["sources_failed"])}, "watch it", "gate warns"),
        ({"fund": row(risk_status="safe"), "on_chain": served(held=True)}, "no", "the contract holds the fund"),
        ({"fund": row(risk_status="safe"), "on_chain": served(live=False)}, "no", "the contract has closed"),
    ],
)
def test_safe__each_part__decides_by_the_worst(changes: dict[str, Any], word: str, first: str) -> None:
    found = is_safe(detail(**changes))
    assert found.word == word
    assert words(found).startswith(first)


def test_do__open_alerts__is_the_advice_of_the_funds_own_first() -> None:
    own, general = alert("NavStale"), alert("SignerBalanceLow", "warning", advice="Fill it up.")
    assert words(to_do(detail(), (), [own], [general])) == "Look at the node."
    assert words(to_do(detail(), (), [], [general])) == "Fill it up."
    assert words(to_do(detail(), (), [], [alert(advice="")])) == "Look into it: it is old"


def test_do__alert_that_somebody_takes_care_of__comes_after_what_nobody_does() -> None:
    taken = alert("NavStale", acknowledged_by="Ann")
    found = to_do(detail(), (), [taken], [])
    assert (found.word, found.tone) == ("in hand", "plain")
    assert words(found).startswith("Ann takes care of NavStale")
    assert words(to_do(detail(), (), [taken], [alert("Other", advice="Do it.")])) == "Do it."


def test_do__open_breaker_without_an_alert__is_its_advice() -> None:
    assert words(to_do(detail(breakers=[breaker("open", "Reset it.")]), (), [], [])) == "Reset it."


def test_do__nothing_alerted_but_something_not_known__is_to_look() -> None:
    doubtful = verdict(detail(on_chain=None), [], [], NOW)
    assert doubtful[-1].word == "look"
    assert "right" in words(doubtful[-1])
    assert verdict(detail(fund=row(risk_status="safe")), [], [], NOW)[-1].word == "nothing"


@given(
    on_chain=st.none() | st.builds(
        served,
        nav_difference=st.none() | st.integers(-9, 9).map(str),
        price_per_share_difference=st.none() | st.integers(-9, 9).map(str),
        valuation_time=st.integers(AT - 2, AT + 2),
        held=st.booleans(),
        expires_at=st.none() | st.integers(NOW - 9, NOW + 9),
    ),
    fund=st.builds(
        row,
        status=st.sampled_from(("live", "estimated", "verified", "halted", "confirmed", "unknown")),
        nav_source=st.sampled_from(("frame", "confirmed", "unknown")),
        nav_updated_at=st.none() | st.just(AT),
        risk_status=st.sampled_from(("safe", "warning", "critical", "unknown")),
    ),
    next_slot=st.none() | st.integers(NOW - 700, NOW + 9).map(
        lambda at: NextSlot(slot_time=at, cadence="hourly", reasons=[])
    ),
    guard_distance=st.none() | st.builds(distance, st.integers(0, 20_000), within=st.booleans()),
    risk=st.booleans(),
)  # fmt: skip
def test_verdict__any_state__is_never_a_yes_for_what_is_missing(
    on_chain: OnChain | None,
    fund: FundRow,
    next_slot: NextSlot | None,
    guard_distance: GuardDistanceRecord | None,
    risk: bool,
) -> None:
    known = detail(
        on_chain=on_chain, fund=fund, next_slot=next_slot, guard_distance=guard_distance, documents=documents(risk=risk)
    )
    right, fresh, safe, do = verdict(known, [], [], NOW)

    if right.tone == "good":
        assert on_chain is not None
        assert fund.nav_source == "frame"
        assert not on_chain.held
    if fresh.tone == "good":
        assert fund.nav_updated_at is not None
        assert next_slot is not None or (on_chain is not None and on_chain.expires_at is not None)
    if safe.tone == "good":
        assert guard_distance is not None
        assert guard_distance.within
        assert risk
        assert fund.risk_status == "safe"
    if do.word == "nothing":
        assert {right.tone, fresh.tone, safe.tone} <= {"good", "plain"}
    assert all(_said(answer.why) for answer in (right, fresh, safe, do))


def _said(why: tuple[Words, ...]) -> bool:
    return any(isinstance(part, str) and part.strip() for part in why)
