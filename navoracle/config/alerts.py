"""The section of alerts: who is told, how soon again, and who is told when nobody takes care."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator

from navoracle.config.base import Name, Section

_APPRISE: Final = re.compile(r"[a-z][a-z0-9]*://\S+", re.IGNORECASE)


def _check_target_url(url: SecretStr) -> SecretStr:
    if not _APPRISE.fullmatch(url.get_secret_value()):
        raise ValueError("it is no URL of a notification service, for example mailto://... or tgram://...")
    return url


TargetUrl = Annotated[SecretStr, AfterValidator(_check_target_url)]
"""An apprise URL; a secret, because it holds the service's token."""


class TargetSection(Section):
    """Somebody who is told.

    Attributes:
        name: what logs and metrics call it.
        url: an apprise URL, out of the environment.
        min_severity: the least severe alert that it is told of.
    """

    name: Name
    url: TargetUrl
    min_severity: Literal["info", "warning", "critical"] = "warning"


class AlertsSection(Section):
    """Who is told of what is wrong; times in minutes.

    Attributes:
        targets: told of everything from their `min_severity` on.
        escalation: told of a critical alert that nobody acknowledged within `escalate_minutes`.
        repeat_minutes: between two messages about the same alert.
        settle_seconds: how long something must be right before that is told.
        send_seconds: how long a service may take to accept a message.
        escalate_minutes: how long a critical alert waits for somebody who acknowledges it.
    """

    targets: tuple[TargetSection, ...] = ()
    escalation: tuple[TargetSection, ...] = ()
    repeat_minutes: Annotated[int, Field(ge=1, le=10_080)] = 60
    escalate_minutes: Annotated[int, Field(ge=1, le=10_080)] = 15
    settle_seconds: Annotated[int, Field(ge=1, le=86_400)] = 60
    send_seconds: Annotated[int, Field(ge=1, le=120)] = 20

    @model_validator(mode="after")
    def _names(self) -> Self:
        names = [target.name for target in (*self.targets, *self.escalation)]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two targets are named {name}; give each a name of its own")
        return self
