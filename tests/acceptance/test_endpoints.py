"""Three endpoints: one that lies, lags, is empty or dead changes no posted value; two of them stop the post."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import pytest

from navoracle.chain.embedded import EmbeddedChain
from navoracle.chain.node import Node
from navoracle.chain.pool import NodePool
from navoracle.chain.reader import Web3ChainReader
from navoracle.composition.embedded import POSTER
from navoracle.composition.system import ChainAccess
from navoracle.demo.world import CHAIN, OPENING_NAV
from navoracle.domain.errors import ChainError
from navoracle.publishers.nav_registry import NavRegistryPublisher
from tests.acceptance.worlds import Bench, Result, gross_values

Ask = Callable[[str, Sequence[object]], Awaitable[object]]


async def lying(ask: Ask, method: str, params: Sequence[object]) -> object:
    """Adds one to the last digit of every call's result."""
    found = await ask(method, params)
    if method != "eth_call" or not isinstance(found, str) or len(found) < 66:
        return found
    return found[:-1] + ("1" if found[-1] != "1" else "2")


async def lying_otherwise(ask: Ask, method: str, params: Sequence[object]) -> object:
    """Tells another lie than the other liar."""
    found = await lying(ask, method, params)
    return found[:-2] + "7" + found[-1] if method == "eth_call" and isinstance(found, str) else found


async def lagging(ask: Ask, method: str, params: Sequence[object]) -> object:
    """Knows nothing of the newest 30 blocks."""
    newest = int(str(await ask("eth_blockNumber", [])), 16) - 30
    if method == "eth_blockNumber":
        return hex(newest)
    if method == "eth_getBlockByNumber":
        number = params[0]
        if number == "latest":
            return await ask(method, [hex(newest), *params[1:]])
        if isinstance(number, str) and number.startswith("0x") and int(number, 16) > newest:
            return None
    return await ask(method, params)


async def empty(ask: Ask, method: str, params: Sequence[object]) -> object:
    """Answers every call with nothing."""
    return "0x" if method == "eth_call" else await ask(method, params)


async def dead(ask: Ask, method: str, params: Sequence[object]) -> object:
    """Answers nothing at all."""
    raise ChainError("connection refused", advice="Check the node.")


FAULTS = {"lying": lying, "lagging": lagging, "empty": empty, "dead": dead}


@dataclass
class FaultyEndpoint:
    """The chain behind a fault, which begins when it is switched on."""

    chain: EmbeddedChain
    name: str
    fault: Callable[[Ask, str, Sequence[object]], Awaitable[object]] | None

    async def request(self, method: str, params: Sequence[object]) -> object:
        ask = self.chain.endpoint.request
        return await (ask(method, params) if self.fault is None else self.fault(ask, method, params))

    async def close(self) -> None:
        """Nothing to give up."""


def post_over(bench: Bench, *names: str | None) -> Result:
    """`navoracle post --live` over a node for each name: a fault, or None for a sound one."""
    faults = {**FAULTS, "lying otherwise": lying_otherwise}
    nodes = [
        Node(FaultyEndpoint(bench.chain, f"node-{index}", None if name is None else faults[name]))
        for index, name in enumerate(names)
    ]
    pool = NodePool(nodes, chain=CHAIN, chain_id=bench.chain.chain_id, finality=0)
    access = {CHAIN: ChainAccess(Web3ChainReader(pool), bench.chain.signers[POSTER])}
    return bench.cli("post", "--live", "--json", chains=access)


def posted(bench: Bench) -> dict[str, int | None]:
    """What the registry says of each fund."""

    async def ask() -> dict[str, int | None]:
        reader = bench.chain.reader(CHAIN)
        ids = {"stable": 1, "levered-pt": 2, "multi": 3}
        publisher = NavRegistryPublisher(reader, chain=CHAIN, registry=bench.world.registry)
        return {name: found.nav for name, found in (await publisher.confirmed(ids)).items()}

    return asyncio.run(ask())


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("fault", FAULTS)
def test_post__one_of_three_endpoints_is_faulty__posts_the_same_value(bench: Bench, fault: str, place: int) -> None:
    names: list[str | None] = [None, None, None]
    names[place] = fault
    result = post_over(bench, *names)
    assert result.code == 0, result.out + result.err
    assert gross_values(result.json) == OPENING_NAV
    assert posted(bench) == {part["fund"]: int(part["found"]["nav_after"]) for part in result.json["funds"]}


@pytest.mark.parametrize(
    "names",
    [
        ("lying", "lying otherwise", None),
        ("dead", "dead", None),
        ("empty", "lying", None),
        ("dead", None, "lagging"),
        (None, "empty", "dead"),
    ],
    ids=lambda names: ", ".join(name or "sound" for name in names),
)
def test_post__two_of_three_endpoints_are_faulty__posts_nothing_and_says_why(
    bench: Bench, names: tuple[str | None, ...]
) -> None:
    before = bench.nonces()
    result = post_over(bench, *names)
    assert result.code in (3, 5), result.out
    error = result.json["error"]
    assert error["message"]
    assert error["advice"]
    assert bench.nonces() == before
