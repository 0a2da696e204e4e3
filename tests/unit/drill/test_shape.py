"""What of a configuration is rehearsed, and what of it never gets into a rehearsal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from eth_utils.address import to_checksum_address

from navoracle.config.loading import load_config
from navoracle.config.models import Config
from navoracle.demo.examples import example_configuration
from navoracle.demo.world import FUNDS
from navoracle.domain.errors import UsageError
from navoracle.domain.units import WAD
from navoracle.drill.configuration import rehearsal, write
from navoracle.drill.node import LocalNode, find_anvil
from navoracle.drill.shape import shape_of
from navoracle.drill.world import World
from navoracle.ports import Address

REGISTRY = Address("0x00000000000000000000000000000000000000A1")
SECRET_HOST = "rpc.secret.example"


def places(names: set[str]) -> dict[str, str]:
    """An address of its own for each variable."""
    return {name: to_checksum_address(f"0x{place:040x}") for place, name in enumerate(sorted(names), 1)}


def configured(tmp_path: Path, **changes: Any) -> Config:
    """The example of three funds, with places of its own."""
    text = example_configuration("three-funds.yaml").read_text(encoding="utf-8")
    names = {part.split("}")[0] for part in text.split("${")[1:]}
    environment = places(names) | {
        "HOME_RPC": f"https://{SECRET_HOST}/v2/0123456789abcdef",
        "KEY_FILE": "/secret/place/of/a.key",
        "MORPHO_MARKET": "0x" + 64 * "1",
    }
    raw = yaml.safe_load(text)
    raw.update(changes)
    path = tmp_path / "navoracle.yaml"
    path.write_text(yaml.safe_dump(raw), encoding="utf-8")
    return load_config(path, environment)


def world_of(config: Config) -> World:
    return World(LocalNode(Path("anvil")), shape_of(config), REGISTRY, newest=0)


def test_shape__three_funds__keeps_numbers_groups_and_debt(tmp_path: Path) -> None:
    shape = shape_of(configured(tmp_path))
    assert {name: fund.number for name, fund in shape.funds.items()} == dict(FUNDS)
    assert shape.assets["USDC"].groups == ("chainlink", "chronicle", "redstone")
    assert shape.assets["PT-USDe"].groups == ("one", "two", "three"), "a derived asset gets feeds of its own"
    held = [(holding.asset, holding.component) for holding in shape.funds["levered-pt"].holdings]
    assert held == [("USDC", "collateral"), ("USDC", "debt"), ("PT-USDe", "collateral")]
    assert shape.funds["levered-pt"].nav(shape.assets) == 1_900_000 * WAD


def test_shape__no_fund_is_on_the_chain__says_which_chains_have_some(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        shape_of(configured(tmp_path), "moon")
    assert "home" in caught.value.advice


def test_rehearsal__a_configuration_with_places_and_keys__has_none_of_them(tmp_path: Path) -> None:
    config = configured(tmp_path)
    urls = [f"http://127.0.0.1:{port}/" for port in (1, 2, 3)]
    written = write(tmp_path / "drill.yaml", rehearsal(world_of(config), urls, tmp_path, config=config))
    text = written.read_text(encoding="utf-8")
    assert SECRET_HOST not in text
    assert "/secret/place" not in text
    again = load_config(written)
    assert [str(endpoint.url.get_secret_value()) for endpoint in again.chains["home"].nodes] == urls
    assert again.store.url.get_secret_value().endswith("/drill.db")


def test_rehearsal__limits_of_funds_and_chains__are_the_configured_ones(tmp_path: Path) -> None:
    config = configured(tmp_path)
    urls = [f"http://127.0.0.1:{port}/" for port in (1, 2, 3)]
    again = load_config(write(tmp_path / "drill.yaml", rehearsal(world_of(config), urls, tmp_path, config=config)))
    for name, fund in config.funds.items():
        assert again.funds[name].guards == fund.guards
        assert again.funds[name].fees == fund.fees
    assert again.cadence == config.cadence
    assert again.record_size == config.record_size
    before, after = config.chains["home"], again.chains["home"]
    assert (after.confirmations, after.finality, after.max_lag) == (
        before.confirmations,
        before.finality,
        before.max_lag,
    )
    assert after.transactions == before.transactions


def test_rehearsal__a_key_file__is_the_operators_alone(tmp_path: Path) -> None:
    config = configured(tmp_path)
    said = rehearsal(world_of(config), ["http://127.0.0.1:1/"], tmp_path, config=config)
    key_file = Path(said["chains"]["home"]["signer"]["key_file"])
    assert key_file.stat().st_mode & 0o077 == 0


def test_find_anvil__it_is_not_there__says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for named in (None, tmp_path / "anvil"):
        with pytest.raises(UsageError) as caught:
            find_anvil(named)
        assert "--anvil" in caught.value.advice
