"""How much of this machine reading the world takes, beside other clients of the same node in the same run.

    python -m bench.world [--json] [--runs N]

10,000 token balances are read by navoracle (position readers, driven to positions at one pinned block), by web3.py in
three ways, by multicall.py and dank_mids in an environment of their own with web3 7, and by a loop that only posts
prepared bytes and cuts the answers. Figures are medians of processor time of the client alone. What existed before a
run is kept out of garbage collection for every client. Slow clients read fewer balances, scaled up; the table says so.

`navoracle` is warm: a service keeps its resolved readers, and with them their encoded calls, from frame to frame;
nothing that was read is kept. `navoracle (cold)` has new readers and empty caches.
"""

from __future__ import annotations

import asyncio
import platform
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Final

from bench import frame, peer_environment
from bench.anvil import binary
from bench.clients import (
    Read,
    bare_loop,
    batch_requests,
    chain_reader,
    forget,
    multicall3_contract,
    navoracle,
    one_by_one,
    readers_of,
    web3_client,
)
from bench.deployed import NODE_ARGUMENTS, Balance, Deployed, deploy
from bench.measuring import Spent, median, spent
from bench.on_node import main_on_node
from navoracle import __version__

RUNS: Final = 5
BATCHED: Final = 2_000
ONE_BY_ONE: Final = 1_000
OURS: Final = "navoracle"
COLD: Final = "navoracle (cold)"
BARE: Final = "bare loop"


@dataclass(frozen=True, slots=True)
class Client:
    """What one client took for all reads; `measured` of them were made, the rest is scaled."""

    spent: Spent
    measured: int
    runs: int


async def measure(world: Deployed, *, runs: int = RUNS, peers: bool = True) -> dict[str, Any]:
    """All clients, and the whole frame."""
    clients = {**await _ours(world, runs), **await _web3(world, runs)}
    unavailable: dict[str, str] = {}
    versions = _versions()
    for name in peer_environment.CLIENTS if peers else ():
        try:
            found = await asyncio.to_thread(peer_environment.measure, name, world, runs)
        except peer_environment.PeersUnavailable as error:
            unavailable[name] = str(error)
            continue
        took = [Spent(*each) for each in zip(found["cpu_seconds"], found["wall_seconds"], strict=True)]
        clients[name] = Client(median(took), len(world.balances), runs)
        versions |= {f"{package} (of {name})": number for package, number in found["versions"].items()}
    ours = clients[OURS].spent.cpu
    return {
        "reads": len(world.balances),
        "tokens": len(world.tokens),
        "clients": {
            name: {
                "cpu_seconds": client.spent.cpu,
                "wall_seconds": client.spent.wall,
                "measured_reads": client.measured,
                "runs": client.runs,
            }
            for name, client in clients.items()
        },
        "unavailable": unavailable,
        "ratios": {name: client.spent.cpu / ours for name, client in clients.items() if name not in (OURS, BARE)},
        "ratio_to_bare_loop": ours / clients[BARE].spent.cpu,
        "frame": await frame.measure(world, runs),
        "versions": versions,
    }


async def _ours(world: Deployed, runs: int) -> dict[str, Client]:
    async with chain_reader(world.url) as chain:
        await chain.stamp()
        cold = []
        for _ in range(runs):
            forget()
            cold += [await _time(navoracle(chain, readers_of(world)), world.balances, 1, warm_up=False)]
        warm = await _time(navoracle(chain, readers_of(world)), world.balances, runs)
    bare = await _time(bare_loop(world), world.balances, runs)
    count = len(world.balances)
    return {
        OURS: Client(warm, count, runs),
        COLD: Client(median(cold), count, runs),
        BARE: Client(bare, count, runs),
    }


async def _web3(world: Deployed, runs: int) -> dict[str, Client]:
    found: dict[str, Client] = {}
    fewer = max(1, runs // 2)
    async with web3_client(world.url) as web3:
        for name, make, reads in (
            ("web3.py Multicall3 contract", multicall3_contract, len(world.balances)),
            ("web3.py batch_requests", batch_requests, BATCHED),
            ("web3.py one call at a time", one_by_one, ONE_BY_ONE),
        ):
            some = world.balances[:reads]
            took = await _time(make(world, web3, some), some, fewer)
            scale = len(world.balances) / len(some)
            found[name] = Client(Spent(took.cpu * scale, took.wall * scale), len(some), fewer)
    return found


async def _time(read: Read, expected: Sequence[Balance], runs: int, *, warm_up: bool = True) -> Spent:
    """The median of several readings. Raises RuntimeError: they are not the balances that were put in place."""
    if warm_up:
        await read()
    took: list[Spent] = []
    for _ in range(runs):
        found, one = await spent(read)
        if found != [held.amount for held in expected]:
            raise RuntimeError("a client read other balances than there are: its time would mean nothing")
        took.append(one)
    return median(took)


def _versions() -> dict[str, str]:
    node = subprocess.run([str(binary()), "--version"], capture_output=True, text=True, timeout=30, check=True)
    return {
        "navoracle": __version__,
        "python": platform.python_version(),
        "web3": version("web3"),
        "aiohttp": version("aiohttp"),
        "anvil": node.stdout.splitlines()[0].split()[-1],
    }


def table(result: dict[str, Any]) -> str:
    """The figures in lines."""
    lines = [f"{result['reads']:,} balances of {result['tokens']} tokens: client CPU, and as a multiple of navoracle's"]
    for name, client in sorted(result["clients"].items(), key=lambda item: float(item[1]["cpu_seconds"])):
        ratio = client["cpu_seconds"] / result["clients"][OURS]["cpu_seconds"]
        scaled = "" if client["measured_reads"] == result["reads"] else f"  (scaled from {client['measured_reads']:,})"
        lines.append(
            f"  {name:<30}{client['cpu_seconds']:>9.3f} s{ratio:>9.1f}x{client['wall_seconds']:>9.2f} s wall{scaled}"
        )
    lines += [f"  {name:<30} not measured: {why}" for name, why in result["unavailable"].items()]
    found = result["frame"]
    rounds = ", then ".join(f"{requests:,}" for requests in found["requests_by_round"])
    lines.append(f"A frame of {found['funds']:,} funds, {found['positions']:,} positions, {found['assets']} assets")
    lines.append(f"  requests, by round            {rounds}")
    lines.append(f"  collect to valuation          {found['collect_to_valuation_cpu_seconds']:>9.3f} s CPU")
    lines.append(f"  the same, first frame         {found['first_frame_collect_to_valuation_cpu_seconds']:>9.3f} s CPU")
    lines += [f"    {name:<28}{seconds:>9.3f} s CPU" for name, seconds in found["cpu_seconds"].items()]
    lines.append(", ".join(f"{name} {number}" for name, number in result["versions"].items()))
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the bench; 5 when no node can be had."""
    parser = ArgumentParser(prog="python -m bench.world", description="Client CPU of reading the world.")
    parser.add_argument("--runs", type=int, default=RUNS, help="runs of each client, of which the median is taken")
    return main_on_node(
        parser,
        arguments,
        node_arguments=NODE_ARGUMENTS,
        measure=lambda url, options: asyncio.run(measure(deploy(url), runs=options.runs)),
        table=table,
    )


if __name__ == "__main__":
    sys.exit(main())
