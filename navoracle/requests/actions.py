"""What can be asked of the keeper by a signed request, by whom, and how often."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from navoracle.domain.cadence import HOUR
from navoracle.domain.errors import OutOfRange

DAY: Final = 24 * HOUR


class Action(Enum):
    """What is asked for. Whatever it is, a value is posted only through the same guards as every other."""

    UPDATE = "update"
    EMERGENCY_UPDATE = "emergency_update"
    HOLD = "hold"
    RESET_BREAKER = "reset_breaker"
    REBASE = "rebase"
    ACCEPT = "accept"
    RELEASE = "release"
    DISCARD = "discard"
    POST_TRADE = "post_trade"


class Role(Enum):
    """Whose request it is; the value's bit on the registry is in `ROLE_BITS`."""

    MANAGER = "manager"
    GUARDIAN = "guardian"
    RISK = "risk"
    ENGINE = "engine"


ROLE_BITS: Final[Mapping[Role, int]] = {Role.RISK: 2, Role.GUARDIAN: 4, Role.MANAGER: 16, Role.ENGINE: 32}
"""The bits of `NavLayout.sol`."""

ROLES: Final[Mapping[Action, tuple[Role, ...]]] = {
    Action.UPDATE: (Role.MANAGER,),
    Action.EMERGENCY_UPDATE: (Role.GUARDIAN, Role.RISK),
    Action.HOLD: (Role.GUARDIAN, Role.RISK),
    Action.RESET_BREAKER: (Role.RISK,),
    Action.REBASE: (Role.RISK,),
    Action.ACCEPT: (Role.RISK,),
    Action.RELEASE: (Role.RISK,),
    Action.DISCARD: (Role.RISK,),
    Action.POST_TRADE: (Role.ENGINE,),
}
"""Who may ask for what; of several roles that the signer holds, the first one. A guardian stops, never resumes."""


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many requests of an action for a fund in so many seconds.

    Raises:
        OutOfRange: less than one, or no time at all.
    """

    at_most: int
    within: int

    def __post_init__(self) -> None:
        if self.at_most < 1 or self.within < 1:
            raise OutOfRange(
                f"a limit of {self.at_most} requests within {self.within} s", advice="Both are one or more."
            )


DEFAULT_LIMITS: Final[Mapping[Action, Limit]] = {
    Action.UPDATE: Limit(1, HOUR),
    Action.EMERGENCY_UPDATE: Limit(24, DAY),
    Action.POST_TRADE: Limit(60, HOUR),
}
"""An action without a limit may be asked for at any time: to stop and to undo a stop is never refused as too often."""
