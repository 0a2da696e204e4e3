"""`navoracle check` of endpoints, quorum, credentials, exchanges, HTTP and sequencer: path, remedy, and no secret."""

from __future__ import annotations

from typing import Any

import pytest

from navoracle.chain.node import Node
from navoracle.chain.pool import NodePool
from navoracle.chain.reader import Web3ChainReader
from navoracle.composition.embedded import POSTER
from navoracle.composition.system import ChainAccess
from navoracle.demo.world import CHAIN
from tests.acceptance.node import serving
from tests.acceptance.test_check import NOBODY, SOURCES, Wrong, configured, findings
from tests.acceptance.worlds import Bench

SECRET = "SECRETKEY0123456789"
ONE, OTHER = f"https://one.example/v2/{SECRET}", f"https://other.example/{SECRET}"
GECKO = {"kind": "coingecko", "group": "coingecko", "coin": "usd-coin"}
RPC = ("chains.home.rpc",)

REFUSED = [
    Wrong(
        "quorum above the number of operators",
        {"chains.home.endpoints": [{"url": ONE}, {"url": OTHER}], "chains.home.quorum": 3},
        "chains.home: ",
        "quorum is 3 and there are 2 operators of endpoints",
        "add endpoints of other operators",
        removed=RPC,
    ),
    Wrong(
        "quorum of two endpoints of one host",
        {"chains.home.endpoints": [{"url": ONE}, {"url": f"{ONE}2"}], "chains.home.quorum": 2},
        "chains.home: ",
        "quorum is 2 and there are 1 operators of endpoints",
        "name their `operator`",
        removed=RPC,
    ),
    Wrong(
        "one URL twice",
        {"chains.home.endpoints": [{"url": ONE}, {"url": ONE}]},
        "chains.home: endpoints.1: ",
        "the same URL is listed before",
        "remove one",
        removed=RPC,
    ),
    Wrong(
        "URL that is none", {"chains.home.rpc": f"one.example/{SECRET}"}, "chains.home.rpc: ", "no URL", "http(s)://"
    ),
    Wrong(
        "endpoints that are no list",
        {"chains.home.endpoints": {"url": ONE}},
        "chains.home.endpoints: ",
        "valid tuple",
        "write a list",
        removed=RPC,
    ),
    Wrong(
        "unknown credential",
        {f"{SOURCES}[0]": {**GECKO, "credential": "gecko"}, "credentials": {"geko": {"header": "x", "value": SECRET}}},
        "assets.USDC.sources.0.credential: ",
        "gecko is not among credentials",
        "it has geko",
    ),
    Wrong(
        "unknown exchange",
        {f"{SOURCES}[0]": {"kind": "exchange", "group": "kraken", "exchange": "kraken", "symbol": "USDC/USD"}},
        "assets.USDC.sources.0.exchange: ",
        "kraken is not among exchanges",
        "add `exchanges: kraken:`",
    ),
    Wrong(
        "exchange that ccxt does not know",
        {"exchanges": {"venue": {"id": "krakn", "credentials": {"apiKey": SECRET}}}},
        "exchanges.venue.id: ",
        "knows no exchange krakn",
        "kraken",
    ),
    Wrong(
        "exchange key among its options",
        {"exchanges": {"venue": {"id": "kraken", "options": {"apiKey": SECRET}}}},
        "exchanges.venue.options: ",
        "apiKey opens the account",
        "move it to `credentials`",
    ),
    Wrong("credential without a name", {"credentials": {"gecko": SECRET}}, "credentials.gecko: ", "valid", "a mapping"),
    Wrong(
        "key in the address of a service",
        {f"{SOURCES}[0]": {**GECKO, "base_url": f"https://api.example/{SECRET}"}},
        "base_url: ",
        "looks like a key",
        "`credential`",
    ),
    Wrong("pace that is none", {"http": {"per_second": 0}}, "http.per_second: ", "greater than 0", "config schema"),
    Wrong(
        "sequencer feed that is no address",
        {"chains.home.sequencer": {"feed": "0x12"}},
        "chains.home.sequencer.feed: ",
        "is not an address",
        "40 hexadecimal digits",
    ),
]


@pytest.mark.parametrize("wrong", REFUSED, ids=lambda wrong: wrong.name)
def test_check__section_that_cannot_work__is_refused_with_path_and_remedy_and_without_its_secret(
    still: Bench, wrong: Wrong
) -> None:
    result = still.cli("check", "--json", config=configured(still, wrong), chains={})
    told = result.json["error"]
    assert result.code == 4
    assert wrong.place in told["message"]
    assert wrong.message in told["message"]
    assert wrong.advice in f"{told['message']} {told['advice']}"
    assert "SECRET" not in result.out + result.err


@pytest.mark.parametrize("text", ["rpc: 'https://one.example/{}", "rpc: *{}", "rpc: !{} x", "rpc: https://{}: ["])
def test_check__syntax_is_wrong_beside_a_key__names_the_line_without_the_key(still: Bench, text: str) -> None:
    path = still.folder / "wrong.yaml"
    path.write_text(f"chains:\n  home:\n    {text.format(SECRET)}\n", encoding="utf-8")
    result = still.cli("check", config=path)
    assert result.code == 4
    assert f"{path}: not YAML: " in result.err
    assert ", line " in result.err
    assert "SECRET" not in result.out + result.err


def test_check__sequencer_feed_without_a_contract__is_told_once_and_not_at_every_reader(still: Bench) -> None:
    wrong = Wrong("", {"chains.home.sequencer": {"feed": NOBODY}}, "", "", "")
    result = still.cli("check", "--json", config=configured(still, wrong))
    places = [found["place"] for found in findings(result) if found["level"] == "error"]
    assert "chains.home.sequencer.feed" in places
    assert not [place for place in places if ".sources" in place or ".positions" in place]


def pooled(bench: Bench, *endpoints: Any, **settings: Any) -> dict[str, ChainAccess]:
    """The world behind a pool of these endpoints."""
    nodes = [Node(endpoint, operator=f"operator-{index}") for index, endpoint in enumerate(endpoints)]
    pool = NodePool(nodes, chain=CHAIN, chain_id=bench.chain.chain_id, **{"finality": 0, **settings})
    return {CHAIN: ChainAccess(Web3ChainReader(pool), bench.chain.signers[POSTER])}


@pytest.mark.sockets
def test_check__source_off_chain_on_a_chain_that_lags__is_named(still: Bench) -> None:
    wrong = Wrong("", {f"{SOURCES}[0]": {**GECKO, "base_url": "http://127.0.0.1:9"}}, "", "", "")
    path = configured(still, wrong)
    # One block of a second on top of the hour: the newest block may be about to be followed.
    told = "quotes off chain are up to 3602 s ahead of the block of home, more than max_future (30 s)"
    for finality, expected in ((2, [told]), (0, [])):
        chains = pooled(still, still.chain.endpoint, finality=finality)
        result = still.cli("check", "--json", config=path, chains=chains)
        named = [
            found for found in findings(result) if found["place"] == f"{SOURCES}[0]" and "ahead" in found["message"]
        ]
        assert [found["message"] for found in named] == expected
        assert all("max_future" in found["advice"] for found in named)
        assert any(
            "source_down" in found["message"] or "no connection" in found["message"] for found in findings(result)
        )


def test_check__finality_older_than_a_funds_guard_takes__is_named(still: Bench) -> None:
    result = still.cli("check", "--json", chains=pooled(still, still.chain.endpoint, finality=2))
    named = [found for found in findings(result) if found["place"] == "funds.multi.guards.max_block_age"]
    assert [found["message"] for found in named] == [
        "blocks of home are 3601 s old here, and the fund takes 900 s at most"
    ]
    assert "chains.home.confirmations" in named[0]["advice"]


class WithoutMulticall:
    """A node of the chain that has no contract code to show."""

    name = "bare"

    def __init__(self, bench: Bench) -> None:
        self.chain = bench.chain

    async def request(self, method: str, params: Any) -> object:
        return "0x" if method == "eth_getCode" else await self.chain.endpoint.request(method, params)

    async def close(self) -> None:
        """Nothing to give up."""


def test_check__node_that_cannot_be_pinned__is_named_though_the_others_go_on(still: Bench) -> None:
    endpoint = still.chain.endpoint
    result = still.cli("check", "--json", chains=pooled(still, endpoint, WithoutMulticall(still), endpoint))
    (named,) = [found for found in findings(result) if found["place"] == "chains.home.endpoints[1]"]
    assert "bare cannot be read at a pinned block" in named["message"]
    assert "there is no Multicall3" in named["message"]
    assert "chains.home.multicall" in named["advice"]


@pytest.mark.parametrize(
    ("operators", "quorum", "place", "told"),
    [
        (1, None, "chains.home", "one operator of endpoints"),
        (2, None, "chains.home.endpoints", "all must agree"),
        (3, 3, "chains.home.endpoints", "all must agree"),
        (3, 1, "chains.home.quorum", "the quorum is 1"),
        (3, None, None, None),
        (3, 2, None, None),
    ],
)
def test_check__quorum__bears_one_liar_and_one_loss_or_is_warned_of(
    still: Bench, operators: int, quorum: int | None, place: str | None, told: str | None
) -> None:
    chains = pooled(still, *[still.chain.endpoint] * operators, quorum=quorum)
    result = still.cli("check", "--json", chains=chains)
    places = ("chains.home", "chains.home.endpoints", "chains.home.quorum")
    found = [each for each in findings(result) if each["place"] in places]
    assert [each["place"] for each in found] == ([] if place is None else [place])
    assert all(str(told) in each["message"] and each["advice"] and each["level"] == "warning" for each in found)


@pytest.mark.sockets
def test_check__two_endpoints_of_one_host__are_one_operator(still: Bench) -> None:
    with serving(still.chain) as url:
        wrong = Wrong("", {"chains.home.endpoints": [{"url": url}, {"url": f"{url}2"}]}, "", "", "", removed=RPC)
        result = still.cli("check", "--json", config=configured(still, wrong), chains={})
    (named,) = [found for found in findings(result) if found["place"] == "chains.home"]
    assert "one operator of endpoints" in named["message"]
    assert "of 3 operators" in named["advice"]
    assert "0123456789abcdef" not in result.out + result.err
