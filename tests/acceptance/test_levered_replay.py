"""A levered position on real indexes: WETH supplied and USDC owed at Aave v3 in August 2023, minute by minute.

What every row must be is computed here from the CSV alone, in integers, by the formulas of Aave v3: a balance is its
scaled balance times the index, rounded half up.
"""

from __future__ import annotations

import csv
import time
from bisect import bisect_right
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from tests.acceptance.replays import replay
from tests.requirements import shared_data

WETH_FILE = "aave_v3_polygon_weth_2023-08-14_2023-08-16_1min.csv"
USDC_FILE = "aave_v3_polygon_usdc_2023-08-14_2023-08-16_1min.csv"
PRICE_FILE = "weth_usdc_uniswap_v3_polygon_2023-08-14_2023-08-16_1min.csv"

pytestmark = pytest.mark.slow

MINUTE = 60
SUPPLIED = 100_500_000_000_000_000_000
"""Scaled: 100.5 aWETH, 18 decimals."""

OWED = 120_000_123_456
"""Scaled: 120,000.123456 of USDC's debt token, 6 decimals."""

SHARES = 50_000
RAY = 10**27
WAD = 10**18
THRESHOLD = 830_000_000_000_000_000


def configuration(folder: Path) -> Path:
    """The position as an operator would write it; everything is counted in USDC."""
    said = {
        "unit_of_account": "USDC",
        "recorded": {
            "weth-usdc": {"file": str(shared_data(PRICE_FILE))},
            "weth-supplied": {"file": str(shared_data(WETH_FILE)), "column": "liquidity_index", "places": 27},
            "usdc-borrowed": {"file": str(shared_data(USDC_FILE)), "column": "variable_borrow_index", "places": 27},
        },
        "assets": {
            "WETH": {
                "min_sources": 1,
                "sources": [{"kind": "recorded", "group": "uniswap", "series": "weth-usdc", "max_age": 600}],
            }
        },
        "funds": {
            "levered": {
                "id": 1,
                "supply": {"kind": "fixed", "shares": str(SHARES)},
                "positions": [
                    {
                        "kind": "recorded_lending",
                        "id": "aave",
                        "max_age": 600,
                        "supplies": [{"asset": "WETH", "scaled": "100.5", "decimals": 18, "index": "weth-supplied"}],
                        "debts": [
                            {"asset": "USDC", "scaled": "120000.123456", "decimals": 6, "index": "usdc-borrowed"}
                        ],
                    }
                ],
                "risk": {
                    "mode": "eth_leveraged",
                    "lending": [
                        {
                            "name": "aave",
                            "label": "AAVE",
                            "positions": ["aave"],
                            "max_ltv": "0.80",
                            "liquidation_threshold": "0.83",
                            "liquidation_bonus": "0.05",
                            "close_factor": "0.5",
                            "target_ltv": "0.65",
                            "ltv": {"warning": "0.675", "critical": "0.78"},
                            "health_factor": {"warning": "1.15", "critical": "1.02"},
                        }
                    ],
                    "limits": {
                        "max_leverage": None,
                        "max_exposure": None,
                        "max_drawdown": None,
                        "max_funding_cost": None,
                        "warning_part": "0.8",
                    },
                },
            }
        },
    }
    path = folder / "levered.yaml"
    path.write_text(yaml.safe_dump(said))
    return path


class Column(NamedTuple):
    """A column of a CSV: when each figure became known, and the figure as an integer."""

    times: list[int]
    figures: list[int]

    @classmethod
    def of(cls, file: str, column: str, places: int) -> Column:
        with shared_data(file).open() as opened:
            rows = list(csv.DictReader(opened))
        return cls([int(row["timestamp"]) + MINUTE for row in rows], [scaled(row[column], places) for row in rows])

    def at(self, now: int) -> int:
        return self.figures[bisect_right(self.times, now) - 1]


def scaled(text: str, places: int) -> int:
    """A decimal number as an integer; it must have no more places."""
    whole, _, fraction = text.partition(".")
    assert len(fraction) <= places
    return int(whole + fraction.ljust(places, "0"))


def wad(text: str) -> int:
    return scaled(text, 18)


def test_replay__levered_weth_at_aave__equals_a_direct_computation_at_every_minute(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    price, supply, borrow = (
        Column.of(PRICE_FILE, "price", 18),
        Column.of(WETH_FILE, "liquidity_index", 27),
        Column.of(USDC_FILE, "variable_borrow_index", 27),
    )
    start = max(column.times[0] for column in (price, supply, borrow))
    end = min(column.times[-1] for column in (price, supply, borrow))
    table = tmp_path / "risk.csv"
    began = time.monotonic()
    document = replay(
        capsys, tmp_path, "--config", str(configuration(tmp_path)), "--start", str(start), "--end", str(end),
        "--chain", "none", "--risk", str(table),
    )  # fmt: skip
    seconds = time.monotonic() - began
    assert document["exit_code"] == 0, document
    assert document["verified"]["rejected"] == []
    with table.open() as file:
        rows = list(csv.DictReader(file))
    assert {int(row["time"]) for row in rows} == set(range(start, end + 1, MINUTE))
    found, statuses = set(), set()
    for row in rows:
        now = int(row["time"])
        supplied = (SUPPLIED * supply.at(now) + RAY // 2) // RAY
        owed = (OWED * borrow.at(now) + RAY // 2) // RAY
        collateral, debt = supplied * price.at(now) // WAD, owed * 10**12
        assert wad(row["levered.risk.aave.collateral"]) == collateral, now
        assert wad(row["levered.risk.aave.debt"]) == debt, now
        assert wad(row["levered.risk.aave.loan_to_value"]) == -(-debt * WAD // collateral), now
        assert wad(row["levered.risk.aave.health_factor"]) == collateral * THRESHOLD // debt, now
        assert wad(row["nav"]) == collateral - debt, now
        assert wad(row["price_per_share"]) == (collateral - debt) // SHARES, now
        warns = debt * 1_000 > 675 * collateral or collateral * THRESHOLD < debt * 1_150_000_000_000_000_000
        assert row["risk_status"] == ("warning" if warns else "safe"), now
        found.add((supplied, owed))
        statuses.add(row["risk_status"])
    assert statuses == {"safe", "warning"}
    assert len(found) > len(rows) // 4  # the indexes of either pool move when somebody uses it
    with capsys.disabled():
        print(f"\n{len(rows)} readings of {(end - start) // 3_600} hours equal the CSV to the wei, in {seconds:.1f} s")
