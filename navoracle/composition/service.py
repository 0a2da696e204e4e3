"""The running service: the system, who listens to it, and what it serves, wired together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fastapi import FastAPI

from navoracle import __version__
from navoracle.composition.alerts import alert_notifier, alert_policy
from navoracle.composition.assembly import assemble
from navoracle.composition.cadence import watch_of
from navoracle.composition.observers import ServiceObserver
from navoracle.composition.overrides import OverridesNews
from navoracle.composition.read_model import KeeperLive, read_model_of
from navoracle.composition.risk_plans import risk_monitor
from navoracle.composition.service_events import Part
from navoracle.composition.service_view import KeeperView
from navoracle.composition.state_files import (
    FrameRelay,
    StateFilesJob,
    state_files_of,
    state_folder_of,
    tell_state_files,
)
from navoracle.composition.system import ChainAccess, Running, System, open_system
from navoracle.config.loading import config_hash
from navoracle.config.models import Config
from navoracle.domain.errors import ConfigurationError
from navoracle.hosts import hosts_of, is_loopback
from navoracle.keeper.schedule import ScheduledClock
from navoracle.keeper.service import KeeperService
from navoracle.private_file import read_private
from navoracle.read_model.model import ReadModel
from navoracle.requests.desk import RequestDesk
from navoracle.risk.monitor import RiskMonitor
from navoracle.state_files.state_files import StateFiles
from navoracle.store_port import Severity, Store
from navoracle.telemetry.alerts import Alerts
from navoracle.telemetry.events import EventLog
from navoracle.telemetry.metrics import Metrics
from navoracle.web_service.app import build_app
from navoracle.web_service.server import serving

STATE_FILE_SECONDS: Final = 1
TOKEN_BYTES: Final = 16_384


@dataclass(frozen=True, slots=True)
class RunningService:
    """A service that is ready to run.

    Attributes:
        parts: what of it begins.
        monitor: the risk monitor; None where no fund has limits or a gate.
        port: where it listens; None where it serves nothing.
        with_pages: whether it serves live pages there.
    """

    service: KeeperService
    system: System
    observer: ServiceObserver
    metrics: Metrics
    alerts: Alerts
    events: EventLog
    parts: tuple[Part, ...]
    monitor: RiskMonitor | None
    port: int | None
    with_pages: bool


@asynccontextmanager
async def open_service(
    config: Config,
    *,
    clock: ScheduledClock,
    store: Store,
    live: bool,
    events_folder: Path,
    chains: Mapping[str, ChainAccess] | None = None,
    documents: Path | None = None,
    state_folder: Path | None = None,
    add_pages: Callable[[FastAPI, ReadModel, RequestDesk], bool] | None = None,
) -> AsyncIterator[RunningService]:
    """Build the service; it serves its health while the block runs, and begins to work with `service.run`.

    Args:
        events_folder: where the event files are.
        chains, documents: as `open_system` takes them.
        state_folder: where state files are written, instead of where the configuration says.
        add_pages: adds live pages to the web service; False where it added none.

    Raises:
        ConfigurationError, ChainError, UsageError: as `open_system`; a port that is taken, a token file without tokens.
        StoreError: the database cannot be used.
    """
    said = config.service
    metrics = Metrics(__version__, clock.now, configuration=config_hash(config))
    metrics.announce(config.funds, config.chains)
    told: list[Alerts] = []
    events = EventLog(
        events_folder,
        store,
        now=clock.now,
        retention_days=said.events.keep_days,
        on_trouble=lambda trouble: _tell_event_files(trouble, metrics, told),
    )
    alerts = Alerts(
        store,
        alert_notifier(config.alerts),
        alert_policy(config.alerts),
        now=clock.now,
        journal=events.record,
        metrics=metrics,
    )
    told.append(alerts)
    observer = ServiceObserver(store, metrics, alerts, events.record, clock, nav_age_limit=said.nav_age_limit)
    relay = FrameRelay()
    running = Running(
        said.lease,
        None,
        observer.lane_event,
        observer.node_event,
        lambda news: tell_overrides(news, observer, alerts),
        relay,
    )
    system = await open_system(
        config, clock=clock, store=store, live=live, chains=chains, documents=documents, running=running
    )
    files: StateFiles | None = None
    try:
        monitor = risk_monitor(config.service, system.subject.funds.values(), clock.now())
        watch = watch_of(config, clock.now())
        service, desk = assemble(
            config, system, store, clock, watch, observer, metrics, alerts, events, monitor, live=live
        )
        if config.state_files is not None:
            files = state_files_of(
                config.state_files, config, system, store, observer.served, folder=state_folder, monitor=monitor
            )
            relay.listeners.append(files.hear)
            job = StateFilesJob(files, lambda trouble: tell_state_files(trouble, metrics, alerts))
            service.also(STATE_FILE_SECONDS, "state files", job.run)
        limit = said.nav_age_limit
        view = KeeperView(system, store, observer, events, clock, nav_age_limit=limit, live=live, monitor=monitor)
        http = said.http
        tokens = () if http.token_file is None else _tokens(http.token_file)
        model = read_model_of(
            system.subject,
            store,
            clock,
            state_folder=state_folder_of(config, state_folder),
            live=KeeperLive(system, observer, view, watch, clock),
        )
        app = build_app(
            view, desk, metrics, tokens, model=model, hosts=hosts_of(http.host), on_loopback=is_loopback(http.host)
        )
        with_pages = http.enabled and add_pages is not None and add_pages(app, model, desk)
        served = serving(app, http.host, http.port, with_pages=with_pages) if http.enabled else nullcontext(None)
        async with served as port:
            parts = _parts(system, monitor)
            yield RunningService(service, system, observer, metrics, alerts, events, parts, monitor, port, with_pages)
    finally:
        if files is not None:
            files.close()
        await system.close()
        events.close()


def _parts(system: System, monitor: RiskMonitor | None) -> tuple[Part, ...]:
    """What of a service begins, by the component whose events it makes."""
    return (
        Part("keeper", "keeper"),
        Part("prices", "sampler"),
        Part("guards", "breakers"),
        Part("store", "database"),
        Part("alerts", "alerts"),
        *(Part("chain", f"nodes of {name}") for name in system.chains),
        *(Part("chain", f"lane {name}:{lane.address}") for name, lane in system.posters.items()),
        *(Part("chain", f"guardian's lane {name}:{lane.address}") for name, lane in system.guardians.items()),
        *(() if monitor is None else (Part("risk", "risk monitor"),)),
        Part("requests", "request desk"),
    )


def _tell_event_files(trouble: str | None, metrics: Metrics, told: Sequence[Alerts]) -> None:
    """The event files cannot be written, or can again; the alerts are made after the files that they write to."""
    metrics.event_log_works(trouble is None)
    for alerts in told:
        if trouble is None:
            alerts.clear("EventLogFailing", "")
        else:
            alerts.raise_("EventLogFailing", "", trouble)


def tell_overrides(news: OverridesNews, observer: ServiceObserver, alerts: Alerts) -> None:
    """The overrides file changed, or a limit in it expired: its limits are taken, or the last good ones stay."""
    data = {"file": str(news.file), "overrides": dict(news.said)}
    if news.trouble is not None:
        observer.record("overrides_broken", None, Severity.WARNING, news.trouble.message, news.trouble.advice, data)
        alerts.raise_("OverridesBroken", "", news.trouble.message)
        return
    changed = ", ".join(f"{path} = {each['value']}" for path, each in news.said.items()) or "nothing is overridden"
    observer.record("overrides_taken", None, Severity.INFO, f"overrides: {changed}", "", data)
    alerts.clear("OverridesBroken", "")
    alerts.raise_("OverridesChanged", "", changed)


def _tokens(file: Path) -> Sequence[str]:
    """The bearer tokens of a file that only its owner may read, one a line. Raises ConfigurationError."""
    content = read_private(file, "token file", TOKEN_BYTES)
    try:
        return content.decode().splitlines()
    except UnicodeDecodeError:
        raise ConfigurationError(
            f"token file {file} is no text", advice="Write one token a line; lines that begin with # are left out."
        ) from None
