"""Changes of an overrides file: valid before they are written, whole when they are, and nothing else is lost."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from navoracle.config.loading import parse_config
from navoracle.config.models import Config
from navoracle.config.override_edits import changing, clearing, clearing_all, setting, write_overrides
from navoracle.config.overrides import overridden
from navoracle.domain.errors import ConfigurationError, UsageError
from navoracle.domain.units import Timestamp
from tests.unit.config.test_gates import LEAST
from tests.unit.config.test_overrides import NOW, RISK, written

DRAWDOWN, DAY, LEVERAGE = (
    "funds.one.gate.max_drawdown",
    "funds.one.gate.max_day_loss",
    "funds.two.risk.limits.max_leverage",
)
LATER = Timestamp(NOW + 3_600)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return written(tmp_path, gate=LEAST, risk=RISK)


def document(content: bytes) -> Any:
    return yaml.safe_load(content)


def test_setting__decimal_as_typed__is_text_in_the_file_and_counts(config: Config) -> None:
    edit = setting(config, b"", DRAWDOWN, "0.2", expires_at=LATER, now=NOW)
    assert document(edit.content) == {
        "funds": {"one": {"gate": {"max_drawdown": "0.2"}}},
        "expires": {DRAWDOWN: LATER},
    }
    assert edit.after.said == {DRAWDOWN: {"value": "0.2", "instead_of": "0.1", "expires_at": LATER}}


@pytest.mark.parametrize(
    ("path", "text", "value"),
    [
        (DRAWDOWN, "null", None),
        (DRAWDOWN, "'0.25'", "0.25"),
        ("funds.one.gate.stops", "[]", []),
        ("funds.one.gate.max_balance_age", "1200", 1200),
        ("funds.one.gate.on_stale", "fail_open", "fail_open"),
        (LEVERAGE, "3.5", "3.5"),
        (LEVERAGE, "3", "3"),
    ],
)
def test_setting__value_of_each_kind__is_taken_as_it_is_typed(
    config: Config, path: str, text: str, value: object
) -> None:
    edit = setting(config, b"", path, text, expires_at=None, now=NOW)
    assert (edit.after.said[path]["value"], edit.after.said[path]["expires_at"]) == (value, None)
    assert "expires" not in document(edit.content)


def test_setting__again__takes_the_new_value_and_the_new_end_and_leaves_the_others(config: Config) -> None:
    content = setting(config, b"", DRAWDOWN, "0.2", expires_at=LATER, now=NOW).content
    content = setting(config, content, DAY, "0.05", expires_at=LATER, now=NOW).content
    edit = setting(config, content, DRAWDOWN, "0.3", expires_at=None, now=NOW)
    assert {path: (each["value"], each["expires_at"]) for path, each in edit.after.said.items()} == {
        DRAWDOWN: ("0.3", None),
        DAY: ("0.05", LATER),
    }


@pytest.mark.parametrize(
    ("path", "text", "told"),
    [
        ("funds.one.id", "5", "funds.one.id cannot be overridden"),
        ("alerts", "5", "alerts cannot be overridden"),
        ("funds.one.risk.mode", "btc_basis", "funds.one.risk.mode cannot be overridden"),
        ("funds.three.gate.max_drawdown", "0.2", "there is no such fund"),
        (DRAWDOWN, "2", "less than"),
        (DRAWDOWN, "much", "funds.one.gate: max_drawdown"),
        (DRAWDOWN, "[", "it is no value"),
        ("funds.one.gate.nonsense", "1", "nonsense"),
        ("funds.one.gate.min_history", "0", "greater than or equal to 1"),
        ("funds.one.gate.stops", "[deposits]", "deposits cannot be stopped"),
    ],
)
def test_setting__what_is_not_valid__is_refused(config: Config, path: str, text: str, told: str) -> None:
    with pytest.raises(UsageError) as refused:
        setting(config, b"", path, text, expires_at=LATER, now=NOW)
    assert told in refused.value.message
    assert refused.value.advice


def test_setting__gate_that_is_not_whole_when_a_part_has_expired__is_refused(tmp_path: Path) -> None:
    config = written(tmp_path)
    whole = yaml.safe_dump({"funds": {"one": {"gate": LEAST}}}).encode()
    assert setting(config, whole, DRAWDOWN, "0.2", expires_at=None, now=NOW).after.said
    with pytest.raises(UsageError, match=r"funds\.one\.gate: max_drawdown"):
        setting(config, whole, DRAWDOWN, "0.2", expires_at=LATER, now=NOW)


def test_setting__file_that_is_broken__is_a_broken_configuration(config: Config) -> None:
    with pytest.raises(ConfigurationError, match="not YAML"):
        setting(config, b"funds: [", DRAWDOWN, "0.2", expires_at=None, now=NOW)


def test_setting__what_has_expired__is_taken_out(config: Config) -> None:
    content = setting(config, b"", DAY, "0.05", expires_at=LATER, now=NOW).content
    edit = setting(config, content, DRAWDOWN, "0.2", expires_at=None, now=LATER)
    assert document(edit.content) == {"funds": {"one": {"gate": {"max_drawdown": "0.2"}}}}


def test_clearing__a_path__leaves_the_others_and_no_empty_section(config: Config) -> None:
    content = setting(config, b"", DRAWDOWN, "0.2", expires_at=LATER, now=NOW).content
    content = setting(config, content, LEVERAGE, "3", expires_at=LATER, now=NOW).content
    edit = clearing(config, content, (DRAWDOWN,), now=NOW)
    assert document(edit.content) == {
        "funds": {"two": {"risk": {"limits": {"max_leverage": "3"}}}},
        "expires": {LEVERAGE: LATER},
    }
    assert document(clearing(config, edit.content, (LEVERAGE,), now=NOW).content) == {}


@pytest.mark.parametrize("path", [DRAWDOWN, "funds.one.gate", "nothing"])
def test_clearing__what_is_not_overridden__is_refused(config: Config, path: str) -> None:
    with pytest.raises(UsageError, match="is not overridden"):
        clearing(config, b"", (path,), now=NOW)


def test_clearing_all__of_a_broken_file__is_an_empty_one(config: Config) -> None:
    edit = clearing_all(config)
    assert overridden(config, edit.content, "x", NOW).config == config
    assert edit.after.said == {}


RAW: dict[str, Any] = {
    "service": {"overrides_file": "overrides.yaml"},
    "assets": {},
    "funds": {
        name: {
            "id": number,
            "supply": {"kind": "fixed", "shares": "1000"},
            "positions": [{"kind": "declared", "id": "cash", "asset": "USD", "component": "cash", "amount": "5"}],
            "gate": LEAST,
        }
        for number, name in enumerate(("one", "gate", "two-risk"))
    },
}
CONFIG = parse_config(RAW, "test")
PATHS = st.builds(
    lambda fund, key: f"funds.{fund}.gate.{key}",
    st.sampled_from(sorted(RAW["funds"])),
    st.sampled_from(("max_drawdown", "max_day_loss")),
)
CHANGES = st.tuples(PATHS, st.integers(1, 99), st.none() | st.integers(1, 100))


@given(st.lists(CHANGES, max_size=6), st.integers(0, 120))
def test_edits__any_of_them__count_until_they_end_and_cleared_leave_the_configuration(
    changes: list[tuple[str, int, int | None]], later: int
) -> None:
    content, expected = b"", dict[str, tuple[str, int | None]]()
    for path, percent, hours in changes:
        ends = None if hours is None else Timestamp(NOW + hours)
        content = setting(CONFIG, content, path, f"0.{percent:02d}", expires_at=ends, now=NOW).content
        expected[path] = (f"0.{percent:02d}".rstrip("0"), ends)
    now = Timestamp(NOW + later)
    found = overridden(CONFIG, content, "overrides.yaml", now)
    assert {path: (each["value"], each["expires_at"]) for path, each in found.said.items()} == {
        path: said for path, said in expected.items() if said[1] is None or said[1] > now
    }
    left = clearing(CONFIG, content, tuple(expected), now=NOW)
    assert (left.content, left.after.config) == (b"{}\n", CONFIG)


# ---- writing


def test_write__new_and_old_file__is_whole_and_keeps_the_rights(tmp_path: Path) -> None:
    file = tmp_path / "overrides.yaml"
    write_overrides(file, b"{}\n")
    assert (file.read_bytes(), file.stat().st_mode & 0o777) == (b"{}\n", 0o644)
    file.chmod(0o640)
    write_overrides(file, b"funds: {}\n")
    assert (file.read_bytes(), file.stat().st_mode & 0o777) == (b"funds: {}\n", 0o640)
    assert [path.name for path in tmp_path.iterdir()] == ["overrides.yaml"]


def test_write__disk_is_full__leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "overrides.yaml"
    file.write_bytes(b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ConfigurationError, match="No space left"):
        write_overrides(file, b"new")
    assert file.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["overrides.yaml"]


def test_changing__by_two_at_once__is_one_after_the_other(tmp_path: Path) -> None:
    file = tmp_path / "overrides.yaml"
    file.write_bytes(b"first")
    folder = os.open(tmp_path, os.O_RDONLY)
    try:
        with changing(file) as content:
            assert content == b"first"
            with pytest.raises(BlockingIOError):
                fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.close(folder)


def test_changing__folder_is_not_there__is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be opened"), changing(tmp_path / "no" / "overrides.yaml"):
        pass
