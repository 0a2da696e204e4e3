"""The sections of the running service: leases and intervals, its HTTP address, requests, and what is watched."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from navoracle.config.base import BpsField, Seconds, Section
from navoracle.config.requests import RequestsSection
from navoracle.domain.units import Wad
from navoracle.readers import DecimalWad

Port = Annotated[int, Field(ge=0, le=65_535)]


class HttpServiceSection(Section):
    """Where health, metrics and signed requests are served.

    Attributes:
        enabled: whether anything is served.
        host: where it listens.
        port: 0 takes a free one.
        token_file: bearer tokens, one a line, in a file of mode 600; without them nothing that changes anything is
            served.
    """

    enabled: bool = True
    host: str = "127.0.0.1"
    port: Port = 9187
    token_file: Path | None = None


class DashboardSection(Section):
    """The dashboard, beside health and API at the address of `service.http`; it needs the extra `dashboard`.

    Attributes:
        enabled: whether it is served.
        password_file: the hash of its password, in a file of mode 600 that `navoracle dashboard --set-password` makes;
            without it the dashboard is served on this machine alone.
        origin: the address that browsers show, such as `https://nav.example.org`, where a proxy stands before it;
            with https the session's cookie is for https alone.
    """

    enabled: bool = True
    password_file: Path | None = None
    origin: Annotated[str, Field(pattern=r"^https?://[^/\\s]+$")] | None = None


class TradesSection(Section):
    """What counts as a large trade, and how often logs are asked for where no WebSocket tells of them.

    Attributes:
        enabled: whether logs are watched.
        limit_bps: of NAV: a transfer of more asks for an emergency.
        poll_seconds: between two questions, where no WebSocket tells of logs.
    """

    enabled: bool = True
    limit_bps: BpsField = 1_000
    poll_seconds: Annotated[int, Field(gt=0)] = 2


class EventsSection(Section):
    """The event files.

    Attributes:
        folder: beside the configuration.
        keep_days: for how many days files are kept.
    """

    folder: Path = Path("events")
    keep_days: Annotated[int, Field(gt=0)] = 30


class ServiceSection(Section):
    """`navoracle run`. Times in seconds.

    Attributes:
        lease: how long a slot or a lane is claimed; after a crash another process waits so long.
        misfire_grace: how late a job may begin and still be run.
        tick: between two looks at open transactions.
        health_interval: between two looks at what the chain serves, at balances and at contracts.
        nav_age_limit: the age of a NAV on chain above which a fund is not healthy; twice the cadence unless set.
        stop_grace: how long slots under way are waited for when the service is asked to stop.
        risk_seconds: between two looks at the risks of funds that have a monitor or a gate.
        risk_history: readings of each fund that the monitor keeps.
        risk_max_error_rate: looks at risk with an error by looks, over the last 100 and once there were 20, above which
            the monitor is unhealthy.
        overrides_file: limits that are merged over those of the configuration, read again whenever the file changes.
        http: health, metrics and requests.
        dashboard: its pages.
        requests: how signed requests come in.
        trades: what counts as a large trade.
        events: the event files.
    """

    lease: Annotated[int, Field(ge=2, le=3_600)] = 30
    misfire_grace: Annotated[int, Field(ge=1)] = 450
    tick: Annotated[int, Field(ge=1)] = 4
    health_interval: Annotated[int, Field(ge=1)] = 60
    nav_age_limit: Annotated[int, Field(gt=0)] = 7_200
    stop_grace: Seconds = 30
    risk_seconds: Annotated[int, Field(ge=1)] = 60
    risk_history: Annotated[int, Field(ge=1)] = 1_000
    risk_max_error_rate: DecimalWad = Wad(100_000_000_000_000_000)
    overrides_file: Path | None = None
    http: HttpServiceSection = HttpServiceSection()
    dashboard: DashboardSection = DashboardSection()
    requests: RequestsSection = RequestsSection()
    trades: TradesSection = TradesSection()
    events: EventsSection = EventsSection()


def anchored(section: ServiceSection, folder: Path) -> ServiceSection:
    """The section with its files and folders taken from the configuration's folder."""
    http, requests, events, dashboard = section.http, section.requests, section.events, section.dashboard
    return section.model_copy(
        update={
            "http": http.model_copy(update={"token_file": http.token_file and folder / http.token_file}),
            "dashboard": dashboard.model_copy(
                update={"password_file": dashboard.password_file and folder / dashboard.password_file}
            ),
            "requests": requests.model_copy(
                update={"drop_folder": requests.drop_folder and folder / requests.drop_folder}
            ),
            "events": events.model_copy(update={"folder": folder / events.folder}),
            "overrides_file": section.overrides_file and folder / section.overrides_file,
        }
    )


class BreakerSection(Section):
    """When breakers open by themselves, and how they close; see `navoracle.domain.breaker.BreakerPolicy`.

    Attributes:
        cool_down: seconds that an open breaker waits before it is tried.
        agreements: agreeing frames that close it.
        agreement_bps: how far they may lie apart.
        large_changes: changes above `max_change_bps` within `window` that open it.
        window: seconds.
        no_majority_frames: frames in a row in which an asset's sources have no majority.
    """

    cool_down: Seconds = 3_600
    agreements: Annotated[int, Field(ge=1)] = 2
    agreement_bps: BpsField = 50
    large_changes: Annotated[int, Field(ge=1)] = 3
    window: Seconds = 86_400
    no_majority_frames: Annotated[int, Field(ge=1)] = 3
