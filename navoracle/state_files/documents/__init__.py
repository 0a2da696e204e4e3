"""The documents of a fund, each a pure function of its facts; one module for each file, and for its larger parts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import TypeAdapter

from navoracle.state_files.documents.kpis import KpisDocument, kpis_document
from navoracle.state_files.documents.nav import NavDocument, nav_document
from navoracle.state_files.documents.nav_state import NavStateDocument, nav_state_document
from navoracle.state_files.documents.positions import PositionsDocument, positions_document
from navoracle.state_files.documents.risk import RiskDocument, risk_document
from navoracle.state_files.documents.synced_state import SyncedStateDocument, synced_state_document
from navoracle.state_files.facts import Facts

MODELS: Final[Mapping[str, type]] = {
    "nav_state.json": NavStateDocument,
    "nav.json": NavDocument,
    "synced_state.json": SyncedStateDocument,
    "risk.json": RiskDocument,
    "kpis.json": KpisDocument,
    "positions.json": PositionsDocument,
}
"""What each file of a set holds."""

ADAPTERS: Final[Mapping[str, TypeAdapter[Any]]] = {name: TypeAdapter(model) for name, model in MODELS.items()}


def documents_of(facts: Facts) -> dict[str, bytes]:
    """Every file of a set as JSON, by its name."""
    made: dict[str, Any] = {
        "nav_state.json": nav_state_document(facts),
        "nav.json": nav_document(facts),
        "synced_state.json": synced_state_document(facts),
        "risk.json": risk_document(facts),
        "kpis.json": kpis_document(facts),
        "positions.json": positions_document(facts),
    }
    return {name: ADAPTERS[name].dump_json(document) + b"\n" for name, document in made.items()}
