"""`navoracle init`: a first configuration from an address, which `check` accepts and `nav` values."""

from __future__ import annotations

import asyncio
import io
import os
import re
import stat
from pathlib import Path
from typing import Any, cast

import pytest

from navoracle.chain.embedded import EmbeddedChain
from navoracle.chain.rpc import NodeRefused
from navoracle.config.loading import load_config
from navoracle.demo.world import POSTER, DemoWorld, holder_of
from navoracle.domain.units import to_wad
from tests.acceptance.node import serving
from tests.acceptance.peer_worlds import with_peer
from tests.acceptance.vault_world import CUSTODIAN, FEES, VaultWorld
from tests.acceptance.worlds import Bench, Result, gross_values

URL = "http://127.0.0.1:8545"
NOBODY = "0x000000000000000000000000000000000000dEaD"
OWN = {"RPC_URL": URL}


def feeds(world: DemoWorld, *assets: str, heartbeat: int = 86_400) -> list[str]:
    """The flags that name two feeds of each asset."""
    named = [(asset, group) for asset in assets for group in ("chainlink", "redstone")]
    flags = [f"{asset}:{group}={world.feeds[asset, group]}@{heartbeat}" for asset, group in named]
    return [part for flag in flags for part in ("--feed", flag)]


def written(bench: Bench, *arguments: str) -> tuple[Path, Any]:
    """Run it; the file that it wrote, and what it said."""
    file = bench.folder / "mine.yaml"
    result = bench.cli("init", *arguments, "--rpc", URL, "--out", str(file), "--json")
    assert result.code == 0, result.out
    return file, result.json


def valued(bench: Bench, file: Path) -> Any:
    """Check it, which must find no error, and value it: its only fund."""
    bench.variables |= OWN
    checked = bench.cli("check", "--json", config=file)
    assert (checked.code, checked.json["errors"]) == (0, 0), checked.out
    result = bench.cli("nav", "--json", config=file)
    assert result.code == 0, result.out
    (fund,) = result.json["funds"]
    return fund


def refused(result: Result, code: int, message: str, advice: str) -> None:
    assert result.code == code, result.out
    assert message in result.json["error"]["message"]
    assert advice in result.json["error"]["advice"]


# ---- each kind of contract


def test_init__vault_of_erc4626__is_accepted_by_check_and_valued_to_the_wei(still: Bench) -> None:
    vault, usdc = still.world.tokens["USDC-vault"], still.world.tokens["USDC"]
    file, told = written(still, vault, *feeds(still.world, "USDC"))
    assert (told["kind"], told["contract"], told["chain"], told["chain_id"]) == ("erc4626", vault, "home", 31_337)
    (fund,) = told["funds"]
    assert (fund["fund"], fund["supply"]) == ("vusdc", vault)
    assert [(each["token"], each["holder"]) for each in fund["positions"]] == [(usdc, vault)]
    assert [each["name"] for each in told["variables"]] == ["RPC_URL"]
    assert valued(still, file)["nav_after"] == str(to_wad("2000000"))


def test_init__vault_that_says_it_has_more_than_was_found__leaves_the_rest_to_be_named_and_is_no_zero(
    bench: Bench,
) -> None:
    here = with_peer(bench, "veda")
    file, told = written(bench, here.variables["VEDA_ACCOUNTANT"], *feeds(bench.world, "USDC"))
    (left,) = [each for each in told["variables"] if each["name"] != "RPC_URL"]
    assert left["name"] == "V_ELSEWHERE"
    assert "990000 of the 4000000 that it says it has lie elsewhere" in left["meaning"]
    bench.variables |= OWN
    refused(bench.cli("check", "--json", config=file), 4, "V_ELSEWHERE is not set", "Set V_ELSEWHERE")
    elsewhere = bench.chain.accounts[7]
    bench.do(here.mint("USDC", elsewhere, 1_000_000 * 10**6))
    bench.variables["V_ELSEWHERE"] = elsewhere
    assert valued(bench, file)["nav_after"] == str(to_wad("4010000"))


def test_init__registry_and_one_of_its_funds__takes_holders_and_tokens_and_is_worth_what_the_demo_says(
    still: Bench,
) -> None:
    world = still.world
    tokens = [world.tokens[name] for name in ("USDC", "USDT", "USDC-vault")]
    named = [part for token in tokens for part in ("--token", token)]
    arguments = [world.registry, "--fund-id", "1", "--holder", holder_of("stable"), *named]
    file, told = written(still, *arguments, *feeds(world, "USDC", "USDT"))
    assert (told["kind"], told["registry"]) == ("nav_registry", world.registry)
    assert told["roles"] == {"poster": still.chain.accounts[POSTER]}
    (fund,) = told["funds"]
    assert (fund["fund"], fund["id"], fund["supply"]) == ("stable", 1, world.shares["stable"])
    assert [each["kind"] for each in fund["positions"]] == ["fund_vault", "erc20", "erc20", "erc4626"]
    found = valued(still, file)
    assert gross_values({"funds": [found]}) == {"stable": to_wad("5000000")}


def test_init__registry__has_all_its_funds_and_what_they_hold_is_to_be_named(still: Bench) -> None:
    file, told = written(still, still.world.registry)
    assert [(fund["fund"], fund["id"]) for fund in told["funds"]] == [("stable", 1), ("levered-pt", 2), ("multi", 3)]
    names = {each["name"] for each in told["variables"]}
    assert {"LEVERED_PT_HOLDING_TOKEN", "LEVERED_PT_HOLDING_HOLDER", "FEED_MULTI_HOLDING_REDSTONE"} <= names
    still.variables |= OWN
    result = still.cli("check", "--json", config=file)
    assert result.code == 4
    for name in names - {"RPC_URL", *still.world.environment}:  # the demo's own feeds of USDC have these names
        assert name in result.json["error"]["message"]
        assert name in result.json["error"]["advice"]
    refused(
        still.cli("init", still.world.registry, "--rpc", URL, "--holder", NOBODY, "--token", NOBODY, "--json"),
        2,
        "the registry has 3",
        "--fund-id: 1, 2, 3",
    )


def test_init__share_token_on_a_registry__is_posted_there_and_what_was_left_out_is_a_suspicious_change(
    still: Bench,
) -> None:
    world = still.world
    arguments = ["--registry", world.registry, "--fund-id", "3", "--fund", "mine", "--key-file", "poster.key"]
    holds = ["--holder", holder_of("multi"), "--token", world.tokens["WBTC"]]
    file, told = written(still, world.shares["multi"], *arguments, *holds, *feeds(world, "WBTC"))
    assert (told["kind"], told["registry"], told["funds"][0]["id"]) == ("token", world.registry, 3)
    signer = load_config(file, OWN).chains["home"].signer
    assert signer is not None
    assert signer.model_dump(mode="json")["key_file"] == str(still.folder / "poster.key")
    still.variables |= OWN
    assert still.cli("check", "--json", config=file).json["errors"] == 0
    # Ten of what the fund holds are named, and not the rest: the registry has served another price per share.
    result = still.cli("nav", "--json", config=file)
    (fund,) = result.json["funds"]
    assert (result.code, fund["status"], fund["nav_after"]) == (3, "suspicious", str(to_wad("600000")))


def test_init__fund_vault__finds_registry_number_custodian_and_roles(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = asyncio.run(VaultWorld.build(EmbeddedChain()))
    bench = Bench(cast("DemoWorld", world), tmp_path, capsys)
    custodian = world.chain.accounts[CUSTODIAN]
    named = [
        part
        for (asset, group), feed in world.feeds.items()
        for part in ("--feed", f"{'WETH' if asset == 'ETH' else asset}:{group}={feed}@864000")
    ]
    file, told = written(bench, world.vault, *named, "--holder", custodian, "--token", world.weth)
    assert (told["kind"], told["registry"]) == ("fund_vault", world.registry)
    assert told["roles"] == {"custodian": custodian, "fee_recipient": world.chain.accounts[FEES]}
    (fund,) = told["funds"]
    assert (fund["fund"], fund["id"], fund["vault"]) == ("pool", 9, world.vault)
    assert [each["kind"] for each in fund["positions"]] == ["fund_vault", "erc20", "erc20"]
    for _ in range(3):
        bench.wait(60)
    assert valued(bench, file)["status"] == "live"


@pytest.mark.parametrize(
    ("peer", "variable", "assets"),
    [("veda", "VEDA_ACCOUNTANT", ("USDC", "USDT")), ("lagoon", "LAGOON_VAULT", ("USDC",))],
)
def test_init__contract_that_takes_a_nav__is_published_to_and_check_finds_no_error(
    bench: Bench, peer: str, variable: str, assets: tuple[str, ...]
) -> None:
    here = with_peer(bench, peer)
    world, contract = bench.world, here.variables[variable]
    holds = ["--holder", here.variables["VEDA_VAULT"], "--token", world.tokens["USDT"]] if peer == "veda" else []
    file, told = written(bench, contract, *holds, *feeds(world, *assets))
    assert (told["kind"], told["contract"]) == (peer, contract)
    (fund,) = told["funds"]
    assert (fund["publisher"], fund["vault"]) == (peer, None)
    assert told["roles"]
    found = valued(bench, file)
    assert (found["nav_after"], found["price_per_share"]) == (str(to_wad("4010000")), str(to_wad("1.0025")))
    assert bench.cli("post", "--publisher", peer, "--dry-run", "--json", config=file).code == 0


@pytest.mark.parametrize(
    ("peer", "contract", "shares", "holder", "prefix"),
    [
        ("mellow", "MELLOW_ORACLE", "MELLOW_SHARES", "MELLOW_SUBVAULT", "FUND_1"),
        ("midas", "MIDAS_FEED", "MIDAS_TOKEN", "MIDAS_CUSTODY", "FUND_1"),
    ],
)
def test_init__contract_that_does_not_name_its_shares__leaves_them_to_be_named(
    bench: Bench, peer: str, contract: str, shares: str, holder: str, prefix: str
) -> None:
    here = with_peer(bench, peer)
    world = bench.world
    holds = ["--holder", here.variables[holder], "--token", world.tokens["USDC"]]
    assets = ("USDC", "WBTC") if peer == "mellow" else ("USDC",)
    file, told = written(bench, here.variables[contract], *holds, *feeds(world, *assets))
    assert (told["kind"], told["funds"][0]["publisher"]) == (peer, peer)
    assert [each["name"] for each in told["variables"]] == ["RPC_URL", f"{prefix}_SHARES"]
    bench.variables[f"{prefix}_SHARES"] = here.variables[shares]
    assert valued(bench, file)["price_per_share"] == str(to_wad("1.0025"))


@pytest.mark.parametrize(
    ("peer", "contract"),
    [
        ("ondo", "ONDO_ORACLE"),
        ("superstate", "SUPERSTATE_ORACLE"),
        ("enzyme", "ENZYME_ORACLE"),
        ("centrifuge", "CENTRIFUGE_HUB"),
    ],
)
def test_init__contract_whose_setter_is_declared__names_the_example_to_copy(
    bench: Bench, peer: str, contract: str
) -> None:
    here = with_peer(bench, peer)
    result = bench.cli("init", here.variables[contract], "--rpc", URL, "--json")
    refused(result, 4, f"answers as {peer}'s", f"config/publishers/{peer}.yaml")


def test_init__feed_without_its_groups_own_view__is_read_by_chainlinks_interface_and_the_file_says_why(
    still: Bench,
) -> None:
    flags = [f"USDC:{group}={still.world.feeds['USDC', group]}" for group in ("chainlink", "redstone", "chronicle")]
    file, _ = written(still, still.world.tokens["USDC-vault"], *(part for flag in flags for part in ("--feed", flag)))
    lines = file.read_text(encoding="utf-8").splitlines()
    for group, view in (("redstone", "getDataFeedId()"), ("chronicle", "tryReadWithAge()")):
        (at,) = [number for number, line in enumerate(lines) if f"group: {group}," in line]
        assert "kind: chainlink" in lines[at]
        assert f"chainlink's interface: it does not answer {view}" in lines[at - 1]


# ---- what goes wrong


@pytest.mark.parametrize(
    ("arguments", "code", "message", "advice"),
    [
        ([NOBODY], 4, "there is no contract at", "Check the address"),
        (["0x1234"], 2, "ADDRESS: '0x1234' is not an address", "Correct"),
        (["{ORACLE}"], 4, "is none that is known", "config/one-fund.yaml"),
        (["{VAULT}", "--registry", "{USDC}"], 4, "does not answer as a NavRegistry", "navoracle deploy"),
        (["{REGISTRY}", "--fund-id", "77"], 2, "has no fund 77", "registerFund"),
        (["{VAULT}", "--holder", NOBODY], 2, "--token is missing", "Say both"),
        (["{VAULT}", "--holder", NOBODY, "--token", NOBODY], 4, f"--token {NOBODY}", "Check the address"),
        (["{VAULT}", "--feed", "USDC=0x12"], 2, "is not ASSET:GROUP=ADDRESS", "USDC:chainlink"),
        (["{VAULT}", "--feed", "USDC:chainlink={USDC}"], 4, "--feed USDC:chainlink", "latestRoundData"),
        (["{VAULT}", "--feed", "EUR:a={FEED}"], 2, "no such asset", "USDC"),
        (["{VAULT}", "--fund", "a b"], 2, "--fund 'a b' is no name", "letters"),
        (["{VAULT}", "--fund-id", "1", "--fund-id", "2"], 2, "is one fund", "several are for a registry"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_init__wrong_usage_or_address__is_named_with_advice_and_writes_nothing(
    still: Bench, arguments: list[str], code: int, message: str, advice: str
) -> None:
    world = still.world
    places = {
        "{ORACLE}": world.principal.oracle,
        "{VAULT}": world.tokens["USDC-vault"],
        "{USDC}": world.tokens["USDC"],
        "{REGISTRY}": world.registry,
        "{FEED}": world.feeds["USDC", "chainlink"],
    }
    filled = [re.sub(r"\{\w+\}", lambda match: places[match.group()], argument) for argument in arguments]
    file = still.folder / "mine.yaml"
    refused(still.cli("init", *filled, "--rpc", URL, "--out", str(file), "--json"), code, message, advice)
    assert list(still.folder.iterdir()) == []


@pytest.mark.sockets
def test_init__over_http__needs_no_word_of_the_node_in_the_file_and_its_variable_does_as_well(still: Bench) -> None:
    vault = still.world.tokens["USDC-vault"]
    file = still.folder / "mine.yaml"
    with serving(still.chain) as url:
        result = still.cli("init", vault, "--rpc", url, "--out", str(file), "--json", chains={})
        assert (result.code, result.json["chain"]) == (0, "home"), result.out
        text = file.read_text(encoding="utf-8")
        assert "0123456789abcdef" not in text + result.out + result.err
        assert 'rpc: "${RPC_URL}"' in text
        still.variables["RPC_URL"] = url
        assert still.cli("init", vault, "--out", str(file), "--force", "--json", chains={}).code == 0


@pytest.mark.sockets
def test_init__dead_node__ends_with_five_and_writes_nothing(still: Bench) -> None:
    with serving(still.chain) as url:
        dead = url
    result = still.cli("init", NOBODY, "--rpc", dead, "--out", str(still.folder / "a.yaml"), "--json", chains={})
    assert (result.code, result.json["error"]["code"]) == (5, "chain")
    assert "0123456789abcdef" not in result.out + result.err
    assert list(still.folder.iterdir()) == []


def test_init__node_that_fails_halfway__is_the_chains_failure_and_no_unknown_contract(
    still: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = still.chain.endpoint
    request = type(endpoint).request

    async def fails_on_calls(self: Any, method: str, parameters: Any) -> Any:
        if method == "eth_call" and str(parameters[0].get("data", parameters[0].get("input", ""))).count("82ad56cb"):
            raise NodeRefused("node", "eth_call", -32_000, "out of order")
        return await request(self, method, parameters)

    still_reads = still.cli("init", still.world.registry, "--rpc", URL, "--out", str(still.folder / "a"), "--json")
    assert still_reads.code == 0
    monkeypatch.setattr(type(endpoint), "request", fails_on_calls)
    result = still.cli("init", still.world.registry, "--rpc", URL, "--out", str(still.folder / "b"), "--json")
    assert (result.code, result.json["error"]["code"]) == (5, "chain"), result.out


# ---- the file


def test_init__file_that_is_there__is_only_written_over_with_force(still: Bench) -> None:
    vault, file = still.world.tokens["USDC-vault"], still.folder / "navoracle.yaml"
    schema = still.folder / "navoracle.schema.json"
    file.write_text("mine", encoding="utf-8")
    schema.write_text("mine too", encoding="utf-8")
    arguments = ("init", vault, "--rpc", URL, "--out", str(file), "--json")
    refused(still.cli(*arguments), 2, "is there already", "--force")
    assert file.read_text(encoding="utf-8") == "mine"
    file.unlink()
    assert still.cli(*arguments).code == 0
    assert schema.read_text(encoding="utf-8") == "mine too"
    assert still.cli(*arguments, "--force").code == 0
    assert schema.read_text(encoding="utf-8").startswith("{")
    text = file.read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=./navoracle.schema.json\n")
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert {path.name for path in still.folder.iterdir()} == {"navoracle.yaml", "navoracle.schema.json"}


def test_init__folder_that_is_not_there__is_named(still: Bench) -> None:
    file = still.folder / "nowhere" / "mine.yaml"
    result = still.cli("init", still.world.tokens["USDC-vault"], "--rpc", URL, "--out", str(file), "--json")
    refused(result, 2, "cannot be written", "folder")


def test_init__unit_that_is_the_vaults_asset__needs_no_price(still: Bench) -> None:
    file, told = written(still, still.world.tokens["USDC-vault"], "--unit", "USDC")
    assert told["assets"] == []
    assert valued(still, file)["nav_after"] == str(to_wad("2000000"))


# ---- with and without a terminal


@pytest.mark.parametrize(("arguments", "flag"), [((), "--rpc"), (("--rpc", URL), "ADDRESS")])
def test_init__without_a_terminal__asks_nothing_and_names_the_flag(
    still: Bench, arguments: tuple[str, ...], flag: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("never read\n"))
    out = str(still.folder / "mine.yaml")
    refused(still.cli("init", *arguments, "--out", out, "--json"), 2, f"{flag} is missing", "Give")
    told = still.cli("init", *arguments, "--out", out)
    assert (told.code, told.out) == (2, "")
    assert flag in told.err


class Terminal(io.StringIO):
    """What a terminal is to a program."""

    def isatty(self) -> bool:
        return True


def test_init__on_a_terminal__asks_for_what_is_missing_and_writes_the_answers(
    still: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = still.world
    feed = world.feeds["USDC", "chainlink"]
    asked = Terminal()
    monkeypatch.setattr("sys.stdin", Terminal(f"{URL}\n{world.tokens['USDC-vault']}\n{feed}@86400\n\n"))
    monkeypatch.setattr("sys.stderr", asked)
    file = still.folder / "mine.yaml"
    result = still.cli("init", "--out", str(file))
    assert result.code == 0, asked.getvalue()
    for text in ("The URL of a node", "The address of a vault", "ERC-4626 vault", "Feed of USDC in USD, chainlink's"):
        assert text in asked.getvalue()
    config = load_config(file, {"RPC_URL": URL, "FEED_USDC_REDSTONE": world.feeds["USDC", "redstone"]})
    sources = config.assets["USDC"].sources
    assert (sources[0].group, getattr(sources[0], "feed", None)) == ("chainlink", feed)
    assert getattr(sources[0], "heartbeat", None) == 86_400


def test_init__json_on_a_terminal__asks_nothing(still: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Terminal("never read\n"))
    monkeypatch.setattr("sys.stderr", Terminal())
    refused(still.cli("init", "--json", "--out", str(still.folder / "a")), 2, "--rpc is missing", "Give")


def test_init__variables__that_are_set_are_not_asked_for_and_a_node_that_differs_is(still: Bench) -> None:
    still.variables |= OWN
    arguments = ["init", still.world.tokens["USDC-vault"], "--out", str(still.folder / "mine.yaml"), "--force"]
    named = still.cli(*arguments, "--rpc", URL)
    assert named.code == 0
    assert "set in the environment" not in named.out  # the demo's own feeds have these names
    assert "export" not in named.out
    other = still.cli(*arguments, "--rpc", "http://127.0.0.1:1")
    assert [line.split()[1] for line in other.out.splitlines() if "export" in line] == ["RPC_URL=..."]
    still.variables["FEED_USDC_REDSTONE"] = ""
    told = still.cli(*arguments, "--rpc", "http://127.0.0.1:1", "--json").json["variables"]
    assert {each["name"]: each["set"] for each in told} == {
        "RPC_URL": False,
        "FEED_USDC_CHAINLINK": True,
        "FEED_USDC_REDSTONE": False,
    }


def test_init__people__are_told_what_was_found_and_what_comes_next(still: Bench) -> None:
    file = still.folder / "mine.yaml"
    shown = still.cli("init", still.world.tokens["USDC-vault"], "--rpc", URL, "--out", str(file))
    assert shown.code == 0
    for text in ("ERC-4626 vault", "vUSDC, 6 decimals", "export RPC_URL=", f"check --config {file}"):
        assert text in shown.out.replace("\n", "") or text in shown.out
    assert "\x1b" not in shown.out
    assert os.linesep in shown.out
