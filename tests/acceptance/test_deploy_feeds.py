"""`navoracle deploy-feeds` on the demo's world, and what other protocols then read."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from navoracle.abi import decode_result, encode_call
from navoracle.chain.signers import EphemeralSigner
from navoracle.demo.world import CHAIN, FUNDS
from navoracle.domain.units import WAD
from navoracle.ports import Address
from tests.acceptance.worlds import Bench, edited

PAYER = 5
USD = "0x0000000000000000000000000000000000000348"  # ISO 4217: 840


@pytest.fixture
def key(tmp_path: Path) -> str:
    file = tmp_path / "payer.key"
    file.write_text(f"{PAYER:064x}\n")
    file.chmod(0o600)
    return str(file)


def called(bench: Bench, to: str, types: tuple[str, ...], signature: str, *arguments: Any) -> tuple[Any, ...]:
    answer = asyncio.run(bench.chain.reader(CHAIN).call(Address(to), encode_call(signature, *arguments)))
    return decode_result(types, answer)


def test_deploy_feeds__dry_run__names_what_is_missing_and_sends_nothing(still: Bench) -> None:
    before = still.nonces()
    result = still.cli("deploy-feeds", "--flavour", "strict", "--flavour", "last-good", "--json")
    assert result.code == 0
    assert (result.json["live"], result.json["factory"], result.json["deployer"]) == (False, None, None)
    assert [(feed["fund"], feed["id"], feed["flavour"]) for feed in result.json["feeds"]] == [
        (fund, number, flavour) for fund, number in FUNDS.items() for flavour in ("strict", "last-good")
    ]
    assert {(feed["feed"], feed["created"]) for feed in result.json["feeds"]} == {(None, False)}
    assert still.nonces() == before
    assert "dry run" in still.cli("deploy-feeds").out


def test_deploy_feeds__live__deploys_feeds_that_answer_a_posted_nav(bench: Bench, key: str) -> None:
    result = bench.cli("deploy-feeds", "multi", "--live", "--key-file", key, "--json")
    assert result.code == 0
    assert result.json["deployer"] == EphemeralSigner(PAYER.to_bytes(32, "big")).address
    (feed,) = result.json["feeds"]
    assert (feed["fund"], feed["flavour"], feed["decimals"], feed["created"]) == ("multi", "strict", 18, True)
    assert len(result.json["transactions"]) == 1
    bench.wait(60)
    assert bench.cli("post", "--live", "--json").code == 0
    valued_at = int(called(bench, bench.world.registry, ("uint256",) * 5, "read(uint256)", FUNDS["multi"])[2])
    words = ("uint80", "int256", "uint256", "uint256", "uint80")
    assert called(bench, feed["feed"], words, "latestRoundData()") == (valued_at, WAD, valued_at, valued_at, valued_at)
    assert called(bench, feed["feed"], ("uint256",), "getRate()") == (WAD,)


def test_deploy_feeds__factory_given__creates_only_what_is_missing(bench: Bench, key: str) -> None:
    first = bench.cli("deploy-feeds", "multi", "--live", "--key-file", key, "--json").json
    factory = first["factory"]
    planned = bench.cli("deploy-feeds", "--factory", factory, "--json").json
    assert {feed["fund"]: feed["created"] for feed in planned["feeds"]} == {
        "stable": False,
        "levered-pt": False,
        "multi": True,
    }
    done = bench.cli("deploy-feeds", "--factory", factory, "--live", "--key-file", key, "--json").json
    assert len(done["transactions"]) == 2
    assert done["factory"] == factory
    assert [feed["feed"] for feed in done["feeds"]] == [feed["feed"] for feed in planned["feeds"]]
    assert all(feed["created"] for feed in done["feeds"])
    again = bench.cli("deploy-feeds", "--factory", factory, "--live", "--key-file", key, "--json").json
    assert again["transactions"] == []
    eight = bench.cli("deploy-feeds", "multi", "--factory", factory, "--decimals", "8", "--json").json["feeds"][0]
    assert eight["feed"] not in {feed["feed"] for feed in done["feeds"]}
    assert not eight["created"]


def test_deploy_feeds__fund_counted_in_usd__quotes_shares_in_usd(bench: Bench, key: str) -> None:
    config = bench.folder / "new.yaml"
    with edited(config, **{"    registry: ${REGISTRY} # `navoracle deploy` makes one\n": ""}):
        made = bench.cli("deploy", "--base", USD, "--live", "--key-file", key, "--json", config=config).json
    assert {fund["base"] for fund in made["funds"]} == {USD}
    with edited(config, **{"${REGISTRY}": f'"{made["registry"]}"'}):
        feed = bench.cli("deploy-feeds", "multi", "--live", "--key-file", key, "--json", config=config).json["feeds"][0]
    shares = bench.world.shares["multi"]
    terms = called(bench, feed["feed"], ("uint256", "address", "uint8", "address", "uint8"), "fund()")
    assert terms == (FUNDS["multi"], shares.lower(), 18, USD, 18)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--live"], "usage"),
        (["nobody"], "usage"),
        (["--chain", "elsewhere"], "usage"),
        (["--factory", "0x1"], "usage"),
        (["--decimals", "6"], "usage"),
        (["--flavour", "lax"], "usage"),
    ],
)
def test_deploy_feeds__wrong_usage__says_how_it_is_written(still: Bench, arguments: list[str], code: str) -> None:
    result = still.cli("deploy-feeds", *arguments, "--json")
    assert (result.code, result.json["error"]["code"]) == (2, code)
    assert result.json["error"]["advice"]


def test_deploy_feeds__without_a_registry__asks_for_one(still: Bench) -> None:
    config = still.folder / "new.yaml"
    with edited(config, **{"    registry: ${REGISTRY} # `navoracle deploy` makes one\n": ""}):
        result = still.cli("deploy-feeds", "--json", config=config)
    assert (result.code, result.json["error"]["code"]) == (4, "configuration")
    assert "navoracle deploy" in result.json["error"]["advice"]


def test_deploy_feeds__factory_that_is_none_of_this_registry__is_refused(bench: Bench, key: str) -> None:
    no_factory = bench.cli("deploy-feeds", "--factory", bench.world.registry, "--json")
    assert (no_factory.code, no_factory.json["error"]["code"]) == (5, "chain")
    factory = bench.cli("deploy-feeds", "multi", "--live", "--key-file", key, "--json").json["factory"]
    config = bench.folder / "new.yaml"
    with edited(config, **{"    registry: ${REGISTRY} # `navoracle deploy` makes one\n": ""}):
        other = bench.cli("deploy", "--live", "--key-file", key, "--json", config=config).json["registry"]
    with edited(config, **{"${REGISTRY}": f'"{other}"'}):
        refused = bench.cli("deploy-feeds", "--factory", factory, "--json", config=config)
    assert (refused.code, refused.json["error"]["code"]) == (4, "configuration")
    assert other in refused.json["error"]["message"]
