"""The main job on real input: USDC in March 2023, from three real series, on the embedded chain."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from navoracle.domain.units import to_wad
from tests.acceptance.replays import replay
from tests.requirements import shared_data

pytestmark = pytest.mark.slow

FILES = {
    "market": "usdc_usd_2023-03-09_2023-03-19_15min.csv",
    "binanceus": "usdc_usd_binanceus_2023-03-09_2023-03-19_1min.csv",
    "kraken": "usdc_usd_kraken_2023-03-09_2023-03-19_1min.csv",
}
BITCOIN = "btc_usd_binanceus_2023-03-09_2023-03-19_1min.csv"
ENDINGS = {"posted", "held", "skipped"}
RECOVERED = 1_678_752_000
"""2023-03-14 00:00 UTC: the peg was back; fewer series are replayed up to here."""


def usdc(groups: Iterable[str]) -> list[str]:
    """The options that name these series."""
    return [text for group in groups for text in ("--prices", f"USDC:{group}={shared_data(FILES[group])}")]


def check_whole(document: dict[str, Any]) -> None:
    """What holds for every replay: all slots end with a reason, all posts are the contract's, all frames verify."""
    slots = document["slots"]
    assert document["exit_code"] == 0
    assert {slot["state"] for slot in slots} <= ENDINGS
    assert all(slot["reason"] for slot in slots if slot["state"] != "posted")
    assert all(slot["agrees_with_contract"] for slot in slots if slot["state"] == "posted")
    assert document["verified"]["rejected"] == []
    assert document["verified"]["accepted"] >= len(slots)
    hours = {slot["time"] for slot in slots if slot["time"] % 3_600 == 0}
    assert hours == set(range(document["start"], document["end"] + 1, 3_600))
    assert len({slot["time"] for slot in slots}) == len(slots)


def live_posts(document: dict[str, Any]) -> list[int]:
    return [
        int(slot["price_per_share"])
        for slot in document["slots"]
        if slot["state"] == "posted" and slot["status"] != "estimated"
    ]


def test_depeg__three_series__follows_the_market_down_and_back(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    document = replay(capsys, tmp_path, *usdc(FILES))
    check_whole(document)
    prices = live_posts(document)
    assert min(prices) < to_wad("0.91")
    assert prices[-1] > to_wad("0.99")
    modes = [change["cadence"] for change in document["funds"]["replay"]["cadence_changes"]]
    assert modes == ["hourly", "high_volatility", "hourly"]
    # Nothing is pegged: one USDC a share, so the price per share is the median of the votes that were used.
    for slot in document["slots"]:
        estimate = slot["prices"]["USDC"]
        if slot["state"] == "posted" and estimate["status"] == "live":
            votes = sorted(int(vote["price"]) for vote in estimate["votes"])
            assert votes[0] <= int(slot["price_per_share"]) <= votes[-1]
            assert slot["price_per_share"] == estimate["price"]
    assert any(slot["prices"]["USDC"]["excluded"] for slot in document["slots"])


@pytest.mark.parametrize(
    "groups", [("market",), ("market", "binanceus"), ("binanceus", "kraken")], ids=lambda groups: "+".join(groups)
)
def test_depeg__fewer_series__every_slot_is_accounted_for(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, groups: tuple[str, ...]
) -> None:
    document = replay(capsys, tmp_path, *usdc(groups), "--end", str(RECOVERED))
    check_whole(document)
    assert min(live_posts(document)) < to_wad("0.95")
    confidences = [slot["confidence"] for slot in document["slots"] if slot["confidence"] is not None]
    if len(groups) == 1:
        assert max(confidences) <= 5_000


def test_depeg__with_bitcoin__values_both(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    bitcoin = f"BTC:binanceus={shared_data(BITCOIN)}"
    document = replay(capsys, tmp_path, *usdc(FILES), "--prices", bitcoin, "--end", str(RECOVERED))
    check_whole(document)
    assert set(document["slots"][0]["prices"]) == {"BTC", "USDC"}
    assert set(document["holdings"]) == {"BTC", "USDC"}
