"""Breakers and re-bases: what stops a fund or an asset over restarts, and what RISK has allowed since."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from navoracle.domain.breaker import Breaker
from navoracle.domain.units import Timestamp


@dataclass(frozen=True, slots=True)
class BreakerSubject:
    """What a breaker stops: one fund, or every fund that needs one asset."""

    kind: Literal["fund", "asset"]
    name: str


class BreakerStore(Protocol):
    """What the store knows of breakers; a subject that was never stopped is not in it."""

    def load_breakers(self) -> Mapping[BreakerSubject, Breaker]:
        """Every breaker that is not closed."""

    def save_breaker(self, subject: BreakerSubject, breaker: Breaker, *, was: Breaker, at: Timestamp) -> bool:
        """Replace the breaker that the caller saw; False, and nothing is changed, when it is another one by now.

        Closed breakers are all alike: a subject that is not in the store is closed, whatever `was.since` says.
        """

    def grant_rebase(self, fund: str, request: str, until: Timestamp, at: Timestamp) -> None:
        """RISK lets the fund's next post, up to `until`, be compared with nothing; `request` is its request's id."""

    def rebase_of(self, fund: str, at: Timestamp) -> str | None:
        """The request that grants a re-base at that time and was not used; None where there is none."""

    def use_rebase(self, fund: str, request: str, at: Timestamp) -> None:
        """The grant served a post that was confirmed: it is used up."""
