"""The overrides file of a running keeper: taken when it changes, and never a reason to stop."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from navoracle.cli.main import app
from navoracle.composition.overrides import LiveOverrides, OverridesNews
from navoracle.composition.plans import subject_of
from navoracle.composition.service import tell_overrides
from navoracle.config.models import Config
from navoracle.domain.cadence import Cadence
from navoracle.domain.errors import ConfigurationError
from navoracle.domain.units import Timestamp, Wad, to_wad
from navoracle.keeper.planner import Planner, Subject
from navoracle.storage import SqlStore
from navoracle.store_port import Severity
from navoracle.testing import FixedClock
from tests.unit.composition.test_observers import Here as Service
from tests.unit.config.test_gates import LEAST
from tests.unit.config.test_overrides import RISK, override, written
from tests.unit.storage.builders import empty_sqlite_store

NOW = Timestamp(1_800_000_000)
SAID = {"funds.one.gate.max_drawdown": {"value": "0.3", "instead_of": "0.1", "expires_at": None}}


class Here:
    """A keeper's planner whose limits may be overridden."""

    def __init__(self, config: Config) -> None:
        self.news: list[OverridesNews] = []
        self.clock = FixedClock(NOW)
        self.live = LiveOverrides(config, self.clock.now, self.news.append)
        self.planner = Planner(subject_of(self.live.current.config), None, {}, now=NOW, policies=self.live)

    async def limit(self, fund: str = "one") -> Wad | None:
        """The drawdown limit of the next plan."""
        plan = await self.planner.slot([fund], NOW, Cadence.HOURLY, publish=False, now=NOW)
        gate = plan.funds[0].gate
        assert gate is not None
        assert gate == self.planner.subject.funds[fund].gate
        return gate.max_drawdown


def gate(**said: Any) -> dict[str, Any]:
    return {"funds": {"one": {"gate": said}}}


async def test_overrides__at_the_start__hold_from_the_first_plan_on(tmp_path: Path) -> None:
    config = written(tmp_path, gate=LEAST)
    override(tmp_path, gate(max_drawdown="0.3"))
    here = Here(config)
    assert await here.limit() == to_wad("0.3")
    assert await here.limit("two") == to_wad("0.1")
    assert here.planner.overrides == {
        "funds.one.gate.max_drawdown": {"value": "0.3", "instead_of": "0.1", "expires_at": None}
    }
    assert here.news == []


async def test_overrides__written_changed_and_removed__hold_from_the_next_plan_on(tmp_path: Path) -> None:
    here = Here(written(tmp_path, gate=LEAST))
    assert await here.limit() == to_wad("0.1")
    override(tmp_path, gate(max_drawdown="0.3"))
    assert await here.limit() == to_wad("0.3")
    override(tmp_path, gate(max_drawdown=None))
    assert await here.limit() is None
    (tmp_path / "overrides.yaml").unlink()
    assert await here.limit() == to_wad("0.1")
    assert here.planner.overrides == {}
    assert [news.trouble for news in here.news] == [None, None, None]
    assert here.news[0].said == {
        "funds.one.gate.max_drawdown": {"value": "0.3", "instead_of": "0.1", "expires_at": None}
    }


async def test_overrides__touched_and_not_changed__are_not_told_of(tmp_path: Path) -> None:
    override(tmp_path, gate(max_drawdown="0.3"))
    here = Here(written(tmp_path, gate=LEAST))
    override(tmp_path, gate(max_drawdown="0.3"))
    await here.limit()
    assert here.news == []


@pytest.mark.parametrize("broken", ["funds: [", yaml.safe_dump(gate(max_drawdown="5")), "alerts: {}\n"])
async def test_overrides__broken_while_running__keep_the_last_good_ones_and_are_told_once(
    tmp_path: Path, broken: str
) -> None:
    here = Here(written(tmp_path, gate=LEAST))
    override(tmp_path, gate(max_drawdown="0.3"))
    assert await here.limit() == to_wad("0.3")
    override(tmp_path, broken)
    for _ in range(3):
        assert await here.limit() == to_wad("0.3")
    assert [news.trouble is None for news in here.news] == [True, False]
    assert here.news[1].said == here.news[0].said
    override(tmp_path, gate(max_drawdown="0.3"))
    assert await here.limit() == to_wad("0.3")
    assert [news.trouble is None for news in here.news] == [True, False, True]  # mended: told, so that its alert ends


async def test_overrides__cannot_be_read_while_running__keep_the_last_good_ones(tmp_path: Path) -> None:
    here = Here(written(tmp_path, gate=LEAST))
    (tmp_path / "overrides.yaml").mkdir()
    assert await here.limit() == to_wad("0.1")
    assert [news.trouble is None for news in here.news] == [False]


def ending(at: int, **said: Any) -> dict[str, Any]:
    """Overrides of the gate that all end at a time."""
    return {**gate(**said), "expires": {f"funds.one.gate.{key}": at for key in said}}


async def test_overrides__that_expire__end_by_the_clock_and_are_told_of(tmp_path: Path) -> None:
    here = Here(written(tmp_path, gate=LEAST))
    override(tmp_path, ending(NOW + 60, max_drawdown="0.3"))
    assert await here.limit() == to_wad("0.3")
    here.clock.set(NOW + 59)
    assert await here.limit() == to_wad("0.3")
    here.clock.set(NOW + 60)
    assert await here.limit() == to_wad("0.1")
    assert await here.limit() == to_wad("0.1")
    assert [(dict(news.said), news.trouble) for news in here.news[1:]] == [({}, None)]


async def test_overrides__that_expire_while_the_file_is_broken__end_and_the_file_stays_broken(tmp_path: Path) -> None:
    here = Here(written(tmp_path, gate=LEAST))
    override(tmp_path, ending(NOW + 60, max_drawdown="0.3"))
    assert await here.limit() == to_wad("0.3")
    override(tmp_path, "funds: [")
    assert await here.limit() == to_wad("0.3")
    here.clock.set(NOW + 60)
    assert await here.limit() == to_wad("0.1")
    assert await here.limit() == to_wad("0.1")
    assert [news.trouble is None for news in here.news] == [True, False, False]
    assert here.news[-1].said == {}


async def test_overrides__gate_that_is_not_whole_without_what_expired__keeps_the_last_good_one_and_is_told_once(
    tmp_path: Path,
) -> None:
    here = Here(written(tmp_path))
    path = "funds.one.gate.max_drawdown"
    override(tmp_path, {**gate(**LEAST), "expires": {path: NOW + 60}})
    assert await here.limit() == to_wad("0.1")
    here.clock.set(NOW + 60)
    for _ in range(3):
        assert await here.limit() == to_wad("0.1")
    assert [news.trouble is None for news in here.news] == [True, False]


def test_overrides__broken_at_the_start__are_refused(tmp_path: Path) -> None:
    config = written(tmp_path, gate=LEAST)
    override(tmp_path, "funds: [")
    with pytest.raises(ConfigurationError, match=r"overrides\.yaml: not YAML"):
        LiveOverrides(config, lambda: NOW)


def test_overrides__of_risk_limits__change_the_policy_and_leave_the_readers(tmp_path: Path) -> None:
    config = written(tmp_path, risk=RISK)
    live = LiveOverrides(config, lambda: NOW, lambda _: None)
    before: Subject = subject_of(config)
    override(tmp_path, {"funds": {"one": {"risk": {"limits": {"max_leverage": "2"}}}}})
    after = live.refresh(before)
    assert before.funds["one"].risk is not None
    assert after.funds["one"].risk is not None
    assert after.funds["one"].risk.policy.limits.max_leverage == to_wad("2")
    assert after.funds["one"].risk.readers == before.funds["one"].risk.readers
    assert after.funds["one"].positions == before.funds["one"].positions
    assert after.funds["two"] == before.funds["two"]


def test_overrides__no_file_configured__change_nothing(tmp_path: Path) -> None:
    config = written(tmp_path, gate=LEAST)
    without = config.model_copy(update={"service": config.service.model_copy(update={"overrides_file": None})})
    override(tmp_path, "funds: [")
    subject = subject_of(without)
    assert LiveOverrides(without, lambda: NOW).refresh(subject) is subject


# ---- who is told


def test_news__of_an_overrides_file__are_an_event_and_an_alert_that_ends_when_it_is_mended(tmp_path: Path) -> None:
    with SqlStore.open(empty_sqlite_store(tmp_path / "keeper.db")) as store:
        here = Service(store)
        file, said = (
            tmp_path / "overrides.yaml",
            SAID,
        )
        trouble = ConfigurationError(f"{file}: not YAML", advice="Correct the syntax.")
        tell_overrides(OverridesNews(file, said, trouble), here.observer, here.alerts)
        assert here.open() == {("OverridesBroken", "")}
        (broken,) = here.events("overrides_broken")
        assert (broken.severity, broken.message, broken.advice) == (
            Severity.WARNING,
            f"{file}: not YAML",
            "Correct the syntax.",
        )
        assert broken.data == {"file": str(file), "overrides": said}
        tell_overrides(OverridesNews(file, said, None), here.observer, here.alerts)
        assert here.open() == {("OverridesChanged", "")}
        (taken,) = here.events("overrides_taken")
        assert taken.message == "overrides: funds.one.gate.max_drawdown = 0.3"
        tell_overrides(OverridesNews(file, {}, None), here.observer, here.alerts)
        assert here.events("overrides_taken")[0].message == "overrides: nothing is overridden"


def test_config_show__says_what_is_overridden_by_which_file_and_instead_of_what(tmp_path: Path) -> None:
    written(tmp_path, gate=LEAST)
    override(tmp_path, gate(max_drawdown="0.3"))
    arguments = ["config", "show", "--config", str(tmp_path / "navoracle.yaml")]
    document = json.loads(CliRunner().invoke(app, [*arguments, "--json"]).stdout)
    assert document["overrides"] == {
        "funds.one.gate.max_drawdown": {"value": "0.3", "instead_of": "0.1", "expires_at": None}
    }
    assert document["configuration"]["funds"]["one"]["gate"]["max_drawdown"] == "0.3"
    told = CliRunner().invoke(app, arguments).stdout
    assert f"# funds.one.gate.max_drawdown: 0.3 by {tmp_path / 'overrides.yaml'}, instead of 0.1\n" in told


@pytest.mark.parametrize("command", [["config", "show"], ["check"]])
def test_command__overrides_file_is_broken__is_refused_as_a_configuration(tmp_path: Path, command: list[str]) -> None:
    written(tmp_path, gate=LEAST)
    override(tmp_path, gate(max_drawdown="5"))
    found = CliRunner().invoke(app, [*command, "--config", str(tmp_path / "navoracle.yaml"), "--json"])
    assert isinstance(found.exception, ConfigurationError)
    assert "overrides.yaml: funds.one.gate: max_drawdown" in found.exception.message
