"""A store, state files and a running keeper to read from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from navoracle.domain.units import Timestamp
from navoracle.read_model.model import ReadModel
from navoracle.read_model.operations import CheckRecord, LaneRecord, NextSlot, NodeRecord
from navoracle.read_model.sources import FundFacts, Sources
from navoracle.read_model.verification import Verification
from navoracle.state_files.names import INDEX
from navoracle.storage import SqlStore
from tests.unit.storage.builders import NOW


class Running:
    """A keeper that runs."""

    def nodes(self) -> tuple[NodeRecord, ...]:
        return (NodeRecord(chain="main", node="a", operator="one", state="alive", head=7),)

    def lanes(self) -> tuple[LaneRecord, ...]:
        return (
            LaneRecord(
                chain="main", sender="0xab", epoch=None, balance="5", runway=None, pending=0, next_nonce=3,
                spent_today="0",
            ),
        )  # fmt: skip

    def next_slot(self, fund: str) -> NextSlot:
        return NextSlot(slot_time=NOW + 60, cadence="emergency", reasons=[f"{fund} moved"])

    def checks(self) -> tuple[CheckRecord, ...]:
        return (CheckRecord(name="store", ok=True, detail="", advice=""),)


@dataclass
class World:
    """What a read model reads from; a test changes it."""

    store: SqlStore
    folder: Path | None = None
    funds: dict[str, FundFacts] = field(default_factory=dict)
    live: Running | None = None
    verified: list[tuple[str, str]] = field(default_factory=list)
    clients: dict[object, TestClient] = field(default_factory=dict)

    def model(self) -> ReadModel:
        return ReadModel(
            Sources(
                store=self.store,
                funds=lambda: self.funds,
                state_folder=self.folder,
                now=lambda: Timestamp(NOW + 100),
                verify=self._verify,
                live=self.live,
            )
        )

    def _verify(self, frame: str, fund: str) -> Verification:
        self.verified.append((frame, fund))
        return Verification(
            frame=frame, fund=fund, verified=True, failure=None, advice=None, status="live", nav="1",
            price_per_share="1", now=NOW, evidence_hash="0x", code_version="1", posts=[],
        )  # fmt: skip


def facts(name: str, chain: str | None = "main", *assets: str) -> FundFacts:
    """A configured fund."""
    return FundFacts(name, chain, frozenset(assets))


def entry(**changes: Any) -> dict[str, Any]:
    """A fund's line of the index."""
    said = {
        "folder": "f", "frame": "f00d", "source": "slot", "status": "live", "reason": "", "updated_at": NOW,
        "nav_source": "frame", "nav_updated_at": NOW, "nav": "1000.5", "price_per_share": "1.0005",
        "confidence_bps": 9_000, "risk_status": "safe", "drawdown_pct": "0.01", "held": False, "unknown": {},
    }  # fmt: skip
    return {**said, **changes}


def write_index(folder: Path, entries: Mapping[str, Any]) -> None:
    """Put an index in place, as the keeper does: by renaming."""
    folder.mkdir(exist_ok=True)
    new = folder / ".new"
    new.write_text(json.dumps({"format": 1, "updated_at": NOW, "age_s": 0, "funds": entries}))
    new.rename(folder / INDEX)
