"""From a guardian's request, or a trade's log, to the broadcast: a process with 200 funds, blocks of one second.

Twenty trials of each, or NAVORACLE_TRIALS of them; the figures are printed (`pytest -s`), and the 95th percentile must
be under two block times. A broadcast is there when the node counts it.
"""

from __future__ import annotations

import asyncio
import math
import os
import time
from pathlib import Path

import pytest
from aiohttp import ClientSession

from navoracle.abi import encode_call
from navoracle.composition.stores import open_existing_store
from navoracle.drill.commands import GUARDIAN, POSTER, SIGNERS, STRANGER
from navoracle.requests.actions import Action
from navoracle.requests.document import ActionRequest, SignedRequest
from navoracle.store_port import SlotState
from tests.faults.keeper_process import KeeperProcess
from tests.faults.live_world import LiveWorld, free_port, live_world
from tests.faults.worlds import CHAIN_ID
from tests.requirements import needs_node

pytestmark = [needs_node, pytest.mark.slow, pytest.mark.sockets]

FUNDS = 200
TRIALS = min(FUNDS // 2, int(os.environ.get("NAVORACLE_TRIALS", "20")))
BLOCK_TIME = 1.0
TOKEN = "a-token-of-forty-characters-for-the-tests"


async def test_emergency__request_or_trade_with_200_funds__is_broadcast_within_two_block_times(tmp_path: Path) -> None:
    async with live_world(tmp_path, funds=FUNDS) as live:
        await live.jump(live.now + 1_800)  # no slot is due, and the last one is long ago
        tokens = tmp_path / "tokens"
        tokens.touch(mode=0o600)
        tokens.write_text(TOKEN)
        nodes = [{"url": proxy.url, "operator": f"node-{number}"} for number, proxy in enumerate(live.proxies, 1)]
        nodes.append({"url": live.world.node.url.replace("http", "ws", 1), "operator": "websocket"})
        port = free_port()
        keeper = live.keeper(
            service={"lease": 20, "http": {"port": port, "token_file": str(tokens)}}, chain={"endpoints": nodes}
        )
        keeper.port = port
        keeper.start()
        await keeper.until_healthy()
        await _first_sample(keeper)
        asked = [await _request(live, keeper, index) for index in range(1, TRIALS + 1)]
        traded = [await _trade(live, index) for index in range(TRIALS + 1, 2 * TRIALS + 1)]
        for name, seconds in (("request", asked), ("trade", traded)):
            print(
                f"{name}: p50 {_percentile(seconds, 50):.3f} s, p95 {_percentile(seconds, 95):.3f} s, {TRIALS} trials"
            )
        await _slots_end(keeper)
        assert await keeper.stop(60) == 0
        await live.must_hold()
    assert _percentile(asked, 95) < 2 * BLOCK_TIME
    assert _percentile(traded, 95) < 2 * BLOCK_TIME


async def _request(live: LiveWorld, keeper: KeeperProcess, index: int) -> float:
    """Seconds from a guardian's request for one fund to the broadcast of its post."""
    request = ActionRequest(
        fund=f"fund-{index}",
        action=Action.EMERGENCY_UPDATE,
        slot=live.now,
        reason="a trial",
        deadline=live.now + 600,
        nonce=index,
        chain=CHAIN_ID,
        contract=live.world.registry,
    )
    signer = SIGNERS[GUARDIAN]
    signature = (await signer.sign_payload(request.payload)).to_bytes()
    body = SignedRequest(request, signer.address, signature).document()
    seen = await _broadcasts(live)
    began = time.perf_counter()
    async with (
        ClientSession(headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}) as session,
        session.post(f"http://127.0.0.1:{keeper.port}/api/v1/requests", data=body) as response,
    ):
        assert response.status < 300, await response.text()
        return await _until_broadcast(live, seen) - began


async def _trade(live: LiveWorld, index: int) -> float:
    """Seconds from the block with a transfer of an eighth of a fund's NAV to the broadcast of the fund's post."""
    holder = live.world.holder(f"fund-{index}", "usdc")
    data = encode_call("transfer(address,uint256)", SIGNERS[STRANGER].address, 250_000 * 10**18)
    rpc = live.world.node.rpc
    await rpc("anvil_setBalance", holder, hex(10**18))
    await rpc("anvil_impersonateAccount", holder)
    seen = await _broadcasts(live)
    sent = await rpc("eth_sendTransaction", {"from": holder, "to": live.world.token("USDC"), "data": "0x" + data.hex()})
    while await rpc("eth_getTransactionReceipt", sent) is None:
        await asyncio.sleep(0.005)
    began = time.perf_counter()
    return max(0.0, await _until_broadcast(live, seen) - began)


async def _broadcasts(live: LiveWorld) -> int:
    """How many transactions of the poster the node has, those that are in no block yet included."""
    count = await live.world.node.rpc("eth_getTransactionCount", SIGNERS[POSTER].address, "pending")
    return int(count, 16)


async def _until_broadcast(live: LiveWorld, seen: int) -> float:
    async with asyncio.timeout(30):
        while await _broadcasts(live) <= seen:
            await asyncio.sleep(0.005)
    return time.perf_counter()


async def _slots_end(keeper: KeeperProcess) -> None:
    """Wait until every slot has ended: a loaded machine confirms the last posts later than it broadcasts them."""
    with open_existing_store(keeper.database) as store:
        async with asyncio.timeout(120):
            while any(row.state is SlotState.CLAIMED for row in store.slots()):
                await asyncio.sleep(0.5)


async def _first_sample(keeper: KeeperProcess) -> None:
    """Wait until the keeper knows prices and NAVs: it is ready then."""
    async with asyncio.timeout(60):
        while (await keeper.health("/readyz"))[0] != 200:
            await asyncio.sleep(0.1)
    await asyncio.sleep(2)


def _percentile(values: list[float], percent: int) -> float:
    ranked = sorted(values)
    return ranked[max(0, math.ceil(len(ranked) * percent / 100) - 1)]
