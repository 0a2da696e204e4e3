"""The keeper of a running service: its parts put together, and what it does beside slots."""

from __future__ import annotations

from typing import Final

from navoracle.composition.cadence import breaker_policy
from navoracle.composition.observers import ServiceObserver
from navoracle.composition.requests import drop_folder, request_desk
from navoracle.composition.system import System, registry_inspector
from navoracle.composition.trades import trade_watches
from navoracle.config.models import Config
from navoracle.domain.errors import StoreError
from navoracle.domain.units import Bps
from navoracle.keeper.breakers import Breakers
from navoracle.keeper.emergency_path import Guardian, GuardianHolds, InsolvencyPath
from navoracle.keeper.parts import Keeper, ServiceTimes
from navoracle.keeper.request_actions import RequestActions
from navoracle.keeper.schedule import ScheduledClock
from navoracle.keeper.service import KeeperService
from navoracle.keeper.settlements import Settlements
from navoracle.keeper.trades import LatestValues
from navoracle.keeper.watch import Watch
from navoracle.publishers.nav_registry_calls import NavRegistryCalls
from navoracle.requests.desk import RequestDesk, RequestListener
from navoracle.risk.monitor import RiskMonitor
from navoracle.store_port import RequestRecord, Store
from navoracle.telemetry.alerts import Alerts
from navoracle.telemetry.events import EventLog
from navoracle.telemetry.metrics import Metrics

ALERT_SECONDS: Final = 5
EVENT_SECONDS: Final = 10


def assemble(
    config: Config,
    system: System,
    store: Store,
    clock: ScheduledClock,
    watch: Watch,
    observer: ServiceObserver,
    metrics: Metrics,
    alerts: Alerts,
    events: EventLog,
    monitor: RiskMonitor | None,
    *,
    live: bool,
) -> tuple[KeeperService, RequestDesk]:
    """The keeper with everything that it does at its times, and the desk that takes signed requests.

    Args:
        monitor: as in `RunningService`.

    Raises:
        StoreError: the database cannot be read.
    """
    said = config.service
    bases = {symbol: asset.derived.base for symbol, asset in config.assets.items() if asset.derived is not None}
    breakers = Breakers(store, breaker_policy(config.breakers), bases)
    holds = GuardianHolds(system.subject.funds, _guardians(config, system), NavRegistryCalls(), store, clock)
    keeper = Keeper(
        planner=system.planner,
        ports=system.ports,
        runner=system.runner_or_fail(),
        watch=watch,
        latest=LatestValues(config.unit_of_account, store.load_prior_prices()),
        store=store,
        breakers=breakers,
        requests=RequestActions(store, breakers, holds, observer, clock),
        insolvency=InsolvencyPath(holds, store),
        observer=observer,
        clock=clock,
        lanes=(*system.posters.values(), *system.guardians.values()),
        monitor=monitor,
        settlements=Settlements(system.vaults, store, clock, live=live) if system.vaults and live else None,
    )
    service = KeeperService(
        keeper,
        ServiceTimes(
            sample=config.cadence.sample_seconds,
            tick=said.tick,
            lease=said.lease,
            misfire_grace=said.misfire_grace,
            health=said.health_interval,
            stop_grace=said.stop_grace,
            risk=said.risk_seconds,
        ),
    )
    service.also(ALERT_SECONDS, "alerts", lambda: alerts.tick(clock.now()))
    service.also(EVENT_SECONDS, "events", lambda: _catch_up(events, observer))
    service.also(said.health_interval, "nodes", lambda: _show_nodes(system, metrics, alerts))
    if said.trades.enabled:
        for trades, _ in trade_watches(
            system.subject,
            {name: access.reader for name, access in system.chains.items()},
            price=keeper.latest.price,
            nav=keeper.latest.nav,
            on_trade=service.trade_seen,
            limit_bps=Bps(said.trades.limit_bps),
            poll_seconds=said.trades.poll_seconds,
        ):
            service.accompany(trades.run)
    desk = request_desk(
        config,
        system.chains,
        store,
        clock,
        RequestListener(lambda record: _taken(record, service, metrics), observer.request_refused),
    )
    dropped = drop_folder(config, desk, clock)
    if dropped is not None:
        service.also(
            said.requests.poll_seconds, "drop folder", lambda: service.failures.guard("drop folder", dropped.poll)
        )
    return service, desk


def _taken(record: RequestRecord, service: KeeperService, metrics: Metrics) -> None:
    metrics.observe_request(record.action, "accepted")
    service.hurry_requests()


async def _catch_up(events: EventLog, observer: ServiceObserver) -> None:
    try:
        events.catch_up()
    except StoreError as error:
        observer.failed("event files", error)


async def _show_nodes(system: System, metrics: Metrics, alerts: Alerts) -> None:
    for name, access in system.chains.items():
        pool = access.reader.pool
        metrics.observe_nodes(name, pool.nodes(), quorum=pool.quorum)
        alive = len({node.operator for node in pool.nodes() if node.is_alive})
        if alive < pool.quorum:
            alerts.raise_("RpcAllDown", name, f"{alive} of {pool.quorum} operators can be read")
        else:
            alerts.clear("RpcAllDown", name)


def _guardians(config: Config, system: System) -> dict[str, Guardian]:
    found: dict[str, Guardian] = {}
    for name, lane in system.guardians.items():
        registry = config.chains[name].registry
        if registry is not None:
            poster = system.chains[name].poster
            inspector = registry_inspector(system.chains[name].reader, registry)
            found[name] = Guardian(lane, registry, inspector, None if poster is None else poster.address)
    return found
