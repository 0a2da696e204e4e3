"""The last state as a static page: what it says, and that nothing in it is markup."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from navoracle.domain.units import Timestamp
from navoracle.state_files.documents.index import entry_json, index_entry
from navoracle.state_files.names import STATUS, STATUS_PAGE, folder_name
from navoracle.state_files.state_files import StateFiles
from navoracle.state_files.status_page import MOST_FUNDS, status_files
from navoracle.state_files.writer import SetWriter
from tests.unit.state_files import builders

NAME = '<img src=x onerror="alert(1)">'


def index(**funds: dict[str, Any]) -> dict[str, Any]:
    return {"updated_at": builders.NOW, "funds": funds}


def line(**changes: Any) -> dict[str, Any]:
    return {**entry_json(index_entry(builders.facts())), **changes}


def test_status_page__name_and_reason_with_markup__are_text() -> None:
    found = status_files(index(**{NAME: line(reason="<script>alert(2)</script>")}), Timestamp(builders.NOW + 60))

    page = found[STATUS_PAGE].decode()
    assert "<img" not in page
    assert "<script" not in page
    assert "&lt;img src=x onerror=&quot;alert(1)&quot;&gt;" in page
    assert "&lt;script&gt;alert(2)&lt;/script&gt;" in page


def test_status_page__one_fund__tells_its_figures_and_their_time() -> None:
    found = status_files(index(alpha=line()), Timestamp(builders.NOW + 60))

    document, page = json.loads(found[STATUS]), found[STATUS_PAGE].decode()
    assert document["written_at"] == builders.NOW + 60
    assert document["updated_at"] == builders.NOW
    assert document["statuses"] == {"live": 1}
    assert document["funds"]["alpha"]["nav"] == line()["nav"]
    nav, price = line()["nav"], line()["price_per_share"]
    assert f'<td class=number title="{nav}">{Decimal(nav):,.2f}</td>' in page
    assert f'<td class=number title="{price}">{Decimal(price):,.6f}</td>' in page
    assert '<th scope="col" class=number>NAV</th>' in page


def test_status_page__nothing_known__is_not_zero() -> None:
    found = status_files(index(alpha=line(nav=None, price_per_share=None, held=None)), Timestamp(builders.NOW))

    assert found[STATUS_PAGE].decode().count("n/a") == 3
    assert json.loads(found[STATUS])["funds"]["alpha"]["nav"] is None
    assert json.loads(status_files({"updated_at": 5, "funds": {}}, Timestamp(9))[STATUS])["updated_at"] is None


def test_status_page__many_funds__lists_those_first_that_need_a_look() -> None:
    funds = {f"fund-{number:04d}": line() for number in range(MOST_FUNDS + 3)}
    funds["zz-halted"], funds["zz-held"] = line(status="halted"), line(held=True)

    document = json.loads(status_files(index(**funds), Timestamp(builders.NOW))[STATUS])

    assert list(document["funds"])[:3] == ["zz-held", "zz-halted", "fund-0000"]
    assert len(document["funds"]) == MOST_FUNDS
    assert document["funds_total"] == MOST_FUNDS + 5
    assert "5 more funds" in status_files(index(**funds), Timestamp(builders.NOW))[STATUS_PAGE].decode()


def test_state_files__a_frame__writes_the_page_beside_the_funds(tmp_path: Path) -> None:
    files = StateFiles(
        SetWriter(tmp_path), now=lambda: Timestamp(builders.NOW + 5), view_of=lambda _fund: builders.VIEW, served={}
    )
    files.hear(builders.frame())

    files.close()

    assert json.loads((tmp_path / STATUS).read_text())["funds"]["alpha"]["status"] == "live"
    assert (tmp_path / STATUS_PAGE).read_text().startswith("<!doctype html>")


def test_folder_name__fund_called_as_a_file_of_all_funds__has_another() -> None:
    assert not {folder_name(name) for name in ("index.json", STATUS, STATUS_PAGE)} & {"index.json", STATUS, STATUS_PAGE}
