"""Laws of the risk monitor, whatever frames come: what is raised and over adds up to what stands."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from navoracle.domain.errors import ErrorSeverity
from navoracle.domain.risk.levels import RiskStatus
from navoracle.domain.risk.report import RiskReport
from navoracle.domain.units import WAD, to_wad
from navoracle.risk.health import MIN_UPDATES, WINDOW, HealthRule, HealthStatus
from navoracle.risk.monitor import RiskMonitor
from tests.unit.risk.frames import FUND, frame, report, unread
from tests.unit.storage.builders import NOW

REPORTS: tuple[RiskReport, ...] = (*(report(debt) for debt in ("80", "86", "91", "94")), unread())
UPDATES = st.tuples(st.lists(st.sampled_from(ErrorSeverity), max_size=3), st.booleans())


def monitor() -> RiskMonitor:
    return RiskMonitor(history_limit=4, rule=HealthRule(to_wad("0.1"), max_age=600), started=NOW)


@given(st.lists(st.tuples(st.sampled_from(REPORTS), st.integers(-100, 100)), max_size=12))
def test_observe__any_frames__raised_less_over_is_what_stands(steps: list[tuple[RiskReport, int]]) -> None:
    here, at, newest, stands = monitor(), 0, 0, set[tuple[str, str]]()
    for number, (found, move) in enumerate(steps):
        at = max(0, at + move)
        seen = here.observe(frame(found, at=at, name=f"{number}"))
        for change in seen.alerts:
            key = (change.alert.name, change.alert.watch)
            assert (key in stands) is not change.is_raised
            stands ^= {key}
        assert stands == {(alert.name, alert.watch) for alert in here.standing(FUND)}
        critical = {
            change.alert.name
            for change in seen.alerts
            if change.is_raised and change.alert.status is RiskStatus.CRITICAL
        }
        asked = {name for fund, reason in seen.emergencies for name in reason.split(", ") if fund == FUND}
        assert asked == critical
        if at < newest:
            assert not seen.readings
        else:
            newest = at
            assert {(alert.name, alert.watch) for alert in found.alerts} <= stands
        times = [reading.at for reading in here.history(FUND)]
        assert times == sorted(times)
        assert len(times) <= 4


@given(st.lists(UPDATES, max_size=WINDOW + 20))
def test_health__any_updates__follows_the_rule(updates: list[tuple[list[ErrorSeverity], bool]]) -> None:
    here = monitor()
    for errors, succeeded in updates:
        here.update(errors, succeeded=succeeded, at=NOW)
    counted = updates[-WINDOW:]
    total = sum(bool(errors) or not succeeded for errors, succeeded in counted)
    found = here.health(NOW)
    assert (found.updates, found.errors) == (len(counted), total)
    assert found.error_rate == -(-total * WAD // max(len(counted), 1))
    beyond = len(counted) >= MIN_UPDATES and total * 10 > len(counted)
    bad_end = bool(counted) and (not counted[-1][1] or ErrorSeverity.CRITICAL in counted[-1][0])
    expected = HealthStatus.UNHEALTHY if beyond or bad_end else HealthStatus.DEGRADED if total else HealthStatus.HEALTHY
    assert found.status is expected
