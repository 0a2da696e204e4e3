"""A keeper to look at, and a desk that takes or refuses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from navoracle.domain.errors import NavoracleError
from navoracle.domain.units import WAD, Timestamp, Wad
from navoracle.ports import Address
from navoracle.store_port import RequestRecord
from navoracle.web_service import Check, Component, FundHealth, FundRiskStatus, Liveness

TOKEN = "a-token-of-twenty-characters-or-more"
SIGNER = Address("0x1111111111111111111111111111111111111111")


def fund(age: int | None = 60, name: str = "usd", why: str = "", *, held: bool = False) -> FundHealth:
    """A fund whose NAV may be two hours old."""
    return FundHealth(name, age, 7_200, held, None if age is None else Wad(WAD), why, "Look." if why else "")


@dataclass
class Keeper:
    """What a test lets the service show."""

    heartbeat_age: float = 0.5
    checks: tuple[Check, ...] = (Check("store", ok=True), Check("rpc:main", ok=True))
    funds: tuple[FundHealth, ...] = field(default_factory=lambda: (fund(),))
    others: tuple[Check, ...] = ()
    parts: tuple[Component, ...] = ()
    watched: tuple[FundRiskStatus, ...] = ()
    document: Mapping[str, object] = field(default_factory=lambda: {"version": "1"})
    error: NavoracleError | None = None

    def liveness(self) -> Liveness:
        return Liveness(self.heartbeat_age, 30)

    def readiness(self) -> tuple[Check, ...]:
        if self.error is not None:
            raise self.error
        return self.checks

    def health(self) -> tuple[FundHealth, ...]:
        return self.funds

    def components(self) -> tuple[Component, ...]:
        return self.parts

    def risks(self) -> tuple[FundRiskStatus, ...]:
        return self.watched

    def troubles(self) -> tuple[Check, ...]:
        return self.others

    def status(self) -> Mapping[str, object]:
        return self.document


class Desk:
    """Takes every request, or answers with an error."""

    def __init__(self, error: NavoracleError | None = None) -> None:
        self.error = error
        self.taken: list[tuple[bytes, str]] = []

    async def receive(self, document: bytes, source: str) -> RequestRecord:
        self.taken.append((document, source))
        if self.error is not None:
            raise self.error
        return RequestRecord(
            "0x" + "ab" * 32, "usd", "emergency_update", "guardian", SIGNER, 1, SIGNER, 7, Timestamp(1), "r",
            Timestamp(2), "{}", source,
        )  # fmt: skip


class Text:
    """Metrics of one line."""

    content_type = "text/plain; version=1.0.0; charset=utf-8"

    def render(self) -> bytes:
        return b"navoracle_up 1\n"
