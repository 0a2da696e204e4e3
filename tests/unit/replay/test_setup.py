"""What a replay's options become: what the fund holds, its quorum, its ages, its opening value."""

from __future__ import annotations

from pathlib import Path

import pytest

from navoracle.domain.errors import UsageError
from navoracle.domain.units import to_wad
from navoracle.replay.setup import FUND, PriceFile, ReplayOptions, parse_price_file, prepare, replay_config
from tests.unit.addresses import address

START = 1_700_000_100
"""Not a full hour: the first slot is the next one."""


def series(folder: Path, asset: str, group: str, price: str, *, step: int = 60, rows: int = 300) -> PriceFile:
    path = folder / f"{asset}-{group}.csv"
    path.write_text("timestamp,price\n" + "".join(f"{START + step * row},{price}\n" for row in range(rows)))
    return PriceFile(asset, group, path)


def test_parse_price_file__asset_group_and_file__are_taken_apart() -> None:
    assert parse_price_file("USDC:kraken=a=b.csv") == PriceFile("USDC", "kraken", Path("a=b.csv"))


@pytest.mark.parametrize("text", ["", "USDC", "USDC:kraken", "USDC=file", ":kraken=file", "USDC:=file", "USDC:kraken="])
def test_parse_price_file__anything_missing__is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="ASSET:GROUP=FILE"):
        parse_price_file(text)


def test_prepare__one_asset__holds_a_million_tokens_at_its_first_price(tmp_path: Path) -> None:
    setup = prepare(ReplayOptions((series(tmp_path, "USDC", "a", "1.003"),)))
    assert (setup.amounts, setup.shares) == ({"USDC": "1000000"}, "1000000")
    assert setup.opening.nav == to_wad("1003000")
    assert setup.opening.price_per_share == to_wad("1.003")
    assert setup.start == 1_700_002_800
    assert setup.opening.valuation_time < setup.start


def test_prepare__two_assets__hold_a_million_of_value_each(tmp_path: Path) -> None:
    files = (series(tmp_path, "USDC", "a", "1"), series(tmp_path, "BTC", "a", "40000"))
    setup = prepare(ReplayOptions(files))
    assert [to_wad(amount) for amount in setup.amounts.values()] == [to_wad("1000000"), to_wad("25")]
    assert (setup.shares, setup.opening.price_per_share) == ("2000000", to_wad("1"))


def test_replay_config__ages_and_quorums__are_the_series_own_unless_said(tmp_path: Path) -> None:
    files = (
        series(tmp_path, "USDC", "a", "1"),
        series(tmp_path, "USDC", "b", "1", step=900),
        series(tmp_path, "BTC", "a", "40000"),
    )
    options = ReplayOptions(files, max_age={"BTC-a": 77}, min_sources={"BTC": 1})
    config = replay_config(options, prepare(options), address(9))
    ages = {source.series: source.max_age for asset in config.assets.values() for source in asset.sources}  # type: ignore[union-attr]
    assert ages == {"USDC-a": 360, "USDC-b": 1_200, "BTC-a": 77}
    assert {symbol: asset.min_sources for symbol, asset in config.assets.items()} == {"USDC": 2, "BTC": 1}
    assert config.home_chain == config.funds[FUND].chain == "embedded"


def test_replay_config__without_a_registry__has_no_chain(tmp_path: Path) -> None:
    options = ReplayOptions((series(tmp_path, "USDC", "a", "1"),), chain="none")
    config = replay_config(options, prepare(options), None)
    assert (config.home_chain, config.chains, config.funds[FUND].chain) == (None, {}, None)


def test_prepare__quorum_that_the_series_cannot_give__is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="could never be priced"):
        prepare(ReplayOptions((series(tmp_path, "USDC", "a", "1"),), min_sources={None: 2}))


def test_prepare__quorum_not_said__is_two_and_one_for_a_lone_series_with_a_warning(tmp_path: Path) -> None:
    lone = prepare(ReplayOptions((series(tmp_path, "USDC", "a", "1"),)))
    assert ["min_sources 1" in warning for warning in lone.warnings] == [True]
    three = tuple(series(tmp_path, "USDC", group, "1") for group in "abc")
    assert prepare(ReplayOptions(three)).warnings == ()
