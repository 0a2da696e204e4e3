"""What `run`, `dashboard` and `demo` share: whether the dashboard can be served, and who may see it."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from navoracle.domain.errors import ConfigurationError
from navoracle.hosts import hosts_of, is_loopback
from navoracle.private_file import read_private

if TYPE_CHECKING:
    from fastapi import FastAPI

    from navoracle.config.models import Config
    from navoracle.config.service import DashboardSection
    from navoracle.dashboard.attach import Settings
    from navoracle.dashboard.gate import Access
    from navoracle.read_model.model import ReadModel
    from navoracle.requests.desk import RequestDesk

MISSING: Final = "Install it: pip install 'navoracle[dashboard]'."


def can_be_served() -> bool:
    """Whether the extra `dashboard` is installed."""
    return find_spec("nicegui") is not None


def require_installed() -> None:
    """Refuse to go on without the extra. Raises ConfigurationError."""
    if not can_be_served():
        raise ConfigurationError("the dashboard needs the extra `dashboard`, which is not installed", advice=MISSING)


def pages_of(config: Config) -> Callable[[FastAPI, ReadModel, RequestDesk], bool] | None:
    """What adds the dashboard to the keeper's web service; None, with a line in the log, where it is not served.

    Raises:
        ConfigurationError: its password file cannot be used.
    """
    import structlog

    said, http = config.service.dashboard, config.service.http
    log = structlog.get_logger("navoracle.dashboard")
    if not said.enabled or not http.enabled:
        return None
    if not can_be_served():
        log.info("dashboard_not_installed", advice=MISSING)
        return None
    if said.password_file is None and not is_loopback(http.host):
        log.warning(
            "dashboard_not_served",
            host=http.host,
            advice="Beyond this machine it needs `service.dashboard.password_file`.",
        )
        return None
    settings = settings_of(said, http.host, config.service.nav_age_limit)

    def add(app: FastAPI, model: ReadModel, desk: RequestDesk) -> bool:
        from navoracle.dashboard.attach import attach

        attach(app, model, settings, desk)
        return True

    return add


def settings_of(said: DashboardSection, host: str, stale_after: int) -> Settings:
    """How a dashboard that listens at `host` is served.

    Raises:
        ConfigurationError: it listens beyond this machine without a password; the password file cannot be used.
    """
    from navoracle.dashboard.attach import Settings

    return Settings(access=_access(said, host), stale_after=stale_after)


def _access(said: DashboardSection, host: str) -> Access:
    from navoracle.dashboard.access import Password
    from navoracle.dashboard.gate import Access

    if said.password_file is None and not is_loopback(host):
        raise ConfigurationError(
            f"a dashboard at {host} could be seen by others, and has no password",
            advice="Set `service.dashboard.password_file` (navoracle dashboard --set-password FILE), or use 127.0.0.1.",
        )
    password = None if said.password_file is None else Password(_text(said.password_file))
    return Access(password, hosts_of(host), said.origin)


def _text(file: Path) -> str:
    return read_private(file, "password file").decode("utf-8", "replace")
