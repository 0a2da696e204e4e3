"""Whose high-water mark and fee clock are told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from navoracle.domain.fees import FeeState, FeeTerms
from navoracle.domain.flows import VaultFlows
from navoracle.domain.units import Timestamp, Wad, to_wad, wad_text
from navoracle.domain.vault import VaultState
from navoracle.read_model.documents import Documents
from navoracle.read_model.fees import UNREAD, FeeStanding, fee_standing
from navoracle.state_files.documents import ADAPTERS
from navoracle.storage import SqlStore
from tests.unit.state_files.builders import documents, part
from tests.unit.storage.builders import NOW, empty_sqlite_store, frame_of, fund_frame, record, valuation_of

KEPT: Final = FeeStanding(kept_by="keeper", high_water_mark=wad_text(to_wad("5")), accrued_since=NOW)
FILES: Final = {"nav_state": None, "nav": None, "synced_state": None, "risk": None, "kpis": None, "positions": None}
NOTHING: Final = Documents(**FILES, unknown={})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    """A keeper began to keep a mark of 5 for the fund."""
    with SqlStore.open(empty_sqlite_store(tmp_path / "keeper.db")) as found:
        record(found, frame_of("f1", fund_frame("alpha", valuation_of({"x": 5}))))
        yield found


def evidence(vault: Any = None, *, has_vault: bool = True) -> dict[str, Any]:
    """As much of a document as is looked at."""
    return {
        "plan": {"fund": {"vault": {"contract": "0xab"} if has_vault else None}},
        "result": {"fund": {"vault": vault}},
    }


def read(mark: str, since: int) -> dict[str, Any]:
    """A vault as evidence tells of it."""
    return {"fees": {"high_water_mark": wad_text(to_wad(mark)), "accrued_since": str(since)}}


def files(mark: str, since: int) -> Documents:
    """State files of a look at a vault."""
    flows = VaultFlows(*6 * [Wad(0)])
    state = VaultState(FeeTerms(), FeeState(to_wad(mark), Timestamp(since)), flows)
    nav = ADAPTERS["nav.json"].validate_python(documents(part=part(vault=state))["nav"])
    return Documents(**{**FILES, "nav": nav}, unknown={})


def test_standing__without_a_vault__is_the_keepers(store: SqlStore) -> None:
    unknown: dict[str, str] = {}
    assert fee_standing(store, "alpha", NOTHING, None, unknown) == KEPT
    assert fee_standing(store, "alpha", NOTHING, evidence(has_vault=False), unknown) == KEPT
    assert unknown == {}


def test_standing__of_a_vault__is_the_vaults_and_not_what_the_keeper_began_with(store: SqlStore) -> None:
    found = fee_standing(store, "alpha", NOTHING, evidence(read("1.25", NOW - 60)), {})
    assert found == FeeStanding(kept_by="vault", high_water_mark=wad_text(to_wad("1.25")), accrued_since=NOW - 60)


def test_standing__vault_settled_since_the_slot__is_that_of_the_look_after_it(store: SqlStore) -> None:
    found = fee_standing(store, "alpha", files("1.5", NOW - 5), evidence(read("1.25", NOW - 60)), {})
    assert found == FeeStanding(kept_by="vault", high_water_mark=wad_text(to_wad("1.5")), accrued_since=NOW - 5)


def test_standing__vault_not_opened_yet__has_none(store: SqlStore) -> None:
    unknown: dict[str, str] = {}
    new = {"fees": {"high_water_mark": None, "accrued_since": None}}
    found = fee_standing(store, "alpha", NOTHING, evidence(new), unknown)
    assert found == FeeStanding(kept_by="vault", high_water_mark=None, accrued_since=None)
    assert unknown == {}


def test_standing__vault_could_not_be_read__is_unknown_and_never_the_keepers(store: SqlStore) -> None:
    unknown: dict[str, str] = {}
    found = fee_standing(store, "alpha", NOTHING, evidence(None), unknown)
    assert found == FeeStanding(kept_by="vault", high_water_mark=None, accrued_since=None)
    assert unknown == {"/fees/high_water_mark": UNREAD, "/fees/accrued_since": UNREAD}
