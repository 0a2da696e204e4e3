"""Recorded series: what a file must be, when a price is known, and where the gaps are."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from navoracle.domain.errors import UsageError
from navoracle.domain.units import WAD, Timestamp, Wad, to_wad
from navoracle.recorded.series import Gap, Observation, Series, load_series
from tests.requirements import shared_data


def load(folder: Path, text: str | bytes, step: int | None = None) -> Series:
    path = folder / "series.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load_series(path, step=step)


def test_load__candles__close_is_known_at_the_end_of_its_step(tmp_path: Path) -> None:
    series = load(
        tmp_path, "timestamp,open,high,low,close,volume\n900,1,9,1,1.5,100\n1800,1.5,2,0.5,1.25,7\n2700,1,1,1,2,0\n"
    )
    assert series.step == 900
    assert series.times == (1_800, 2_700, 3_600)
    assert series.prices == (to_wad("1.5"), to_wad("1.25"), to_wad("2"))
    assert (series.start, series.end) == (1_800, 3_600)


def test_load__prices__are_closes_too(tmp_path: Path) -> None:
    series = load(tmp_path, "timestamp,price\n60,0.99978250\n120,1\n")
    assert series == Series(str(tmp_path / "series.csv"), 60, (120, 180), (to_wad("0.9997825"), Wad(WAD)))  # type: ignore[arg-type]


def test_load__columns_in_another_order_with_windows_line_ends__are_read(tmp_path: Path) -> None:
    series = load(tmp_path, b"\xef\xbb\xbfPrice, Timestamp ,note\r\n1.5,60,x\r\n\r\n2.5,120,\r\n")
    assert (series.times, series.prices) == ((120, 180), (to_wad("1.5"), to_wad("2.5")))


def test_load__more_than_eighteen_places__is_rounded_down(tmp_path: Path) -> None:
    series = load(tmp_path, "timestamp,price\n60,0.9999999999999999999\n120,1.5\n")
    assert series.prices[0] == WAD - 1


def test_step__most_common_difference__and_the_smallest_of_equals(tmp_path: Path) -> None:
    assert load(tmp_path, "timestamp,price\n0,1\n180,1\n240,1\n300,1\n").step == 60
    assert load(tmp_path, "timestamp,price\n0,1\n300,1\n360,1\n").step == 60


def test_step__given__is_taken(tmp_path: Path) -> None:
    assert load(tmp_path, "timestamp,price\n60,1\n", step=30).times == (90,)


def test_latest__never_looks_ahead(tmp_path: Path) -> None:
    series = load(tmp_path, "timestamp,price\n60,1\n120,2\n")
    assert series.latest(Timestamp(119)) is None
    assert series.latest(Timestamp(120)) == Observation(Timestamp(120), Wad(WAD))
    assert series.latest(Timestamp(179)) == Observation(Timestamp(120), Wad(WAD))
    assert series.latest(Timestamp(180)) == Observation(Timestamp(180), Wad(2 * WAD))
    assert series.latest(Timestamp(10**9)) == Observation(Timestamp(180), Wad(2 * WAD))


@given(st.lists(st.integers(0, 10**6), min_size=2, max_size=30, unique=True), st.integers(0, 2 * 10**6))
def test_latest__any_series__is_the_newest_of_those_known(times: list[int], now: int) -> None:
    ordered = tuple(Timestamp(time) for time in sorted(times))
    series = Series("any", 1, ordered, tuple(Wad(time + 1) for time in ordered))
    known = [time for time in ordered if time <= now]
    assert series.latest(Timestamp(now)) == (Observation(known[-1], Wad(known[-1] + 1)) if known else None)


def test_gaps__rows_missing__are_listed_with_their_length(tmp_path: Path) -> None:
    series = load(tmp_path, "timestamp,price\n0,1\n60,1\n120,1\n300,1\n360,1\n420,1\n541,1\n")
    assert series.gaps() == (Gap(Timestamp(180), Timestamp(360), 180), Gap(Timestamp(480), Timestamp(601), 121))


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("", ":1:", "missing"),
        ("timestamp,price\n", "", "no rows"),
        ("timestamp,price\n\n\n", "", "no rows"),
        ("timestamp,open,high,low,volume\n1,1,1,1,1\n", ":1:", "header"),
        ("time,price\n1,1\n", ":1:", "header"),
        ("timestamp,price,close\n1,1,1\n", ":1:", "header"),
        ("timestamp,price,price\n1,1,1\n", ":1:", "header"),
        ("1678338000,1.0\n1678338060,1.0\n", ":1:", "header"),
        ("timestamp,price\n60,1\n30,1\n", ":3:", "earlier"),
        ("timestamp,price\n60,1\n120,1\n120,1\n", ":4:", "repeats"),
        ("timestamp,price\n60,1\n120\n", ":3:", "has 1 fields"),
        ("timestamp,price\n60,1,5\n", ":2:", "has 3 fields"),
        ("timestamp,price\n60,-1\n120,1\n", ":2:", "not positive"),
        ("timestamp,price\n60,0\n120,1\n", ":2:", "not positive"),
        ("timestamp,price\n60,0.0000000000000000001\n120,1\n", ":2:", "not positive"),
        ("timestamp,price\n60,\n120,1\n", ":2:", "not a price"),
        ("timestamp,price\n60,n/a\n120,1\n", ":2:", "not a price"),
        ("timestamp,price\n60,1e3\n120,1\n", ":2:", "not a price"),
        ("timestamp,price\n60,NaN\n120,1\n", ":2:", "not a price"),
        ("timestamp,price\n60,1.\n120,1\n", ":2:", "not a price"),
        ("timestamp,price\n60,.5\n120,1\n", ":2:", "not a price"),
        ("timestamp,price\n60,1.5.5\n120,1\n", ":2:", "not a price"),
        ("timestamp,price\n60,1.0000000000000000000x\n120,1\n", ":2:", "not a price"),
        ("timestamp,price\n60,1_000\n120,1\n", ":2:", "not a price"),
        (f"timestamp,price\n60,{'9' * 5_000}\n120,1\n", ":2:", "not a price"),
        ("timestamp,price\n1.5,1\n", ":2:", "not a time"),
        ("timestamp,price\n-60,1\n", ":2:", "not a time"),
        ("timestamp,price\n2023-03-09,1\n", ":2:", "not a time"),
        ("timestamp,price\n1678338000000,1\n", ":2:", "not in seconds"),
        ("timestamp,price\n60,1\n", "", "one row"),
        (b"timestamp,price\n60,\xff\xfe\n", "", "UTF-8"),
        ('timestamp,price\n60,"1\n', "", "not CSV"),
    ],
)
def test_load__bad_file__is_refused_naming_file_line_and_remedy(
    tmp_path: Path, text: str | bytes, where: str, what: str
) -> None:
    with pytest.raises(UsageError) as caught:
        load(tmp_path, text)
    assert str(tmp_path / "series.csv") + where in caught.value.message
    assert what in caught.value.message
    assert caught.value.advice


def test_load__missing_file_or_folder__is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.csv", tmp_path):
        with pytest.raises(UsageError, match="cannot be read") as caught:
            load_series(path)
        assert str(path) in caught.value.message


@pytest.mark.parametrize("step", [0, -60])
def test_load__step_not_positive__is_refused(tmp_path: Path, step: int) -> None:
    with pytest.raises(UsageError, match="step"):
        load(tmp_path, "timestamp,price\n60,1\n120,1\n", step=step)


@pytest.mark.parametrize(
    ("name", "step", "rows", "low", "longest_gap"),
    [
        ("usdc_usd_2023-03-09_2023-03-19_15min.csv", 900, 808, "0.900761114779558", 8_100),
        ("usdc_usd_binanceus_2023-03-09_2023-03-19_1min.csv", 60, 8_930, "0.87483308", 3_300),
        ("usdc_usd_kraken_2023-03-09_2023-03-19_1min.csv", 60, 9_105, "0.87657555", 1_380),
    ],
)
def test_load__real_depeg__is_read_whole(name: str, step: int, rows: int, low: str, longest_gap: int) -> None:
    series = load_series(shared_data(name))
    assert (series.step, len(series.times), min(series.prices)) == (step, rows, to_wad(low))
    assert max(gap.seconds for gap in series.gaps()) == longest_gap
    differences = Counter(after - before for before, after in pairwise(series.times))
    assert sum(count for seconds, count in differences.items() if seconds > step) == len(series.gaps())


INDEXES = (
    "timestamp,liquidity_index,variable_borrow_index\n"
    "60,1.005645819576767014923645209,1.025461407440072537555320772\n"
    "120,1.005645819576767014923645210,1.0254614074400725375553207729\n"
)


def load_column(folder: Path, column: str, places: int, text: str = INDEXES) -> Series:
    path = folder / "indexes.csv"
    path.write_text(text)
    return load_series(path, column=column, places=places)


def test_load__column_named__is_read_with_all_of_its_places(tmp_path: Path) -> None:
    series = load_column(tmp_path, "Liquidity_Index", 27)
    assert series.prices == (1_005_645_819_576_767_014_923_645_209, 1_005_645_819_576_767_014_923_645_210)
    assert (series.places, series.times) == (27, (120, 180))


def test_load__places_fewer_than_written__are_rounded_down(tmp_path: Path) -> None:
    assert load_column(tmp_path, "variable_borrow_index", 27).prices[1] == 1_025_461_407_440_072_537_555_320_772
    assert load_column(tmp_path, "variable_borrow_index", 0).prices == (1, 1)


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("stable_borrow_index", INDEXES),
        ("price", "time,price\n60,1\n120,1\n"),
        ("price", "timestamp,price,price\n60,1,2\n120,1,2\n"),
        ("price", "timestamp,timestamp,price\n60,60,1\n120,120,1\n"),
    ],
)
def test_load__column_that_is_not_there_once__is_refused_with_its_name(tmp_path: Path, column: str, text: str) -> None:
    with pytest.raises(UsageError, match=rf"indexes\.csv:1: .* and {column} is to be read") as refused:
        load_column(tmp_path, column, 18, text)
    assert column in refused.value.advice
