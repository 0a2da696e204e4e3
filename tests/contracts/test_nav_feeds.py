"""Feeds on the byte code that the package carries, after real posts. Forge tests every rule at its edges."""

from __future__ import annotations

from ast import literal_eval
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import pytest
from eth_tester.exceptions import TransactionFailed
from hypothesis import given, settings
from hypothesis import strategies as st
from web3 import Web3
from web3.contract import Contract

from navoracle.abi import selector
from navoracle.chain.artifacts import artifact
from navoracle.domain.units import Bps, Timestamp, Wad
from navoracle.publisher_port import FundPost
from navoracle.publishers.nav_registry_codec import RecordSize, encode_header, encode_record
from tests.contracts.registry import ADMIN, GUARDIAN, HOUR, MINUTE, NAV, NOON, POSTER, WAD, Chain, record

FUND = 40
PPS = 1_012_345_678_901_234_567
PANIC = selector("Panic(uint256)")
SHARE_DECIMALS, ASSET_DECIMALS = 18, 6


class Feeds:
    """The registry's chain with a factory and one fund: shares of 18 decimals counted in a token of 6."""

    def __init__(self) -> None:
        self.chain = Chain()
        self.tester = self.chain.tester
        self.web3 = self.chain.web3
        self.shares = self.chain.deploy("Token", "Fund", "FND", SHARE_DECIMALS)
        self.asset = self.chain.deploy("Token", "USD Coin", "USDC", ASSET_DECIMALS)
        self.factory = self.chain.deploy("NavFeedFactory", self.chain.registry.address)
        self.chain.send(ADMIN, "registerFund", FUND, self.shares.address, self.asset.address, 0, NAV, PPS, NOON)
        self.feed, self.strict = self.create("NavFeed", 18), self.create("NavFeedStrict", 18)

    def create(self, name: str, decimals: int, fund: int = FUND) -> Contract:
        """A fund's feed, as anyone would create it."""
        wanted = (fund, decimals, name == "NavFeedStrict")
        place, created = self.factory.functions.feedOf(*wanted).call()
        if not created:
            self.web3.eth.wait_for_transaction_receipt(self.factory.functions.createFeed(*wanted).transact())
        return self.web3.eth.contract(Web3.to_checksum_address(place), abi=artifact(name).abi)

    def error(self, contract: Contract, function: str, *arguments: Any) -> str:
        """The name of the error that a read is refused with; an empty string when it is not refused."""
        data = contract.encode_abi(function, list(arguments))
        try:
            self.tester.call({"from": self.web3.eth.accounts[0], "to": contract.address, "data": data})
        except TransactionFailed as refusal:
            known = artifact("NavRegistry").errors() | artifact("NavFeed").errors() | {PANIC: "Panic"}
            return known[literal_eval(refusal.args[0])[:4]].partition("(")[0]
        return ""


@pytest.fixture(scope="module")
def shared() -> Feeds:
    return Feeds()


@pytest.fixture
def feeds(shared: Feeds) -> Iterator[Feeds]:
    snapshot = shared.tester.take_snapshot()
    yield shared
    shared.tester.revert_to_snapshot(snapshot)


def test_artifacts__once_deployed__are_the_code_on_the_chain(feeds: Feeds) -> None:
    for name, address in {
        "NavFeedFactory": feeds.factory.address,
        "NavFeed": feeds.factory.functions.feedCode().call(),
        "NavFeedStrict": feeds.factory.functions.strictFeedCode().call(),
    }.items():
        code = bytes(feeds.web3.eth.get_code(Web3.to_checksum_address(address)))
        assert [other for other in ("NavFeed", "NavFeedStrict", "NavFeedFactory") if artifact(other).is_code(code)] == [
            name
        ]


def test_feeds__after_a_post_as_the_keeper_encodes_it__answer_it_under_its_valuation_time(feeds: Feeds) -> None:
    cash, nothing = Wad(NAV + 7), Wad(0)
    components = (cash, nothing, nothing, nothing, nothing)
    posted = FundPost("fund", FUND, cash, Wad(PPS + 9), Bps(9_500), False, components, Wad(NAV))
    valued_at = NOON + MINUTE
    header = encode_header(Timestamp(valued_at), RecordSize.FULL)
    feeds.chain.at(valued_at + 5 * MINUTE)
    feeds.chain.send(POSTER, "post", header, bytes(32), encode_record(posted, RecordSize.FULL))
    for feed in (feeds.feed, feeds.strict):
        expected = [valued_at, PPS + 9, valued_at, valued_at, valued_at]
        assert feed.functions.latestRoundData().call() == expected
        assert feed.functions.getRoundData(valued_at).call() == expected
        assert feed.functions.getRate().call() == PPS + 9
        assert feed.functions.price().call() == (PPS + 9) * 10**6


def test_feeds__until_the_first_post__serve_the_opening_only_where_the_consumer_looks(feeds: Feeds) -> None:
    assert feeds.feed.functions.latestRoundData().call()[1] == PPS
    assert feeds.error(feeds.strict, "latestRoundData") == "FundIsEstimated"
    assert feeds.error(feeds.feed, "getRate") == feeds.error(feeds.feed, "price") == "FundIsEstimated"


def test_feeds__held__serve_the_old_value_and_time_or_revert(feeds: Feeds) -> None:
    feeds.chain.post(NOON + MINUTE, record(FUND, PPS))
    assert feeds.chain.post(NOON + 2 * MINUTE, record(FUND, 2 * PPS)) == [("NavHeld", FUND, 3)]
    assert feeds.feed.functions.latestRoundData().call()[1::2] == [PPS, NOON + MINUTE]
    pair = (10**18, feeds.shares.address, feeds.asset.address)
    refused = [feeds.error(feeds.strict, name) for name in ("latestRoundData", "getRate", "price")]
    assert refused == ["FundIsHeld"] * 3
    assert feeds.error(feeds.feed, "getQuote", *pair) == "OracleUntrustedData"


def test_feeds__stale__revert_where_strict(feeds: Feeds) -> None:
    feeds.chain.post(NOON + MINUTE, record(FUND, PPS))
    feeds.chain.at(NOON + MINUTE + HOUR + 1)
    assert feeds.feed.functions.latestRoundData().call()[3] == NOON + MINUTE
    assert feeds.error(feeds.strict, "latestRoundData") == feeds.error(feeds.strict, "getRate") == "FundIsStale"


def test_feeds__guardian_stops_the_fund__revert_where_strict(feeds: Feeds) -> None:
    feeds.chain.post(NOON + MINUTE, record(FUND, PPS))
    feeds.chain.send(GUARDIAN, "hold", [FUND])
    assert feeds.error(feeds.feed, "latestRoundData") == ""
    assert feeds.error(feeds.strict, "latestRoundData") == feeds.error(feeds.feed, "getRate") == "FundIsHeld"


PAIRS = {41: (18, 6, PPS), 42: (6, 8, 2**88 - 1), 43: (0, 27, 3), 44: (27, 0, 10**8), 45: (8, 18, WAD)}
"""Funds by number: decimals of shares and asset, and the price per share."""


@pytest.fixture(scope="module")
def pairs() -> dict[int, tuple[Feeds, Contract, str, str]]:
    own = Feeds()
    tokens = {}
    for fund, (share_decimals, asset_decimals, pps) in PAIRS.items():
        shares = own.chain.deploy("Token", "S", "S", share_decimals).address
        asset = own.chain.deploy("Token", "A", "A", asset_decimals).address
        own.chain.send(ADMIN, "registerFund", fund, shares, asset, 0, NAV, pps, NOON)
        tokens[fund] = (shares, asset)
    own.chain.post(NOON + MINUTE, *(record(fund, pps) for fund, (_, _, pps) in PAIRS.items()))
    return {fund: (own, own.create("NavFeedStrict", 18, fund), *of) for fund, of in tokens.items()}


@settings(max_examples=25, deadline=None)
@given(amount=st.integers(0, 2**128 - 1))
@pytest.mark.parametrize("fund", PAIRS)
def test_quote__any_amount_in_both_directions__is_the_exact_value_rounded_down(
    pairs: dict[int, tuple[Feeds, Contract, str, str]], fund: int, amount: int
) -> None:
    feeds, feed, shares, asset = pairs[fund]
    share_decimals, asset_decimals, pps = PAIRS[fund]
    raw_price = Fraction(pps * 10**asset_decimals, WAD * 10**share_decimals)
    for value, base, quote in ((amount * raw_price, shares, asset), (amount / raw_price, asset, shares)):
        if value < 2**256:
            assert feed.functions.getQuote(amount, base, quote).call() == int(value)
        else:
            assert feeds.error(feed, "getQuote", amount, base, quote) == "Panic"


@pytest.mark.parametrize("fund", PAIRS)
def test_price__any_decimals__is_what_morpho_expects_and_never_zero(
    pairs: dict[int, tuple[Feeds, Contract, str, str]], fund: int
) -> None:
    feeds, feed, _, _ = pairs[fund]
    share_decimals, asset_decimals, pps = PAIRS[fund]
    expected = pps * 10 ** (18 + asset_decimals) // 10**share_decimals
    if expected:
        assert feed.functions.price().call() == expected
    else:
        assert feeds.error(feed, "price") == "ZeroAnswer"
