"""`price`, `nav --explain`, `--at`, `record` and `replay --world` through the real command line."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from navoracle.domain.units import to_wad
from tests.acceptance.node import serving
from tests.acceptance.worlds import THREE_FUNDS, Bench, attest_beside


def lines(tree: dict[str, Any]) -> list[dict[str, Any]]:
    """Every line of a tree."""
    return [tree, *(line for child in tree["children"] for line in lines(child))]


def test_nav__explain__goes_from_the_nav_to_the_raw_bytes(still: Bench) -> None:
    result = still.cli("nav", "levered-pt", "--explain", "--json")
    assert result.code == 0, result.out
    (fund,) = result.json["funds"]
    (tree,) = result.json["explained"]
    assert tree["what"] == "NAV of levered-pt"
    assert tree["value"].replace(".", "").lstrip("0") == fund["nav_after"]
    whats = [line["what"] for line in lines(tree)]
    for expected in (
        "collateral",
        "debt",
        "position levered-pt.morpho/USDC-borrowed",
        "price of PT-USDe (asset)",
        "rate PT-USDe.derived",
        "price of USDe (asset)",
        "source USDe.chainlink",
        "call latestRoundData() (home)",
        "guards",
        "price of USDC (debt)",
        "reader levered-pt.supply",
    ):
        assert expected in whats
    reads = [line for line in lines(tree) if line["what"].startswith("call ")]
    assert reads
    assert all(
        line["value"].startswith("0x") and any(note.startswith("target 0x") for note in line["notes"]) for line in reads
    )


def test_nav__explain__adds_up_at_every_level(still: Bench) -> None:
    result = still.cli("nav", "multi", "--explain", "--json")
    (tree,) = result.json["explained"]

    def exact(text: str) -> int:
        whole, _, fraction = text.partition(".")
        return int(whole) * 10**18 + int(fraction.ljust(18, "0"))

    parts = {line["what"]: line for line in tree["children"]}
    total = sum(exact(parts[name]["value"]) for name in ("cash", "collateral") if name in parts)
    total -= sum(exact(parts[name]["value"]) for name in ("debt", "fees payable") if name in parts)
    assert total == exact(tree["value"])
    for name in ("cash", "collateral"):
        positions = [child for child in parts[name]["children"] if child["what"].startswith("position ")]
        assert sum(exact(child["value"]) for child in positions) == exact(parts[name]["value"])


def test_nav__explain_on_a_terminal__is_a_tree_with_long_bytes_cut(still: Bench) -> None:
    result = still.cli("nav", "stable", "--explain")
    assert result.code == 0
    assert "NAV of stable" in result.out
    assert "└── " in result.out
    assert "… (160 bytes)" in result.out  # a round of a feed
    # What does not fit in a line goes on in the next one.
    whole = " ".join(result.out.replace("│", " ").split())
    assert f"target {still.world.feeds['USDC', 'chainlink']} data 0xfeaf968c" in whole


def test_price__explain__names_votes_ages_limits_and_bytes(still: Bench) -> None:
    result = still.cli("price", "PT-USDe", "--explain", "--json", "--side", "debt")
    assert result.code == 0, result.out
    assert result.json["status"] == "live"
    tree = result.json["explained"]
    assert tree["what"] == "price of PT-USDe (debt)"
    base = next(line for line in lines(tree) if line["what"] == "price of USDe (debt)")
    assert any(note.startswith("votes: chainlink ") for note in base["notes"])
    source = next(line for line in lines(tree) if line["what"] == "source USDe.chainlink")
    assert "used" in source["notes"]
    assert any(note.endswith("limit 300 s") for note in source["notes"])
    assert any(note.startswith("published ") for note in source["notes"])


def test_price__source_that_went_stale__is_excluded_with_the_reason(bench: Bench) -> None:
    bench.wait(30 * 3_600)
    result = bench.cli("price", "ETH", "--explain")
    assert result.code == 3
    assert "excluded: stale" in result.out
    assert "price of ETH (asset)  none" in result.out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("price", "DOGE"), "there is no asset DOGE"),
        (("price", "ETH", "--side", "long"), "--side 'long' is neither asset nor debt"),
        (("price", "ETH", "--at", "soon"), "'soon' is not a block number"),
        (("price", "ETH", "--at", "mars=7"), "chain mars is not configured"),
        (("price", "ETH", "--at", "7", "--at", "8"), "two blocks of home"),
        (("nav", "--at", "7", "--world", "w.json"), "exclude one another"),
        (("nav", "--world", "nowhere.json"), "nowhere.json"),
        (("replay",), "a replay is of --prices, of a --config, or of a --world"),
        (("replay", "--world", "w.json", "--prices", "USDC:a=b.csv"), "a replay is of --prices"),
        (("replay", "--world", "w.json", "--risk", "risk.csv"), "--risk has no place here"),
        (("replay", "--config", "c.yaml", "--hold", "USDC=1"), "--hold has no place here"),
        (("replay", "--prices", "USDC:a=b.csv", "--risk", "risk.csv"), "--risk has no place here"),
    ],
)
def test_look_through__typed_wrong__is_told_what_and_how(still: Bench, arguments: tuple[str, ...], told: str) -> None:
    result = still.cli(*arguments)
    assert result.code == 2
    assert told in result.err
    assert "advice: " in result.err


def test_nav__at_a_past_block__is_what_it_was_then(bench: Bench) -> None:
    then = int(str(bench.do(bench.chain.endpoint.request("eth_blockNumber", []))), 16)
    before = bench.cli("nav", "multi", "--json", "--at", str(then))
    assert before.code == 0, before.out
    bench.do(bench.world.set_price("ETH", to_wad("1234")))
    now = bench.cli("nav", "multi", "--json")
    again = bench.cli("nav", "multi", "--json", "--at", str(then))
    assert again.json["funds"] == before.json["funds"]
    assert again.json["stamps"][0]["number"] == then
    assert now.json["funds"][0]["nav_after"] != before.json["funds"][0]["nav_after"]
    priced = bench.cli("price", "ETH", "--json", "--at", str(then))
    assert priced.json["stamps"] == again.json["stamps"]


def test_record__valued_again_without_a_node__gives_the_same_evidence(still: Bench) -> None:
    file = still.folder / "world.json"
    recorded = still.cli("record", "--out", str(file), "--json")
    assert recorded.code == 0, recorded.err
    live = {part["fund"]: part for part in still.cli("nav", "--json").json["funds"]}
    # No chain is there to be asked: the recorded world alone answers.
    replayed = still.cli("replay", "--world", str(file), "--json", chains={})
    assert replayed.code == 0, replayed.out
    assert [world["same"] for world in replayed.json["worlds"]] == [True, True, True]
    assert {world["fund"]: world["nav_after"] for world in replayed.json["worlds"]} == {
        name: part["nav_after"] for name, part in live.items()
    }
    one = still.cli("nav", "multi", "--world", str(file), "--explain", "--json", chains={})
    assert one.code == 0
    assert one.json["explained"][0]["what"] == "NAV of multi"


def test_record__written_file__holds_no_secret(still: Bench) -> None:
    file = still.folder / "world.json"
    text = THREE_FUNDS.read_text().replace("${HOME_RPC}", "https://node.example/v2/SECRETKEY")
    config = still.folder / "with-a-key.yaml"
    config.write_text(text)
    attest_beside(config)
    assert still.cli("record", "--out", str(file), config=config).code == 0
    assert "node.example" in file.read_text()
    assert "SECRETKEY" not in file.read_text()


def test_replay_world__answer_changed_in_the_file__differs_and_ends_with_three(still: Bench) -> None:
    file = still.folder / "world.json"
    still.cli("record", "multi", "--out", str(file))
    world = json.loads(file.read_text())
    balance = next(read for read in world["reads"] if read["kind"] == "native_balance")
    balance["data"] = "0x" + (int(balance["data"], 16) + 1).to_bytes(32, "big").hex()
    file.write_text(json.dumps(world))
    result = still.cli("replay", "--world", str(file), "--json")
    assert result.code == 3
    assert result.json["error"]["code"] == "verification_failed"
    assert result.json["worlds"][0]["same"] is False


def test_nav_world__configuration_that_asks_more__fails_as_not_recorded(still: Bench) -> None:
    file = still.folder / "world.json"
    still.cli("record", "stable", "--out", str(file))
    result = still.cli("nav", "multi", "--world", str(file))
    assert result.code == 2
    assert "the recorded world holds no fund multi" in result.err


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format":"world-1"}', '{"format":"world-2"}', "[" * 100_000])
def test_nav_world__no_recorded_world__is_refused(still: Bench, text: str) -> None:
    file = still.folder / "broken.json"
    file.write_text(text)
    result = still.cli("nav", "--world", str(file))
    assert result.code == 2
    assert "broken.json" in result.err.replace("\n", "")


@pytest.mark.sockets
def test_record__of_endpoints_credentials_and_exchanges__is_replayed_without_them(still: Bench) -> None:
    secret, file = "SECRETKEY0123456789", still.folder / "world.json"
    config = yaml.safe_load(THREE_FUNDS.read_text(encoding="utf-8"))
    gecko = {"kind": "coingecko", "group": "coingecko", "coin": "usd-coin", "credential": "gecko"}
    config["assets"]["USDC"]["sources"].append({**gecko, "base_url": "http://127.0.0.1:9"})
    config["credentials"] = {"gecko": {"header": "x-key", "value": secret}}
    config["exchanges"] = {"venue": {"id": "kraken", "credentials": {"apiKey": secret, "secret": secret}}}
    with serving(still.chain) as url:
        del config["chains"]["home"]["rpc"]
        config["chains"]["home"]["endpoints"] = [{"url": f"{url}{secret}{number}"} for number in (1, 2)]
        path = still.folder / "with-services.yaml"
        path.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
        attest_beside(path)
        recorded = still.cli("record", "--out", str(file), "--json", config=path, chains={})
    assert recorded.code == 0, recorded.out + recorded.err
    replayed = still.cli("replay", "--world", str(file), "--json", chains={})
    assert [world["same"] for world in replayed.json["worlds"]] == [True, True, True], replayed.out
    valued = still.cli("nav", "--world", str(file), "--explain", chains={})
    shown = still.cli("config", "show", config=path)
    assert "source_down: http://127.0.0.1:9/***: no connection" in valued.out
    for text in (file.read_text(), *(each.out + each.err for each in (recorded, replayed, valued, shown))):
        assert "SECRET" not in text
