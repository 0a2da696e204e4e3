"""The sections of signed requests: the ways they come in, how often they may be made, and who a fund's manager is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from navoracle.config.base import Section
from navoracle.readers import ChecksumAddress
from navoracle.requests.actions import Action


class LimitSection(Section):
    """At most so many requests within so many seconds.

    Attributes:
        at_most: how many.
        within: seconds.
    """

    at_most: Annotated[int, Field(ge=1)]
    within: Annotated[int, Field(ge=1)]


class RequestsSection(Section):
    """How signed requests come in beside HTTP, and how often each action may be asked for, for one fund.

    Attributes:
        drop_folder: a folder that is looked at every `poll_seconds`.
        max_validity: seconds; a request whose deadline lies farther ahead is refused.
        limits: by action, in the place of those that apply unless said (update: 1 an hour, emergency_update: 24 a day,
            post_trade: 60 an hour; none for the others).
        poll_seconds: between two looks at the drop folder.
    """

    drop_folder: Path | None = None
    poll_seconds: Annotated[int, Field(gt=0)] = 2
    max_validity: Annotated[int, Field(ge=60, le=30 * 86_400)] = 86_400
    limits: dict[Action, LimitSection] = Field(default_factory=dict)


class ManagerSection(Section):
    """Where a fund's manager is known, instead of by the registry's MANAGER role.

    Attributes:
        contract: the contract that is asked.
        role: 32 bytes in hex: `hasRole(role, signer)` must be true.
        owner: `owner()` must be the signer.
    """

    contract: ChecksumAddress
    role: Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{64}$")] | None = None
    owner: bool = False

    @model_validator(mode="after")
    def _one_question(self) -> Self:
        if (self.role is None) is not self.owner:
            raise ValueError("give either `role` (32 bytes in hex) or `owner: true`, and not both")
        return self


class FundRequestsSection(Section):
    """Requests about one fund: who its manager is, and limits in the place of the service's.

    Attributes:
        manager: where its manager is known; the registry's MANAGER role unless set.
        limits: by action, in the place of the service's.
    """

    manager: ManagerSection | None = None
    limits: dict[Action, LimitSection] = Field(default_factory=dict)
