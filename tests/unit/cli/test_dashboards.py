"""Whether a dashboard is served, and to whom: decided before anything listens."""

from __future__ import annotations

import io
import stat
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from structlog.testing import capture_logs

from navoracle.cli import dashboards
from navoracle.cli.main import run
from navoracle.config.service import DashboardSection
from navoracle.domain.errors import ConfigurationError


class Said:
    """As much of a configuration as is asked for."""

    def __init__(self, host: str, **dashboard: Any) -> None:
        http = SimpleNamespace(host=host, enabled=True)
        self.service = SimpleNamespace(http=http, dashboard=DashboardSection(**dashboard), nav_age_limit=60)


def password_file(folder: Path, monkeypatch: pytest.MonkeyPatch, words: str = "correct horse battery") -> Path:
    file = folder / "dashboard.password"
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{words}\n"))
    assert run(["dashboard", "--set-password", str(file)]) == 0
    return file


def test_pages__this_machine_alone__are_served_without_a_password() -> None:
    assert dashboards.pages_of(Said("127.0.0.1")) is not None  # type: ignore[arg-type]


def test_pages__beyond_this_machine_without_a_password__are_not_served_and_the_log_says_so() -> None:
    with capture_logs() as logs:
        assert dashboards.pages_of(Said("0.0.0.0")) is None  # type: ignore[arg-type]

    assert [each["event"] for each in logs] == ["dashboard_not_served"]
    with pytest.raises(ConfigurationError, match="no password"):
        dashboards.settings_of(DashboardSection(), "0.0.0.0", 60)


def test_pages__extra_is_missing__are_not_served_and_the_log_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dashboards, "find_spec", lambda _name: None)
    with capture_logs() as logs:
        assert dashboards.pages_of(Said("127.0.0.1")) is None  # type: ignore[arg-type]

    assert [each["event"] for each in logs] == ["dashboard_not_installed"]
    with pytest.raises(ConfigurationError, match="not installed"):
        dashboards.require_installed()


def test_pages__switched_off__are_not_served() -> None:
    assert dashboards.pages_of(Said("127.0.0.1", enabled=False)) is None  # type: ignore[arg-type]


def test_password__set_by_the_command__is_hashed_private_and_opens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = password_file(tmp_path, monkeypatch)

    assert "correct" not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    found = dashboards.settings_of(DashboardSection(password_file=file), "0.0.0.0", 60)
    assert found.access.password is not None
    assert found.access.password.matches("correct horse battery")
    assert found.access.hosts is None


def test_password__file_is_there_or_word_is_short__is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = password_file(tmp_path, monkeypatch)
    before = file.read_bytes()
    monkeypatch.setattr("sys.stdin", io.StringIO("another long password\n"))
    assert run(["dashboard", "--set-password", str(file)]) == 2
    assert file.read_bytes() == before
    monkeypatch.setattr("sys.stdin", io.StringIO("short\n"))
    assert run(["dashboard", "--set-password", str(tmp_path / "other")]) == 4
    assert not (tmp_path / "other").exists()


def test_password__file_open_to_others__is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = password_file(tmp_path, monkeypatch)
    file.chmod(0o644)

    with pytest.raises(ConfigurationError, match="read or written by others"):
        dashboards.settings_of(DashboardSection(password_file=file), "127.0.0.1", 60)
