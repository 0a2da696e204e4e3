"""What a fund holds, as the pages tell it: positions by their own names, and why nothing is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from navoracle.dashboard.parts.aum_card import total_text
from navoracle.dashboard.parts.positions_card import position_row
from navoracle.read_model.documents import documents_of, reason_of
from navoracle.state_files.documents import documents_of as written_of
from navoracle.state_files.writer import SetWriter
from tests.unit.state_files import builders


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    writer = SetWriter(tmp_path / "state", fsync=False)
    writer.write("alpha", written_of(builders.facts()))
    writer.close()
    return tmp_path / "state"


def test_total__no_state_files__names_the_setting_and_not_a_fund_that_could_not_be_valued(folder: Path) -> None:
    missing = documents_of(None, "alpha")

    assert total_text(missing, "USD", "") == "n/a: no state files are configured: name a folder in `state_files.folder`"
    assert total_text(documents_of(folder, "beta"), "USD", "") == "n/a: the fund has no state files yet"
    assert total_text(documents_of(folder, "alpha"), "USD", "ZAR").startswith(
        "26,252.61 USD = 477,320.25 ZAR; owed 4,995.00"
    )


def test_reason__document_that_is_there__is_none(folder: Path) -> None:
    assert reason_of(documents_of(folder, "alpha"), "nav") == ""


def test_position__its_fund_is_the_pages__has_its_own_name_and_the_whole_as_title(folder: Path) -> None:
    found = documents_of(folder, "alpha").positions
    assert found is not None
    entry = (found.positions or [])[0]

    assert entry.position.startswith("alpha.")
    cell = position_row(0, entry, None, "alpha")["position"]
    assert cell == {"text": entry.position.removeprefix("alpha."), "title": entry.position}
    assert position_row(0, entry, None, "alp")["position"]["text"] == entry.position
