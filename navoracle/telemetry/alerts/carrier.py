"""Messages by apprise: mail, Telegram, Slack, PagerDuty and a hundred more, each behind a URL."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import apprise

from navoracle.domain.errors import ConfigurationError
from navoracle.live_secrets import register_url
from navoracle.store_port import Severity
from navoracle.telemetry.alerts.notices import Notice, NoticeKind, Target

SEND_SECONDS: Final = 20.0

_TYPES: Final = {
    Severity.INFO: apprise.NotifyType.INFO,
    Severity.WARNING: apprise.NotifyType.WARNING,
    Severity.CRITICAL: apprise.NotifyType.FAILURE,
}


@dataclass(frozen=True, slots=True)
class Address:
    """A target, and the apprise URL by which it is reached; the URL is secret."""

    target: Target
    url: str


class AppriseNotifier:
    """Carries notices by apprise; implements `Notifier`.

    A service is called in a thread of its own, because apprise blocks. What takes too long is left to that thread, and
    while it still runs its target is sent nothing more: a dead service costs one thread and never the keeper's time.

    Args:
        seconds: how long a service may take.

    Raises:
        ConfigurationError: a URL is none that apprise knows; the message names the target and never the URL.
    """

    def __init__(self, addresses: Iterable[Address], *, seconds: float = SEND_SECONDS) -> None:
        self._seconds = seconds
        self._services: dict[str, apprise.Apprise] = {}
        self._busy: dict[str, threading.Thread] = {}
        found = tuple(addresses)
        for address in found:
            register_url(address.url)
            service = apprise.Apprise(asset=apprise.AppriseAsset(app_id="navoracle", app_desc="navoracle keeper"))
            if not service.add(address.url):
                raise ConfigurationError(
                    f"alerts: the URL of target {address.target.name} is none that can be used",
                    advice="Compare it with the service's page in apprise's documentation; check the variable.",
                )
            self._services[address.target.name] = service
        self._targets = tuple(address.target for address in found)

    @property
    def targets(self) -> tuple[Target, ...]:
        """All targets."""
        return self._targets

    async def send(self, target: str, notice: Notice) -> str | None:
        """Deliver to one target; None when it was, else why not."""
        thread = self._busy.get(target)
        if thread is not None and thread.is_alive():
            return "the last message is still on its way"
        loop = asyncio.get_running_loop()
        outcome: asyncio.Future[str | None] = loop.create_future()

        def settle(problem: str | None) -> None:
            if not outcome.done():
                outcome.set_result(problem)

        def run() -> None:
            problem = self._deliver(target, notice)
            with suppress(RuntimeError):  # the keeper has ended meanwhile
                loop.call_soon_threadsafe(settle, problem)

        thread = threading.Thread(target=run, name=f"alert to {target}", daemon=True)
        self._busy[target] = thread
        thread.start()
        try:
            async with asyncio.timeout(self._seconds):
                return await outcome
        except TimeoutError:
            return f"no answer within {self._seconds:g} s"

    def _deliver(self, target: str, notice: Notice) -> str | None:
        kind = apprise.NotifyType.SUCCESS if notice.kind is NoticeKind.RESOLVED else _TYPES[notice.severity]
        try:
            accepted = self._services[target].notify(body=notice.body, title=notice.title, notify_type=kind)
        except (OSError, ValueError, TypeError, RuntimeError) as error:
            return f"{type(error).__name__} of the service's plug-in"
        return None if accepted else "the service refused it or did not answer; the log has apprise's own words"
