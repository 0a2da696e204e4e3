"""What a service says of itself once, when it begins: what it is, where it is found, and what to wait for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from navoracle import __version__
from navoracle.composition.service import RunningService
from navoracle.config.loading import config_hash
from navoracle.config.models import Config
from navoracle.domain.cadence import HOUR
from navoracle.domain.units import Timestamp

PREFIX: Final = "/dashboard"
"""Below which the pages are."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """A service that begins.

    Attributes:
        live: whether it signs and sends.
        funds, chains: by name.
        serves: the address of its web service; None where it serves nothing.
        with_pages: whether pages are served there, beside the API.
        next_slot: the next full hour, in Unix seconds: funds are valued then at the latest.
    """

    version: str
    live: bool
    funds: tuple[str, ...]
    chains: tuple[str, ...]
    serves: str | None
    with_pages: bool
    next_slot: Timestamp

    def sentence(self) -> str:
        """All of it on one line."""
        mode = "live" if self.live else "as a rehearsal: nothing is sent"
        funds = f"{len(self.funds)} fund{'' if len(self.funds) == 1 else 's'}"
        chains = f" on {', '.join(self.chains)}" if self.chains else ""
        # The log hides what follows a host, so the path is said apart, and the address is the last word.
        what = f"API and pages ({PREFIX}/)" if self.with_pages else "API"
        served = [] if self.serves is None else [f"{what} at {self.serves}"]
        slot = datetime.fromtimestamp(self.next_slot, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        told = [f"navoracle {self.version} started {mode}", f"{funds}{chains}", f"next slot by {slot}", *served]
        return "; ".join(told)

    def document(self) -> Mapping[str, Any]:
        """The same as plain JSON."""
        return {
            "version": self.version,
            "live": self.live,
            "funds": list(self.funds),
            "chains": list(self.chains),
            "api": None if self.serves is None else f"{self.serves}/api/v1",
            "dashboard": f"{self.serves}{PREFIX}/" if self.serves is not None and self.with_pages else None,
            "next_slot": self.next_slot,
        }


def next_full_hour(now: Timestamp) -> Timestamp:
    """The first full hour after `now`; both in Unix seconds."""
    return Timestamp(now // HOUR * HOUR + HOUR)


def begin(running: RunningService, config: Config, now: Timestamp, *, live: bool) -> Beginning:
    """Tell the observer that the service and its parts begin."""
    host = config.service.http.host
    root = None if running.port is None else f"http://{f'[{host}]' if ':' in host else host}:{running.port}"
    beginning = Beginning(
        version=__version__,
        live=live,
        funds=tuple(config.funds),
        chains=tuple(config.chains),
        serves=root,
        with_pages=running.with_pages,
        next_slot=next_full_hour(now),
    )
    configuration = config_hash(config)
    running.observer.started(configuration, beginning.sentence(), live=live, version=__version__)
    running.observer.initialized(running.parts, configuration, version=__version__)
    return beginning
