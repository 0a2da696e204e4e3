"""A lane over two nodes behind fault proxies, against a real node: rows of the table of faults, each by its number.

Both proxies stand before one anvil, which mines when a test says so; they add the rule of public nodes that anvil
lacks: a replacement raises both fees by a tenth. Time is the test's, so nothing is waited for.
"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from bench.anvil import anvil
from navoracle.chain.http import HttpEndpoint
from navoracle.chain.node import Node
from navoracle.chain.pool import NodePool
from navoracle.chain.rpc import NodeRefused
from navoracle.chain.signers import EphemeralSigner
from navoracle.chain.transactions import LanePolicy, Relay, TransactionLane
from navoracle.domain.errors import CallReverted, ChainError, InsufficientFunds
from navoracle.domain.units import Timestamp
from navoracle.drill.faults import TenPercentRule, counted_back
from navoracle.drill.proxy import (
    Fault,
    FaultProxy,
    Forward,
    Message,
    Reply,
    answer,
    delay,
    drop_request,
    drop_response,
    tamper,
)
from navoracle.lane_port import LaneEvent
from navoracle.ports import Address
from navoracle.storage import SqlStore
from navoracle.store_port import (
    NewTransaction,
    Severity,
    TransactionKind,
    TransactionRow,
    TransactionState,
    Urgency,
)
from tests.requirements import needs_node
from tests.unit.chain.transactions.mempool import SetClock

pytestmark = needs_node

CHAIN_ID = 31_337
GWEI = 10**9
SEND = "eth_sendRawTransaction"
# The first account of anvil's well-known test mnemonic.
KEEPER = EphemeralSigner(bytes.fromhex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"))
TARGET = Address("0x00000000000000000000000000000000000000A1")
SWITCH = "0x" + "00" * 32
# Reverts with Paused() while slot 0 is set; otherwise it writes slot 1 anew, which costs 20,000 gas the first time.
CODE = "0x6000546010575a6001554260025500fe5b639e87fac860e01b6000526004" + "6000fd"

POLICY = LanePolicy(
    routine_max_fee=100 * GWEI,
    emergency_max_fee=400 * GWEI,
    resubmit_after=48,
    republish_after=30,
    post_confirmations=2,
    missing_looks=3,
    missing_after=60,
    gap_looks=2,
    gap_after=10,
    private_patience=60,
)


class World:
    """Anvil, two proxies before it, a store, and the lane of the process that is alive."""

    def __init__(
        self, node: HttpEndpoint, proxies: list[FaultProxy], endpoints: list[HttpEndpoint], path: Path
    ) -> None:
        self.node = node
        self.proxies = proxies
        self.endpoints = endpoints
        self.path = path
        self.store = SqlStore.open(f"sqlite:///{path}")
        self.clock = SetClock()
        self.events: list[LaneEvent] = []
        self.relay: Relay | None = None
        self.rule = TenPercentRule()
        self.sound()

    async def open(self) -> None:
        pool = NodePool(
            [
                Node(each, operator=str(index), monotonic=self.clock.monotonic, sleep=self.clock.wait)
                for index, each in enumerate(self.endpoints)
            ],
            chain="anvil",
            chain_id=CHAIN_ID,
            finality=0,
            sleep=self.clock.wait,
        )
        self.lane = TransactionLane(
            pool=pool,
            signer=KEEPER,
            store=self.store,
            clock=self.clock,
            chain="anvil",
            chain_id=CHAIN_ID,
            policy=POLICY,
            owner="keeper",
            on_event=self.events.append,
            relay=self.relay,
        )
        assert await self.lane.open()

    def fault(self, method: str, fault: Fault) -> None:
        """Put a fault on a method of both nodes."""
        for proxy in self.proxies:
            proxy.fault(method, fault)

    def sound(self) -> None:
        """Take all faults away but the rule of public nodes."""
        for proxy in self.proxies:
            proxy.sound()
            proxy.fault(SEND, self.rule)

    async def rpc(self, method: str, *params: object) -> Any:
        return await self.node.request(method, list(params))

    async def add(self, **intent: Any) -> int:
        number = len(self.store.transactions()) + 1
        data = number.to_bytes(4, "big")
        return await self.lane.add(NewTransaction(f"post-{number}", TransactionKind.POST, TARGET, data, **intent))

    async def post(self, **intent: Any) -> int:
        number = await self.add(**intent)
        await self.lane.submit(number)
        return number

    async def tick(self, after: int = 0) -> None:
        self.clock.reading += after
        await self.lane.tick()

    async def mine(self, blocks: int = 1) -> None:
        await self.rpc("anvil_mine", hex(blocks))
        await self.tick(12)

    async def settle(self, number: int) -> TransactionState:
        """Mine and look until the transaction has ended."""
        for _ in range(10):
            if self.row(number).state.is_end:
                break
            await self.mine()
        return self.row(number).state

    def row(self, number: int) -> TransactionRow:
        return self.store.find_transaction(number)

    def told(self, kind: str) -> list[LaneEvent]:
        return [event for event in self.events if event.kind == kind]

    async def foreign(self, nonce: int, fee: int = 30 * GWEI) -> str:
        """A transaction of the same key beside the keeper, handed to the node."""
        raw = await KEEPER.sign(
            {
                "type": 2,
                "chainId": CHAIN_ID,
                "nonce": nonce,
                "gas": 21_000,
                "maxFeePerGas": fee,
                "maxPriorityFeePerGas": fee,
                "to": bytes(20),
                "value": 0,
                "data": b"",
            }
        )
        return str(await self.rpc(SEND, "0x" + raw.hex()))

    async def require_sound(self) -> None:
        """What holds after every row: no intent twice, no gap, no hash that is not stored, advice with every alarm."""
        rows = self.store.transactions()
        stored = {attempt.signed.hash: (row, attempt) for row in rows for attempt in row.attempts}
        assert {sent for proxy in self.proxies for sent in proxy.broadcast} <= set(stored)
        landed: list[str] = []
        for transaction_hash, (row, attempt) in stored.items():
            receipt = await self.rpc("eth_getTransactionReceipt", transaction_hash)
            if receipt is not None and receipt["status"] == "0x1" and not attempt.noop:
                landed.append(row.intent.key)
        assert len(landed) == len(set(landed))
        open_nonces = {row.nonce for row in rows if row.attempts and not row.state.is_end}
        count = int(await self.rpc("eth_getTransactionCount", KEEPER.address, "latest"), 16)
        assert open_nonces == set(range(count, count + len(open_nonces)))
        assert all(event.advice for event in self.events if event.severity is not Severity.INFO)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        url = stack.enter_context(anvil("--no-mining", "--base-fee", str(GWEI)))
        node = HttpEndpoint(url)
        stack.push_async_callback(node.close)
        await node.request("anvil_setCode", [TARGET, CODE])
        await node.request("anvil_mine", [hex(5)])
        proxies = [await stack.enter_async_context(FaultProxy(url)) for _ in range(2)]
        endpoints = [HttpEndpoint(proxy.url, timeout=2.0) for proxy in proxies]
        for endpoint in endpoints:
            stack.push_async_callback(endpoint.close)
        made = World(node, proxies, endpoints, tmp_path / "lane.db")
        stack.callback(made.store.close)
        await made.open()
        yield made
        await made.require_sound()


@pytest.mark.parametrize(
    "fault", [delay(2.5), drop_response, drop_request], ids=["1 answer late", "2 answer lost", "3 request lost"]
)
async def test_rows_1_to_4__broadcast_without_an_answer__is_one_transaction(world: World, fault: Fault) -> None:
    world.fault(SEND, fault)
    number = await world.post()
    assert world.row(number).attempts[0].error is not None
    world.sound()
    await world.tick(30)  # row 4: where the node has it, it says "already imported"
    assert world.row(number).state is TransactionState.SENT
    assert await world.settle(number) is TransactionState.CONFIRMED
    assert len(world.row(number).attempts) == 1


async def test_row_5__nonce_too_low_because_an_earlier_form_was_mined__is_adopted(world: World) -> None:
    number = await world.post()
    world.fault(SEND, drop_request)
    await world.tick(48)
    first, second = world.row(number).attempts
    await world.rpc("anvil_mine", "0x1")
    world.sound()
    with pytest.raises(NodeRefused, match="nonce too low"):
        await world.rpc(SEND, second.signed.raw)
    assert await world.settle(number) is TransactionState.CONFIRMED
    receipt = world.row(number).receipt
    assert receipt is not None
    assert receipt.hash == first.signed.hash


async def test_row_6__another_program_used_the_nonce__ends_replaced_with_an_alarm(world: World) -> None:
    number = await world.post()
    await world.rpc("anvil_dropTransaction", world.row(number).attempts[0].signed.hash)
    await world.foreign(0)
    await world.rpc("anvil_mine", "0x4")
    for _ in range(3):
        assert world.row(number).state is TransactionState.SENT
        await world.tick(30)
    assert world.row(number).state is TransactionState.REPLACED
    assert world.told("key_used_elsewhere")[0].severity is Severity.CRITICAL
    again = await world.post()
    assert world.row(again).nonce == 1
    assert await world.settle(again) is TransactionState.CONFIRMED


async def test_row_7__a_sent_transaction_is_lost_with_its_row__its_nonce_is_filled(world: World) -> None:
    lost, kept = await world.post(), await world.post()
    await world.rpc("anvil_dropTransaction", world.row(lost).attempts[0].signed.hash)
    for proxy in world.proxies:
        proxy.broadcast.remove(world.row(lost).attempts[0].signed.hash) if proxy.broadcast else None
    with sqlite3.connect(world.path) as database:
        database.execute('DELETE FROM attempts WHERE "transaction" = ?', (lost,))
        database.execute("DELETE FROM transactions WHERE id = ?", (lost,))
    database.close()
    await world.open()
    await world.tick()
    await world.tick(10)
    assert world.told("gap_filled")
    assert await world.settle(kept) is TransactionState.CONFIRMED


async def test_row_9__counts_lag_and_lie__our_own_record_counts(world: World) -> None:
    first = await world.post()
    assert await world.settle(first) is TransactionState.CONFIRMED
    world.fault("eth_getTransactionCount", counted_back(1))
    second = await world.post()
    assert world.row(second).nonce == 1
    assert await world.settle(second) is TransactionState.CONFIRMED


async def test_row_11__base_fee_rises__is_replaced_by_the_rule_of_public_nodes(world: World) -> None:
    number = await world.post()
    await world.rpc("anvil_setNextBlockBaseFeePerGas", hex(20 * GWEI))
    await world.mine()
    assert world.row(number).state is TransactionState.SENT
    await world.tick(48)
    old, new = world.row(number).attempts
    assert 10 * new.max_fee >= 11 * old.max_fee
    assert 10 * new.max_tip >= 11 * old.max_tip
    assert await world.settle(number) is TransactionState.CONFIRMED
    assert world.rule.refused == 0


async def test_row_12__replacement_underpriced__is_raised_until_it_is_taken(world: World) -> None:
    number = await world.post()
    held = world.rule.floor[(KEEPER.address, 0)]
    world.rule.floor[(KEEPER.address, 0)] = (held[0] * 14 // 10, held[1] * 14 // 10)
    await world.tick(48)
    for _ in range(6):
        await world.tick(1)
    assert world.rule.refused > 0
    assert len(world.row(number).attempts) <= 7
    assert await world.settle(number) is TransactionState.CONFIRMED


async def test_row_14__base_fee_above_the_ceiling__waits_with_an_alarm_and_an_emergency_passes(world: World) -> None:
    number = await world.post()
    await world.rpc("anvil_setNextBlockBaseFeePerGas", hex(300 * GWEI))
    await world.mine()
    for _ in range(12):
        await world.tick(48)
    assert world.told("fee_cap")
    assert max(each.max_fee for each in world.row(number).attempts) <= POLICY.routine_max_fee
    sent = [proxy.broadcast.count(world.row(number).attempts[-1].signed.hash) for proxy in world.proxies]
    await world.tick(48)
    assert [proxy.broadcast.count(world.row(number).attempts[-1].signed.hash) for proxy in world.proxies] > sent
    with pytest.raises(ChainError, match="ceiling of routine"):
        await world.post()
    urgent = await world.post(urgency=Urgency.EMERGENCY)
    await world.tick(48)  # what stands before an emergency is raised with it
    assert await world.settle(urgent) is TransactionState.CONFIRMED
    assert world.row(number).state is TransactionState.CONFIRMED


async def test_row_16__absurd_fees_from_one_node__are_clamped(world: World) -> None:
    world.proxies[0].fault("eth_maxPriorityFeePerGas", answer(hex(10**30)))
    world.proxies[0].fault("eth_feeHistory", answer(None))
    number = await world.post()
    assert world.row(number).attempts[0].max_tip <= 2 * GWEI
    assert await world.settle(number) is TransactionState.CONFIRMED


@pytest.mark.parametrize("method", ["anvil_dropAllTransactions", "anvil_dropTransaction"])
async def test_row_17__mempool_drops_it__is_broadcast_again(world: World, method: str) -> None:
    number = await world.post()
    transaction_hash = world.row(number).attempts[0].signed.hash
    await world.rpc(method, *([transaction_hash] if method == "anvil_dropTransaction" else []))
    assert await world.rpc("eth_getTransactionByHash", transaction_hash) is None
    await world.tick(30)
    assert await world.settle(number) is TransactionState.CONFIRMED
    assert len(world.row(number).attempts) == 1


async def test_row_18__not_mined_in_time__its_nonce_is_freed(world: World) -> None:
    number = await world.post(valid_until=Timestamp(world.clock.reading + 40))
    await world.tick(41)
    assert [each.noop for each in world.row(number).attempts] == [False, True]
    assert await world.settle(number) is TransactionState.REPLACED
    assert "expired" in str(world.row(number).error)
    after = await world.post()
    assert world.row(after).nonce == 1
    assert await world.settle(after) is TransactionState.CONFIRMED


async def test_row_20__receipts_are_withheld__nothing_is_signed_anew(world: World) -> None:
    number = await world.post()
    world.fault("eth_getTransactionReceipt", answer(None))
    await world.rpc("anvil_mine", "0x3")
    await world.tick(20)
    await world.tick(20)
    world.sound()
    await world.tick(1)
    assert world.row(number).state is TransactionState.CONFIRMED
    assert len(world.row(number).attempts) == 1


async def test_row_21__malformed_receipts__are_the_nodes_errors(world: World) -> None:
    number = await world.post()
    world.proxies[0].fault("eth_getTransactionReceipt", answer({}))
    assert await world.settle(number) is TransactionState.CONFIRMED


async def test_row_22__reorganization_removes_it__the_same_bytes_are_sent_again(world: World) -> None:
    number = await world.post()
    await world.mine()
    assert world.row(number).state is TransactionState.MINED
    await world.rpc("anvil_reorg", 1, [])
    await world.tick(1)
    row = world.row(number)
    assert (row.state, row.receipt) == (TransactionState.SENT, None)
    assert await world.settle(number) is TransactionState.CONFIRMED
    assert len(world.row(number).attempts) == 1
    assert world.told("reorganized")


async def test_row_23__reorganization_lets_another_form_win__is_adopted(world: World) -> None:
    number = await world.post()
    await world.tick(48)
    first, second = world.row(number).attempts
    await world.mine()
    receipt = world.row(number).receipt
    assert receipt is not None
    assert receipt.hash == second.signed.hash
    await world.rpc("anvil_reorg", 1, [[first.signed.raw, 0]])
    assert await world.settle(number) is TransactionState.CONFIRMED
    receipt = world.row(number).receipt
    assert receipt is not None
    assert receipt.hash == first.signed.hash


async def test_row_24__what_was_final_is_taken_back__stops_until_it_is_back(world: World) -> None:
    number = await world.post()
    assert await world.settle(number) is TransactionState.CONFIRMED
    await world.rpc("anvil_reorg", 4, [])
    await world.tick(1)
    await world.tick(1)
    assert world.told("deep_reorganization")[0].severity is Severity.CRITICAL
    with pytest.raises(ChainError, match="final blocks"):
        await world.post()
    await world.mine()
    await world.mine()
    assert world.row(await world.post()).nonce == 1


async def test_row_25__state_changes_before_it_is_mined__fails_with_the_contracts_reason(world: World) -> None:
    number = await world.post()
    await world.rpc("anvil_setStorageAt", TARGET, "0x0", "0x" + "00" * 31 + "01")
    assert await world.settle(number) is TransactionState.FAILED
    assert "reverted: Paused()" in str(world.row(number).error)
    with pytest.raises(CallReverted, match="Paused"):
        await world.post()  # row 26
    assert [len(row.attempts) for row in world.store.transactions()] == [0, 1]


async def test_row_27__estimates_too_low__gas_is_tried_out_before_it_is_believed(world: World) -> None:
    world.fault("eth_estimateGas", tamper(lambda _: hex(21_100)))
    number = await world.post()
    assert await world.settle(number) is TransactionState.CONFIRMED


async def test_row_28__balance_is_gone__waits_with_an_alarm_and_resumes(world: World) -> None:
    number = await world.post()
    balance = await world.rpc("eth_getBalance", KEEPER.address, "latest")
    await world.rpc("anvil_dropAllTransactions")
    await world.rpc("anvil_setBalance", KEEPER.address, "0x0")
    await world.tick(30)
    assert world.told("no_funds")[0].severity is Severity.CRITICAL
    with pytest.raises(InsufficientFunds):
        await world.post()
    await world.tick(60)
    assert len(world.row(number).attempts) == 1
    await world.rpc("anvil_setBalance", KEEPER.address, balance)
    await world.tick(60)
    assert await world.settle(number) is TransactionState.CONFIRMED


async def test_rows_29_and_30__another_chain_id__gets_nothing(world: World) -> None:
    world.proxies[0].fault("eth_chainId", answer("0x1"))
    number = await world.post()
    assert (len(world.proxies[0].broadcast), len(world.proxies[1].broadcast)) == (0, 1)
    assert await world.settle(number) is not TransactionState.FAILED
    world.proxies[1].fault("eth_chainId", answer("0x1"))
    with pytest.raises(ChainError):
        await world.post()
    assert len(world.proxies[1].broadcast) == 1
    world.sound()
    await world.tick(1)
    assert await world.settle(number) is TransactionState.CONFIRMED


async def test_row_62__relay_holds_it_and_mines_it_late__its_nonce_is_used_once(world: World) -> None:
    held: list[str] = []

    async def hold(asked: Message, _node: Forward) -> Reply:
        held.append(asked["params"][0]["tx"])
        return {"jsonrpc": "2.0", "id": asked["id"], "result": world.row(1).attempts[-1].signed.hash}

    async with FaultProxy(world.node._url) as proxy:
        proxy.fault("eth_sendPrivateTransaction", hold)
        endpoint = HttpEndpoint(proxy.url)
        world.relay = Relay(endpoint, "eth_sendPrivateTransaction")
        await world.open()
        number = await world.post()
        assert world.row(number).state is TransactionState.SENT
        await world.tick(40)
        assert not any(proxy.broadcast for proxy in world.proxies)
        await world.tick(20)
        public = world.row(number).attempts[-1]
        assert await world.rpc("eth_getTransactionByHash", public.signed.hash) is not None
        await world.rpc("anvil_dropAllTransactions")
        await world.rpc(SEND, held[0])
        await world.rpc("anvil_mine", "0x3")
        await world.tick(1)
        row = world.row(number)
        assert (row.state, row.receipt and row.receipt.hash) == (
            TransactionState.CONFIRMED,
            row.attempts[0].signed.hash,
        )
        await world.lane.close()
        await endpoint.close()
