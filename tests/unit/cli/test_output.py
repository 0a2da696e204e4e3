"""What tables show: amounts, shares, times; and text of the world that is no markup."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from navoracle.cli.output import count, duration, moment, money, percent, plain, print_json, short_hash
from navoracle.domain.units import WAD, format_wad, to_wad, wad_text


@pytest.mark.parametrize(
    ("amount", "places", "shown"),
    [
        (to_wad("1026000"), 2, "1,026,000.00"),
        (to_wad("0.999999"), 2, "0.99"),
        (to_wad("-0.066666"), 2, "-0.06"),
        (to_wad("-1234.5"), 0, "-1,234"),
        (1, 18, "0.000000000000000001"),
        (None, 2, "-"),
    ],
)
def test_money__amount__is_cut_off_and_never_rounded_up(amount: int | None, places: int, shown: str) -> None:
    assert money(amount, places) == shown


@given(st.integers(-(10**40), 10**40))
def test_money__all_places__is_the_whole_amount(amount: int) -> None:
    assert money(amount, 18).replace(",", "") == format_wad(amount)


@pytest.mark.parametrize(("bps", "shown"), [(9_183, "91.83 %"), (10_000, "100.00 %"), (5, "0.05 %"), (None, "-")])
def test_percent__basis_points__have_two_places(bps: int | None, shown: str) -> None:
    assert percent(bps) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0 s"), (59, "59 s"), (61, "1 min 1 s"), (3_600, "1 h"), (90_061, "1 d 1 h"), (-5, "-5 s"), (None, "-")],
)
def test_duration__seconds__are_told_in_two_units(seconds: int | None, shown: str) -> None:
    assert duration(seconds) == shown


def test_moment__unix_seconds__are_utc() -> None:
    assert moment(1_700_000_000) == "2023-11-14 22:13:20Z"
    assert moment(None) == "-"


def test_plain__brackets_of_the_world__are_no_markup() -> None:
    out = io.StringIO()
    Console(file=out, width=80).print(f"[bold]{plain('[red]x[/red]')}[/bold] {plain(None)}")
    assert out.getvalue() == "[red]x[/red] -\n"


def test_short_hash__and_count__say_enough() -> None:
    assert short_hash("0x" + "12" * 32) == "0x121212…121212"
    assert short_hash(None) == "-"
    assert (count(1, "slot"), count(0, "slot"), count(2, "slot")) == ("1 slot", "0 slots", "2 slots")


def test_print_json__document__is_exactly_one(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"nav": wad_text(WAD), "name": "Größe"})
    assert json.loads(capsys.readouterr().out) == {"nav": str(WAD), "name": "Größe"}
