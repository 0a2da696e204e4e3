"""Messages by apprise: what arrives, what is refused, and a service that never answers."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import apprise
import pytest

from navoracle.domain.errors import ConfigurationError
from navoracle.live_secrets import forget_secrets, mask
from navoracle.store_port import Severity
from navoracle.telemetry.alerts import Notice, NoticeKind, Target
from navoracle.telemetry.alerts.carrier import Address, AppriseNotifier

NOTICE = Notice(NoticeKind.RAISED, "NavStale", Severity.CRITICAL, "title", "body", ("NavStale:usd",))
URL = "json://user:long-password@localhost:1/path"


@pytest.fixture(autouse=True)
def _nothing_registered() -> Iterator[None]:
    yield
    forget_secrets()


def notifier(seconds: float = 5.0, url: str = URL) -> AppriseNotifier:
    return AppriseNotifier([Address(Target("ops"), url)], seconds=seconds)


def answering(monkeypatch: pytest.MonkeyPatch, answer: object) -> list[dict[str, object]]:
    heard: list[dict[str, object]] = []

    def notify(_self: apprise.Apprise, **said: object) -> object:
        heard.append(said)
        return answer() if callable(answer) else answer

    monkeypatch.setattr(apprise.Apprise, "notify", notify)
    return heard


async def test_send__accepted__carries_title_body_and_severity(monkeypatch: pytest.MonkeyPatch) -> None:
    heard = answering(monkeypatch, True)
    assert await notifier().send("ops", NOTICE) is None
    assert heard == [{"body": "body", "title": "title", "notify_type": apprise.NotifyType.FAILURE}]


async def test_send__refused__says_so_without_the_url(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, False)
    problem = await notifier().send("ops", NOTICE)
    assert problem is not None
    assert "long-password" not in problem


async def test_send__plug_in_that_fails__is_a_failure_and_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> object:
        raise TypeError("long-password")

    answering(monkeypatch, fail)
    problem = await notifier().send("ops", NOTICE)
    assert problem == "TypeError of the service's plug-in"


async def test_send__service_that_never_answers__costs_its_time_limit_and_one_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gate = threading.Event()
    answering(monkeypatch, lambda: gate.wait(30))
    carrier = notifier(0.05)
    begin = time.monotonic()
    assert await carrier.send("ops", NOTICE) == "no answer within 0.05 s"
    for _ in range(10):
        assert await carrier.send("ops", NOTICE) == "the last message is still on its way"
    assert time.monotonic() - begin < 5
    assert sum(thread.name == "alert to ops" for thread in threading.enumerate()) == 1
    gate.set()


def test_url__that_is_none__is_refused_by_the_targets_name() -> None:
    with pytest.raises(ConfigurationError, match="target ops") as caught:
        notifier(url="nonsense://long-password")
    assert "long-password" not in str(caught.value)


def test_url__accepted__is_hidden_from_then_on() -> None:
    notifier()
    assert mask("failed with long-password") == "failed with ***"
