"""The example integrations of the guide: they compile against the contracts of this version, and the readers read."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import pytest
from eth_tester.exceptions import TransactionFailed
from web3 import Web3
from web3.contract import Contract

from navoracle.chain.artifacts import artifact
from tests.contracts.registry import ADMIN, GUARDIAN, HOUR, MINUTE, NAV, NOON, VAULT, Chain, record
from tests.requirements import PROJECT, needs_node

FOLDER = PROJECT / "docs" / "integrations"
EXAMPLES = sorted(FOLDER.glob("*.sol"))
CONTRACTS = PROJECT / "contracts"
FUND = 40
PPS = 1_012_345_678_901_234_567

DOUBLES = """// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {INavFeed} from "src/feeds/INavFeed.sol";
import {IEulerRouter} from "EulerRoute.sol";
import {IMorpho} from "MorphoMarket.sol";
import {YearnStrategy} from "YearnStrategy.sol";

contract MorphoDouble is IMorpho {
    MarketParams public created;

    function createMarket(MarketParams memory params) external {
        created = params;
    }
}

contract RouterDouble is IEulerRouter {
    mapping(address => mapping(address => address)) public oracles;

    function govSetConfig(address base, address quote, address oracle) external {
        oracles[base][quote] = oracle;
    }
}

contract Strategy is YearnStrategy {
    constructor(IERC20 asset_, INavFeed feed_) YearnStrategy(asset_, feed_) {}

    function report() external returns (uint256) {
        return _harvestAndReport();
    }
}
"""
Deploy: TypeAlias = Callable[..., Contract]

pytestmark = [needs_node, pytest.mark.slow]


@pytest.fixture(scope="module")
def compiled() -> dict[str, Any]:
    """What the compiler says of all examples together."""
    sources = {path.name: path.read_text(encoding="utf-8") for path in EXAMPLES} | {"Doubles.sol": DOUBLES}
    request = {
        "language": "Solidity",
        "sources": {name: {"content": text} for name, text in sources.items()},
        "settings": {
            "evmVersion": "cancun",
            "outputSelection": {name: {"*": ["abi", "evm.bytecode.object"]} for name in sources},
        },
    }
    solc, include = str(CONTRACTS / "tools" / "solc"), str(CONTRACTS / "node_modules")
    run = subprocess.run(
        [solc, "--standard-json", "--base-path", str(CONTRACTS), "--include-path", include],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        check=True,
    )
    output: dict[str, Any] = json.loads(run.stdout)
    return output


@pytest.fixture(scope="module")
def deploy(compiled: dict[str, Any]) -> Deploy:
    """Deploys an example, or a double of what it works with, by the contract's name."""
    contracts = {name: found for of in compiled["contracts"].values() for name, found in of.items()}

    def deployed(chain: Chain, name: str, *arguments: Any) -> Contract:
        found = contracts[name]
        factory = chain.web3.eth.contract(abi=found["abi"], bytecode=found["evm"]["bytecode"]["object"])
        receipt = chain.web3.eth.wait_for_transaction_receipt(factory.constructor(*arguments).transact())
        return factory(Web3.to_checksum_address(str(receipt["contractAddress"])))

    return deployed


class Fund:
    """A fund of shares with 18 decimals in an asset with 6, posted at PPS, and the last-good and strict feeds."""

    def __init__(self) -> None:
        self.chain = Chain()
        self.shares = self.chain.deploy("Token", "Fund", "FND", 18).address
        self.asset = self.chain.deploy("Token", "USD Coin", "USDC", 6).address
        self.chain.send(ADMIN, "registerFund", FUND, self.shares, self.asset, 0, NAV, PPS, NOON)
        factory = self.chain.deploy("NavFeedFactory", self.chain.registry.address)
        self.feeds: dict[bool, str] = {}
        for strict in (False, True):
            self.chain.web3.eth.wait_for_transaction_receipt(factory.functions.createFeed(FUND, 18, strict).transact())
            self.feeds[strict] = factory.functions.feedOf(FUND, 18, strict).call()[0]
        assert self.chain.post(NOON + MINUTE, record(FUND, PPS)) == []

    def refuses(self, contract: Contract, function: str, *arguments: Any) -> bool:
        data = contract.encode_abi(function, list(arguments))
        try:
            self.chain.tester.call({"from": self.chain.accounts[0], "to": contract.address, "data": data})
        except TransactionFailed:
            return True
        return False


@pytest.fixture(scope="module")
def shared() -> Fund:
    return Fund()


@pytest.fixture
def fund(shared: Fund) -> Iterator[Fund]:
    snapshot = shared.chain.tester.take_snapshot()
    yield shared
    shared.chain.tester.revert_to_snapshot(snapshot)


def test_examples__all_together__compile_without_a_warning(compiled: dict[str, Any]) -> None:
    mine = [
        entry["formattedMessage"]
        for entry in compiled.get("errors", [])
        if (entry.get("sourceLocation") or {}).get("file", "") in {path.name for path in EXAMPLES}
        or entry["severity"] == "error"
    ]
    assert mine == []
    assert {path.stem for path in EXAMPLES} <= {name for of in compiled["contracts"].values() for name in of}


def test_guide__examples__names_every_file_that_there_is() -> None:
    named = re.findall(
        r"\]\(integrations/(\w+\.sol)\)", (FOLDER.parent / "integrations.md").read_text(encoding="utf-8")
    )
    assert sorted(set(named)) == [path.name for path in EXAMPLES]


@pytest.mark.parametrize("strict", [False, True])
def test_chainlink_consumer__until_the_price_is_old__reads_it(fund: Fund, deploy: Deploy, strict: bool) -> None:
    consumer = deploy(fund.chain, "ChainlinkConsumer", fund.feeds[strict], HOUR // 2)
    assert consumer.functions.price().call() == PPS
    fund.chain.at(NOON + MINUTE + HOUR // 2)
    assert consumer.functions.price().call() == PPS
    fund.chain.at(NOON + MINUTE + HOUR // 2 + 1)
    assert fund.refuses(consumer, "price")


def test_quote_consumer__both_ways__values_shares_and_refuses_a_held_fund(fund: Fund, deploy: Deploy) -> None:
    consumer = deploy(fund.chain, "QuoteConsumer", fund.feeds[False])
    assert consumer.functions.valueOf(3 * 10**18).call() == 3 * PPS // 10**12
    assert consumer.functions.sharesFor(10**6).call() == 10**36 // PPS
    fund.chain.send(GUARDIAN, "hold", [FUND])
    assert fund.refuses(consumer, "valueOf", 10**18)


def test_balancer_rate__a_feed__is_the_rate_provider_of_its_shares(fund: Fund, deploy: Deploy) -> None:
    rate = deploy(fund.chain, "BalancerRate").functions.tokenRate(fund.feeds[True]).call()
    assert tuple(rate) == (fund.shares, fund.feeds[True])
    feed = fund.chain.web3.eth.contract(Web3.to_checksum_address(fund.feeds[True]), abi=artifact("NavFeedStrict").abi)
    assert feed.functions.getRate().call() == PPS


def test_morpho_market__a_feed__is_its_oracle_and_must_have_a_price_now(fund: Fund, deploy: Deploy) -> None:
    morpho = deploy(fund.chain, "MorphoDouble")
    market = deploy(fund.chain, "MorphoMarket", morpho.address)
    model, threshold = fund.chain.accounts[VAULT], 86 * 10**16
    market.functions.open(fund.feeds[False], model, threshold).transact()
    created = morpho.functions.created().call()
    assert created == [fund.asset, fund.shares, fund.feeds[False], model, threshold]
    fund.chain.send(GUARDIAN, "hold", [FUND])
    assert fund.refuses(market, "open", fund.feeds[False], model, threshold)


def test_euler_route__a_feed__is_the_oracle_of_shares_in_the_asset(fund: Fund, deploy: Deploy) -> None:
    router = deploy(fund.chain, "RouterDouble")
    deploy(fund.chain, "EulerRoute", router.address).functions.route(fund.feeds[True]).transact()
    assert router.functions.oracles(fund.shares, fund.asset).call() == fund.feeds[True]


def test_yearn_strategy__idle_and_shares__reports_both_and_nothing_while_held(fund: Fund, deploy: Deploy) -> None:
    strategy = deploy(fund.chain, "Strategy", fund.asset, fund.feeds[True])
    assert strategy.functions.report().call() == 0
    token = fund.chain.web3.eth.contract(abi=artifact("Token").abi)
    token(fund.asset).functions.mint(strategy.address, 5_000_000).transact()
    token(fund.shares).functions.mint(strategy.address, 3 * 10**18).transact()
    assert strategy.functions.report().call() == 5_000_000 + 3 * PPS // 10**12
    fund.chain.send(GUARDIAN, "hold", [FUND])
    assert fund.refuses(strategy, "report")
