"""Where the read model reads: the store, the state files, what is configured, and the running keeper."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from navoracle.domain.units import Timestamp
from navoracle.read_model.operations import CheckRecord, LaneRecord, NextSlot, NodeRecord
from navoracle.read_model.verification import Verification
from navoracle.store_port import Store


@dataclass(frozen=True, slots=True)
class FundFacts:
    """A fund as it is configured: `chain` is None where it is on none, `assets` are those whose prices it needs."""

    fund: str
    chain: str | None
    assets: frozenset[str]


class Live(Protocol):
    """The running keeper. A method tells what was last known, waits for nothing, and may be called by any thread."""

    def nodes(self) -> tuple[NodeRecord, ...]:
        """The nodes of every chain that were dialed."""

    def lanes(self) -> tuple[LaneRecord, ...]:
        """The senders of every chain."""

    def next_slot(self, fund: str) -> NextSlot:
        """The fund's next slot."""

    def checks(self) -> tuple[CheckRecord, ...]:
        """What a slot needs, and what else is not as it should be."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the read model reads.

    Attributes:
        funds: what is configured now, by name.
        state_folder: None where no state files are written.
        verify: computes a fund's frame again from its evidence; takes its time, and waits for the disk.
        live: None where no keeper runs in this process.
    """

    store: Store
    funds: Callable[[], Mapping[str, FundFacts]]
    state_folder: Path | None
    now: Callable[[], Timestamp]
    verify: Callable[[str, str], Verification]
    live: Live | None = None
