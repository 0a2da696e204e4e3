"""`alerts` and `export` show what the store has, change only what they say, and end with the documented codes."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import structlog

from navoracle.cli.main import run
from navoracle.cli.runtime import Runtime
from navoracle.composition import alerts as wiring
from navoracle.domain.units import Timestamp
from navoracle.live_secrets import forget_secrets
from navoracle.storage import SqlStore
from navoracle.store_port import Event, Severity
from navoracle.telemetry.alerts import Notifier, Target
from tests.unit.storage.builders import alert_row
from tests.unit.telemetry.fakes import NOW, ListeningNotifier


class Clock:
    """Stands still."""

    def now(self) -> Timestamp:
        return Timestamp(NOW + 100)

    async def sleep(self, seconds: float) -> None:
        """Nothing to wait for."""


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    yield
    structlog.reset_defaults()
    forget_secrets()


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A store with three events and two alerts, one of them over."""
    found = f"sqlite:///{tmp_path}/store.db"
    with SqlStore.open(found) as store:
        for number, (kind, fund, message) in enumerate(
            [("slot_posted", "usd", "posted"), ("slot_failed", "eth", "=1+1"), ("node_state", None, '-down, "x"\nnext')]
        ):
            event = Event(Timestamp(NOW + number), kind, fund, Severity.WARNING, message, "-5", {"n": number})
            store.append_event(event)
        for key, over in (("NavStale:usd", None), ("RpcDown:main", Timestamp(NOW + 5))):
            store.save_alert(
                alert_row(key, "old", first_at=NOW, last_at=NOW, count=3, notified_at=NOW, resolved_at=over)
            )
    return found


def ran(*arguments: str) -> int:
    return run(list(arguments), Runtime(clock=Clock()))


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert ran(*arguments, "--json") == 0
    return json.loads(capsys.readouterr().out)


# ---- alerts


def test_list__open_ones__and_with_all_those_that_are_over(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    (row,) = said(capsys, "alerts", "list", "--database", url)["alerts"]
    assert (row["key"], row["count"], row["runbook"]) == (
        "NavStale:usd", 3, "docs/operations/runbooks.md#navstale",
    )  # fmt: skip
    assert len(said(capsys, "alerts", "list", "--all", "--database", url)["alerts"]) == 2
    assert ran("alerts", "list", "--database", url) == 0
    shown = capsys.readouterr().out
    assert "NavStale:usd" in shown
    assert "advice: Look." in shown


def test_ack__open_alert__is_kept_with_who_and_leaves_an_event(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    document = said(capsys, "alerts", "ack", "NavStale:usd", "--by", "ann", "--database", url)
    assert document == {"acknowledged": ["NavStale:usd"], "by": "ann"}
    with SqlStore.open_existing(url) as store:
        row = store.alerts(open_only=True)[0]
        assert (row.acknowledged_by, row.acknowledged_at) == ("ann", NOW + 100)
        assert store.events(limit=1)[0].event.kind == "alert_acknowledged"


def test_ack__all__takes_every_open_one_and_no_other(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "alerts", "ack", "--all", "--by", "ann", "--database", url)["acknowledged"] == ["NavStale:usd"]


@pytest.mark.parametrize("keys", [(), ("NavStale:usd", "--all"), ("NavStale:eth",), ("RpcDown:main",)])
def test_ack__nothing_like_that_is_open__is_wrong_usage(url: str, keys: tuple[str, ...]) -> None:
    assert ran("alerts", "ack", *keys, "--database", url) == 2


CONFIGURATION = """
alerts:
  targets: [{name: ops, url: "json://user:Hidden-Word-12@localhost:1"}, {name: pager, url: "json://localhost:1/b"}]
  escalation: [{name: boss, url: "json://localhost:1/c"}]
assets: {}
funds:
  usd:
    id: 1
    supply: {kind: fixed, shares: "1"}
    positions: [{kind: declared, asset: USD, component: cash, amount: "1"}]
"""


@pytest.mark.parametrize(("deaf", "code"), [((), 0), (("ops",), 6), (("ops", "pager", "boss"), 5)])
def test_test__each_target__is_told_of_and_the_code_says_how_many(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    deaf: tuple[str, ...],
    code: int,
) -> None:
    notifier = ListeningNotifier(Target("ops"), Target("pager"), Target("boss", escalation=True))
    notifier.deaf = set(deaf)
    monkeypatch.setattr(wiring, "alert_notifier", lambda _section: notifier)
    (tmp_path / "navoracle.yaml").write_text(CONFIGURATION)
    assert ran("alerts", "test", "--config", str(tmp_path / "navoracle.yaml"), "--json") == code
    out = capsys.readouterr()
    results: list[Mapping[str, object]] = json.loads(out.out)["targets"]
    assert [row["target"] for row in results if not row["delivered"]] == list(deaf)
    assert all(row["problem"] == "it does not answer" for row in results if not row["delivered"])
    assert "Hidden-Word-12" not in out.out + out.err


def test_test__named_target__is_the_only_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    notifier: Notifier = ListeningNotifier(Target("ops"), Target("pager"))
    monkeypatch.setattr(wiring, "alert_notifier", lambda _section: notifier)
    (tmp_path / "navoracle.yaml").write_text(CONFIGURATION)
    config = ("--config", str(tmp_path / "navoracle.yaml"))
    assert [row["target"] for row in said(capsys, "alerts", "test", "pager", *config)["targets"]] == ["pager"]
    assert ran("alerts", "test", "nobody", *config) == 2


def test_test__no_targets__is_a_configuration_to_correct(tmp_path: Path) -> None:
    (tmp_path / "navoracle.yaml").write_text(
        CONFIGURATION.partition("assets:")[1] + CONFIGURATION.partition("assets:")[2]
    )
    assert ran("alerts", "test", "--config", str(tmp_path / "navoracle.yaml")) == 4


# ---- export


def exported(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert ran("export", *arguments) == 0
    return capsys.readouterr().out


def test_export__events_as_csv__are_oldest_first_and_no_formula(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    rows = list(csv.DictReader(io.StringIO(exported(capsys, "events", "--csv", "--database", url))))
    assert [row["id"] for row in rows] == ["1", "2", "3"]
    assert [row["message"] for row in rows] == ["posted", "'=1+1", '\'-down, "x"\nnext']
    assert rows[0]["advice"] == "-5"
    assert json.loads(rows[2]["data"]) == {"n": 2}


def test_export__events_as_lines__are_what_the_event_files_have(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [json.loads(line) for line in exported(capsys, "events", "--jsonl", "--database", url).splitlines()]
    assert [(line["id"], line["component"], line["message"]) for line in lines][1] == (2, "keeper", "=1+1")
    assert lines == said(capsys, "export", "events", "--database", url)["events"]


@pytest.mark.parametrize(
    ("filters", "ids"),
    [
        (("--fund", "usd"), [1]), (("--kind", "node_state"), [3]), (("--since", str(NOW + 1)), [2, 3]),
        (("--until", str(NOW + 1)), [1, 2]), (("--since", str(NOW + 1), "--until", str(NOW + 1)), [2]),
        (("--fund", "nobody"), []),
    ],
)  # fmt: skip
def test_export__filters__leave_what_fits(
    url: str, capsys: pytest.CaptureFixture[str], filters: tuple[str, ...], ids: list[int]
) -> None:
    lines = exported(capsys, "events", "--jsonl", "--database", url, *filters).splitlines()
    assert [json.loads(line)["id"] for line in lines] == ids


@pytest.mark.parametrize("subject", ["slots", "posts", "frames"])
def test_export__empty_subject__is_a_header(url: str, capsys: pytest.CaptureFixture[str], subject: str) -> None:
    (header,) = exported(capsys, subject, "--database", url).splitlines()
    assert "fund" in header.split(",")
    assert said(capsys, "export", subject, "--database", url)[subject] == []


def test_export__into_a_file__never_overwrites(url: str, tmp_path: Path) -> None:
    file = tmp_path / "events.csv"
    assert ran("export", "events", "--out", str(file), "--database", url) == 0
    written = file.read_text()
    assert written.startswith("id,at,component,kind,fund")
    assert ran("export", "events", "--out", str(file), "--database", url) == 2
    assert file.read_text() == written


@pytest.mark.parametrize(
    "arguments",
    [("events", "--csv", "--jsonl"), ("slots", "--kind", "x"), ("nothing",), ("events", "--since", "yesterday")],
)
def test_export__what_cannot_be_meant__is_wrong_usage(url: str, arguments: tuple[str, ...]) -> None:
    assert ran("export", *arguments, "--database", url) == 2
