"""The systemd unit: its directives, and what systemd says of it where systemd is."""

from __future__ import annotations

import configparser
import shutil
import subprocess
from pathlib import Path

import pytest

from navoracle.cli.exit_codes import ExitCode
from navoracle.config.service import ServiceSection
from tests.requirements import PROJECT

UNIT = PROJECT / "packaging" / "systemd" / "navoracle.service"


def service() -> configparser.SectionProxy:
    """The section of the service; systemd lets a directive stand several times, the last one is seen here."""
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign] # directives have capitals
    parser.read_string(UNIT.read_text(encoding="utf-8"))
    return parser["Service"]


def test_unit__service__tells_when_it_is_ready_and_is_watched() -> None:
    said = service()
    assert said["Type"] == "notify"
    assert said["NotifyAccess"] == "main"
    assert said["ExecStart"].split()[1:] == (
        ["--log-format", "json", "run", "--live", "--config", "/etc/navoracle/navoracle.yaml"]
    )
    assert int(said["TimeoutStopSec"]) > ServiceSection().stop_grace
    assert int(said["WatchdogSec"]) >= 60
    assert said["RestartPreventExitStatus"] == str(ExitCode.USAGE.value)


@pytest.mark.parametrize(
    ("directive", "value"),
    [
        ("NoNewPrivileges", "yes"),
        ("ProtectSystem", "strict"),
        ("ProtectHome", "yes"),
        ("CapabilityBoundingSet", ""),
        ("PrivateTmp", "yes"),
        ("PrivateDevices", "yes"),
        ("MemoryDenyWriteExecute", "yes"),
        ("RestrictAddressFamilies", "AF_INET AF_INET6 AF_UNIX"),
        ("UMask", "0077"),
        ("LimitCORE", "0"),
        ("User", "navoracle"),
    ],
)
def test_unit__hardening__is_there(directive: str, value: str) -> None:
    assert service()[directive] == value


@pytest.mark.slow
@pytest.mark.parametrize("command", [("verify",), ("security", "--no-pager", "--offline=true", "--threshold=15")])
def test_unit__systemd__accepts_it(command: tuple[str, ...], tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not on this machine")
    unit = tmp_path / UNIT.name
    text = UNIT.read_text(encoding="utf-8")
    unit.write_text(
        text.replace("/opt/navoracle/bin/navoracle", str(PROJECT / ".venv/bin/navoracle")), encoding="utf-8"
    )
    ended = subprocess.run(["systemd-analyze", *command, unit], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    if command == ("verify",):
        assert ended.stderr == ""
