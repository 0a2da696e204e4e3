"""The same balances, read by navoracle's own readers, by web3.py in three ways, and by a loop that only moves bytes."""

from __future__ import annotations

import asyncio
import gc
import http.client
import json
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final
from urllib.parse import urlsplit

from web3 import AsyncHTTPProvider, AsyncWeb3

from bench.deployed import CHAIN, CHAIN_ID, Balance, Deployed
from navoracle.abi import encode_call, selector
from navoracle.chain.artifacts import artifact
from navoracle.chain.http import HttpEndpoint
from navoracle.chain.multicall import encode_aggregate3
from navoracle.chain.pool import NodePool
from navoracle.chain.reader import MULTICALL3, Web3ChainReader
from navoracle.domain.positions import Component
from navoracle.keeper.collect import read_all
from navoracle.ports import Address
from navoracle.positions import Erc20Position
from navoracle.recorded.reader import RecordedReader

CHUNK: Final = 500
CONCURRENCY: Final = 16
AGGREGATE3: Final = {
    "type": "function",
    "name": "aggregate3",
    "stateMutability": "payable",
    "inputs": [
        {
            "name": "calls",
            "type": "tuple[]",
            "components": [
                {"name": "target", "type": "address"},
                {"name": "allowFailure", "type": "bool"},
                {"name": "callData", "type": "bytes"},
            ],
        }
    ],
    "outputs": [
        {
            "name": "returnData",
            "type": "tuple[]",
            "components": [{"name": "success", "type": "bool"}, {"name": "returnData", "type": "bytes"}],
        }
    ],
}

_CACHED: Final = type(selector)

Read = Callable[[], Awaitable[list[int]]]
"""Reads the balances and returns them in order."""


@asynccontextmanager
async def chain_reader(url: str) -> Any:
    """Our reader over one node, with its defaults."""
    reader = Web3ChainReader(NodePool.of(HttpEndpoint(url), chain=CHAIN, chain_id=CHAIN_ID, finality=0))
    try:
        yield reader
    finally:
        await reader.close()


def readers_of(world: Deployed) -> list[Erc20Position]:
    """One resolved position reader for each balance."""
    return [
        Erc20Position(
            kind="erc20",
            id=f"position {number}",
            asset=f"asset {held.token}",
            component=Component.COLLATERAL,
            chain=CHAIN,
            token=world.tokens[held.token],
            holder=held.account,
            decimals=world.decimals[held.token],
        )
        for number, held in enumerate(world.balances)
    ]


def navoracle(chain: Web3ChainReader, readers: Sequence[Erc20Position]) -> Read:
    """A frame's way: stamp a block, drive the readers through the session, have positions."""

    async def read() -> list[int]:
        at = await chain.stamp()
        readings = await read_all(readers, [at], at.timestamp, {CHAIN: chain}, RecordedReader({}))
        return [readings.values[reader.id][0].amount.value for reader in readers]

    return read


def forget() -> None:
    """Empty every cache of navoracle's functions, as in a process that has just begun."""
    for cached in gc.get_objects():
        if isinstance(cached, _CACHED) and cached.__module__.startswith("navoracle."):
            cached.cache_clear()


def one_by_one(world: Deployed, web3: AsyncWeb3[Any], balances: Sequence[Balance]) -> Read:
    """web3.py: a contract call each, several under way at once."""
    contracts = _contracts(world, web3)

    async def read() -> list[int]:
        slots = asyncio.Semaphore(CONCURRENCY)

        async def one(held: Balance) -> int:
            async with slots:
                return int(await contracts[held.token].functions.balanceOf(held.account).call())

        return list(await asyncio.gather(*map(one, balances)))

    return read


def batch_requests(world: Deployed, web3: AsyncWeb3[Any], balances: Sequence[Balance]) -> Read:
    """web3.py's `batch_requests`: JSON-RPC batches of contract calls."""
    contracts = _contracts(world, web3)

    async def read() -> list[int]:
        found: list[int] = []
        for part in _parts(balances):
            async with web3.batch_requests() as batch:
                for held in part:
                    batch.add(contracts[held.token].functions.balanceOf(held.account).call())
                answers: Any = await batch.async_execute()
                found += answers
        return found

    return read


def multicall3_contract(world: Deployed, web3: AsyncWeb3[Any], balances: Sequence[Balance]) -> Read:
    """web3.py: `aggregate3` of a Multicall3 contract, chunks at once, encoded and decoded by web3."""
    contracts = _contracts(world, web3)
    multicall = web3.eth.contract(address=_checksum(MULTICALL3), abi=[AGGREGATE3])

    async def chunk(part: Sequence[Balance]) -> list[int]:
        calls = [
            (world.tokens[held.token], True, contracts[held.token].encode_abi("balanceOf", [held.account]))
            for held in part
        ]
        results = await multicall.functions.aggregate3(calls).call()
        return [web3.codec.decode(["uint256"], data)[0] for _, data in results]

    async def read() -> list[int]:
        return [value for part in await asyncio.gather(*map(chunk, _parts(balances))) for value in part]

    return read


def bare_loop(world: Deployed) -> Read:
    """The least that there is to do: post bodies that are ready, and cut the answers into words."""
    address = urlsplit(world.url)
    bodies = []
    for part in _parts(world.balances):
        calls = [
            (bytes.fromhex(world.tokens[held.token][2:]), encode_call("balanceOf(address)", held.account))
            for held in part
        ]
        call = {"to": MULTICALL3, "data": "0x" + encode_aggregate3(calls).hex()}
        body = {"jsonrpc": "2.0", "id": 1, "method": "eth_call", "params": [call, "latest"]}
        bodies.append((json.dumps(body).encode(), 64 + 32 * len(calls) + 96))

    async def read() -> list[int]:
        connection = http.client.HTTPConnection(address.hostname or "", address.port)
        words: list[bytes] = []
        for body, first in bodies:
            connection.request("POST", "/", body, {"Content-Type": "application/json"})
            answer = connection.getresponse().read()
            start = answer.index(b'"0x') + 3
            data = bytes.fromhex(answer[start : answer.index(b'"', start)].decode())
            words += [data[place : place + 32] for place in range(first, len(data), 128)]
        connection.close()
        return [int.from_bytes(word, "big") for word in words]

    return read


@asynccontextmanager
async def web3_client(url: str) -> Any:
    """web3.py as its documentation sets it up."""
    web3: AsyncWeb3[Any] = AsyncWeb3(AsyncHTTPProvider(url))
    try:
        yield web3
    finally:
        await web3.provider.disconnect()


def _contracts(world: Deployed, web3: AsyncWeb3[Any]) -> list[Any]:
    abi: Any = list(artifact("Token").abi)
    return [web3.eth.contract(address=_checksum(token), abi=abi) for token in world.tokens]


def _checksum(address: Address) -> Any:
    return address


def _parts(balances: Sequence[Balance]) -> Iterator[Sequence[Balance]]:
    for start in range(0, len(balances), CHUNK):
        yield balances[start : start + CHUNK]
