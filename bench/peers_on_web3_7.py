"""Balances read with multicall.py or dank_mids, which need web3 below 8: a script for an environment of their own.

It reads `{"url", "client", "tokens", "reads": [[token, account], ...], "runs"}` from its standard input, `token` being
a place in `tokens`, and prints `{"cpu_seconds": [...], "wall_seconds": [...], "balances": [...], "versions": {...}}`.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from typing import Any

Read = Callable[[], Awaitable[list[int]]]

BALANCE_OF = {
    "type": "function",
    "name": "balanceOf",
    "stateMutability": "view",
    "inputs": [{"name": "account", "type": "address"}],
    "outputs": [{"name": "", "type": "uint256"}],
}


def with_multicall(task: dict[str, Any]) -> Read:
    """multicall.py: one batch of calls, as large as it likes."""
    from multicall import Call, Multicall  # type: ignore[import-not-found]
    from web3 import HTTPProvider, Web3

    web3 = Web3(HTTPProvider(task["url"]))
    tokens = task["tokens"]

    calls = [
        Call(tokens[token], ["balanceOf(address)(uint256)", account], [[str(place), None]])
        for place, (token, account) in enumerate(task["reads"])
    ]

    async def read() -> list[int]:
        found = await Multicall(calls, _w3=web3).coroutine()
        return [found[str(place)] for place in range(len(calls))]

    return read


def with_dank_mids(task: dict[str, Any]) -> Read:
    """dank_mids: plain contract calls, gathered; the library batches them."""
    from dank_mids.helpers import setup_dank_w3_from_sync  # type: ignore[import-not-found]
    from web3 import HTTPProvider, Web3

    web3 = setup_dank_w3_from_sync(Web3(HTTPProvider(task["url"])))
    contracts = [web3.eth.contract(address=token, abi=[BALANCE_OF]) for token in task["tokens"]]

    async def read() -> list[int]:
        calls = [contracts[token].functions.balanceOf(account).call() for token, account in task["reads"]]
        return list(await asyncio.gather(*calls))

    return read


CLIENTS: dict[str, Callable[[dict[str, Any]], Read]] = {"multicall": with_multicall, "dank_mids": with_dank_mids}


async def measure(task: dict[str, Any]) -> dict[str, Any]:
    """Read once to warm up, then `runs` times."""
    read = CLIENTS[task["client"]](task)
    balances = await read()
    cpu: list[float] = []
    wall: list[float] = []
    for _ in range(task["runs"]):
        gc.collect()
        gc.freeze()
        cpu_before, wall_before = time.process_time(), time.perf_counter()
        again = await read()
        cpu.append(time.process_time() - cpu_before)
        wall.append(time.perf_counter() - wall_before)
        if again != balances:
            raise SystemExit("two readings of one block differ")
    packages = {"multicall": "multicall", "dank_mids": "dank-mids"}
    versions = {name: version(name) for name in ("web3", packages[task["client"]])}
    return {"cpu_seconds": cpu, "wall_seconds": wall, "balances": balances, "versions": versions}


if __name__ == "__main__":
    answer = asyncio.run(measure(json.load(sys.stdin)))
    print(json.dumps(answer))
