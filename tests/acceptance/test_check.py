"""`navoracle check`: every misconfiguration is named with its path in the file and the remedy."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from navoracle.cli.check import CODE_EVENT
from navoracle.domain.units import Timestamp
from navoracle.storage import SqlStore
from navoracle.store_port import Event, Severity
from tests.acceptance.node import serving
from tests.acceptance.test_example_configurations import EXAMPLES
from tests.acceptance.worlds import THREE_FUNDS, Bench, Result, attest_beside

NOBODY = "0x000000000000000000000000000000000000dEaD"


@dataclass(frozen=True)
class Wrong:
    """One misconfiguration: what is set where, and the finding that it must give."""

    name: str
    changes: dict[str, Any]
    place: str
    message: str
    advice: str
    level: str = "error"
    removed: tuple[str, ...] = field(default=())


SOURCES = "assets.USDC.sources"
MISCONFIGURATIONS = [
    Wrong(
        "feed without a contract",
        {f"{SOURCES}[0].feed": NOBODY},
        f"{SOURCES}[0].feed",
        "there is no contract at 0x000000000000000000000000000000000000dEaD on home",
        "Correct the address",
    ),
    Wrong(
        "feed that is a token",
        {f"{SOURCES}[0].feed": "${USDC}"},
        f"{SOURCES}[0]",
        "the contract reverted",
        "the contract",
    ),
    Wrong(
        "feed of another asset",
        {f"{SOURCES}[0].feed": "${FEED_ETH_CHAINLINK}"},
        f"{SOURCES}[0]",
        "its quote is refused: outlier",
        "Check that the feed quotes this asset",
    ),
    Wrong(
        "heartbeat that the feed does not keep",
        {f"{SOURCES}[1].heartbeat": 60, f"{SOURCES}[1].grace": 0},
        f"{SOURCES}[1]",
        "its quote is refused: stale",
        "`heartbeat`",
    ),
    Wrong(
        "decimals that the feed does not have",
        {f"{SOURCES}[0].decimals": 18},
        f"{SOURCES}[0]",
        "had 18 decimals and now says 8",
        "restart",
    ),
    Wrong(
        "confidence that is never enough",
        {f"{SOURCES}[2].confidence": 5_400},
        f"{SOURCES}[2]",
        "its quote is refused: low_confidence",
        "confidence settings",
    ),
    Wrong(
        "two groups only",
        {},
        SOURCES,
        "2 independent groups",
        "Add sources of other groups",
        "warning",
        removed=(f"{SOURCES}[2]",),
    ),
    Wrong(
        "a single source that is believed",
        {"assets.USDC.min_sources": 1},
        "assets.USDC.min_sources",
        "a single source is believed",
        "Set it to 2",
        "warning",
    ),
    Wrong(
        "one feed that votes twice",
        {f"{SOURCES}[1].feed": "${FEED_USDC_CHAINLINK}"},
        SOURCES,
        "vote 2 times, as the groups chainlink, redstone",
        "Give them one group",
        "warning",
    ),
    Wrong(
        "market without a contract",
        {"assets.PT-USDe.derived.market": NOBODY},
        "assets.PT-USDe.derived.market",
        "there is no contract",
        "Correct the address",
    ),
    Wrong(
        "market of another PT",
        {"assets.PT-USDe.derived.pt": "${USDC}"},
        "assets.PT-USDe.derived",
        "not the configured",
        "Check",
    ),
    Wrong(
        "rate in another base token",
        {"assets.PT-USDe.derived.base_token": "${USDC}"},
        "assets.PT-USDe.derived",
        "not the configured",
        "Check",
    ),
    Wrong(
        "token without a contract",
        {"funds.stable.positions[1].token": NOBODY},
        "funds.stable.positions[1].token",
        "there is no contract",
        "Correct the address",
    ),
    Wrong(
        "vault of another token",
        {"funds.stable.positions[3].underlying": "${USDT}"},
        "funds.stable.positions[3]",
        "not the configured",
        "Check both addresses",
    ),
    Wrong(
        "share token without a contract",
        {"funds.multi.supply.token": NOBODY},
        "funds.multi.supply.token",
        "there is no contract",
        "Correct the address",
    ),
    Wrong(
        "one balance counted twice",
        {"funds.stable.positions[2].token": "${USDC}"},
        "funds.stable.positions",
        "both count balance",
        "Remove one of them",
    ),
    Wrong(
        "one balance counted by two funds",
        {"funds.multi.positions[3].holder": "${STABLE_HOLDER}"},
        "funds",
        "different funds all count",
        "its own holder",
        "warning",
    ),
    Wrong(
        "fund that is not registered",
        {"funds.multi.id": 77},
        "funds.multi.id",
        "fund 77 is not registered",
        "registerFund",
    ),
    Wrong(
        "registry that is another contract",
        {"chains.home.registry": "${USDC}"},
        "chains.home.registry",
        "is not the NavRegistry of this navoracle",
        "correct the address",
    ),
    Wrong(
        "no registry",
        {},
        "funds.stable.chain",
        "never posted",
        "navoracle deploy",
        "warning",
        removed=("chains.home.registry",),
    ),
    Wrong(
        "debt that is counted as an asset twice over",
        {"funds.multi.positions[0].component": "debt"},
        "funds.multi",
        "its NAV is negative",
        "which positions are debts",
    ),
    Wrong(
        "principal token counted as cash though its sy may not be redeemable",
        {"funds.multi.positions[3].asset": "PT-USDe", "funds.multi.positions[3].token": "${PT_USDE}"},
        "funds.multi.positions[3].component",
        "PT-USDe is counted as cash: it comes down to SY",
        "collateral",
        "warning",
    ),
]


def configured(bench: Bench, wrong: Wrong) -> Path:
    """The example of three funds with the misconfiguration in it."""
    config = yaml.safe_load(THREE_FUNDS.read_text(encoding="utf-8"))
    for place, value in wrong.changes.items():
        holder, key = _holder(config, place)
        holder[key] = value
    for place in wrong.removed:
        holder, key = _holder(config, place)
        del holder[key]
    path = bench.folder / "wrong.yaml"
    path.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    attest_beside(path)
    return path


def _holder(config: Any, place: str) -> tuple[Any, Any]:
    steps: list[str | int] = []
    for part in place.split("."):
        name, _, index = part.partition("[")
        steps.append(name)
        if index:
            steps.append(int(index.rstrip("]")))
    for step in steps[:-1]:
        config = config[step]
    return config, steps[-1]


def findings(result: Result) -> list[dict[str, str]]:
    found: list[dict[str, str]] = result.json["findings"]
    return found


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_check__shipped_example__has_no_error(still: Bench, path: Path) -> None:
    result = still.cli("check", "--json", config=path)
    assert result.code == 0, result.out
    assert result.json["errors"] == 0
    assert result.json["readers"] > 4
    assert result.json["contracts"] > 1


@pytest.mark.parametrize("wrong", MISCONFIGURATIONS, ids=lambda wrong: wrong.name)
def test_check__misconfiguration__is_named_with_path_and_remedy(still: Bench, wrong: Wrong) -> None:
    before = still.nonces()
    result = still.cli("check", "--json", config=configured(still, wrong))
    named = [found for found in findings(result) if found["place"] == wrong.place and found["level"] == wrong.level]
    assert any(wrong.message in found["message"] and wrong.advice in found["advice"] for found in named), result.out
    assert result.code == (4 if wrong.level == "error" else 0)
    assert still.nonces() == before


def test_check__two_things_wrong__are_both_named(still: Bench) -> None:
    both = Wrong(
        "",
        {f"{SOURCES}[0].feed": NOBODY, "funds.stable.positions[1].token": NOBODY, "funds.multi.id": 77},
        "",
        "",
        "",
    )
    result = still.cli("check", "--json", config=configured(still, both))
    places = {found["place"] for found in findings(result)}
    assert {f"{SOURCES}[0].feed", "funds.stable.positions[1].token", "funds.multi.id"} <= places


def test_check__refused_source_of_an_asset_that_another_is_derived_from__is_named_once(still: Bench) -> None:
    wrong = Wrong("", {"assets.USDe.sources[0].feed": "${FEED_ETH_CHAINLINK}"}, "", "", "")
    result = still.cli("check", "--json", config=configured(still, wrong))
    named = [found["message"] for found in findings(result) if found["place"] == "assets.USDe.sources[0]"]
    assert len(named) == 1, named
    assert "outlier" in named[0]


def test_check__on_a_terminal__says_path_message_and_advice(still: Bench) -> None:
    wrong = next(each for each in MISCONFIGURATIONS if each.name == "fund that is not registered")
    result = still.cli("check", config=configured(still, wrong))
    assert result.code == 4
    assert "error funds.multi.id: fund 77 is not registered" in result.out
    assert "  advice: Correct the number" in result.out
    assert "1 error" in result.out


def test_check__warnings_and_strict__ends_with_four(still: Bench) -> None:
    wrong = next(each for each in MISCONFIGURATIONS if each.name == "two groups only")
    assert still.cli("check", config=configured(still, wrong)).code == 0
    assert still.cli("check", "--strict", config=configured(still, wrong)).code == 4


def test_check__registry_without_what_a_fund_is_counted_in__is_a_note_that_fails_nothing(still: Bench) -> None:
    result = still.cli("check", "--json")
    notes = {found["place"]: found for found in findings(result) if found["level"] == "note"}
    assert "feeds of it have no `price`" in notes["funds.multi.id"]["message"]
    assert "deploy --base" in notes["funds.multi.id"]["advice"]
    assert (result.code, result.json["errors"]) == (0, 0)


def test_check__signer_that_is_no_poster__is_named_with_the_posters_address(still: Bench) -> None:
    access = {
        name: type(reached)(reached.reader, still.chain.signers[9]) for name, reached in still.world.access().items()
    }
    result = still.cli("check", "--json", chains=access)
    (named,) = [found for found in findings(result) if found["place"] == "chains.home.signer"]
    assert "is no poster of the registry" in named["message"]
    assert "replacePoster" in named["advice"]


def test_check__contract_that_changed_since_the_last_check__is_an_error_until_accepted(still: Bench) -> None:
    with SqlStore.open(f"sqlite:///{still.database}"):
        pass
    assert still.cli("check").code == 0
    with SqlStore.open(f"sqlite:///{still.database}") as store:
        remembered = store.events(kind=CODE_EVENT)
        assert len(remembered) > 10
        feed = still.world.feeds["ETH", "chainlink"]
        changed = {"chain_id": still.chain.chain_id, "address": feed, "code": "0x00"}
        store.append_event(Event(Timestamp(1), CODE_EVENT, None, Severity.INFO, "another", "", changed))
    result = still.cli("check", "--json")
    assert result.code == 4
    (named,) = [found for found in findings(result) if found["level"] == "error"]
    assert named["place"] == "assets.ETH.sources[0].feed"
    assert "--accept-code" in named["advice"]
    assert still.cli("check").code == 4  # seeing it once does not accept it
    assert still.cli("check", "--accept-code").code == 0
    assert still.cli("check").code == 0


@pytest.mark.sockets
def test_check__endpoint_of_another_chain__is_named(still: Bench) -> None:
    with serving(still.chain) as url:
        wrong = Wrong("", {"chains.home.chain_id": 1, "chains.home.rpc": url}, "", "", "")
        result = still.cli("check", "--json", config=configured(still, wrong), chains={})
    assert result.code == 4
    assert any(
        found["place"].startswith("chains.home") and "serves chain" in found["message"] for found in findings(result)
    ), result.out
    assert "0123456789abcdef" not in result.out


@pytest.mark.sockets
def test_check__dead_endpoint__is_named_without_its_key(still: Bench) -> None:
    wrong = Wrong("", {"chains.home.rpc": "http://127.0.0.1:9/v2/SECRETKEY"}, "", "", "")
    result = still.cli("check", "--json", config=configured(still, wrong), chains={})
    assert result.code == 4
    assert any(found["place"].startswith("chains.home") for found in findings(result))
    assert "SECRETKEY" not in result.out + result.err


@pytest.mark.sockets
def test_check__key_file_that_is_not_there__is_named_and_is_no_missing_signer(still: Bench) -> None:
    with serving(still.chain) as url:
        key = str(still.folder / "nobody.key")
        wrong = Wrong("", {"chains.home.rpc": url, "chains.home.signer.key_file": key}, "", "", "")
        result = still.cli("check", "--json", config=configured(still, wrong), chains={})
    named = [found for found in findings(result) if found["place"] == "chains.home.signer"]
    assert [found["level"] for found in named] == ["error"], result.out
    assert "cannot be read" in named[0]["message"]
