"""The risk monitor: what changes from frame to frame, what stands, and whether it does its work."""

from __future__ import annotations

from dataclasses import replace

import pytest

from navoracle.domain.errors import ErrorSeverity, HealthFactorCritical, RiskCalculationFailed
from navoracle.domain.risk.report import RiskReport
from navoracle.domain.units import Timestamp, to_wad
from navoracle.risk.health import WINDOW, HealthRule, HealthStatus
from navoracle.risk.monitor import Observation, RiskMonitor
from tests.unit.risk.builders import AAVE
from tests.unit.risk.frames import FUND, frame, gate, report, together, unread
from tests.unit.risk.gate_builders import HOUR, history, peaks, prior
from tests.unit.storage.builders import NOW, valuation_of

HIGH, CRITICAL, MEDIUM = ErrorSeverity.HIGH, ErrorSeverity.CRITICAL, ErrorSeverity.MEDIUM


def monitor(limit: int = 100, max_error_rate: str = "0.1") -> RiskMonitor:
    rule = HealthRule(to_wad(max_error_rate), max_age=600)
    return RiskMonitor(history_limit=limit, rule=rule, started=NOW)


def changes(seen: Observation) -> list[tuple[str, bool]]:
    """Alerts that were raised (True) or are over."""
    return [(change.alert.name, change.is_raised) for change in seen.alerts]


def standing(of: RiskMonitor) -> list[str]:
    return [alert.name for alert in of.standing(FUND)]


# ---- alerts


def test_observe__safe_loan__changes_nothing() -> None:
    here = monitor()
    seen = here.observe(frame(report("80")))
    assert (seen.alerts, seen.emergencies, seen.errors, seen.failed) == ((), (), (), ())
    assert standing(here) == []
    assert seen.standing == {FUND: ()}


def test_observe__limit_crossed__raises_its_alert_once_and_ends_it_once() -> None:
    here = monitor()
    assert changes(here.observe(frame(report("86")))) == [("AAVE_LTV_WARNING", True)]
    assert changes(here.observe(frame(report("87"), at=60))) == []
    assert standing(here) == ["AAVE_LTV_WARNING"]
    assert changes(here.observe(frame(report("80"), at=120))) == [("AAVE_LTV_WARNING", False)]
    assert standing(here) == []


def test_observe__alert_that_stands__has_the_newest_figure() -> None:
    here = monitor()
    here.observe(frame(report("86")))
    here.observe(frame(report("87"), at=60))
    assert "87.00 %" in here.standing(FUND)[0].message


def test_observe__level_changes__is_over_under_its_old_name() -> None:
    here = monitor()
    here.observe(frame(report("86")))
    worse = here.observe(frame(report("91"), at=60))
    assert changes(worse) == [
        ("AAVE_LTV_CRITICAL", True),
        ("AAVE_HEALTH_FACTOR_WARNING", True),
        ("AAVE_LTV_WARNING", False),
    ]
    assert standing(here) == ["AAVE_LTV_CRITICAL", "AAVE_HEALTH_FACTOR_WARNING"]
    better = here.observe(frame(report("86"), at=120))
    assert ("AAVE_LTV_WARNING", True) in changes(better)
    assert ("AAVE_LTV_CRITICAL", False) in changes(better)


def test_observe__account_that_cannot_be_read__keeps_its_alerts() -> None:
    here = monitor()
    here.observe(frame(report("91")))
    seen = here.observe(frame(unread(), at=60))
    assert changes(seen) == [("AAVE_UNREAD", True)]
    assert standing(here) == ["AAVE_LTV_CRITICAL", "AAVE_HEALTH_FACTOR_WARNING", "AAVE_UNREAD"]
    assert [alert.name for alert in seen.standing[FUND]] == standing(here)
    again = here.observe(frame(report("91"), at=120))
    assert changes(again) == [("AAVE_UNREAD", False)]
    assert standing(here) == ["AAVE_LTV_CRITICAL", "AAVE_HEALTH_FACTOR_WARNING"]


def test_observe__another_account_unread__ends_the_alerts_of_this_one() -> None:
    here = monitor()
    here.observe(frame(report("86")))
    other = replace(unread().failures[0], reader="alpha.risk.other")
    seen = here.observe(frame(replace(report("80"), failures=(other,)), at=60))
    assert changes(seen) == [("AAVE_LTV_WARNING", False)]


def test_observe__fund_without_monitor_and_gate__is_not_seen() -> None:
    here = monitor()
    seen = here.observe(frame(None))
    assert (seen.readings, here.funds, here.latest(FUND)) == ({}, (), None)


def test_observe__two_funds__are_kept_apart() -> None:
    here = monitor()
    seen = here.observe(together(frame(report("91")), frame(report("80"), fund="beta")))
    assert here.funds == ("alpha", "beta")
    assert {change.fund for change in seen.alerts} == {"alpha"}
    assert here.standing("beta") == ()


def test_observe__frame_older_than_one_that_was_seen__says_nothing() -> None:
    here = monitor()
    here.observe(frame(report("91"), at=60, name="look"))
    late = here.observe(frame(report("80"), at=0, name="slot"))
    assert (late.readings, late.alerts) == ({}, ())
    assert standing(here) == ["AAVE_LTV_CRITICAL", "AAVE_HEALTH_FACTOR_WARNING"]
    same_block = here.observe(frame(report("80"), at=60, name="retry"))
    assert set(same_block.readings) == {FUND}


# ---- emergencies and errors


def test_observe__critical_alert_raised__asks_for_one_emergency_while_it_stays() -> None:
    here = monitor()
    assert here.observe(frame(report("86"))).emergencies == ()
    assert here.observe(frame(report("91"), at=60)).emergencies == ((FUND, "AAVE_LTV_CRITICAL"),)
    assert here.observe(frame(report("92"), at=120)).emergencies == ()
    assert here.observe(frame(unread(), at=180)).emergencies == ()
    assert here.observe(frame(report("91"), at=240)).emergencies == ()
    assert here.observe(frame(report("80"), at=300)).emergencies == ()
    assert here.observe(frame(report("91"), at=360)).emergencies == ((FUND, "AAVE_LTV_CRITICAL"),)


def test_observe__second_critical_alert__asks_again_and_names_it_alone() -> None:
    here = monitor()
    here.observe(frame(report("91")))
    assert here.observe(frame(report("94"), at=60)).emergencies == ((FUND, "AAVE_HEALTH_FACTOR_CRITICAL"),)


def test_observe__two_critical_alerts_at_once__are_one_emergency() -> None:
    asked = monitor().observe(frame(report("94"))).emergencies
    assert asked == ((FUND, "AAVE_HEALTH_FACTOR_CRITICAL, AAVE_LTV_CRITICAL"),)


def test_observe__errors__are_those_of_the_report_and_name_what_to_look_at_again() -> None:
    critical = monitor().observe(frame(report("94")))
    assert [(each.fund, type(each.error)) for each in critical.errors] == [(FUND, HealthFactorCritical)]
    assert critical.failed == ()
    failing = monitor().observe(frame(unread()))
    assert [(each.fund, type(each.error)) for each in failing.errors] == [(FUND, RiskCalculationFailed)]
    assert failing.failed == (FUND,)


# ---- the gate


def test_observe__veto_begins_and_ends__is_told_once_each_with_its_grounds() -> None:
    here = monitor()
    assert here.observe(frame(decision=gate("1000"))).vetoes == ()
    began = here.observe(frame(decision=gate("890"), at=60)).vetoes
    assert [(change.veto, change.is_raised) for change in began] == [
        ("nav_drawdown_limit", True),
        ("day_loss_limit", True),
    ]
    assert began[0].decision.drawdown == to_wad("0.11")
    assert here.observe(frame(decision=gate("880"), at=120)).vetoes == ()
    ended = here.observe(frame(decision=gate("940"), at=180)).vetoes
    assert [(change.veto, change.is_raised) for change in ended] == [("nav_drawdown_limit", False)]


def test_observe__frame_without_the_gate__says_nothing_of_vetoes() -> None:
    here = monitor()
    here.observe(frame(decision=gate("890")))
    assert here.observe(frame(report("80"), at=60)).vetoes == ()


def test_observe__peak_set_anew__is_told() -> None:
    stale = prior(peaks(age=50 * HOUR), points=history("990", "1010", "1000"))
    seen = monitor().observe(frame(decision=gate("1000", prior=stale)))
    assert [(each.fund, each.how) for each in seen.healed] == [(FUND, "healed_from_history")]
    assert seen.healed[0].decision.peak == to_wad("1010")
    assert monitor().observe(frame(decision=gate("1000"))).healed == ()


# ---- history


def test_history__above_its_limit__keeps_the_newest() -> None:
    here = monitor(limit=3)
    for number in range(5):
        here.observe(frame(report("80"), at=60 * number))
    assert [reading.frame for reading in here.history(FUND)] == ["at 120", "at 180", "at 240"]
    newest = here.latest(FUND)
    assert newest is not None
    assert (newest.frame, newest.at) == ("at 240", NOW + 240)
    assert newest.price_per_share == valuation_of({"a": 1}, shares=10**18).price_per_share
    assert here.history("unknown") == ()


def test_reading__fund_that_could_not_be_valued__has_no_price() -> None:
    here = monitor()
    seen = frame(report("80"))
    here.observe(replace(seen, funds=(replace(seen.funds[0], valuation=None),)))
    newest = here.latest(FUND)
    assert newest is not None
    assert newest.price_per_share is None


# ---- health


def test_health__no_update_and_updates_without_errors__is_healthy() -> None:
    here = monitor()
    assert here.health(NOW).status is HealthStatus.HEALTHY
    assert here.update((), succeeded=True, at=NOW).status is HealthStatus.HEALTHY


def test_health__error_and_a_retry_that_succeeded__is_degraded_until_it_is_forgotten() -> None:
    here = monitor()
    found = here.update((HIGH,), succeeded=True, at=NOW)
    assert (found.status, found.errors, found.updates, found.error_rate) == (HealthStatus.DEGRADED, 1, 1, to_wad("1"))
    for _ in range(WINDOW - 1):
        here.update((), succeeded=True, at=NOW)
    assert here.health(NOW).status is HealthStatus.DEGRADED
    assert here.update((), succeeded=True, at=NOW).status is HealthStatus.HEALTHY


def test_health__last_update_failed__is_unhealthy_until_one_succeeds() -> None:
    here = monitor()
    assert here.update((HIGH,) * 4, succeeded=False, at=NOW).status is HealthStatus.UNHEALTHY
    assert here.update((), succeeded=True, at=NOW).status is HealthStatus.DEGRADED


@pytest.mark.parametrize(("severity", "status"), [(CRITICAL, HealthStatus.UNHEALTHY), (MEDIUM, HealthStatus.DEGRADED)])
def test_health__severity_of_the_last_update__decides(severity: ErrorSeverity, status: HealthStatus) -> None:
    assert monitor().update((severity,), succeeded=True, at=NOW).status is status


def test_health__error_rate_at_and_above_its_limit__is_degraded_and_unhealthy() -> None:
    here = monitor(max_error_rate="0.1")
    for _ in range(18):
        here.update((), succeeded=True, at=NOW)
    for _ in range(2):
        here.update((MEDIUM,), succeeded=True, at=NOW)
    assert here.health(NOW).status is HealthStatus.DEGRADED  # two in twenty
    assert here.update((MEDIUM,), succeeded=True, at=NOW).status is HealthStatus.UNHEALTHY  # three in twenty-one


def test_health__no_update_for_as_long_as_allowed_and_longer__is_fresh_and_unhealthy() -> None:
    here = monitor()
    assert here.health(Timestamp(NOW + 600)).status is HealthStatus.HEALTHY
    assert here.health(Timestamp(NOW + 601)).status is HealthStatus.UNHEALTHY  # none since the start
    here.update((), succeeded=True, at=Timestamp(NOW + 601))
    found = here.health(Timestamp(NOW + 601 + 600))
    assert (found.status, found.age, found.is_fresh) == (HealthStatus.HEALTHY, 600, True)
    found = here.health(Timestamp(NOW + 601 + 601))
    assert (found.status, found.age, found.is_fresh) == (HealthStatus.UNHEALTHY, 601, False)


def test_own_errors__critical_loan_and_account_that_cannot_be_read__are_the_accounts_alone() -> None:
    here = monitor()
    found = here.observe(together(frame(report("94"), fund="a"), frame(unread(), fund="b")))
    assert {type(each.error) for each in found.errors} == {HealthFactorCritical, RiskCalculationFailed}
    assert found.own_errors == (HIGH,)
    assert here.observe(frame(report("94"), fund="c")).own_errors == ()


def test_watch__of_the_loan__is_what_its_failure_is_called() -> None:
    """Otherwise an account that cannot be read would lose its alerts."""
    found: RiskReport = unread()
    assert {failure.reader for failure in found.failures} == {AAVE}
    assert {alert.watch for alert in report("94").alerts} == {AAVE}
