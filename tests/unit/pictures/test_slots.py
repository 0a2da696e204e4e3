"""What a picture is drawn from: one fund's slots in order, and prices out of evidence."""

from __future__ import annotations

import json

import pytest

from navoracle.domain.errors import StoreError
from navoracle.domain.units import Timestamp, to_wad
from navoracle.keeper.evidence import canonical
from navoracle.pictures.slots import NOT_VALUED, kept_prices, picture_of_replay
from navoracle.replay.report import SlotReport
from tests.unit.pictures.builders import START, estimate


def report(fund: str, time: int, *, status: str = "live") -> SlotReport:
    valued = status != "none"
    return SlotReport(
        fund=fund,
        time=Timestamp(time),
        cadence="hourly",
        reasons=(),
        state="posted" if valued else "failed",
        reason=None if valued else "chain: no node",
        status=status,
        nav=to_wad("5") if valued else None,
        price_per_share=to_wad("1") if valued else None,
        undecayed_nav=None,
        confidence=None,
        frame="f" if valued else None,
        frames=(),
        prices={"USDC": estimate("1")} if valued else {},
        contract=None,
    )


def test_picture_of_replay__several_funds__holds_the_one_in_the_order_of_time() -> None:
    reports = [report("b", START), report("a", START + 60, status="none"), report("a", START)]
    picture = picture_of_replay("a", reports)
    assert [(slot.time, slot.status) for slot in picture.slots] == [(START, "live"), (START + 60, NOT_VALUED)]
    assert [slot.served for slot in picture.slots] == [None, None]
    assert picture.assets == ("USDC",)


def test_kept_prices__evidence__gives_the_estimates_of_assets_as_they_were() -> None:
    live = estimate("1.01", {"a": "1", "b": "1.02"}, excluded=[("USDC.c", "stale")])
    gone = estimate(None, asset="ETH")
    found = {("USDC", "asset"): live, ("USDC", "debt"): estimate("2"), ("ETH", "asset"): gone}
    document = canonical({"result": {"estimates": found}})
    assert kept_prices("f", document) == {"USDC": live, "ETH": gone}


@pytest.mark.parametrize("document", [{}, {"result": {}}, {"result": {"estimates": {"A/asset": {"asset": "A"}}}}, []])
def test_kept_prices__document_of_another_form__is_refused_with_the_frame(document: object) -> None:
    with pytest.raises(StoreError, match="frame f1 holds no prices") as caught:
        kept_prices("f1", json.dumps(document).encode())
    assert "--since" in caught.value.advice
