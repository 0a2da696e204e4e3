"""The rows of a drill: each a fault, how it is brought about, and the scenario that plays it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from navoracle.drill.rehearsal import Rehearsal

Scenario: TypeAlias = "Callable[[Rehearsal], Awaitable[None]]"


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its number in the table of faults, the fault, how it is brought about, and what plays it.

    `chain` and `transactions` are settings without which the fault cannot be brought about; the rest stays as it is
    configured. `started` is whether a keeper runs when the scenario begins.
    """

    number: int
    fault: str
    injection: str
    play: Scenario
    chain: Mapping[str, Any] = field(default_factory=dict)
    transactions: Mapping[str, Any] = field(default_factory=dict)
    started: bool = True
    bounds: tuple[int, int] | None = None

    @property
    def name(self) -> str:
        """Number and outcome, as tests are named."""
        return f"{self.number:02}__{self.play.__name__}"


ROWS: dict[int, list[Row]] = {}
"""Every row by its number; a row may have several scenarios."""


def row(number: int, fault: str, injection: str, **settings: Any) -> Callable[[Scenario], Scenario]:
    """Put a scenario into the catalogue."""

    def enter(play: Scenario) -> Scenario:
        ROWS.setdefault(number, []).append(Row(number, fault, injection, play, **settings))
        return play

    return enter
