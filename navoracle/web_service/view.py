"""What the web service asks of the running keeper: small protocols and plain records, and nothing it could change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from navoracle.domain.risk.levels import RiskStatus
from navoracle.domain.units import Timestamp, Wad
from navoracle.store_port import RequestRecord


@dataclass(frozen=True, slots=True)
class Liveness:
    """Whether the loop moves: seconds since it last did, and how many are allowed."""

    heartbeat_age: float
    limit: float


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must work: `name` like "store", "rpc:mainnet", "prices:ETH", "lane:mainnet".

    `detail` says what is wrong (or how it stands), `advice` what to do; no part of it is secret.
    """

    name: str
    ok: bool
    detail: str = ""
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Component:
    """A part of the keeper that judges itself, such as the risk monitor.

    Attributes:
        status: "degraded" had errors and does its work; "unhealthy" does not.
        detail: what it is judged by.
        advice: what to do; empty while it is healthy.
    """

    name: str
    status: Literal["healthy", "degraded", "unhealthy"]
    detail: str
    advice: str = ""

    @property
    def ok(self) -> bool:
        """Whether the keeper is well with it."""
        return self.status != "unhealthy"


@dataclass(frozen=True, slots=True)
class FundHealth:
    """The NAV on chain of one fund.

    Attributes:
        age: seconds since the valuation time of the NAV that the contract serves; None when it serves none, or when
            the chain could not be read since the start.
        limit: the age above which the fund is not healthy.
        held: whether the contract, or a breaker, holds the fund.
        price_per_share: what the contract serves; None when it serves none.
        why: why the NAV is not newer: the last slots' reasons, an open breaker, no node; empty when it is.
        advice: what to do about it.
    """

    fund: str
    age: int | None
    limit: int
    held: bool
    price_per_share: Wad | None
    why: str = ""
    advice: str = ""

    @property
    def ok(self) -> bool:
        """Whether the contract serves a NAV that is not too old."""
        return self.age is not None and self.age <= self.limit


@dataclass(frozen=True, slots=True)
class FundRiskStatus:
    """How a fund's risks stand; whatever it says, the keeper itself may be well.

    Attributes:
        status: by the fund's own limits.
        valued_at: of the newest frame that the monitor saw.
        alerts: name and figures of each that stands, the worst first.
    """

    fund: str
    status: RiskStatus
    valued_at: Timestamp
    alerts: tuple[str, ...]


class ServiceView(Protocol):
    """The running keeper as its web service sees it. No method waits: each tells what was last known."""

    def liveness(self) -> Liveness:
        """Whether the loop moves."""

    def readiness(self) -> tuple[Check, ...]:
        """Store, nodes, sources, lanes: what a slot needs."""

    def health(self) -> tuple[FundHealth, ...]:
        """Every fund's NAV on chain."""

    def components(self) -> tuple[Component, ...]:
        """Parts that judge themselves; an unhealthy one is a reason for a 503."""

    def risks(self) -> tuple[FundRiskStatus, ...]:
        """The risks of every fund that is watched and was seen; shown, and no reason for a 503."""

    def troubles(self) -> tuple[Check, ...]:
        """What else is not as it should be (event files, clock, alerts' delivery); shown, and no reason for a 503."""

    def status(self) -> Mapping[str, object]:
        """Plain JSON for `/api/v1/status`: version, funds with newest slot, NAV and risks, breakers, lanes, nodes."""


class RequestReceiver(Protocol):
    """Where signed requests go."""

    async def receive(self, document: bytes, source: str) -> RequestRecord:
        """Verify and take a request; `source` says where it came from ("http 127.0.0.1").

        Raises:
            RequestRefused: it is not valid, not allowed, or was used before.
            StoreError, ChainError: it could not be verified or kept now; it may be sent again.
        """


class MetricsText(Protocol):
    """What `/metrics` shows."""

    @property
    def content_type(self) -> str:
        """Of the text."""

    def render(self) -> bytes:
        """The text."""
